package catalog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/internal/failure"
)

// hiveTables are the tables and databases of a Metastore, but for what moves tables on.
type hiveTables struct {
	in    *hiveCatalog
	props iceberg.Properties
	now   func() time.Time
}

var errUnserved = errors.New("not served for a Hive Metastore")

// ask makes a call that may be made twice.
func (h *hiveTables) ask(ctx context.Context, f func(*metastore.Conn) error) error {
	return h.in.client.Do(ctx, f)
}

// CatalogType implements catalog.Catalog.
func (*hiveTables) CatalogType() catalog.Type { return catalog.Hive }

// LoadTable implements catalog.Catalog.
func (h *hiveTables) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	if !plain(ident) {
		return nil, fmt.Errorf("%w: a Hive Metastore has databases of one level, without dots", catalog.ErrNoSuchTable)
	}
	location, err := h.in.where(ctx, ident)
	if err != nil {
		return nil, err
	}
	if location == "" {
		return nil, fmt.Errorf("%w: %s", catalog.ErrNoSuchTable, strings.Join(ident, "."))
	}
	return table.NewFromLocation(ctx, ident, location, iceio.LoadFSFunc(h.props, location), h.in)
}

// CommitTable implements catalog.Catalog, for tables that are not written as ours are.
func (*hiveTables) CommitTable(_ context.Context, ident table.Identifier, _ []table.Requirement, _ []table.Update) (table.Metadata, string, error) {
	return nil, "", failure.New(failure.Config, CodeRefused, "set write.metadata.compression-codec to none or gzip, and let one engine commit once",
		"table %s has metadata files that are named or compressed in an unknown way", strings.Join(ident, "."))
}

// CreateTable implements catalog.Catalog.
func (h *hiveTables) CreateTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	staged, err := h.in.stage(ctx, ident, sc, opts...)
	if err != nil {
		return nil, err
	}
	s, err := h.in.advance(ctx, ident, "", staged.Metadata())
	if errors.Is(err, table.ErrCommitFailed) {
		return nil, fmt.Errorf("%w: %s", catalog.ErrTableAlreadyExists, strings.Join(ident, "."))
	}
	if err != nil {
		return nil, err
	}
	return table.New(ident, s.meta, s.location, iceio.LoadFSFunc(h.props, s.location), h.in), nil
}

// DropTable implements catalog.Catalog. The files stay.
func (h *hiveTables) DropTable(ctx context.Context, ident table.Identifier) error {
	location, err := h.in.where(ctx, ident)
	if err == nil && location == "" {
		return fmt.Errorf("%w: %s", catalog.ErrNoSuchTable, strings.Join(ident, "."))
	}
	if err != nil {
		return err
	}
	name := hiveNamed(ident)
	return h.in.client.Once(ctx, func(conn *metastore.Conn) error { return conn.DropTable(ctx, name.database, name.table) })
}

// RenameTable implements catalog.Catalog.
func (*hiveTables) RenameTable(context.Context, table.Identifier, table.Identifier) (*table.Table, error) {
	return nil, errUnserved
}

// CheckTableExists implements catalog.Catalog.
func (h *hiveTables) CheckTableExists(ctx context.Context, ident table.Identifier) (bool, error) {
	location, err := h.in.where(ctx, ident)
	return location != "", err
}

// ListTables implements catalog.Catalog.
func (h *hiveTables) ListTables(ctx context.Context, ns table.Identifier) iter.Seq2[table.Identifier, error] {
	return func(yield func(table.Identifier, error) bool) {
		database, err := hiveDatabase(ns)
		var names []string
		if err == nil {
			err = h.ask(ctx, func(conn *metastore.Conn) (err error) {
				names, err = conn.Tables(ctx, database)
				return err
			})
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, name := range names {
			ident := table.Identifier{database, name}
			// A table of Hive's own is none of ours.
			if location, err := h.in.where(ctx, ident); err == nil && location != "" && !yield(ident, nil) {
				return
			}
		}
	}
}

func hiveDatabase(ns table.Identifier) (string, error) {
	if len(ns) != 1 || ns[0] == "" || strings.Contains(ns[0], ".") {
		return "", fmt.Errorf("%w: a Hive Metastore has databases of one level, without dots", catalog.ErrNoSuchNamespace)
	}
	return strings.ToLower(ns[0]), nil
}

// database reads one.
func (h *hiveTables) database(ctx context.Context, ns table.Identifier) (db metastore.Struct, err error) {
	name, err := hiveDatabase(ns)
	if err != nil {
		return nil, err
	}
	err = h.ask(ctx, func(conn *metastore.Conn) (err error) {
		db, err = conn.Database(ctx, name)
		return err
	})
	if metastore.Is(err, metastore.NoSuchObject) {
		err = fmt.Errorf("%w: %s", catalog.ErrNoSuchNamespace, name)
	}
	return db, err
}

// occupied is a file in the directory of each database that we make. A Metastore that loses a race to make a database
// removes the directory with all that is in it, tables of the winner as well, unless it has found the directory there.
const occupied = "_ingestd"

// occupy makes a database's directory be there.
func (h *hiveTables) occupy(ctx context.Context, location string) (err error) {
	fs, err := iceio.LoadFS(ctx, h.props, location)
	if err != nil {
		return err
	}
	files, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return fmt.Errorf("file access of type %T cannot write", fs)
	}
	out, err := files.Create(strings.TrimSuffix(location, "/") + "/" + occupied)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = out.Write([]byte("Keeps a Hive Metastore from removing this directory when two programs make its database at once.\n"))
	return err
}

