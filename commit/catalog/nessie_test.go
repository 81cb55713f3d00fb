package catalog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// newNessie is a REST catalog that answers as Nessie does: with the head snapshot alone, which names no parent, and
// with the property that keeps others from collecting its garbage.
func newNessie(t *testing.T) *restServer {
	t.Helper()
	srv := newRESTServer(t, t.TempDir())
	srv.config = map[string]string{"nessie.is-nessie-catalog": "true"}
	inner := srv.Config.Handler
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		inner.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if rec.Code == http.StatusOK && bytes.Contains(body, []byte(`"metadata"`)) {
			body = headAlone(body)
		}
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(outer.Close)
	srv.URL = outer.URL
	return srv
}

func headAlone(body []byte) []byte {
	var all map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil {
		return body
	}
	meta, _ := all["metadata"].(map[string]any)
	current := fmt.Sprint(meta["current-snapshot-id"])
	if props, ok := meta["properties"].(map[string]any); ok {
		props["gc.enabled"] = "false"
	}
	for _, list := range []string{"snapshots", "snapshot-log"} {
		entries, _ := meta[list].([]any)
		meta[list] = slices.DeleteFunc(entries, func(e any) bool { return fmt.Sprint(e.(map[string]any)["snapshot-id"]) != current })
		for _, e := range entries {
			if e, ok := e.(map[string]any); ok {
				delete(e, "parent-snapshot-id")
			}
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		return body
	}
	return out
}

func TestNessieConforms(t *testing.T) {
	srv := newNessie(t)
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog { return srv.open(t) })
}

// foreignAppend is another engine's commit, by a catalog that shows everything.
func foreignAppend(t *testing.T, cat catalog.Catalog, name string) {
	t.Helper()
	tbl, err := cat.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	tx := tbl.NewTransaction()
	b, err := iceberg.NewDataFileBuilder(tbl.Spec(), iceberg.EntryContentData, tbl.Location()+"/data/"+name+".parquet", iceberg.ParquetFile, nil, nil, nil, 3, 30)
	require.NoError(t, err)
	require.NoError(t, tx.NewRowDelta(nil).AddRows(b.Build()).Commit(t.Context()))
	_, err = tx.Commit(t.Context())
	require.NoError(t, err)
}

// Other engines may commit between two of ours, once or more. A head that was made on nothing has replaced the table.
func TestNessieShowsWhereAHeadCameFrom(t *testing.T) {
	srv := newNessie(t)
	w := world(t, srv)
	require.NoError(t, w.Create(t.Context(), start()))
	step := func(from, to string) {
		t.Helper()
		again := world(t, srv)
		res, err := again.Progress(t.Context(), move(state.Position(from), state.Position(to)))
		require.NoError(t, err)
		require.Equal(t, commit.Landed, res.Outcome)
	}
	step("0", "1")
	foreignAppend(t, srv.backend, "one")
	require.True(t, world(t, srv).FromMirror())
	step("1", "2")
	foreignAppend(t, srv.backend, "two")
	foreignAppend(t, srv.backend, "three")
	step("2", "3")

	tbl, err := srv.backend.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	_, _, err = srv.backend.CommitTable(t.Context(), shop, nil, []table.Update{table.NewRemoveSnapshotRefUpdate("main")})
	require.NoError(t, err)
	foreignAppend(t, srv.backend, "replaced")
	now, err := srv.backend.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	require.Greater(t, now.CurrentSnapshot().SequenceNumber, tbl.CurrentSnapshot().SequenceNumber)
	_, err = commit.Open(t.Context(), srv.open(t), commit.Spec{Identifier: shop, Pipeline: "p"}, commit.Env{})
	require.Equal(t, commit.CodeReplaced, failure.CodeOf(err), "%v", err)
}

// A manifest list that is gone or none says nothing: that is trouble, not a history.
func TestNessieWithoutAManifestList(t *testing.T) {
	srv := newNessie(t)
	require.NoError(t, world(t, srv).Create(t.Context(), start()))
	foreignAppend(t, srv.backend, "one")
	tbl, err := srv.backend.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	list := tbl.CurrentSnapshot().ManifestList[len("file://"):]
	for _, content := range []string{"", "Obj", "Avro", "Obj\x01\x02", "Obj\x01\xfe\xff\xff\xff\x0f", "Obj\x01\x02\x02k\xfe\xff\xff\xff\xff\x0f"} {
		require.NoError(t, os.WriteFile(list, []byte(content), 0o600))
		_, err = srv.open(t).LoadTable(t.Context(), shop)
		require.Equal(t, failure.Retry, failure.ClassOf(err), "%q: %v", content, err)
	}
	// A header that does not name a parent leaves the head as it is.
	require.NoError(t, os.WriteFile(list, []byte("Obj\x01\x01\x04\x02k\x02v\x00"), 0o600))
	seen, err := srv.open(t).LoadTable(t.Context(), shop)
	require.NoError(t, err)
	require.Nil(t, seen.CurrentSnapshot().ParentSnapshotID)
}
