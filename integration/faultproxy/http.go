package faultproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	// maxLate is the largest body that is kept for a late call; a larger one is lost on the way.
	maxLate = 64 << 20
	// unknownLength is where a body is cut at the latest whose length nobody says.
	unknownLength = 4096
)

// serverErrors are the answers a proxy gives in place of the server's. None of them says what became of the call.
func serverErrors() []int {
	return []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
}

// httpProxy passes or breaks the calls to one server.
type httpProxy struct {
	name    string
	in      *Injector
	forward *httputil.ReverseProxy
	group   *rungroup.Group
}

// HTTP opens a proxy on listen in front of upstream, an address like http://127.0.0.1:9000.
func (i *Injector) HTTP(ctx context.Context, name, listen, upstream string) (*Proxy, error) {
	target, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		// A compressed answer stays as it is, and so does the request's header that allows it.
		DisableCompression:    true,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       10 * time.Second,
		ExpectContinueTimeout: 5 * time.Second,
	}
	p := &httpProxy{name: name, in: i, group: rungroup.New(context.WithoutCancel(ctx))}
	p.forward = &httputil.ReverseProxy{
		Transport: transport,
		// The Host header is part of a signature and stays the caller's.
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host },
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { hangUp() },
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	p.group.Go(func(context.Context) error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return &Proxy{listener: listener, group: p.group, stop: func() error {
		err := server.Close()
		transport.CloseIdleConnections()
		return err
	}}, nil
}

// hangUp ends the caller's connection without another byte.
func hangUp() { panic(http.ErrAbortHandler) }

// ServeHTTP implements http.Handler.
func (p *httpProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := p.in.decide(Call{Proxy: p.name, Op: r.Method, Path: r.URL.Path})
	switch v.fault {
	case None:
		p.forward.ServeHTTP(w, r)
	case Before:
		v.fail(w)
	case After:
		p.forward.ServeHTTP(nowhere{}, r)
		v.fail(w)
	case Cut:
		p.cut(w, r, v)
	default:
		p.late(w, r, v)
	}
}

// fail tells the caller that something went wrong, by a status or by silence.
func (v verdict) fail(w http.ResponseWriter) {
	if v.half {
		hangUp()
	}
	w.WriteHeader(v.status)
}

// cut ends the call within the request's body or within the answer's.
func (p *httpProxy) cut(w http.ResponseWriter, r *http.Request, v verdict) {
	if v.half && r.ContentLength != 0 {
		length := r.ContentLength
		if length < 0 {
			length = unknownLength
		}
		r.Body = &shortBody{ReadCloser: r.Body, left: int64(v.part * float64(length))}
		p.forward.ServeHTTP(nowhere{}, r)
		hangUp() // the server had answered before it knew
	}
	p.forward.ServeHTTP(&shortAnswer{ResponseWriter: w, head: r.Method == http.MethodHead, part: v.part}, r)
}

// late fails a writing call and does it afterwards; a reading one is only slow.
func (p *httpProxy) late(w http.ResponseWriter, r *http.Request, v verdict) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if !pause(r.Context(), v.wait) {
			hangUp()
		}
		p.forward.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxLate+1))
	if err != nil || len(body) > maxLate {
		hangUp()
	}
	// The context of the request ends with its connection, and with it the server's would.
	again := r.Clone(p.group.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	p.group.Go(func(ctx context.Context) error {
		defer func() {
			if e := recover(); e != nil && e != http.ErrAbortHandler { //nolint:errorlint // what hangUp panics with
				panic(e)
			}
		}()
		if pause(ctx, v.wait) {
			p.forward.ServeHTTP(nowhere{}, again)
		}
		return nil
	})
	v.fail(w)
}
