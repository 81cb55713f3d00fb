package handover

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// coordinator answers like Trino: the first page says where the next one is, which is the last.
type coordinator struct {
	*httptest.Server
	statements []string
	header     http.Header
	refuses    bool
}

func newCoordinator(t *testing.T) *coordinator {
	c := &coordinator{}
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method == http.MethodPost:
			body, _ := io.ReadAll(r.Body)
			c.statements, c.header = append(c.statements, string(body)), r.Header
			_, _ = io.WriteString(w, `{"id": "q", "nextUri": "`+c.URL+`/v1/statement/q/1", "stats": {"state": "QUEUED"}}`)
		case c.refuses:
			_, _ = io.WriteString(w, `{"id": "q", "stats": {"state": "FAILED"}, "error": {"message": "Catalog 'lake' not found", "errorCode": 44, "errorName": "CATALOG_NOT_FOUND", "errorType": "USER_ERROR"}}`)
		default:
			_, _ = io.WriteString(w, `{"id": "q", "stats": {"state": "FINISHED"}}`)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func TestTrino(t *testing.T) {
	c := newCoordinator(t)
	engine := Trino{URI: c.URL, User: "me", Password: "s3cr3t", Catalog: "lake", TLS: c.Client().Transport.(*http.Transport).TLSClientConfig}
	r := request(by(4, iceberg.IdentityTransform{}), int64(7))
	require.NoError(t, engine.Run(t.Context(), r))
	require.NoError(t, engine.Ping(t.Context()))
	require.Equal(t, []string{engine.statement(r), `SHOW SCHEMAS FROM "lake"`}, c.statements)
	require.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("me:s3cr3t")), c.header.Get("Authorization"))
	require.Equal(t, "me", c.header.Get("X-Trino-User"))

	engine.Password, engine.Token = "", "a.b.c"
	require.NoError(t, engine.Ping(t.Context()))
	require.Equal(t, "Bearer a.b.c", c.header.Get("Authorization"))

	c.refuses = true
	err := engine.Run(t.Context(), r)
	require.ErrorContains(t, err, "Catalog 'lake' not found")
	require.Equal(t, []any{CodeEngine, failure.Retry}, []any{failure.CodeOf(err), failure.ClassOf(err)})
	require.NotEmpty(t, failure.HintOf(err))

	c.Close()
	engine.Password, engine.Token = "s3cr3t", ""
	err = engine.Ping(t.Context())
	require.Equal(t, CodeEngine, failure.CodeOf(err))
	require.NotContains(t, failure.Describe(err), "s3cr3t")
	engine.URI = strings.Replace(c.URL, "https", "http", 1)
	err = engine.Ping(t.Context())
	require.Equal(t, CodeEngine, failure.CodeOf(err), "a password needs https")
	require.NotContains(t, failure.Describe(err), "s3cr3t")
}

// driver is a Spark that remembers what it was asked for.
type driver struct {
	statements []string
	err        error
	closed     int
}

func (d *driver) Exec(_ context.Context, statement string) error {
	d.statements = append(d.statements, statement)
	return d.err
}

func (d *driver) Close() { d.closed++ }

func TestSpark(t *testing.T) {
	d := &driver{}
	engine := Spark{Host: "h", Port: 1, Catalog: "lake", Password: "s3cr3t", connect: func(Spark) (session, error) { return d, nil }}
	r := request(by(4, iceberg.IdentityTransform{}), int64(7))
	r.All = true
	require.NoError(t, engine.Run(t.Context(), r))
	require.NoError(t, engine.Ping(t.Context()))
	require.Equal(t, []string{engine.statement(r), "SHOW NAMESPACES IN `lake`"}, d.statements)
	require.Contains(t, d.statements[0], "'rewrite-all', 'true'")
	d.err = errors.New("no such catalog")
	err := engine.Run(t.Context(), r)
	require.ErrorContains(t, err, "no such catalog")
	require.Equal(t, CodeEngine, failure.CodeOf(err))
	require.Equal(t, 3, d.closed)

	// The real driver, where nobody listens.
	c := newCoordinator(t)
	c.Close()
	err = Spark{Host: "127.0.0.1", Port: 1, Catalog: "lake"}.Ping(t.Context())
	require.Equal(t, CodeEngine, failure.CodeOf(err))
	require.NotContains(t, failure.Describe(err), "s3cr3t")
}
