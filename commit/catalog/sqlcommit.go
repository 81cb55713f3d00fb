package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// The two statements of a commit, on the library's own table: where a table stands, and moving it on.
const (
	lookup = `SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3`
	swap   = `UPDATE iceberg_tables SET metadata_location = ?1, previous_metadata_location = ?2
WHERE catalog_name = ?3 AND table_namespace = ?4 AND table_name = ?5 AND metadata_location = ?2`
)

// sqlCatalog is the library's SQL catalog with commits of its own. Its compare-and-set is one UPDATE, so an asserted
// absence holds; superseded metadata files are left to the writer.
type sqlCatalog struct {
	filed
	db      *sql.DB
	dialect dialect
	name    string
	// statement wraps the two statements of a commit.
	statement func(name string, ident table.Identifier, do func() error) error
}

// dialect is what differs between databases.
type dialect struct {
	// mark begins a placeholder, which a number follows.
	mark string
	// patience bounds one statement; 0 leaves that to the driver.
	patience time.Duration
	// settled says that a statement which ended with this error has had no effect and will have none.
	settled func(error) bool
}

func newSQL(o *Options, cat classified, db *sql.DB, props iceberg.Properties, d dialect) *sqlCatalog {
	c := &sqlCatalog{filed: filed{classified: cat, props: props}, db: db, dialect: d, name: o.Name, statement: o.Statement}
	c.at = c
	if c.statement == nil {
		c.statement = func(_ string, _ table.Identifier, do func() error) error { return do() }
	}
	return c
}

// Capabilities implements commit.Capable.
func (*sqlCatalog) Capabilities() commit.Capabilities {
	return commit.Capabilities{NullPin: true, Refs: true}
}

// Close implements Catalog.
func (c *sqlCatalog) Close() error {
	var err error
	if cat, ok := c.Catalog.(*sqlcat.Catalog); ok {
		err = cat.Close()
	}
	return errors.Join(err, c.db.Close())
}

// ask runs one of the two statements, within the dialect's patience.
func (c *sqlCatalog) ask(ctx context.Context, name string, ident table.Identifier, do func(ctx context.Context) error) error {
	bounded := ctx
	if c.dialect.patience > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, c.dialect.patience)
		defer cancel()
	}
	err := c.statement(name, ident, func() error { return do(bounded) })
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		// Not the caller's deadline: it must not look like one.
		return failure.New(failure.Retry, CodeUnreachable, "check whether the database runs and what it waits for", "no answer within %s: %v", c.dialect.patience, err)
	}
	return err
}

func (d dialect) query(text string) string { return strings.ReplaceAll(text, "?", d.mark) }

// where asks the database where a table stands, "" when it does not say.
func (c *sqlCatalog) where(ctx context.Context, ident table.Identifier) (string, error) {
	if !plain(ident) {
		return "", nil
	}
	var location sql.NullString
	err := c.ask(ctx, "lookup", ident, func(ctx context.Context) error {
		return c.db.QueryRowContext(ctx, c.dialect.query(lookup), c.name, ident[0], ident[1]).Scan(&location)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return location.String, err
}

// move runs the other statement.
func (c *sqlCatalog) move(ctx context.Context, ident table.Identifier, from string, next standing) error {
	var n int64
	err := c.ask(ctx, "swap", ident, func(ctx context.Context) error {
		res, err := c.db.ExecContext(ctx, c.dialect.query(swap), next.location, from, c.name, ident[0], ident[1])
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the table has moved on from %s", table.ErrCommitFailed, path.Base(from))
	}
	return err
}

func (c *sqlCatalog) settled(err error) bool { return c.dialect.settled(err) }
