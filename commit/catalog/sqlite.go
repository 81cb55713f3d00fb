package catalog

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/ingestd/ingestd/internal/failure"
)

func openSQLite(ctx context.Context, o Options) (Catalog, error) {
	if o.Path == "" {
		return nil, failure.New(failure.Config, CodeOptions, "set catalog.path", "a sqlite catalog needs a file")
	}
	if o.Warehouse == "" {
		return nil, failure.New(failure.Config, CodeWarehouse, "set catalog.warehouse to a directory or URI", "a sqlite catalog needs a warehouse for its tables")
	}
	if err := checkDirectory(o.Path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(o.Path))
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, CodePath, "check catalog.path", "opening catalog %s", o.Path)
	}
	warehouse, err := warehouseURI(o.Warehouse)
	if err != nil {
		return nil, err
	}
	props := o.properties()
	props["warehouse"] = warehouse
	// The library's constructor takes no context; this asks first whether the file can be used at all.
	var cat *sqlcat.Catalog
	if err = db.PingContext(ctx); err == nil {
		cat, err = sqlcat.NewCatalog(o.Name, db, sqlcat.SQLite, props)
	}
	if err != nil {
		return nil, errors.Join(classifySQLite(err, "opening catalog "+o.Path), db.Close())
	}
	return newSQL(&o, classified{cat, classifySQLite}, db, props, dialect{
		mark: "?",
		// The file's lock is held by this call: when it is over, it is over.
		settled: func(error) bool { return true },
	}), nil
}

// dsn asks for write-ahead logging, a fsync with every commit, and patience with other processes. A transaction
// takes its lock when it begins: one that was read first could not be upgraded.
func dsn(path string) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	q.Add("_pragma", "journal_mode(WAL)")
	q.Add("_pragma", "synchronous(FULL)")
	q.Set("_txlock", "immediate")
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func checkDirectory(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: dir, Err: errors.New("not a directory")}
	}
	if err != nil {
		return failure.Wrap(err, failure.Config, CodePath, "create the directory, or check catalog.path", "opening catalog %s", path)
	}
	return nil
}

// warehouseURI makes an absolute file URI of a directory and leaves other URIs alone.
func warehouseURI(s string) (string, error) {
	if i := strings.Index(s, "://"); i > 0 {
		return strings.TrimRight(s, "/"), nil
	}
	abs, err := filepath.Abs(strings.TrimPrefix(s, "file:"))
	if err != nil {
		return "", failure.Wrap(err, failure.Config, CodeWarehouse, "set catalog.warehouse to an absolute path", "warehouse %s", s)
	}
	if strings.ContainsAny(abs, "#?%") {
		// Locations in Iceberg metadata are read as URIs but not written as such, by most engines.
		return "", failure.New(failure.Config, CodeWarehouse, "use a directory without #, ? and % in its path", "warehouse %s cannot be named in table metadata", s)
	}
	return "file://" + filepath.ToSlash(abs), nil
}

// classifySQLite says how to react to an error of the SQLite catalog.
func classifySQLite(err error, doing string) error {
	if err == nil || passed(err) {
		return err
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return notOurs(err, doing)
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return failure.Wrap(err, failure.Retry, CodeBusy, "another process holds the catalog's file for long", "%s", doing)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH:
		return failure.Wrap(err, failure.Config, CodePath, "catalog.path must be a SQLite file that may be written, or not exist yet", "%s", doing)
	}
	return failure.Wrap(err, failure.Retry, CodeUnreachable, "check the disk of catalog.path", "%s", doing)
}
