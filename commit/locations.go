package commit

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
)

// Locations are where the catalog's tables lie, by name, except for the one that is named. A table that cannot be loaded
// is an error: where it lies is not known.
func Locations(ctx context.Context, cat catalog.Catalog, except table.Identifier) (map[string]string, error) {
	out, seen := map[string]string{}, map[string]bool{}
	var visit func(parent table.Identifier) error
	visit = func(parent table.Identifier) error {
		spaces, err := cat.ListNamespaces(ctx, parent)
		if err != nil && (len(parent) == 0 || !isMissing(err)) {
			return err
		}
		for _, ns := range spaces {
			name := strings.Join(ns, ".")
			if seen[name] {
				continue
			}
			seen[name] = true
			if err := tablesOf(ctx, cat, ns, except, out); err != nil {
				return err
			}
			if err := visit(ns); err != nil {
				return err
			}
		}
		return nil
	}
	return out, visit(nil)
}

// tablesOf adds the tables of one namespace.
func tablesOf(ctx context.Context, cat catalog.Catalog, ns, except table.Identifier, out map[string]string) error {
	for ident, err := range cat.ListTables(ctx, ns) {
		if err == nil && slices.Equal(ident, except) {
			continue
		}
		var tbl *table.Table
		if err == nil {
			tbl, err = cat.LoadTable(ctx, ident)
		}
		switch {
		case isMissing(err):
		case err != nil:
			return err
		default:
			out[strings.Join(ident, ".")] = tbl.Location()
		}
	}
	return nil
}
