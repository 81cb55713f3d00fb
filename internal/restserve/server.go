package restserve

import (
	"net/http"

	"github.com/apache/iceberg-go/catalog"
)

// Server answers the requests of REST catalog clients. It holds no state and may be used by many goroutines, as far
// as its catalog may.
type Server struct {
	cat catalog.Catalog
	mux *http.ServeMux
}

// New makes a server of a catalog. Only the catalog's reading methods are ever called.
func New(cat catalog.Catalog) *Server {
	s := &Server{cat: cat, mux: http.NewServeMux()}
	const (
		namespace = "/v1/namespaces/{namespace}"
		table     = namespace + "/tables/{table}"
		view      = namespace + "/views/{view}"
	)
	s.mux.HandleFunc("GET /v1/config", config)
	s.mux.HandleFunc("GET /v1/namespaces", s.listNamespaces)
	s.mux.HandleFunc("GET "+namespace, s.loadNamespace)
	s.mux.HandleFunc("HEAD "+namespace, s.namespaceExists)
	s.mux.HandleFunc("GET "+namespace+"/tables", s.listTables)
	s.mux.HandleFunc("GET "+table, s.loadTable)
	s.mux.HandleFunc("HEAD "+table, s.tableExists)
	s.mux.HandleFunc("POST "+table+"/metrics", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.mux.HandleFunc("GET "+namespace+"/views", s.listViews)
	s.mux.HandleFunc("GET "+view, noView)
	s.mux.HandleFunc("/", other)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// endpoints is what clients may ask. Views are left out although they are answered: a client that looks for them
// first would do so for each table in vain.
func endpoints() []string {
	const (
		namespaces = "/v1/{prefix}/namespaces"
		namespace  = namespaces + "/{namespace}"
		table      = namespace + "/tables/{table}"
	)
	return []string{
		"GET " + namespaces, "GET " + namespace, "HEAD " + namespace,
		"GET " + namespace + "/tables", "GET " + table, "HEAD " + table, "POST " + table + "/metrics",
	}
}

// config is the first thing a client asks; whatever warehouse it names, there is this one.
func config(w http.ResponseWriter, _ *http.Request) {
	reply(w, map[string]any{"defaults": struct{}{}, "overrides": struct{}{}, "endpoints": endpoints()})
}

// other refuses what has no route: all that would write, and paths that are not there.
func other(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		refuse(w, http.StatusNotFound, "NoSuchEndpointException", "there is nothing at "+r.URL.Path)
		return
	}
	w.Header().Set("Allow", "GET, HEAD")
	refuse(w, http.StatusMethodNotAllowed, "UnsupportedOperationException", r.Method+" is not possible: this catalog is read only")
}
