package regserver

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Error codes of the Confluent API.
const (
	codeSubject   = 40401
	codeVersion   = 40402
	codeSchema    = 40403
	codeInvalid   = 42201
	codeReference = 42208
)

const maxBody = 4 << 20

// content is how the API writes a schema.
type content struct {
	Subject    string      `json:"subject,omitempty"`
	Version    int         `json:"version,omitempty"`
	ID         int         `json:"id,omitempty"`
	GUID       string      `json:"guid,omitempty"`
	SchemaType string      `json:"schemaType,omitempty"`
	Schema     string      `json:"schema"`
	References []Reference `json:"references,omitempty"`
}

type failed struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// Handler answers under its root: /subjects, /subjects/{subject}/versions[/{version}], /schemas/ids/{id},
// /schemas/guids/{guid}, /config.
func (r *Registry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /subjects", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, r.names()) })
	mux.HandleFunc("POST /subjects/{subject}/versions", r.register)
	mux.HandleFunc("GET /subjects/{subject}/versions", r.listVersions)
	mux.HandleFunc("GET /subjects/{subject}/versions/{version}", r.getVersion)
	mux.HandleFunc("GET /schemas/ids/{id}", r.getByID)
	mux.HandleFunc("GET /schemas/guids/{guid}", r.getByGUID)
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"compatibilityLevel": "NONE"})
	})
	return mux
}

func (r *Registry) register(w http.ResponseWriter, q *http.Request) {
	var c content
	if err := json.NewDecoder(http.MaxBytesReader(w, q.Body, maxBody)).Decode(&c); err != nil {
		refuse(w, http.StatusUnprocessableEntity, codeInvalid, "Invalid request: %v", err)
		return
	}
	s, err := r.Register(q.PathValue("subject"), c.SchemaType, c.Schema, c.References...)
	switch {
	case errors.Is(err, errReference):
		refuse(w, http.StatusUnprocessableEntity, codeReference, "%v", err)
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, codeInvalid, "%v", err)
	default:
		out := s.content()
		answer(w, http.StatusOK, out)
	}
}

func (r *Registry) listVersions(w http.ResponseWriter, q *http.Request) {
	vs := r.versions(q.PathValue("subject"))
	if vs == nil {
		refuse(w, http.StatusNotFound, codeSubject, "Subject '%s' not found.", q.PathValue("subject"))
		return
	}
	out := make([]int, len(vs))
	for i := range vs {
		out[i] = i + 1
	}
	answer(w, http.StatusOK, out)
}

func (r *Registry) getVersion(w http.ResponseWriter, q *http.Request) {
	subject, asked := q.PathValue("subject"), q.PathValue("version")
	vs := r.versions(subject)
	if vs == nil {
		refuse(w, http.StatusNotFound, codeSubject, "Subject '%s' not found.", subject)
		return
	}
	v := len(vs)
	if asked != "latest" && asked != "-1" {
		n, err := strconv.Atoi(asked)
		if err != nil || n < 1 || n > len(vs) {
			refuse(w, http.StatusNotFound, codeVersion, "Version %s not found.", asked)
			return
		}
		v = n
	}
	out := vs[v-1].content()
	out.Subject, out.Version = subject, v
	answer(w, http.StatusOK, out)
}

func (r *Registry) getByID(w http.ResponseWriter, q *http.Request) {
	id, _ := strconv.Atoi(q.PathValue("id"))
	s := r.byID(id)
	if s == nil {
		refuse(w, http.StatusNotFound, codeSchema, "Schema %s not found", q.PathValue("id"))
		return
	}
	out := s.content()
	out.ID = 0 // the real one leaves out what was asked for
	answer(w, http.StatusOK, out)
}

func (r *Registry) getByGUID(w http.ResponseWriter, q *http.Request) {
	var guid [16]byte
	raw, err := hex.DecodeString(strings.ReplaceAll(q.PathValue("guid"), "-", ""))
	if err == nil && len(raw) == 16 {
		guid = [16]byte(raw)
	}
	s := r.byGUID(guid)
	if s == nil {
		refuse(w, http.StatusNotFound, codeSchema, "Schema %s not found", q.PathValue("guid"))
		return
	}
	out := s.content()
	out.ID = 0
	answer(w, http.StatusOK, out)
}

func (s *Schema) content() content {
	kind := s.Type
	if kind == "AVRO" {
		kind = ""
	}
	return content{ID: s.ID, GUID: guidString(s.GUID), SchemaType: kind, Schema: s.Text, References: s.References}
}

func guidString(g [16]byte) string {
	x := hex.EncodeToString(g[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	w.WriteHeader(status)
	// The peer hanging up is the only way this fails, and there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status, code int, format string, args ...any) {
	answer(w, status, failed{Code: code, Message: fmt.Sprintf(format, args...)})
}
