package catalog_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table/column"
)

func TestRESTConforms(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog { return srv.open(t) })
}

var shop = table.Identifier{"shop", "clicks"}

// world is a table behind the server, with a writer that waits for nothing.
func world(t *testing.T, srv *restServer, change ...func(*catalog.Options)) *commit.Table {
	t.Helper()
	tries := 0
	env := commit.Env{Wait: func(ctx context.Context, _ time.Duration) error {
		if tries++; tries > 100 {
			return errors.New("still not done after a hundred attempts")
		}
		return ctx.Err()
	}}
	w, err := commit.Open(t.Context(), srv.open(t, change...), commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, env)
	require.NoError(t, err)
	return w
}

func start() commit.Creation {
	return commit.Creation{
		Fields: []column.Field{{Name: "id", Type: column.Type{Kind: column.Long}}},
		Start:  []commit.Step{{Key: partition(), To: "0"}},
	}
}

func partition() state.Key {
	return state.Key{Stream: state.Stream{Topic: "clicks"}, Partition: "0"}
}

func move(from, to state.Position) []commit.Step {
	return []commit.Step{{Key: partition(), From: from, To: to, Counts: outcome.Counts{outcome.Ignored: 1}}}
}

// Birth is one POST after the staging, and asserts the table's absence.
func TestBirthIsOneCommit(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	w := world(t, srv)
	require.NoError(t, w.Create(t.Context(), start()))
	require.EqualValues(t, 1, srv.commits.Load())
	e, ok := w.State().Find(partition())
	require.True(t, ok)
	require.Equal(t, state.Position("0"), e.Position)
}

// Whatever goes wrong with the answer to a commit, the table decides, and it is sent no more often than needed.
func TestFaultsOfCommits(t *testing.T) {
	f := func(name string, answer func(http.ResponseWriter)) {
		t.Run(name, func(t *testing.T) {
			srv := newRESTServer(t, t.TempDir())
			w := world(t, srv)
			require.NoError(t, w.Create(t.Context(), start()))
			once := false
			srv.after = func(rw http.ResponseWriter, _ *http.Request) bool {
				if once {
					return false
				}
				once = true
				answer(rw)
				return true
			}
			srv.commits.Store(0)
			res, err := w.Progress(t.Context(), move("0", "1"))
			require.NoError(t, err)
			require.Equal(t, commit.Landed, res.Outcome)
			require.EqualValues(t, 1, srv.commits.Load(), "it had landed: nothing is sent again")
			res, err = w.Progress(t.Context(), move("1", "2"))
			require.NoError(t, err)
			require.Equal(t, commit.Landed, res.Outcome)
		})
	}
	for _, status := range []int{409, 419, 429, 500, 502, 503, 504} {
		f(strconv.Itoa(status), func(w http.ResponseWriter) { fail(w, status, "SomeException", "boom") })
	}
	f("html", func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>bad gateway</html>"))
	})
	f("half an answer", func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"metadata-location": "x", "meta`)) })
	f("empty answer", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })
	f("connection closed", hangUp)
	f("redirect", func(w http.ResponseWriter) {
		w.Header().Set("Location", "http://elsewhere.invalid/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

func hangUp(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

// A connection that was used before and breaks while a commit is on it: the standard client sends again what it
// takes for repeatable, such as anything with this header. A commit must not be.
func TestNoTransparentResend(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	w := world(t, srv, func(o *catalog.Options) { o.Headers = map[string]string{"Idempotency-Key": "1"} })
	require.NoError(t, w.Create(t.Context(), start()))
	var arrived atomic.Int64
	srv.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		if arrived.Add(1) == 1 {
			hangUp(rw) // not applied
			return true
		}
		return false
	}
	res, err := w.Progress(t.Context(), move("0", "1"))
	require.NoError(t, err)
	require.Equal(t, commit.Landed, res.Outcome)
	require.Equal(t, 2, res.Attempts, "each request that arrived was an attempt of ours")
	require.EqualValues(t, 2, arrived.Load())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var leaked atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Add(1)
		}
	}))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	_, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.REST, URI: srv.URL, Token: "secret"})
	require.Equal(t, catalog.CodeRedirect, failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Zero(t, leaked.Load())
}