// CreateNamespace implements catalog.Catalog. A database without a location lies in the warehouse.
func (h *hiveTables) CreateNamespace(ctx context.Context, ns table.Identifier, props iceberg.Properties) error {
	name, err := hiveDatabase(ns)
	if err != nil {
		return err
	}
	db := metastore.Struct{metastore.DatabaseName: name, metastore.DatabaseLocation: h.props["warehouse"] + "/" + name + ".db"}
	describeDatabase(db, props)
	if err := h.occupy(ctx, db.Text(metastore.DatabaseLocation)); err != nil {
		return err
	}
	err = h.in.client.Once(ctx, func(conn *metastore.Conn) error { return conn.CreateDatabase(ctx, db) })
	if metastore.Is(err, metastore.AlreadyExists) {
		err = fmt.Errorf("%w: %s", catalog.ErrNamespaceAlreadyExists, name)
	}
	return err
}

// describeDatabase sets a database's properties.
func describeDatabase(db metastore.Struct, props iceberg.Properties) {
	params := map[string]string{}
	for k, v := range props {
		switch k {
		case "location":
			db[metastore.DatabaseLocation] = v
		case "comment":
			db[metastore.DatabaseComment] = v
		default:
			params[k] = v
		}
	}
	db[metastore.DatabaseParameters] = metastore.Strings(params)
}

// DropNamespace implements catalog.Catalog.
func (h *hiveTables) DropNamespace(ctx context.Context, ns table.Identifier) error {
	if _, err := h.database(ctx, ns); err != nil {
		return err
	}
	err := h.in.client.Once(ctx, func(conn *metastore.Conn) error { return conn.DropDatabase(ctx, strings.ToLower(ns[0])) })
	if metastore.Is(err, metastore.InvalidOperation) {
		err = fmt.Errorf("%w: %w", catalog.ErrNamespaceNotEmpty, err)
	}
	return err
}

// CheckNamespaceExists implements catalog.Catalog.
func (h *hiveTables) CheckNamespaceExists(ctx context.Context, ns table.Identifier) (bool, error) {
	_, err := h.database(ctx, ns)
	if errors.Is(err, catalog.ErrNoSuchNamespace) {
		return false, nil
	}
	return err == nil, err
}

// ListNamespaces implements catalog.Catalog.
func (h *hiveTables) ListNamespaces(ctx context.Context, parent table.Identifier) (all []table.Identifier, err error) {
	if len(parent) > 0 {
		return nil, nil
	}
	err = h.ask(ctx, func(conn *metastore.Conn) error {
		names, err := conn.Databases(ctx)
		all = nil
		for _, name := range names {
			all = append(all, table.Identifier{name})
		}
		return err
	})
	return all, err
}

// LoadNamespaceProperties implements catalog.Catalog.
func (h *hiveTables) LoadNamespaceProperties(ctx context.Context, ns table.Identifier) (iceberg.Properties, error) {
	db, err := h.database(ctx, ns)
	if err != nil {
		return nil, err
	}
	params, _ := db[metastore.DatabaseParameters].(metastore.Map)
	props := iceberg.Properties(params.Strings())
	if location := db.Text(metastore.DatabaseLocation); location != "" {
		// Hadoop writes a local path with one slash.
		if rest, ok := strings.CutPrefix(location, "file:/"); ok && !strings.HasPrefix(rest, "/") {
			location = "file:///" + rest
		}
		props["location"] = location
	}
	if comment := db.Text(metastore.DatabaseComment); comment != "" {
		props["comment"] = comment
	}
	return props, nil
}

// UpdateNamespaceProperties implements catalog.Catalog.
func (h *hiveTables) UpdateNamespaceProperties(ctx context.Context, ns table.Identifier, removals []string, updates iceberg.Properties) (catalog.PropertiesUpdateSummary, error) {
	var done catalog.PropertiesUpdateSummary
	db, err := h.database(ctx, ns)
	if err != nil {
		return done, err
	}
	params, _ := db[metastore.DatabaseParameters].(metastore.Map)
	props := iceberg.Properties(params.Strings())
	for _, k := range removals {
		if _, ok := props[k]; !ok {
			done.Missing = append(done.Missing, k)
			continue
		}
		delete(props, k)
		done.Removed = append(done.Removed, k)
	}
	for k := range updates {
		done.Updated = append(done.Updated, k)
	}
	maps.Copy(props, updates)
	describeDatabase(db, props)
	return done, h.in.client.Once(ctx, func(conn *metastore.Conn) error {
		return conn.AlterDatabase(ctx, db.Text(metastore.DatabaseName), db)
	})
}
