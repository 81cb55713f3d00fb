package restserve

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/apache/iceberg-go/catalog"
)

// retryAfter is how many seconds a client should wait when the catalog cannot be read.
const retryAfter = "5"

// reply answers with JSON.
func reply(w http.ResponseWriter, v any) { write(w, http.StatusOK, v) }

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("BUG: an answer cannot be JSON: " + err.Error()) // net/http closes the connection
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone misses nothing
}

// fault is the specification's ErrorModel.
type fault struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
}

// refuse answers with a fault. To a HEAD request net/http sends the status alone.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	write(w, status, map[string]fault{"error": {Message: message, Type: kind, Code: status}})
}

// fail answers with what an error of the catalog means to a client that asked for an object.
func fail(w http.ResponseWriter, err error, object []string) {
	name := strings.Join(object, ".")
	switch {
	case errors.Is(err, catalog.ErrNoSuchTable):
		refuse(w, http.StatusNotFound, "NoSuchTableException", "table does not exist: "+name)
	case errors.Is(err, catalog.ErrNoSuchNamespace):
		refuse(w, http.StatusNotFound, "NoSuchNamespaceException", "namespace does not exist: "+name)
	default:
		w.Header().Set("Retry-After", retryAfter)
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "the catalog cannot be read at the moment")
	}
}
