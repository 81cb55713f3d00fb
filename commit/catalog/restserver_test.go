package catalog_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go"
	icecat "github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/internal/restserve"
)

// restServer is a REST catalog that can be written, on top of a SQLite catalog.
type restServer struct {
	*httptest.Server
	backend   catalog.Catalog
	warehouse string
	// before is asked about every request and may answer it.
	before func(w http.ResponseWriter, r *http.Request) (answered bool)
	// after may answer instead of the server once a commit has been carried out.
	after func(w http.ResponseWriter, r *http.Request) (answered bool)
	// config is added to the configuration, tableConfig to every table.
	config, tableConfig map[string]string
	// storage gives the credentials that every answer about a table carries; nil = none.
	storage func() []map[string]any
	commits atomic.Int64
}

func newRESTServer(t *testing.T, dir string) *restServer {
	return serveREST(t, openSQLite(t, dir), "file://"+dir+"/warehouse")
}

func serveREST(t *testing.T, backend catalog.Catalog, warehouse string) *restServer {
	s := &restServer{backend: backend, warehouse: warehouse}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/config", func(w http.ResponseWriter, _ *http.Request) {
		overrides := s.config
		if overrides == nil {
			overrides = map[string]string{}
		}
		answer(w, map[string]any{"defaults": map[string]string{}, "overrides": overrides})
	})
	mux.HandleFunc("POST /v1/namespaces", s.createNamespace)
	mux.HandleFunc("POST /v1/namespaces/{ns}/tables", s.createTable)
	mux.HandleFunc("POST /v1/namespaces/{ns}/tables/{table}", s.commitTable)
	mux.HandleFunc("DELETE /v1/namespaces/{ns}/tables/{table}", s.dropTable)
	mux.Handle("/", s.vend(restserve.New(s.backend)))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before == nil || !s.before(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func fail(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": kind, "code": status}})
}

func failWith(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, table.ErrCommitFailed):
		fail(w, http.StatusConflict, "CommitFailedException", err.Error())
	case errors.Is(err, icecat.ErrTableAlreadyExists), errors.Is(err, icecat.ErrNamespaceAlreadyExists):
		fail(w, http.StatusConflict, "AlreadyExistsException", err.Error())
	case errors.Is(err, icecat.ErrNoSuchTable), errors.Is(err, icecat.ErrNoSuchNamespace):
		fail(w, http.StatusNotFound, "NoSuchTableException", err.Error())
	default:
		fail(w, http.StatusInternalServerError, "ServerError", err.Error())
	}
}

func namespace(r *http.Request) table.Identifier {
	s := r.PathValue("ns")
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	return strings.Split(s, "\x1f")
}

func (s *restServer) createNamespace(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Namespace  table.Identifier   `json:"namespace"`
		Properties iceberg.Properties `json:"properties"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	if err == nil {
		err = s.backend.CreateNamespace(r.Context(), body.Namespace, body.Properties)
	}
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, map[string]any{"namespace": body.Namespace, "properties": map[string]string{}})
}

func (s *restServer) createTable(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Name       string                        `json:"name"`
		Schema     *iceberg.Schema               `json:"schema"`
		Location   string                        `json:"location"`
		Spec       *iceberg.UnboundPartitionSpec `json:"partition-spec"`
		Stage      bool                          `json:"stage-create"`
		Properties iceberg.Properties            `json:"properties"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, "BadRequestException", err.Error())
		return
	}
	ident := append(namespace(r), body.Name)
	if ok, err := s.backend.CheckTableExists(r.Context(), ident); err == nil && ok {
		failWith(w, icecat.ErrTableAlreadyExists)
		return
	}
	if !body.Stage {
		fail(w, http.StatusNotImplemented, "UnsupportedOperationException", "stage it")
		return
	}
	location := body.Location
	if location == "" {
		location = s.warehouse + "/" + strings.Join(ident, "/")
	}
	meta, err := table.NewMetadata(body.Schema, iceberg.UnpartitionedSpec, table.UnsortedSortOrder, location, body.Properties)
	if err != nil {
		failWith(w, err)
		return
	}
	staged := map[string]any{"metadata-location": nil, "metadata": meta, "config": s.configOfTables()}
	if s.storage != nil {
		staged["storage-credentials"] = s.storage()
	}
	answer(w, staged)
}

// vend adds credentials to the answers about tables.
func (s *restServer) vend(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.storage == nil || r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/tables/") {
			next.ServeHTTP(w, r)
			return
		}
		plain := httptest.NewRecorder()
		next.ServeHTTP(plain, r)
		body := map[string]json.RawMessage{}
		if err := json.Unmarshal(plain.Body.Bytes(), &body); err != nil || plain.Code != http.StatusOK {
			w.WriteHeader(plain.Code)
			_, _ = w.Write(plain.Body.Bytes())
			return
		}
		body["storage-credentials"], _ = json.Marshal(s.storage())
		answer(w, body)
	})
}

func (s *restServer) configOfTables() map[string]string {
	if s.tableConfig == nil {
		return map[string]string{}
	}
	return s.tableConfig
}

func (s *restServer) commitTable(w http.ResponseWriter, r *http.Request) {
	s.commits.Add(1)
	var body struct {
		Requirements table.Requirements `json:"requirements"`
		Updates      table.Updates      `json:"updates"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, "BadRequestException", err.Error())
		return
	}
	meta, location, err := s.backend.CommitTable(r.Context(), append(namespace(r), r.PathValue("table")), body.Requirements, body.Updates)
	if s.after != nil && s.after(w, r) {
		return
	}
	if err != nil {
		failWith(w, err)
		return
	}
	answer(w, map[string]any{"metadata-location": location, "metadata": meta})
}

func (s *restServer) dropTable(w http.ResponseWriter, r *http.Request) {
	if err := s.backend.DropTable(r.Context(), append(namespace(r), r.PathValue("table"))); err != nil {
		failWith(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *restServer) open(t *testing.T, change ...func(*catalog.Options)) catalog.Catalog {
	t.Helper()
	o := catalog.Options{Type: catalog.REST, URI: s.URL}
	for _, f := range change {
		f(&o)
	}
	cat, err := catalog.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cat.Close()) })
	return cat
}
