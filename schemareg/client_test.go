package schemareg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

const recordText = `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`

// fake is an http.RoundTripper: a registry behind a network that misbehaves. It works inside synctest bubbles,
// where real sockets would not.
type fake struct {
	handler http.Handler
	calls   atomic.Int64
	// before may answer in place of the registry.
	before func(r *http.Request) (*http.Response, error)
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.calls.Add(1)
	if f.before != nil {
		if resp, err := f.before(r); resp != nil || err != nil {
			return resp, err
		}
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func status(r *http.Request, code int, body string, header ...string) *http.Response {
	w := httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(code)
	fmt.Fprint(w, body)
	resp := w.Result()
	resp.Request = r
	return resp
}

func newFake(t *testing.T) (*fake, *regserver.Registry) {
	t.Helper()
	reg := regserver.New()
	return &fake{handler: reg.Handler()}, reg
}

func newClient(t *testing.T, f *fake, change ...func(*ClientOptions)) *Client {
	t.Helper()
	o := ClientOptions{URLs: []string{"http://registry:8081"}, Transport: f}
	for _, c := range change {
		c(&o)
	}
	c, err := NewClient(o)
	require.NoError(t, err)
	return c
}

func register(t *testing.T, reg *regserver.Registry, subject, text string, refs ...regserver.Reference) *regserver.Schema {
	t.Helper()
	s, err := reg.Register(subject, "", text, refs...)
	require.NoError(t, err)
	return s
}

func requireFailure(t *testing.T, err error, class failure.Class, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, class, failure.ClassOf(err), err)
	require.Equal(t, code, failure.CodeOf(err), err)
}

func TestLookups(t *testing.T) {
	f, reg := newFake(t)
	c := newClient(t, f)
	ctx := t.Context()
	s := register(t, reg, "orders/value", recordText)

	byID, err := c.ByID(ctx, uint32(s.ID))
	require.NoError(t, err)
	require.Equal(t, &Schema{Ref: Ref{ID: 1}, Type: Avro, Text: recordText, References: nil}, byID)

	byGUID, err := c.ByGUID(ctx, s.GUID)
	require.NoError(t, err)
	require.Equal(t, &Schema{Ref: Ref{GUID: s.GUID, HasGUID: true}, Type: Avro, Text: recordText}, byGUID)

	latest, err := c.Latest(ctx, "orders/value")
	require.NoError(t, err)
	require.Equal(t, &Schema{Ref: Ref{ID: 1}, Type: Avro, Text: recordText, Subject: "orders/value", Version: 1}, latest)

	// Found once, never asked again; the latest version always is.
	before := f.calls.Load()
	for _, ref := range []Ref{byID.Ref, byGUID.Ref} {
		again, err := Find(ctx, c, ref)
		require.NoError(t, err)
		require.Equal(t, ref, again.Ref)
	}
	require.Equal(t, before, f.calls.Load())
	_, err = c.Latest(ctx, "orders/value")
	require.NoError(t, err)
	require.Equal(t, before+1, f.calls.Load())
}

func TestOtherTypes(t *testing.T) {
	f, reg := newFake(t)
	s, err := reg.Register("j", "JSON", `{"type":"object"}`)
	require.NoError(t, err)
	got, err := newClient(t, f).ByID(t.Context(), uint32(s.ID))
	require.NoError(t, err)
	require.Equal(t, JSON, got.Type)
}

func TestNotFoundIsRememberedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, reg := newFake(t)
		c := newClient(t, f)
		_, err := c.ByID(t.Context(), 1)
		requireFailure(t, err, failure.Retry, CodeNotFound)
		require.EqualError(t, err, `finding schema id 1 at http://registry:8081: Get "http://registry:8081/schemas/ids/1": registry answered 404 Not Found (40403 "Schema 1 not found")`)

		register(t, reg, "s", recordText)
		<-time.After(DefaultNegativeTTL - 1)
		_, err = c.ByID(t.Context(), 1)
		requireFailure(t, err, failure.Retry, CodeNotFound)
		require.EqualValues(t, 1, f.calls.Load())

		<-time.After(1)
		_, err = c.ByID(t.Context(), 1)
		require.NoError(t, err)
		require.EqualValues(t, 2, f.calls.Load())
	})
}

func TestMissesAreBounded(t *testing.T) {
	f, _ := newFake(t)
	c := newClient(t, f)
	for id := range uint32(2*maxMisses + 10) {
		_, err := c.ByID(t.Context(), id)
		requireFailure(t, err, failure.Retry, CodeNotFound)
	}
	require.LessOrEqual(t, len(c.cache.mu.missing), maxMisses)
}

