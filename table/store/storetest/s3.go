package storetest

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is what the server does to one request instead of serving it, or on the way back.
type Fault uint8

// The faults.
const (
	// None serves the request.
	None Fault = iota
	// SlowDown answers 503 with the code SlowDown.
	SlowDown
	// Internal answers 500.
	Internal
	// Denied answers 403.
	Denied
	// Hangup closes the connection without an answer; nothing happened.
	Hangup
	// Lost does what was asked and then closes the connection without an answer.
	Lost
	// CutBody sends the headers and half of the body.
	CutBody
	// Expired answers 400 with the code ExpiredToken.
	Expired
	// Unsupported answers 501.
	Unsupported
	// Damage flips a bit of what was received before it is looked at.
	Damage
)

// Request is one request as tests see it.
type Request struct {
	Method string
	// Op is the S3 operation, such as PutObject.
	Op     string
	Bucket string
	Key    string
	Header http.Header
	Query  url.Values
	// Bytes is the length of the content received.
	Bytes int
}

// S3 is the server.
type S3 struct {
	// URL is its endpoint; it wants path style addressing.
	URL string

	mu       sync.Mutex
	buckets  map[string]map[string]object
	uploads  map[string]*partial
	requests []Request
	fault    func(Request) Fault
	conns    int
	plain    bool
	serial   int
}

type object struct {
	data     []byte
	key      string // sum of the customer's key it was stored with
	etag     string
	modified time.Time
}

type partial struct {
	bucket, key string
	algorithm   string
	customer    string
	parts       map[int]object
}

// NewS3 starts a server with the given buckets; it stops with the test.
func NewS3(t testing.TB, buckets ...string) *S3 {
	s := &S3{buckets: map[string]map[string]object{}, uploads: map[string]*partial{}}
	for _, b := range buckets {
		s.buckets[b] = map[string]object{}
	}
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ConnState = s.connState
	srv.Start()
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// IgnoreEncryption makes the server take the headers of encryption and do nothing, as some do.
func (s *S3) IgnoreEncryption() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain = true
}

// RemoveBucket takes a bucket away with all that is in it.
func (s *S3) RemoveBucket(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buckets, name)
}

// OnRequest sets what is asked before each request; nil = no faults.
func (s *S3) OnRequest(f func(Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Requests gives and forgets the requests so far.
func (s *S3) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	s.requests = nil
	return r
}

// Connections gives the number of connections made so far.
func (s *S3) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Object gives an object's content.
func (s *S3) Object(bucket, key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.buckets[bucket][key]
	return o.data, ok
}

// Keys lists a bucket, sorted.
func (s *S3) Keys(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for k := range s.buckets[bucket] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// OpenUploads gives the number of multipart uploads neither completed nor aborted.
func (s *S3) OpenUploads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.uploads)
}

func (s *S3) connState(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns++
	}
}

// ServeHTTP implements http.Handler.
func (s *S3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := content(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "IncompleteBody", err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	req := Request{Method: r.Method, Op: operation(r, key), Bucket: bucket, Key: key, Header: r.Header.Clone(), Bytes: len(body)}
	s.requests = append(s.requests, req)
	fault := None
	if s.fault != nil {
		fault = s.fault(req)
	}
	if fault == Damage && len(body) > 0 {
		body = slices.Clone(body)
		body[len(body)/2] ^= 1
	}
	if failed(w, fault) {
		return
	}
	if s.buckets[bucket] == nil {
		refuse(w, http.StatusNotFound, "NoSuchBucket", bucket)
		return
	}
	if fault == Lost {
		s.serve(httptest.NewRecorder(), r, req, body)
		panic(http.ErrAbortHandler)
	}
	if fault == CutBody {
		w = &halfWriter{ResponseWriter: w}
	}
	s.serve(w, r, req, body)
}

func failed(w http.ResponseWriter, f Fault) bool {
	switch f {
	case SlowDown:
		refuse(w, http.StatusServiceUnavailable, "SlowDown", "please reduce your request rate")
	case Internal:
		refuse(w, http.StatusInternalServerError, "InternalError", "we encountered an internal error")
	case Denied:
		refuse(w, http.StatusForbidden, "AccessDenied", "access denied")
	case Expired:
		refuse(w, http.StatusBadRequest, "ExpiredToken", "the provided token has expired")
	case Unsupported:
		refuse(w, http.StatusNotImplemented, "NotImplemented", "not implemented")
	case Hangup:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

func operation(r *http.Request, key string) string {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && q.Has("partNumber"):
		return "UploadPart"
	case r.Method == http.MethodPut:
		return "PutObject"
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "CreateMultipartUpload"
	case r.Method == http.MethodPost && q.Has("uploadId"):
		return "CompleteMultipartUpload"
	case r.Method == http.MethodPost && q.Has("delete"):
		return "DeleteObjects"
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		return "AbortMultipartUpload"
	case r.Method == http.MethodDelete:
		return "DeleteObject"
	case r.Method == http.MethodHead && key == "":
		return "HeadBucket"
	case r.Method == http.MethodHead:
		return "HeadObject"
	case r.Method == http.MethodGet && key == "":
		return "ListObjectsV2"
	}
	return "GetObject"
}

// content reads a request's body and takes the SDK's chunked framing off.
func content(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	want, err := strconv.Atoi(r.Header.Get("X-Amz-Decoded-Content-Length"))
	if err != nil {
		return b, nil
	}
	out := make([]byte, 0, want)
	for len(out) < want {
		line, rest, ok := strings.Cut(string(b), "\r\n")
		size, err := strconv.ParseInt(strings.Split(line, ";")[0], 16, 64)
		if !ok || err != nil || int(size)+2 > len(rest) {
			return nil, fmt.Errorf("bad chunk %q", line)
		}
		out = append(out, rest[:size]...)
		b = []byte(rest[size+2:])
	}
	return out, nil
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
}

// halfWriter promises the whole body, sends half of it and hangs up.
type halfWriter struct{ http.ResponseWriter }

func (h *halfWriter) Write(b []byte) (int, error) {
	if len(b) < 2 {
		return h.ResponseWriter.Write(b)
	}
	h.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = h.ResponseWriter.Write(b[:len(b)/2])
	if f, ok := h.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}
