package catalog

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/apache/iceberg-go/catalog/rest"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// restCatalog is a catalog behind the Iceberg REST API.
type restCatalog struct {
	*rest.Catalog
	uri string
}

// Close implements Catalog; connections end by themselves.
func (c *restCatalog) Close() error { return nil }

// Capabilities implements commit.Capable. Nessie accepts a null pin on a branch that exists, and no answer tells
// which server this is, so the null pin is trusted only where we have just created the table.
func (c *restCatalog) Capabilities() commit.Capabilities {
	return commit.Capabilities{NullPin: false, RemovesMetadata: true}
}

const requestTimeout = 60 * time.Second

func openREST(ctx context.Context, o Options) (Catalog, error) {
	opts, err := restOptions(o)
	if err != nil {
		return nil, err
	}
	cat, err := rest.NewCatalog(ctx, o.Name, o.URI, opts...)
	if err != nil {
		return nil, classifyREST(err, o.URI)
	}
	return &restCatalog{cat, o.URI}, nil
}

func restOptions(o Options) ([]rest.Option, error) {
	opts := []rest.Option{rest.WithCustomTransport(newTransport(o))}
	if o.Warehouse != "" {
		opts = append(opts, rest.WithWarehouseLocation(o.Warehouse))
	}
	if o.Token != "" {
		opts = append(opts, rest.WithOAuthToken(o.Token))
	}
	if o.Credential != "" {
		opts = append(opts, rest.WithCredential(o.Credential))
	}
	if o.Scope != "" {
		opts = append(opts, rest.WithScope(o.Scope))
	}
	if o.OAuth2ServerURI != "" {
		u, err := url.Parse(o.OAuth2ServerURI)
		if err != nil {
			return nil, failure.Wrap(err, failure.Config, "E_CATALOG_URI", "correct catalog.oauth2_server_uri", "reading the address of the token endpoint")
		}
		opts = append(opts, rest.WithAuthURI(u))
	}
	if o.SigV4 != nil {
		opts = append(opts, rest.WithSigV4RegionSvc(o.SigV4.Region, o.SigV4.Service))
	}
	if len(o.Headers) > 0 {
		opts = append(opts, rest.WithHeaders(o.Headers))
	}
	return opts, nil
}

// newTransport never repeats a request by itself: net/http does so on a reused connection that turns out to be closed,
// for requests it can replay. A commit is none of its business to replay, so its body cannot be read again.
func newTransport(o Options) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = o.TLS
	t.ResponseHeaderTimeout = requestTimeout
	t.MaxIdleConnsPerHost = 8
	return once{t}
}

// once sends a POST at most once.
type once struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && r.GetBody != nil {
		r = r.Clone(r.Context())
		r.GetBody = nil
	}
	return o.next.RoundTrip(r)
}

// classifyREST says what the catalog's answer at the start means.
func classifyREST(err error, uri string) error {
	switch {
	case errors.Is(err, rest.ErrUnauthorized), errors.Is(err, rest.ErrForbidden), errors.Is(err, rest.ErrOAuthError):
		return failure.Wrap(err, failure.Config, "E_CATALOG_AUTH", "check catalog.token or catalog.credential, and the rights behind it", "asking catalog %s", uri)
	case errors.Is(err, rest.ErrServiceUnavailable), errors.Is(err, rest.ErrServerError):
		return failure.Wrap(err, failure.Retry, "E_CATALOG_UNAVAILABLE", "", "asking catalog %s", uri)
	case errors.Is(err, rest.ErrBadRequest):
		return failure.Wrap(err, failure.Config, "E_CATALOG_SETTINGS", "check catalog.warehouse and catalog.uri", "asking catalog %s", uri)
	}
	return failure.Wrap(err, failure.Retry, "E_CATALOG_UNREACHABLE", "check catalog.uri, and that the catalog is running", "asking catalog %s", uri)
}
