package catalog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"

	"github.com/ingestd/ingestd/internal/failure"
)

// classifyREST says how to react to an error of a REST catalog. What a refused commit means for the table is not
// decided here: whoever commits looks.
func classifyREST(err error, doing string) error {
	if err == nil || passed(err) {
		return err
	}
	if f := classifySignIn(err, doing); f != nil {
		return f
	}
	switch {
	case errors.Is(err, rest.ErrCommitStateUnknown):
		return failure.Wrap(err, failure.Unknown, CodeUnknown, "nothing to do if it passes: the table shows whether the commit landed; if it stays, see the catalog's log", "%s", doing)
	case errors.Is(err, rest.ErrBadRequest), errors.Is(err, rest.ErrEndpointNotSupported):
		return failure.Wrap(err, failure.Config, CodeRefused, "the catalog does not accept this request; see its log", "%s", doing)
	case requirementFailed(err):
		return notOurs(err, doing)
	}
	return failure.Wrap(err, failure.Retry, CodeUnreachable, "check catalog.uri and whether the catalog runs", "%s", doing)
}

// classifySignIn recognises what only other settings or rights mend; nil for anything else.
func classifySignIn(err error, doing string) error {
	if errors.Is(err, rest.ErrOAuthError) {
		// The library flattens what kept it from asking into the text behind the sentinel; an answer has none.
		if strings.Contains(err.Error(), rest.ErrOAuthError.Error()+": ") {
			return failure.Wrap(err, failure.Retry, CodeUnreachable, "check whether the token endpoint runs", "%s: getting a token", doing)
		}
		return failure.Wrap(err, failure.Config, CodeAuth, "check catalog.credential, catalog.scope and catalog.oauth2_server_uri", "%s: the token endpoint refuses the credential", doing)
	}
	if f := classifyTLS(err, doing); f != nil {
		return f
	}
	switch {
	case errors.Is(err, rest.ErrUnauthorized):
		return failure.Wrap(err, failure.Config, CodeAuth, "check catalog.token or catalog.credential", "%s", doing)
	case errors.Is(err, rest.ErrForbidden):
		return failure.Wrap(err, failure.Config, CodeForbidden, "grant the catalog's principal the right to do this", "%s", doing)
	}
	return nil
}

// classifyTLS recognises a connection whose other side is not whom we expect; nil for anything else.
func classifyTLS(err error, doing string) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &verify) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) {
		return failure.Wrap(err, failure.Config, CodeTLS, "check catalog.tls (ca_file, server_name) and the scheme of catalog.uri", "%s", doing)
	}
	return nil
}

// classifyOpen says what is wrong with a catalog that could not be opened.
func classifyOpen(err error, o *Options) error {
	doing := "opening catalog " + redact(o.URI)
	if err == nil || passed(err) {
		return err
	}
	if f := classifySignIn(err, doing); f != nil {
		return f
	}
	var dns *net.DNSError
	var address *url.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return failure.Wrap(err, failure.Config, CodeURI, "check the host in catalog.uri", "%s", doing)
	case errors.Is(err, rest.ErrServerError), errors.Is(err, rest.ErrServiceUnavailable), errors.Is(err, rest.ErrAuthorizationExpired):
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "the catalog is in trouble; see its log", "%s", doing)
	case errors.As(err, &address):
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "check catalog.uri and whether the catalog runs", "%s", doing)
	case o.Warehouse != "" && (errors.Is(err, rest.ErrBadRequest) || strings.Contains(strings.ToLower(err.Error()), "warehouse")):
		return failure.Wrap(err, failure.Config, CodeWarehouse, "create warehouse "+o.Warehouse+" in the catalog, or check catalog.warehouse", "%s", doing)
	case errors.Is(err, rest.ErrRESTError), errors.Is(err, catalog.ErrNoSuchNamespace):
		return failure.Wrap(err, failure.Config, CodeURI, "catalog.uri must be the address of an Iceberg REST catalog, without /v1", "%s", doing)
	}
	return failure.Wrap(err, failure.Config, CodeOptions, "check the catalog section", "%s", doing)
}
