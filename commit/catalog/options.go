// Package catalog opens the Iceberg catalogs that ingestd commits to, and says once what their errors mean.
//
// Invariants: a commit is sent once: no transport below repeats it or follows a redirect with it; credentials never
// appear in an error.
package catalog

import (
	"context"
	"crypto/tls"

	"github.com/apache/iceberg-go/catalog"

	"github.com/ingestd/ingestd/internal/failure"
)

// The types of catalogs.
const (
	REST   = "rest"
	SQLite = "sqlite"
)

// Options say where the catalog is and who asks.
type Options struct {
	Type string
	// Name is the catalog's name in a SQLite file, and in messages; "" = ingestd.
	Name string
	// URI is the address (rest), Path the database file (sqlite).
	URI, Path string
	Warehouse string
	Token     string
	// Credential is id:secret for OAuth2; it is exchanged at OAuth2ServerURI, or at the catalog's own endpoint.
	Credential, OAuth2ServerURI, Scope string
	SigV4                              *SigV4
	Headers                            map[string]string
	TLS                                *tls.Config
}

// SigV4 signs requests with AWS signature version 4, with keys of the AWS default chain.
type SigV4 struct{ Region, Service string }

// Catalog is an open catalog.
type Catalog interface {
	catalog.Catalog
	// Close lets go of what the catalog holds open.
	Close() error
}

// Open opens a catalog and asks it one question, so that a wrong address or credential is an answer at the start.
func Open(ctx context.Context, o Options) (Catalog, error) {
	if o.Name == "" {
		o.Name = "ingestd"
	}
	switch o.Type {
	case SQLite:
		return openSQLite(ctx, o)
	case REST:
		return openREST(ctx, o)
	}
	return nil, failure.New(failure.Config, "E_CATALOG_TYPE", "use rest or sqlite", "unknown catalog type %q", o.Type)
}
