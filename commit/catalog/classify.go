package catalog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// classified is a catalog whose errors are classified once, here.
type classified struct {
	catalog.Catalog
	classify func(err error, doing string) error
}

// passed are errors whose meaning everybody knows: they keep their identity.
func passed(err error) bool {
	if failure.CodeOf(err) != "" {
		return true
	}
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, table.ErrCommitFailed,
		catalog.ErrNoSuchTable, catalog.ErrNoSuchNamespace, catalog.ErrTableAlreadyExists, catalog.ErrNamespaceAlreadyExists,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// notOurs classifies an error that comes from the table's files or from the library itself.
func notOurs(err error, doing string) error {
	if requirementFailed(err) {
		// Catalogs that compare in the process say this in plain words.
		return fmt.Errorf("%s: %w: %w", doing, table.ErrCommitFailed, err)
	}
	return failure.Wrap(err, failure.Retry, CodeOther, "", "%s", doing)
}

func requirementFailed(err error) bool {
	return strings.Contains(strings.ToLower(err.Error()), "requirement failed")
}

func named(doing string, ident table.Identifier) string {
	return doing + " " + strings.Join(ident, ".")
}

// LoadTable implements catalog.Catalog.
func (c *classified) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	t, err := c.Catalog.LoadTable(ctx, ident)
	return t, c.classify(err, named("loading table", ident))
}

// CommitTable implements catalog.Catalog.
func (c *classified) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	meta, loc, err := c.Catalog.CommitTable(ctx, ident, reqs, updates)
	return meta, loc, c.classify(err, named("committing to table", ident))
}

// CreateTable implements catalog.Catalog.
func (c *classified) CreateTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	t, err := c.Catalog.CreateTable(ctx, ident, sc, opts...)
	return t, c.classify(err, named("creating table", ident))
}

// DropTable implements catalog.Catalog.
func (c *classified) DropTable(ctx context.Context, ident table.Identifier) error {
	return c.classify(c.Catalog.DropTable(ctx, ident), named("dropping table", ident))
}

// CheckTableExists implements catalog.Catalog.
func (c *classified) CheckTableExists(ctx context.Context, ident table.Identifier) (bool, error) {
	ok, err := c.Catalog.CheckTableExists(ctx, ident)
	return ok, c.classify(err, named("looking for table", ident))
}

// CreateNamespace implements catalog.Catalog.
func (c *classified) CreateNamespace(ctx context.Context, ns table.Identifier, props iceberg.Properties) error {
	return c.classify(c.Catalog.CreateNamespace(ctx, ns, props), named("creating namespace", ns))
}

// CheckNamespaceExists implements catalog.Catalog.
func (c *classified) CheckNamespaceExists(ctx context.Context, ns table.Identifier) (bool, error) {
	ok, err := c.Catalog.CheckNamespaceExists(ctx, ns)
	return ok, c.classify(err, named("looking for namespace", ns))
}

// ListNamespaces implements catalog.Catalog.
func (c *classified) ListNamespaces(ctx context.Context, parent table.Identifier) ([]table.Identifier, error) {
	all, err := c.Catalog.ListNamespaces(ctx, parent)
	return all, c.classify(err, "listing namespaces")
}

// ListTables implements catalog.Catalog.
func (c *classified) ListTables(ctx context.Context, ns table.Identifier) iter.Seq2[table.Identifier, error] {
	return func(yield func(table.Identifier, error) bool) {
		for ident, err := range c.Catalog.ListTables(ctx, ns) {
			if !yield(ident, c.classify(err, named("listing tables of", ns))) {
				return
			}
		}
	}
}
