package faultproxy

import (
	"errors"
	"io"
	"net/http"
	"strconv"
)

var errCut = errors.New("cut by the proxy")

// nowhere takes an answer that nobody will see.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// shortBody breaks off while a request is sent to the server.
type shortBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *shortBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errCut
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// shortAnswer breaks off while an answer is sent to the caller.
type shortAnswer struct {
	http.ResponseWriter
	head bool
	part float64
	left int64
}

// WriteHeader implements http.ResponseWriter. An answer without a body is lost as a whole.
func (a *shortAnswer) WriteHeader(status int) {
	if status < http.StatusOK {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	length, err := strconv.ParseInt(a.Header().Get("Content-Length"), 10, 64)
	if err != nil {
		length = unknownLength
	}
	if a.left = int64(a.part * float64(length)); a.head || a.left == 0 {
		hangUp()
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *shortAnswer) Write(b []byte) (int, error) {
	n, err := a.ResponseWriter.Write(b[:min(int64(len(b)), a.left)])
	if a.left -= int64(n); err == nil && a.left <= 0 {
		_ = http.NewResponseController(a.ResponseWriter).Flush()
		hangUp()
	}
	return n, err
}

// Unwrap lets a response controller flush.
func (a *shortAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
