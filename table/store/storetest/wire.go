package storetest

import (
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Wire is a transport on which answers get lost: the server has done what was asked, and nobody hears of it.
type Wire struct {
	base http.RoundTripper

	mu   sync.Mutex
	lost map[string]bool // kinds of requests whose first answer was lost; nil = none is
}

// NewWire makes a wire of its own connections.
func NewWire() *Wire {
	return &Wire{base: &http.Transport{MaxIdleConnsPerHost: 16}}
}

// LoseEachOnce loses the first answer to each kind of request from now on. stop ends that and says how many it were.
func (w *Wire) LoseEachOnce() (stop func() int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = map[string]bool{}
	return func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		n := len(w.lost)
		w.lost = nil
		return n
	}
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := w.base.RoundTrip(r)
	if err != nil || !w.loses(r) {
		return res, err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

// loses says whether the answer to a request is lost. Requests are of one kind if method and parameters are the same.
func (w *Wire) loses(r *http.Request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind := r.Method + " " + strings.Join(slices.Sorted(maps.Keys(r.URL.Query())), "&")
	if w.lost == nil || w.lost[kind] {
		return false
	}
	w.lost[kind] = true
	return true
}