func TestNessieIsKnownByName(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	require.True(t, srv.open(t).Capabilities().NullPin)
	srv.config = map[string]string{"nessie.is-nessie-catalog": "true"}
	require.False(t, srv.open(t).Capabilities().NullPin)
	require.False(t, srv.open(t).Capabilities().Refs)
	_, err := commit.Open(t.Context(), srv.open(t), commit.Spec{Identifier: shop, Pipeline: "p", Branch: "audit", MayCreate: true}, commit.Env{})
	require.Equal(t, commit.CodeBranch, failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.True(t, srv.open(t).Capabilities().RemovesMetadata)
}

func TestSignIn(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	var seen []string
	srv.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/oauth/tokens") {
			if err := r.ParseForm(); err == nil && r.Form.Get("client_secret") == "right" {
				answer(w, map[string]any{"access_token": "fresh", "token_type": "bearer", "expires_in": 3600})
				return true
			}
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		auth := r.Header.Get("Authorization")
		seen = append(seen, auth+"|"+r.Header.Get("X-Mine"))
		if auth != "Bearer good" && auth != "Bearer fresh" {
			fail(w, http.StatusUnauthorized, "NotAuthorizedException", "who are you")
			return true
		}
		return false
	}
	ill := false
	healthy := srv.before
	srv.before = func(w http.ResponseWriter, r *http.Request) bool {
		if ill && strings.HasSuffix(r.URL.Path, "/oauth/tokens") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return healthy(w, r)
	}
	srv.open(t, func(o *catalog.Options) { o.Token, o.Headers = "good", map[string]string{"X-Mine": "1"} })
	require.Equal(t, []string{"Bearer good|1"}, seen)
	srv.open(t, func(o *catalog.Options) { o.Credential = "id:right" })
	srv.open(t, func(o *catalog.Options) {
		o.Credential, o.OAuth2ServerURI, o.Scope = "id:right", srv.URL+"/v1/oauth/tokens", "all"
	})
	f := func(o catalog.Options, code string) {
		t.Helper()
		o.Type, o.URI = catalog.REST, srv.URL
		_, err := catalog.Open(t.Context(), o)
		require.Equal(t, code, failure.CodeOf(err), "%v", err)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.NotEmpty(t, failure.HintOf(err))
		require.NotContains(t, err.Error(), "wrong-secret")
	}
	f(catalog.Options{}, catalog.CodeAuth)
	f(catalog.Options{Token: "wrong-secret"}, catalog.CodeAuth)
	f(catalog.Options{Credential: "id:wrong-secret"}, catalog.CodeAuth)
	f(catalog.Options{Credential: "id:right", OAuth2ServerURI: ":nowhere"}, catalog.CodeURI)
	ill = true
	_, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.REST, URI: srv.URL, Credential: "id:right"})
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	require.ErrorContains(t, err, "the token endpoint answers 503")
}

