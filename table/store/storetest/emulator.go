package storetest

import (
	"crypto/md5" //nolint:gosec // tags only
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// emulator is what the servers of the other object stores have in common.
type emulator struct {
	// URL is its address.
	URL string

	mu       sync.Mutex
	buckets  map[string]map[string]object
	requests []Request
	fault    func(Request) Fault
	dialect  dialect
}

// dialect is how one kind of object store is spoken to. The emulator is locked during a call.
type dialect interface {
	// name says what a request is about.
	name(r *http.Request) (op, bucket, key string)
	serve(w http.ResponseWriter, r *http.Request, req Request, body []byte)
	// fail answers with a fault; the others are the emulator's.
	fail(w http.ResponseWriter, f Fault)
	noBucket(w http.ResponseWriter)
}

func (e *emulator) start(t testing.TB, d dialect, buckets []string) {
	e.dialect, e.buckets = d, map[string]map[string]object{}
	for _, b := range buckets {
		e.buckets[b] = map[string]object{}
	}
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	e.URL = srv.URL
}

// OnRequest sets what is asked before each request; nil = no faults.
func (e *emulator) OnRequest(f func(Request) Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = f
}

// Requests gives and forgets the requests so far.
func (e *emulator) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.requests
	e.requests = nil
	return r
}

// Object gives an object's content.
func (e *emulator) Object(bucket, key string) ([]byte, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	o, ok := e.buckets[bucket][key]
	return o.data, ok
}

// Keys lists a bucket, sorted.
func (e *emulator) Keys(bucket string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.keys(bucket, "")
}

func (e *emulator) keys(bucket, prefix string) (keys []string) {
	for k := range e.buckets[bucket] {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// page gives the keys of one page after the last one's end, and where the next page begins.
func (e *emulator) page(bucket, prefix, after string, most int) (keys []string, next string) {
	all := e.keys(bucket, prefix)
	at, _ := slices.BinarySearch(all, after)
	all = all[at:]
	if len(all) > most {
		return all[:most], all[most]
	}
	return all, ""
}

// store keeps an object.
func (e *emulator) store(bucket, key string, data []byte) object {
	sum := md5.Sum(data) //nolint:gosec // as above
	o := object{data: data, etag: hex.EncodeToString(sum[:]), modified: time.Unix(1_700_000_000, 0).UTC()}
	e.buckets[bucket][key] = o
	return o
}

// ServeHTTP implements http.Handler.
func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	op, bucket, key := e.dialect.name(r)
	req := Request{Method: r.Method, Op: op, Bucket: bucket, Key: key, Header: r.Header.Clone(), Query: r.URL.Query(), Bytes: len(body)}
	e.requests = append(e.requests, req)
	fault := None
	if e.fault != nil {
		fault = e.fault(req)
	}
	switch fault {
	case SlowDown, Internal, Denied, Expired, Unsupported:
		e.dialect.fail(w, fault)
		return
	case Hangup:
		panic(http.ErrAbortHandler)
	case Damage:
		if len(body) > 0 {
			body = slices.Clone(body)
			body[len(body)/2] ^= 1
		}
	case CutBody:
		w = &halfWriter{ResponseWriter: w}
	case None, Lost:
	}
	if e.buckets[bucket] == nil {
		e.dialect.noBucket(w)
		return
	}
	if fault == Lost {
		e.dialect.serve(httptest.NewRecorder(), r, req, body)
		panic(http.ErrAbortHandler)
	}
	e.dialect.serve(w, r, req, body)
}

// send answers a read, of a range if one is asked for. It reports false where the range is beyond the object.
func send(w http.ResponseWriter, header string, data []byte) bool {
	from, to, status := 0, len(data), http.StatusOK
	if header != "" {
		var last int
		if n, _ := fmt.Sscanf(header, "bytes=%d-%d", &from, &last); n == 1 {
			last = len(data) - 1
		}
		if from >= len(data) {
			return false
		}
		to, status = min(last+1, len(data)), http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(data)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(to-from))
	w.WriteHeader(status)
	_, _ = w.Write(data[from:to])
	return true
}