func TestClassification(t *testing.T) {
	check := func(code int, body string, class failure.Class, want string, remembered bool) {
		t.Helper()
		f, _ := newFake(t)
		f.before = func(r *http.Request) (*http.Response, error) { return status(r, code, body), nil }
		c := newClient(t, f)
		for range 2 {
			_, err := c.ByID(t.Context(), 7)
			requireFailure(t, err, class, want)
		}
		calls := map[bool]int64{true: 1, false: 2}[remembered]
		require.Equal(t, calls, f.calls.Load(), "status %d", code)
	}
	check(401, `{"error_code":40101,"message":"who?"}`, failure.Halt, CodeAuth, true)
	check(403, ``, failure.Halt, CodeAuth, true)
	check(404, `<html>`, failure.Retry, CodeNotFound, true)
	check(408, ``, failure.Retry, CodeUnavailable, false)
	check(429, ``, failure.Retry, CodeUnavailable, false)
	check(500, `{"error_code":50001,"message":"store"}`, failure.Retry, CodeUnavailable, false)
	check(503, `oops`, failure.Retry, CodeUnavailable, false)
	check(200, `<html>login</html>`, failure.Retry, CodeUnavailable, false)
	check(200, `{}`, failure.Retry, CodeUnavailable, false)
	check(200, `{"schema":"`+strings.Repeat("x", DefaultMaxBytes+1)+`"}`, failure.Halt, CodeInvalid, true)
	check(200, `{"schema":"`+strings.Repeat("x", 8*DefaultMaxBytes)+`"}`, failure.Halt, CodeInvalid, true)
}

func TestHintOfWrongPath(t *testing.T) {
	f, _ := newFake(t)
	f.handler = http.NotFoundHandler()
	_, err := newClient(t, f).ByID(t.Context(), 1)
	require.Contains(t, failure.HintOf(err), "/apis/ccompat/v7")
}

func TestSlowRegistryTimesOutAndIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, reg := newFake(t)
		register(t, reg, "s", recordText)
		f.before = func(r *http.Request) (*http.Response, error) {
			if f.calls.Load() > 1 {
				return nil, nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		c := newClient(t, f)
		start := time.Now()
		_, err := c.ByID(t.Context(), 1)
		requireFailure(t, err, failure.Retry, CodeUnavailable)
		require.Equal(t, DefaultTimeout, time.Since(start))
		_, err = c.ByID(t.Context(), 1)
		require.NoError(t, err)
	})
}

func TestCallerLeavesWithItsContextAndTheFlightGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, reg := newFake(t)
		register(t, reg, "s", recordText)
		f.before = func(*http.Request) (*http.Response, error) {
			<-time.After(time.Second)
			return nil, nil
		}
		c := newClient(t, f)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := c.ByID(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Millisecond, time.Since(start))

		// Somebody who asks later joins the flight and has the answer when it lands.
		_, err = c.ByID(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(start))
		require.EqualValues(t, 1, f.calls.Load())
	})
}

func TestOneFlightForManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, reg := newFake(t)
		register(t, reg, "s", recordText)
		open := make(chan struct{})
		f.before = func(*http.Request) (*http.Response, error) { <-open; return nil, nil }
		c := newClient(t, f)
		var all sync.WaitGroup
		var ok atomic.Int64
		for range 50 {
			all.Go(func() {
				if _, err := c.ByID(t.Context(), 1); err == nil {
					ok.Add(1)
				}
			})
		}
		synctest.Wait() // every caller waits for the one request
		require.EqualValues(t, 1, f.calls.Load())
		close(open)
		all.Wait()
		require.EqualValues(t, 50, ok.Load())
		require.EqualValues(t, 1, f.calls.Load())
	})
}

func TestFailover(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "s", recordText)
	register(t, reg, "s", `"string"`)
	down := map[string]bool{"a:1": true, "b:1": true}
	var asked []string
	f.before = func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Host)
		if down[r.URL.Host] {
			return status(r, 503, ""), nil
		}
		return nil, nil
	}
	c := newClient(t, f, func(o *ClientOptions) { o.URLs = []string{"http://a:1/", "http://b:1", "http://c:1/x/.."} })
	f.handler = http.StripPrefix("/x/..", f.handler)
	_, err := c.ByID(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, []string{"a:1", "b:1", "c:1"}, asked)

	// The node that answered is asked first from now on.
	_, err = c.ByID(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, []string{"a:1", "b:1", "c:1", "c:1"}, asked)
}

func TestNotFoundOnALaggingFollowerAsksTheNextNode(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "s", recordText)
	f.before = func(r *http.Request) (*http.Response, error) {
		switch r.URL.Host {
		case "lags:1":
			return status(r, 404, `{"error_code":40403,"message":"no"}`), nil
		case "down:1":
			return nil, fmt.Errorf("connection refused")
		}
		return nil, nil
	}
	hosts := func(urls ...string) func(*ClientOptions) { return func(o *ClientOptions) { o.URLs = urls } }
	_, err := newClient(t, f, hosts("http://lags:1", "http://b:1")).ByID(t.Context(), 1)
	require.NoError(t, err)
	for _, urls := range [][]string{{"http://lags:1", "http://down:1"}, {"http://down:1", "http://lags:1"}} {
		_, err = newClient(t, f, hosts(urls...)).ByID(t.Context(), 1)
		requireFailure(t, err, failure.Retry, CodeNotFound)
	}
}

