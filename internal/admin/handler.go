package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/ingestd/ingestd/internal/event"
)

// Handler is the listener's routes with their guards, without the listener.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	s := site{mux: mux, options: o}
	s.get("/livez", s.live)
	s.get("/readyz", s.ready)
	s.get("/version", s.version)
	s.get("/api/v1/tables", s.tables)
	s.get("/api/v1/tables/{name}", s.table)
	s.get("/api/v1/jobs", s.jobs)
	s.get("/api/v1/jobs/{id}", s.job)
	s.get("/debug/budget", s.budget)
	mux.HandleFunc("POST /api/v1/tables/{name}/maintenance/{procedure}", s.maintain)
	if o.Metrics != nil {
		s.get("/metrics", o.Metrics.ServeHTTP)
	}
	for prefix, h := range o.Mounts {
		mux.Handle(strings.TrimSuffix(prefix, "/")+"/", http.StripPrefix(strings.TrimSuffix(prefix, "/"), h))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, problem{Status: http.StatusNotFound, Detail: "there is nothing at " + r.URL.Path})
	})
	return guard(o, mux)
}

// site answers requests.
type site struct {
	mux     *http.ServeMux
	options Options
}

// get registers a route for GET and HEAD and refuses other methods on it.
func (s site) get(path string, h http.HandlerFunc) {
	s.mux.HandleFunc("GET "+path, h)
	s.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", "GET, HEAD")
		fail(w, problem{Status: http.StatusMethodNotAllowed, Detail: r.Method + " is not possible here; the listener only reads"})
	})
}

func (s site) live(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") }

// ready answers 200 when all tables work. The body names those that do not; with ?verbose it names all.
func (s site) ready(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	status := http.StatusOK
	verbose := r.URL.Query().Has("verbose")
	for _, t := range s.options.Status.Tables() {
		mark := '+'
		if !working(t) {
			mark, status = '-', http.StatusServiceUnavailable
		}
		if mark == '-' || verbose {
			fmt.Fprintf(&b, "[%c] %s %s%s\n", mark, t.Name, t.State, why(t))
		}
	}
	if status == http.StatusOK {
		b.WriteString("ok\n")
	} else {
		b.WriteString("not ready\n")
	}
	text(w, status, b.String())
}

// why is the reason of a table's state in one line.
func why(t Table) string {
	if t.Reason == "" || t.State == event.Running {
		return ""
	}
	s := ": " + strings.Join(strings.Fields(t.Reason), " ")
	if t.Code != "" {
		s += " [" + t.Code + "]"
	}
	return s
}

func (s site) version(w http.ResponseWriter, _ *http.Request) { reply(w, s.options.Version) }

func (s site) budget(w http.ResponseWriter, _ *http.Request) { reply(w, s.options.Status.Budget()) }

func (s site) tables(w http.ResponseWriter, _ *http.Request) {
	tables := s.options.Status.Tables()
	list := make([]Table, len(tables))
	for i, t := range tables {
		t.Partitions = nil
		list[i] = t
	}
	reply(w, Tables{list})
}

func (s site) table(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var names []string
	for _, t := range s.options.Status.Tables() {
		if t.Name == name {
			reply(w, t)
			return
		}
		names = append(names, t.Name)
	}
	fail(w, problem{
		Status: http.StatusNotFound, Code: "E_TABLE_UNKNOWN", Detail: "the configuration has no table " + name,
		Hint: "tables are: " + strings.Join(names, ", "),
	})
}

// text answers with plain text.
func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that has gone misses nothing
}

// reply answers with JSON.
func reply(w http.ResponseWriter, v any) { write(w, http.StatusOK, "application/json", v) }

func write(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("BUG: %T cannot be JSON: %v", v, err)) // net/http closes the connection
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// problem is a fault as RFC 9457 has it, with our code and hint.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

func fail(w http.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	write(w, p.Status, "application/problem+json", p)
}
