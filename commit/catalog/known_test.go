package catalog_test

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/internal/failure"
)

// A look shows what the last commit has shown, without reading it again, until somebody else has committed, or the
// table is another one.
func TestLooksAtWhatIsKnown(t *testing.T) {
	f := func(name string, open func() catalog.Catalog) {
		t.Run(name, func(t *testing.T) {
			cat, other := open(), open()
			writer := func(c catalog.Catalog) *commit.Table {
				w, err := commit.Open(t.Context(), c, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, commit.Env{})
				require.NoError(t, err)
				return w
			}
			w := writer(cat)
			require.NoError(t, w.Create(t.Context(), start()))
			_, err := w.Progress(t.Context(), move("0", "1"))
			require.NoError(t, err)
			look, err := cat.LoadTable(t.Context(), shop)
			require.NoError(t, err)
			require.Same(t, w.Metadata(), look.Metadata(), "not parsed again")
			require.Equal(t, w.Iceberg().MetadataLocation(), look.MetadataLocation())
			_, err = look.FS(t.Context())
			require.NoError(t, err)

			_, err = writer(other).Progress(t.Context(), move("1", "2"))
			require.NoError(t, err)
			seen, err := cat.LoadTable(t.Context(), shop)
			require.NoError(t, err)
			require.Greater(t, seen.Metadata().LastSequenceNumber(), look.Metadata().LastSequenceNumber())

			require.NoError(t, other.DropTable(t.Context(), shop))
			require.NoError(t, writer(other).Create(t.Context(), start()))
			again, err := cat.LoadTable(t.Context(), shop)
			require.NoError(t, err)
			require.NotEqual(t, seen.Metadata().TableUUID(), again.Metadata().TableUUID())
		})
	}
	dir := t.TempDir()
	f("sqlite", func() catalog.Catalog { return openSQLite(t, dir) })
	srv := newRESTServer(t, t.TempDir())
	f("rest", func() catalog.Catalog { return srv.open(t) })
}

// The current metadata file is deleted under a writer that knows what was in it. It halts, as after a restart, and goes
// on when the file is back.
func TestDeletedMetadataFileIsNoticed(t *testing.T) {
	cat := openSQLite(t, t.TempDir())
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true},
		commit.Env{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	require.NoError(t, err)
	require.NoError(t, w.Create(t.Context(), start()))
	u, err := url.Parse(w.Iceberg().MetadataLocation())
	require.NoError(t, err)
	text, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(u.Path))
	_, err = cat.LoadTable(t.Context(), shop)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = w.Progress(t.Context(), move("0", "1"))
	require.Equal(t, commit.CodeMetadataMissing, failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	require.NoError(t, os.WriteFile(u.Path, text, 0o600))
	res, err := w.Progress(t.Context(), move("0", "1"))
	require.NoError(t, err)
	require.Equal(t, commit.Landed, res.Outcome)
}