// What is wrong with a catalog is one clear failure with a hint.
func TestOpenFailures(t *testing.T) {
	dir := t.TempDir()
	f := func(name string, o catalog.Options, class failure.Class, code string) {
		t.Helper()
		_, err := catalog.Open(t.Context(), o)
		require.Error(t, err, name)
		require.Equal(t, code, failure.CodeOf(err), "%s: %v", name, err)
		require.Equal(t, class, failure.ClassOf(err), name)
		require.NotEmpty(t, failure.HintOf(err), name)
	}
	status := func(code int, body string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	rest := func(uri string) catalog.Options {
		return catalog.Options{Type: catalog.REST, URI: uri, Warehouse: "wh"}
	}
	f("no type", catalog.Options{}, failure.Config, catalog.CodeOptions)
	f("no address", rest("nothing"), failure.Config, catalog.CodeURI)
	f("nobody there", rest(closed.URL), failure.Retry, catalog.CodeUnreachable)
	f("no such host", rest("http://no-such-host.invalid"), failure.Config, catalog.CodeURI)
	f("another service", rest(status(404, "<html>")), failure.Config, catalog.CodeURI)
	f("a web page", rest(status(200, "<html>")), failure.Config, catalog.CodeURI)
	f("no such warehouse", rest(status(400, `{"error":{"message":"no warehouse wh","type":"BadRequestException","code":400}}`)), failure.Config, catalog.CodeWarehouse)
	f("no such warehouse, 404", rest(status(404, `{"error":{"message":"Warehouse wh not found","type":"NotFound","code":404}}`)), failure.Config, catalog.CodeWarehouse)
	f("no rights", rest(status(403, `{"error":{"message":"no","type":"ForbiddenException","code":403}}`)), failure.Config, catalog.CodeForbidden)
	f("in trouble", rest(status(503, "")), failure.Retry, catalog.CodeUnreachable)
	f("unknown authority", rest(secure.URL), failure.Config, catalog.CodeTLS)
	f("plain text behind https", rest(strings.Replace(status(200, ""), "http", "https", 1)), failure.Config, catalog.CodeTLS)
	f("no file", catalog.Options{Type: catalog.SQLite, Warehouse: dir}, failure.Config, catalog.CodeOptions)
	f("no warehouse", catalog.Options{Type: catalog.SQLite, Path: dir + "/x.db"}, failure.Config, catalog.CodeWarehouse)
	f("a warehouse that no URI can name", catalog.Options{Type: catalog.SQLite, Path: dir + "/x.db", Warehouse: dir + "/a#b"}, failure.Config, catalog.CodeWarehouse)
	f("no directory", catalog.Options{Type: catalog.SQLite, Path: dir + "/none/x.db", Warehouse: dir}, failure.Config, catalog.CodePath)
	f("a directory", catalog.Options{Type: catalog.SQLite, Path: dir, Warehouse: dir}, failure.Config, catalog.CodePath)
	require.NoError(t, writeFile(filepath.Join(dir, "text.db"), strings.Repeat("this is no database ", 100)))
	f("not a database", catalog.Options{Type: catalog.SQLite, Path: filepath.Join(dir, "text.db"), Warehouse: dir}, failure.Config, catalog.CodePath)
}

func TestTLSWithOwnAuthorityAndClientCertificate(t *testing.T) {
	backend := newRESTServer(t, t.TempDir())
	srv := httptest.NewUnstartedServer(backend.Config.Handler)
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	o := catalog.Options{Type: catalog.REST, URI: srv.URL, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	_, err := catalog.Open(t.Context(), o)
	require.Error(t, err, "no client certificate")
	o.TLS.Certificates = srv.TLS.Certificates
	cat, err := catalog.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, cat.Close())
}

// Signing for AWS reads the body a second time; what is sent is still sent once.
func TestSigV4(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	srv := newRESTServer(t, t.TempDir())
	var unsigned atomic.Int64
	srv.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/s3tables/") {
			unsigned.Add(1)
		}
		return false
	}
	cat := srv.open(t, func(o *catalog.Options) { o.SigV4 = &catalog.SigV4{Region: "eu-west-1", Service: "s3tables"} })
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	require.NoError(t, w.Create(t.Context(), start()))
	require.Zero(t, unsigned.Load())
}

// The catalog's words about files reach the access to them: its configuration below the client's and the table's.
func TestVendedCredentials(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	srv.tableConfig = map[string]string{"s3.access-key-id": "vended"}
	var delegation atomic.Value
	srv.before = func(_ http.ResponseWriter, r *http.Request) bool {
		delegation.Store(r.Header.Get("X-Iceberg-Access-Delegation"))
		return false
	}
	w := world(t, srv)
	require.NoError(t, w.Create(t.Context(), start()))
	require.Equal(t, "vended-credentials", delegation.Load())
}
