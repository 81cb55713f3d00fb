package catalog

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	_ "modernc.org/sqlite" // the driver

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// sqliteCatalog is a catalog in one file, for one machine: several processes may share it.
type sqliteCatalog struct {
	*sqlcat.Catalog
	db *sql.DB
}

// Close implements Catalog.
func (c *sqliteCatalog) Close() error { return c.db.Close() }

// Capabilities implements commit.Capable: assertions hold inside one database transaction.
func (c *sqliteCatalog) Capabilities() commit.Capabilities { return commit.Capabilities{NullPin: true} }

// pragmas: readers do not block the writer, a commit survives a power cut, and a busy file is waited for.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"

func openSQLite(ctx context.Context, o Options) (Catalog, error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o750); err != nil {
		return nil, failure.Wrap(err, failure.Config, "E_CATALOG_FILE", "check catalog.path", "opening the catalog file")
	}
	warehouse, err := location(o.Warehouse)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: o.Path}).EscapedPath(), RawQuery: pragmas}).String())
	if err == nil {
		err = db.PingContext(ctx)
	}
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, "E_CATALOG_FILE", "check catalog.path", "opening the catalog file %s", o.Path)
	}
	cat, err := sqlcat.NewCatalog(o.Name, db, sqlcat.SQLite, iceberg.Properties{"warehouse": warehouse})
	if err != nil {
		_ = db.Close()
		return nil, failure.Wrap(err, failure.Config, "E_CATALOG_FILE", "is this file a SQLite catalog of Iceberg?", "reading the catalog file %s", o.Path)
	}
	return &sqliteCatalog{cat, db}, nil
}

// location makes a URI of a warehouse that may be given as a folder.
func location(warehouse string) (string, error) {
	if strings.Contains(warehouse, "://") {
		return warehouse, nil
	}
	abs, err := filepath.Abs(strings.TrimPrefix(warehouse, "file:"))
	if err != nil {
		return "", failure.Wrap(err, failure.Config, "E_CATALOG_WAREHOUSE", "give catalog.warehouse as an absolute path or URI", "finding the warehouse")
	}
	return "file://" + abs, nil
}