func TestAuthFailureIsNotSpreadOverNodes(t *testing.T) {
	f, _ := newFake(t)
	f.before = func(r *http.Request) (*http.Response, error) { return status(r, 401, ""), nil }
	c := newClient(t, f, func(o *ClientOptions) { o.URLs = []string{"http://a:1", "http://b:1"} })
	_, err := c.ByID(t.Context(), 1)
	requireFailure(t, err, failure.Halt, CodeAuth)
	require.EqualValues(t, 1, f.calls.Load())
}

func TestCredentials(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "s", recordText)
	var auth string
	f.before = func(r *http.Request) (*http.Response, error) {
		auth = r.Header.Get("Authorization")
		return nil, nil
	}
	basic := newClient(t, f, func(o *ClientOptions) { o.Username, o.Password = "me", "secret" })
	_, err := basic.ByID(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, "Basic bWU6c2VjcmV0", auth)

	bearer := newClient(t, f, func(o *ClientOptions) { o.Token = "tok" })
	_, err = bearer.ByGUID(t.Context(), guid)
	requireFailure(t, err, failure.Retry, CodeNotFound)
	require.Equal(t, "Bearer tok", auth)

	none := newClient(t, f)
	_, err = none.Latest(t.Context(), "s")
	require.NoError(t, err)
	require.Empty(t, auth)
}

func TestRedirectsAreRefused(t *testing.T) {
	f, _ := newFake(t)
	f.before = func(r *http.Request) (*http.Response, error) {
		return status(r, 307, "", "Location", "https://thief:1/schemas?token=abc"), nil
	}
	c := newClient(t, f, func(o *ClientOptions) { o.Token = "tok" })
	for _, ask := range []func() (*Schema, error){
		func() (*Schema, error) { return c.ByID(t.Context(), 1) },
		func() (*Schema, error) { return c.ByGUID(t.Context(), guid) },
	} {
		f.calls.Store(0)
		_, err := ask()
		requireFailure(t, err, failure.Halt, CodeRedirect)
		require.Contains(t, err.Error(), "to https://thief:1")
		require.NotContains(t, err.Error(), "abc")
		require.EqualValues(t, 1, f.calls.Load())
	}
}

func TestForeignTextInErrorsIsTamed(t *testing.T) {
	f, _ := newFake(t)
	f.before = func(r *http.Request) (*http.Response, error) {
		return status(r, 500, `{"error_code":1,"message":"a\nb\u001b[31m`+strings.Repeat("x", 9999)+`"}`), nil
	}
	_, err := newClient(t, f).ByID(t.Context(), 1)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), "\x1b")
	require.Less(t, len(err.Error()), 500)
}

func TestMutualTLS(t *testing.T) {
	reg := regserver.New()
	register(t, reg, "s", recordText)
	srv := httptest.NewUnstartedServer(reg.Handler())
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())

	ask := func(conf *tls.Config) error {
		c, err := NewClient(ClientOptions{URLs: []string{srv.URL}, TLS: conf})
		require.NoError(t, err)
		defer c.opts.Transport.(*http.Transport).CloseIdleConnections()
		_, err = c.ByID(t.Context(), 1)
		return err
	}
	require.NoError(t, ask(&tls.Config{RootCAs: roots, Certificates: srv.TLS.Certificates}))
	requireFailure(t, ask(&tls.Config{RootCAs: roots}), failure.Retry, CodeUnavailable)
	requireFailure(t, ask(nil), failure.Retry, CodeUnavailable)
}

func TestOptionsThatCannotWork(t *testing.T) {
	bad := func(want string, o ClientOptions) {
		t.Helper()
		_, err := NewClient(o)
		require.EqualError(t, err, want)
		requireFailure(t, err, failure.Config, CodeConfig)
		require.NotContains(t, failure.Describe(err), "secret")
	}
	url := func(u string) ClientOptions { return ClientOptions{URLs: []string{"http://ok", u}} }
	bad("no registry URL is given", ClientOptions{})
	bad("both basic and bearer credentials are given", ClientOptions{URLs: []string{"http://a"}, Username: "u", Password: "secret", Token: "secret"})
	bad("basic authentication needs both a username and a password", ClientOptions{URLs: []string{"http://a"}, Password: "secret"})
	bad("registry URL http://a:1/p has credentials in it", url("http://me:secret@a:1/p"))
	bad("registry URL cannot be parsed", url("http://me:secret@[a"))
	bad(`registry URL "ftp://a" does not begin with http:// or https://`, url("ftp://a"))
	bad(`registry URL "://localhost:8081" does not begin with http:// or https://`, url("//localhost:8081"))
	bad(`registry URL "http://" has no host`, url("http://"))
	bad("registry URL http://a has a query or fragment", url("http://a?k=secret"))
}
