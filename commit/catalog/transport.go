package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
)

// Bounds of one request. A commit whose answer takes longer is looked up in the table, like any lost answer.
const (
	dialTimeout     = 10 * time.Second
	headerTimeout   = 60 * time.Second
	idleTimeout     = 60 * time.Second
	maxConfigAnswer = 1 << 20
	maxCreateAnswer = 64 << 20
	maxLoadAnswer   = 1 << 30 // the library reads as much: not for us to refuse
	maxRefusal      = 1 << 10
)

// transport is the innermost round tripper. It sends each request once: a POST that was written to a connection
// which then broke is not sent again behind our back, and nothing follows a redirect, which would carry the token
// elsewhere or turn a commit into a read.
type transport struct {
	base *http.Transport
	next http.RoundTripper

	mu struct {
		sync.Mutex
		config struct {
			Defaults  iceberg.Properties `json:"defaults"`
			Overrides iceberg.Properties `json:"overrides"`
		}
	}
}

func newTransport(o Options) *transport {
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: idleTimeout / 2}).DialContext,
		TLSClientConfig:       o.TLS.Clone(),
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   8,
		ForceAttemptHTTP2:     true,
	}
	t := &transport{base: base, next: base}
	if o.Around != nil {
		t.next = o.Around(base)
	}
	return t
}

func (t *transport) close() { t.base.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		// Without GetBody the standard transport has nothing to send a second time. The signature, which needs it, is
		// made further out.
		req = req.Clone(req.Context())
		req.GetBody = nil
		req.Header.Del("Idempotency-Key")
		req.Header.Del("X-Idempotency-Key")
	}
	res, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if location := res.Header.Get("Location"); location != "" && res.StatusCode >= 300 && res.StatusCode < 400 {
		_ = res.Body.Close()
		return nil, failure.New(failure.Config, CodeRedirect, "set catalog.uri to the address it redirects to, if that is yours",
			"the catalog redirects %s %s to %s", req.Method, req.URL.Path, redact(location))
	}
	if res.StatusCode >= http.StatusInternalServerError && req.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		// The library takes any answer of a token endpoint for a refusal.
		_ = res.Body.Close()
		return nil, fmt.Errorf("the token endpoint answers %s", res.Status)
	}
	if err := refusal(req, res); err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		err = t.watch(req, res)
	}
	return res, err
}

// refusal gives the error for an answer about a table which time does not mend and which the library takes for
// something else. It is believed when it has come several times.
func refusal(req *http.Request, res *http.Response) error {
	if !strings.Contains(req.URL.Path, "/tables") {
		return nil
	}
	if req.Method == http.MethodGet && res.StatusCode == http.StatusNotFound {
		return withoutMetadata(res)
	}
	if req.Method != http.MethodPost {
		return nil
	}
	switch res.StatusCode {
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusGone, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusNotImplemented:
	default:
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	_ = res.Body.Close()
	return failure.New(failure.Config, CodeRefused, "the catalog does not accept this request; see its log",
		"the catalog answers %s: %s", res.Status, explanation(text))
}

// withoutMetadata recognises a catalog that knows the table and cannot read its metadata file. The status is that of a
// table which does not exist, the type of the error is not.
func withoutMetadata(res *http.Response) error {
	body, err := keep(res, maxConfigAnswer)
	if err != nil {
		return err
	}
	var answer struct {
		Error struct{ Type, Message string }
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error.Type != "NotFoundException" {
		return nil
	}
	return fmt.Errorf("%w: %s", fs.ErrNotExist, answer.Error.Message)
}

// explanation is what an error's body says, in one line.
func explanation(body []byte) string {
	var answer struct {
		Error struct{ Type, Message string }
	}
	if json.Unmarshal(body, &answer) == nil && answer.Error.Message != "" {
		return answer.Error.Type + ": " + answer.Error.Message
	}
	return strings.Join(strings.Fields(string(body)), " ")
}

// captureKey is where a caller leaves a capture in its context.
type captureKey struct{}

// capture keeps the answer to a request.
type capture struct{ body []byte }

// watch keeps the answers that somebody asked for, and the catalog's configuration.
func (t *transport) watch(req *http.Request, res *http.Response) error {
	want, _ := req.Context().Value(captureKey{}).(*capture)
	config := req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/v1/config")
	switch {
	case config:
		body, err := keep(res, maxConfigAnswer)
		if err != nil {
			return err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		// An answer that is none is for the library to complain about.
		_ = json.Unmarshal(body, &t.mu.config)
	case want != nil && req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/tables"):
		body, err := keep(res, maxCreateAnswer)
		want.body = body
		return err
	case want != nil && req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/tables/"):
		body, err := keep(res, maxLoadAnswer)
		want.body = body
		if look, _ := req.Context().Value(askedKey{}).(*asked); err == nil && look != nil {
			err = look.shorten(res, body)
		}
		return err
	}
	return nil
}

// keep reads a body and puts it back.
func keep(res *http.Response, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	if res.ContentLength > 0 && res.ContentLength <= limit {
		buf.Grow(int(res.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(res.Body, limit+1))
	body := buf.Bytes()
	_ = res.Body.Close()
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("answer of more than %d bytes", limit)
	}
	if err != nil {
		return nil, err
	}
	replace(res, body)
	return body, nil
}

// replace gives an answer another body.
func replace(res *http.Response, body []byte) {
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.ContentLength = int64(len(body))
}

// properties merges the client's with the catalog's configuration as the protocol wants it.
func (t *transport) properties(client iceberg.Properties) iceberg.Properties {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := maps.Clone(t.mu.config.Defaults)
	if out == nil {
		out = iceberg.Properties{}
	}
	maps.Copy(out, client)
	maps.Copy(out, t.mu.config.Overrides)
	return out
}

// nessie says whether the configuration names Nessie.
func (t *transport) nessie() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, props := range []iceberg.Properties{t.mu.config.Defaults, t.mu.config.Overrides} {
		for k := range props {
			if strings.HasPrefix(k, "nessie.") {
				return true
			}
		}
	}
	return false
}
