package catalog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/internal/failure"
)

func writeFile(path, content string) error { return os.WriteFile(path, []byte(content), 0o600) }

// A requirement that does not hold looks like a conflict with every catalog, whatever words it uses.
func TestRequirementsThatFailAreConflicts(t *testing.T) {
	dir := t.TempDir()
	srv := newRESTServer(t, filepath.Join(dir))
	w := world(t, srv)
	require.NoError(t, w.Create(t.Context(), start()))
	for _, cat := range []catalog.Catalog{srv.backend, srv.open(t)} {
		_, _, err := cat.CommitTable(t.Context(), shop, []table.Requirement{table.AssertTableUUID(uuid.New())}, nil)
		require.ErrorIs(t, err, table.ErrCommitFailed)
	}
}

// A metadata file that is gone is trouble that may pass, not a table that is gone.
func TestMissingMetadataFile(t *testing.T) {
	dir := t.TempDir()
	srv := newRESTServer(t, dir)
	w := world(t, srv)
	require.NoError(t, w.Create(t.Context(), start()))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "warehouse")))
	_, err := openSQLite(t, dir).LoadTable(t.Context(), shop)
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	require.NotEqual(t, commit.CodeDropped, failure.CodeOf(err))
	_, err = newRESTServer(t, dir).open(t).LoadTable(t.Context(), shop)
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	err = w.Refresh(t.Context())
	require.Equal(t, failure.Retry, failure.ClassOf(err), "who has written the file looks whether it is there: %v", err)
}

// A warehouse may be given as a directory or as a URI.
func TestWarehouseForms(t *testing.T) {
	dir := t.TempDir()
	for i, warehouse := range []string{dir + "/w1", "file://" + dir + "/w2", "file://" + dir + "/w3/"} {
		cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.SQLite, Path: filepath.Join(dir, "c.db"), Warehouse: warehouse})
		require.NoError(t, err)
		ident := table.Identifier{"db", string(rune('a' + i))}
		w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: ident, Pipeline: "p", MayCreate: true}, commit.Env{})
		require.NoError(t, err)
		require.NoError(t, w.Create(t.Context(), start()))
		require.Contains(t, w.Location(), "file://"+dir+"/w"+string(rune('1'+i))+"/db.db/")
		require.NoError(t, cat.Close())
	}
}
