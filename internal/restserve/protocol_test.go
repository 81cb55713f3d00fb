package restserve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// metadataOf checks the members of an answer of loadTable and gives the metadata.
func metadataOf(t *testing.T, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	var body map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	require.Len(t, body, 3)
	require.JSONEq(t, `{}`, string(body["config"]))
	require.NotEmpty(t, body["metadata-location"])
	return body["metadata"]
}

func TestConfig(t *testing.T) {
	w := ask(t, New(&listed{}), "GET", "/v1/config?warehouse=any")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"defaults":{},"overrides":{},"endpoints":[
		"GET /v1/{prefix}/namespaces",
		"GET /v1/{prefix}/namespaces/{namespace}",
		"HEAD /v1/{prefix}/namespaces/{namespace}",
		"GET /v1/{prefix}/namespaces/{namespace}/tables",
		"GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
		"HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
		"POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics"]}`, w.Body.String())
}

// TestAdvertisedEndpoints asks each advertised endpoint: the list must not promise what has no route.
func TestAdvertisedEndpoints(t *testing.T) {
	cat := newSQLite(t)
	create(t, cat, "shop", "clicks")
	for _, e := range endpoints() {
		method, path, _ := strings.Cut(e, " ")
		path = strings.NewReplacer("{prefix}/", "", "{namespace}", "shop", "{table}", "clicks").Replace(path)
		w := ask(t, New(cat), method, path)
		want := 200
		if method != "GET" {
			want = 204
			require.Empty(t, w.Body.Bytes())
		}
		require.Equal(t, want, w.Code, e)
	}
}

func TestAnswersOfTheSpecification(t *testing.T) {
	cat := newSQLite(t)
	tbl := create(t, cat, "shop", "clicks")
	create(t, cat, "a.b", "c+d", "e f+é")
	f := func(target, want string) {
		t.Helper()
		w := ask(t, New(cat), "GET", target)
		require.Equal(t, 200, w.Code)
		require.JSONEq(t, want, w.Body.String())
	}
	f("/v1/namespaces", `{"namespaces":[["a.b"],["shop"]]}`)
	f("/v1/namespaces?parent=a.b&pageToken=&pageSize=1", `{"namespaces":[["a.b","c+d"]]}`)
	f("/v1/namespaces?parent=a.b%1Fc%2Bd", `{"namespaces":[]}`)
	f("/v1/namespaces/shop", `{"namespace":["shop"],"properties":{}}`)
	f("/v1/namespaces/a.b%1fc%2Bd/tables", `{"identifiers":[{"namespace":["a.b","c+d"],"name":"e f+é"}]}`)
	f("/v1/namespaces/a.b/tables", `{"identifiers":[]}`)
	f("/v1/namespaces/shop/views", `{"identifiers":[]}`)

	w := ask(t, New(cat), "GET", "/v1/namespaces/shop/tables/clicks")
	want, err := json.Marshal(tbl.Metadata())
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(metadataOf(t, w)))
	w = ask(t, New(cat), "GET", "/v1/namespaces/a.b%1Fc%2Bd/tables/e%20f+%C3%A9")
	require.Equal(t, 200, w.Code)
	metadataOf(t, w)
}

func TestMissingObjects(t *testing.T) {
	cat := newSQLite(t)
	create(t, cat, "shop", "clicks")
	f := func(target, kind, message string) {
		t.Helper()
		require.Equal(t, message, isFault(t, ask(t, New(cat), "GET", target), 404, kind))
		require.Equal(t, 404, ask(t, New(cat), "HEAD", target).Code)
	}
	const noTable, noNamespace = "NoSuchTableException", "NoSuchNamespaceException"
	f("/v1/namespaces/shop/tables/nope", noTable, "table does not exist: shop.nope")
	f("/v1/namespaces/nope/tables/clicks", noTable, "table does not exist: nope.clicks")
	f("/v1/namespaces/shop%1F/tables/clicks", noTable, "table does not exist: shop..clicks")
	f("/v1/namespaces/shop/tables/a%00b", noTable, "table does not exist: shop.a\x00b")
	f("/v1/namespaces/nope", noNamespace, "namespace does not exist: nope")
	f("/v1/namespaces/shop%1Fnope", noNamespace, "namespace does not exist: shop.nope")
	f("/v1/namespaces/%1F", noNamespace, "namespace does not exist: .")
	f("/v1/namespaces/nope/tables", noNamespace, "namespace does not exist: nope")
	f("/v1/namespaces/nope/views", noNamespace, "namespace does not exist: nope")
	f("/v1/namespaces?parent=nope", noNamespace, "namespace does not exist: nope")
	f("/v1/namespaces/shop/views/v", "NoSuchViewException", "view does not exist: v")
	f("/v1/shop/namespaces", "NoSuchEndpointException", "there is nothing at /v1/shop/namespaces")
	f("/", "NoSuchEndpointException", "there is nothing at /")
}

// TestWritesAreRefused sends what would write, to a catalog that panics when it is asked to.
func TestWritesAreRefused(t *testing.T) {
	const table = "/v1/namespaces/shop/tables/clicks"
	for _, request := range []string{
		"POST /v1/namespaces", "DELETE /v1/namespaces/shop", "POST /v1/namespaces/shop/properties",
		"POST /v1/namespaces/shop/tables", "POST " + table, "DELETE " + table, "DELETE " + table + "?purgeRequested=true",
		"POST /v1/namespaces/shop/register", "POST /v1/tables/rename", "POST /v1/transactions/commit",
		"POST /v1/namespaces/shop/views", "POST /v1/namespaces/shop/views/v", "DELETE /v1/namespaces/shop/views/v",
		"POST /v1/views/rename", "POST " + table + "/plan", "POST /v1/oauth/tokens", "PUT " + table, "PATCH /v1/config",
	} {
		method, target, _ := strings.Cut(request, " ")
		w := ask(t, New(&listed{}), method, target)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		message := isFault(t, w, 405, "UnsupportedOperationException")
		require.Equal(t, method+" is not possible: this catalog is read only", message, request)
	}
	require.Equal(t, 204, ask(t, New(&listed{}), "POST", table+"/metrics").Code)
}

// readers are requests that each ask the catalog.
func readers() []string {
	return []string{
		"GET /v1/namespaces", "GET /v1/namespaces?parent=shop", "GET /v1/namespaces/shop", "HEAD /v1/namespaces/shop",
		"GET /v1/namespaces/shop/tables", "GET /v1/namespaces/shop/tables/t", "HEAD /v1/namespaces/shop/tables/t",
		"GET /v1/namespaces/shop/views",
	}
}

func TestFaultsOfTheCatalog(t *testing.T) {
	cat := &listed{namespaces: map[string]bool{"shop": true}, err: errors.New("dial https://key:secret@catalog.example: refused")}
	for _, request := range readers() {
		method, target, _ := strings.Cut(request, " ")
		w := ask(t, New(cat), method, target)
		require.Equal(t, retryAfter, w.Header().Get("Retry-After"), request)
		message := isFault(t, w, 503, "ServiceUnavailableException")
		require.Equal(t, "the catalog cannot be read at the moment", message)
	}
}

// TestContextIsPassedOn shows that a client that goes ends what the catalog does for it.
func TestContextIsPassedOn(t *testing.T) {
	for _, request := range readers() {
		method, target, _ := strings.Cut(request, " ")
		cat := &listed{namespaces: map[string]bool{"shop": true}, err: catalog.ErrNoSuchTable}
		ctx, cancel := context.WithCancel(t.Context())
		New(cat).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, target, nil).WithContext(ctx))
		require.NoError(t, cat.seen.Err(), request)
		cancel()
		require.ErrorIs(t, cat.seen.Err(), context.Canceled, request)
	}
}

func TestKeepRefs(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		got, err := keepRefs([]byte(in))
		require.NoError(t, err)
		require.JSONEq(t, want, string(got))
	}
	f(`{"a":1}`, `{"a":1,"snapshots":[]}`)
	f(`{"snapshots":[{"snapshot-id":1}],"refs":{}}`, `{"snapshots":[],"refs":{}}`)
	f(`{"current-snapshot-id":9007199254740993,"snapshots":[{"snapshot-id":9007199254740992},{"snapshot-id":9007199254740993,"x":"y"}]}`,
		`{"current-snapshot-id":9007199254740993,"snapshots":[{"snapshot-id":9007199254740993,"x":"y"}]}`)
	f(`{"snapshots":[{"snapshot-id":1},{"snapshot-id":2}],"refs":{"audit":{"snapshot-id":1,"type":"branch"}},"snapshot-log":[]}`,
		`{"snapshots":[{"snapshot-id":1}],"refs":{"audit":{"snapshot-id":1,"type":"branch"}},"snapshot-log":[]}`)
	for _, bad := range []string{``, `[]`, `{"snapshots":[1]}`, `{"snapshots":{}}`} {
		_, err := keepRefs([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestV3MetadataIsServed(t *testing.T) {
	cat := newSQLite(t)
	require.NoError(t, cat.CreateNamespace(t.Context(), table.Identifier{"shop"}, nil))
	schema := iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64})
	_, err := cat.CreateTable(t.Context(), table.Identifier{"shop", "v3"}, schema, catalog.WithProperties(iceberg.Properties{"format-version": "3"}))
	require.NoError(t, err)
	got, err := connect(t, serve(t, cat)).LoadTable(t.Context(), table.Identifier{"shop", "v3"})
	require.NoError(t, err)
	require.Equal(t, 3, got.Metadata().Version())
}
