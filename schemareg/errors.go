package schemareg

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// Codes of failed lookups.
const (
	CodeNotFound    = "E_SCHEMA_NOT_FOUND"
	CodeAuth        = "E_REGISTRY_AUTH"
	CodeUnavailable = "E_REGISTRY_UNAVAILABLE"
	CodeRedirect    = "E_REGISTRY_REDIRECT"
	CodeInvalid     = "E_SCHEMA_INVALID"
)

// statusError is an answer that is not a schema.
type statusError struct {
	status   int
	code     int    // error_code of the body, 0 if there was none
	message  string // message of the body
	location string // scheme and host a redirect points to
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("registry answered %d %s", e.status, http.StatusText(e.status))
	if e.location != "" {
		s += " to " + e.location
	}
	if e.code != 0 || e.message != "" {
		s += fmt.Sprintf(" (%d %q)", e.code, clip(e.message, 200))
	}
	return s
}

var errTooLarge = errors.New("answer is too large")

// classify says who must act on the failure of one lookup. what is "schema id 7", base the address without credentials.
func classify(err error, what, base string) error {
	var s *statusError
	switch {
	case errors.Is(err, errTooLarge):
		return invalid("", "finding %s: %w", what, err)
	case !errors.As(err, &s):
		return failure.Wrap(err, failure.Retry, CodeUnavailable, "is the schema registry running and reachable from here?", "finding %s at %s", what, base)
	}
	class, code, hint := statusClass(s)
	return failure.Wrap(err, class, code, hint, "finding %s at %s", what, base)
}

func statusClass(s *statusError) (failure.Class, string, string) {
	switch {
	case s.status == http.StatusNotFound && s.code == 0:
		return failure.Retry, CodeNotFound, "this does not look like a registry's answer: does the URL lack a path such as /apis/ccompat/v7?"
	case s.status == http.StatusNotFound:
		// A follower may lag behind the producer that has just registered the schema.
		return failure.Retry, CodeNotFound, "was the record written with another registry or registry context?"
	case s.status == http.StatusUnauthorized:
		return failure.Halt, CodeAuth, "check username and password or token of the registry"
	case s.status == http.StatusForbidden:
		return failure.Halt, CodeAuth, "give the registry user the right to read this schema"
	case s.status >= 300 && s.status < 400:
		return failure.Halt, CodeRedirect, "credentials are never sent along a redirect: configure the address it points to"
	}
	// 5xx, 408, 429 and whatever a proxy in between invents.
	return failure.Retry, CodeUnavailable, "see the log of the schema registry"
}

func invalid(hint, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return failure.Wrap(err, failure.Halt, CodeInvalid, hint, "using a schema")
}

// remembered says whether an answer is kept for a while: only those a registry gave on purpose.
func remembered(err error) bool {
	switch failure.CodeOf(err) {
	case CodeNotFound, CodeAuth, CodeRedirect, CodeInvalid:
		return true
	}
	return false
}

// clip bounds foreign text and drops line breaks from it.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}
