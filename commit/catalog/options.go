package catalog

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// Type is the kind of a catalog.
type Type string

// The catalogs that are served.
const (
	REST     Type = "rest"
	SQLite   Type = "sqlite"
	Postgres Type = "postgres"
	Hive     Type = "hive"
)

// Options say which catalog to open and how to sign in.
type Options struct {
	Type Type
	// Name stands in messages and, for SQLite and PostgreSQL, in the rows of the database; "" = "default".
	Name string

	// Path is the database file (sqlite).
	Path string
	// Warehouse is the root of new tables (sqlite, postgres, hive: a directory or URI) or the warehouse's name (rest).
	Warehouse string

	// URI is the catalog's address: without /v1 (rest), postgres://user@host:5432/database (postgres), or thrift://host:9083,
	// more of them after commas (hive).
	URI string
	// Password signs in to the database (postgres).
	Password string
	// Token is a bearer token; Credential is id:secret of OAuth2 client credentials.
	Token, Credential string
	// OAuth2ServerURI is the token endpoint, "" = the catalog's own; Scope "" = catalog.
	OAuth2ServerURI, Scope string
	// SigV4 signs requests for AWS.
	SigV4 *SigV4
	// Headers go with every request.
	Headers map[string]string
	// TLS has authorities and client certificates; nil = the system's.
	TLS *tls.Config

	// Properties are passed on to the access to metadata files (s3.endpoint, ...).
	Properties map[string]string
	// Now is the clock that the ends of vended credentials are compared with; nil = time.Now.
	Now func() time.Time
	// Around wraps every HTTP round trip and may be nil: metrics time it, tests fail it.
	Around func(http.RoundTripper) http.RoundTripper
	// Statement wraps the statements that ask where a table stands (lookup) and move it on (swap), and may be nil:
	// tests fail them, before and after (sqlite, postgres, hive).
	Statement func(name string, ident table.Identifier, do func() error) error
}

// SigV4 signs requests with the credentials of the AWS default chain.
type SigV4 struct{ Region, Service string }

// Catalog is an open catalog. Its errors are classified.
type Catalog interface {
	catalog.Catalog
	commit.Capable
	Close() error
}

// Codes of the failures that catalogs report.
const (
	CodeOptions     = "E_CATALOG_OPTIONS"
	CodePath        = "E_CATALOG_PATH"
	CodeWarehouse   = "E_CATALOG_WAREHOUSE"
	CodeURI         = "E_CATALOG_URI"
	CodeUnreachable = "E_CATALOG_UNREACHABLE"
	CodeAuth        = "E_CATALOG_AUTH"
	CodeForbidden   = "E_CATALOG_FORBIDDEN"
	CodeTLS         = "E_CATALOG_TLS"
	CodeRedirect    = "E_CATALOG_REDIRECT"
	CodeRefused     = "E_CATALOG_REFUSED"
	CodeBusy        = "E_CATALOG_BUSY"
	CodeUnknown     = "E_CATALOG_UNKNOWN_STATE"
	CodeOther       = "E_CATALOG"
)

// Open signs in to a catalog. The answer of a wrong address, a wrong password or a missing warehouse is a failure of
// class Config with a hint; a catalog that cannot be reached is of class Retry.
func Open(ctx context.Context, o Options) (Catalog, error) {
	if o.Name == "" {
		o.Name = "default"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	switch o.Type {
	case REST:
		return openREST(ctx, o)
	case SQLite:
		return openSQLite(ctx, o)
	case Postgres:
		return openPostgres(ctx, o)
	case Hive:
		return openHive(ctx, o)
	}
	return nil, failure.New(failure.Config, CodeOptions, "set catalog.type to rest, sqlite, postgres or hive", "catalog type %q is not served", o.Type)
}

// properties are the library's, without what it would read as settings of its own.
func (o *Options) properties() iceberg.Properties {
	props := iceberg.Properties{}
	for k, v := range o.Properties {
		props[k] = v
	}
	return props
}
