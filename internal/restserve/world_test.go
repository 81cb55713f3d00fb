package restserve

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/ingestd/ingestd/table/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newSQLite makes an empty catalog and warehouse in the test's folder.
func newSQLite(t *testing.T) catalog.Catalog {
	t.Helper()
	dir := t.TempDir()
	stores, err := store.Open(store.Options{})
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	db, err := sql.Open("sqlite", "file:"+dir+"/catalog.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	cat, err := sqlcat.NewCatalog("test", db, sqlcat.SQLite, iceberg.Properties{"warehouse": "file://" + dir + "/warehouse"})
	require.NoError(t, err)
	return cat
}

// serve mounts a server as the daemon does and gives its URI.
func serve(t *testing.T, cat catalog.Catalog) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/catalog/", http.StripPrefix("/catalog", New(cat)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/catalog"
}

// connect is iceberg-go's own client.
func connect(t *testing.T, uri string, opts ...rest.Option) *rest.Catalog {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := rest.NewCatalog(t.Context(), "shop", uri, append(opts, rest.WithCustomTransport(transport))...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// create makes a table and, where missing, its namespaces.
func create(t *testing.T, cat catalog.Catalog, id ...string) *table.Table {
	t.Helper()
	if err := cat.CreateNamespace(t.Context(), id[:len(id)-1], nil); !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		require.NoError(t, err)
	}
	schema := iceberg.NewSchema(0,
		iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64, Required: true},
		iceberg.NestedField{ID: 2, Name: "name", Type: iceberg.PrimitiveTypes.String})
	tbl, err := cat.CreateTable(t.Context(), id, schema, catalog.WithProperties(iceberg.Properties{"format-version": "2"}))
	require.NoError(t, err)
	return tbl
}

// add appends one file of rows, given as JSON objects.
func add(t *testing.T, tbl *table.Table, rows ...string) *table.Table {
	t.Helper()
	schema, err := table.SchemaToArrowSchema(tbl.Schema(), nil, false, false)
	require.NoError(t, err)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader("["+strings.Join(rows, ",")+"]"))
	require.NoError(t, err)
	tbl, err = tbl.AppendTable(t.Context(), array.NewTableFromRecords(schema, []arrow.RecordBatch{rec}), 1<<10, nil)
	require.NoError(t, err)
	return tbl
}

// scan reads all rows as JSON objects, sorted.
func scan(t *testing.T, tbl *table.Table) []string {
	t.Helper()
	_, batches, err := tbl.Scan().ToArrowRecords(t.Context())
	require.NoError(t, err)
	out := []string{}
	for rec, err := range batches {
		require.NoError(t, err)
		b, err := rec.MarshalJSON()
		require.NoError(t, err)
		var rows []json.RawMessage
		require.NoError(t, json.Unmarshal(b, &rows))
		for _, row := range rows {
			out = append(out, string(row))
		}
		rec.Release()
	}
	slices.Sort(out)
	return out
}

// ask sends a request as a client without a library would; target is the path below the mount point.
func ask(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader("{}")).WithContext(t.Context()))
	return w
}

// isFault checks an answer against the specification's ErrorModel and gives its message.
func isFault(t *testing.T, w *httptest.ResponseRecorder, status int, kind string) string {
	t.Helper()
	require.Equal(t, status, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	var body struct{ Error fault }
	require.NoError(t, d.Decode(&body))
	_, err := d.Token()
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, kind, body.Error.Type)
	require.Equal(t, status, body.Error.Code)
	return body.Error.Message
}

// listed is a catalog of nothing but names of namespaces. Its writing methods are those of a nil interface: calling
// one panics.
type listed struct {
	catalog.Catalog
	namespaces map[string]bool // by levels joined with separator
	err        error           // of every call
	seen       context.Context // of the last call
}

func (c *listed) call(ctx context.Context) error {
	c.seen = ctx
	return c.err
}

func (c *listed) ListNamespaces(ctx context.Context, parent table.Identifier) ([]table.Identifier, error) {
	var out []table.Identifier
	for key := range maps.Keys(c.namespaces) {
		ns := strings.Split(key, separator)
		if len(ns) >= len(parent) && slices.Equal(ns[:len(parent)], parent) {
			out = append(out, ns)
		}
	}
	if len(parent) > 0 && !c.namespaces[strings.Join(parent, separator)] {
		return nil, errors.Join(c.call(ctx), catalog.ErrNoSuchNamespace)
	}
	return out, c.call(ctx)
}

func (c *listed) CheckNamespaceExists(ctx context.Context, ns table.Identifier) (bool, error) {
	return c.namespaces[strings.Join(ns, separator)], c.call(ctx)
}

func (c *listed) LoadNamespaceProperties(ctx context.Context, ns table.Identifier) (iceberg.Properties, error) {
	if ok, err := c.CheckNamespaceExists(ctx, ns); !ok || err != nil {
		return nil, errors.Join(err, catalog.ErrNoSuchNamespace)
	}
	return nil, nil
}

func (c *listed) ListTables(ctx context.Context, _ table.Identifier) iter.Seq2[table.Identifier, error] {
	return func(yield func(table.Identifier, error) bool) { yield(nil, c.call(ctx)) }
}

func (c *listed) LoadTable(ctx context.Context, _ table.Identifier) (*table.Table, error) {
	return nil, c.call(ctx)
}

func (c *listed) CheckTableExists(ctx context.Context, _ table.Identifier) (bool, error) {
	return false, c.call(ctx)
}
