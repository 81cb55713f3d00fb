package catalog

import (
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// A metadata file never changes, so what was read or written once is known by its location. The library reads and
// parses the whole file twice for every commit, which made the cost of a commit that of the table's history. Here a
// look asks the database where the table stands and reads a file only when that is news; a commit is the library's,
// but for that, and takes its file back when it can no longer land.

// The two statements of a commit, on the library's own table: where a table stands, and moving it on.
const (
	lookup = `SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3`
	swap   = `UPDATE iceberg_tables SET metadata_location = ?1, previous_metadata_location = ?2
WHERE catalog_name = ?3 AND table_namespace = ?4 AND table_name = ?5 AND metadata_location = ?2`
)

// sqlCatalog is the library's SQL catalog with commits of its own. Its compare-and-set is one UPDATE, so an asserted
// absence holds; superseded metadata files are left to the writer.
type sqlCatalog struct {
	classified
	db      *sql.DB
	dialect dialect
	name    string
	props   iceberg.Properties
	known   known
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
	c := &sqlCatalog{classified: cat, db: db, dialect: d, name: o.Name, props: props, statement: o.Statement}
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

// known holds the metadata of tables as last seen.
type known struct {
	mu struct {
		sync.Mutex
		tables map[string]standing
	}
}

// standing is one version of a table.
type standing struct {
	location string
	meta     table.Metadata
}

func (k *known) get(ident table.Identifier) standing {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mu.tables[strings.Join(ident, "\x1f")]
}

func (k *known) put(ident table.Identifier, s standing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mu.tables == nil {
		k.mu.tables = map[string]standing{}
	}
	k.mu.tables[strings.Join(ident, "\x1f")] = s
}

// plain says whether the library stores the namespace under its own name.
func plain(ident table.Identifier) bool {
	return len(ident) == 2 && ident[0] != "" && !strings.ContainsAny(ident[0], ".[\"\\")
}

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

// LoadTable implements catalog.Catalog.
func (c *sqlCatalog) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	location, err := c.where(ctx, ident)
	if err != nil {
		return nil, c.classify(err, named("loading table", ident))
	}
	if have := c.known.get(ident); location != "" && have.location == location {
		open := iceio.LoadFSFunc(c.props, location)
		if err := present(ctx, open, location); err != nil {
			return nil, c.classify(err, named("loading table", ident))
		}
		return table.New(ident, have.meta, location, open, c), nil
	}
	t, err := c.classified.LoadTable(ctx, ident)
	if err == nil {
		c.known.put(ident, standing{t.MetadataLocation(), t.Metadata()})
	}
	return t, err
}

// present is an error if the metadata file is not there. What is known of the table would do to write the next one, but
// nobody else can read the table meanwhile, nor can we after a restart: somebody deletes its files.
func present(ctx context.Context, open func(context.Context) (iceio.IO, error), location string) error {
	fs, err := open(ctx)
	if err != nil {
		return err
	}
	if s, ok := fs.(iceio.StatIO); ok {
		_, err = s.Stat(location)
		return err
	}
	f, err := fs.Open(location)
	if err != nil {
		return err
	}
	return f.Close()
}

// CommitTable implements catalog.Catalog.
func (c *sqlCatalog) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	old, err := c.LoadTable(ctx, ident)
	if err != nil || !plain(ident) || !versioned(old.MetadataLocation()) || !encodable(old.Properties()) {
		// A table that does not exist, or one that another program writes in its own way.
		return c.classified.CommitTable(ctx, ident, reqs, updates)
	}
	s, err := c.swap(ctx, ident, standing{old.MetadataLocation(), old.Metadata()}, reqs, updates)
	if err != nil {
		return nil, "", c.classify(err, named("committing to table", ident))
	}
	c.known.put(ident, s)
	return s.meta, s.location, nil
}

// swap checks the requirements, writes the next metadata file and puts it in the place of the old one, if that still
// stands.
func (c *sqlCatalog) swap(ctx context.Context, ident table.Identifier, old standing, reqs []table.Requirement, updates []table.Update) (standing, error) {
	for _, r := range reqs {
		if err := r.Validate(old.meta); err != nil {
			return old, err
		}
	}
	next, err := table.UpdateTableMetadata(old.meta, updates, old.location)
	if err != nil || next.Equals(old.meta) {
		return old, err
	}
	locations, err := table.LoadLocationProvider(next.Location(), next.Properties())
	if err != nil {
		return old, err
	}
	location, err := locations.NewTableMetadataFileLocation(version(old.location) + 1)
	if err != nil {
		return old, err
	}
	props := maps.Clone(c.props)
	maps.Copy(props, next.Properties())
	fs, err := iceio.LoadFSFunc(props, location)(ctx)
	if err != nil {
		return old, err
	}
	files, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return old, fmt.Errorf("file access of type %T cannot write", fs)
	}
	if err := writeMetadata(files, location, next); err != nil {
		return old, errors.Join(err, ignored(files.Remove(location)))
	}
	return standing{location, next}, c.replace(ctx, ident, old.location, location, files)
}

// replace makes the database point to the new file. If that fails for good, the file is of no use to anybody and is
// removed; nobody but this call knows its name.
func (c *sqlCatalog) replace(ctx context.Context, ident table.Identifier, from, to string, files iceio.WriteFileIO) error {
	var n int64
	err := c.ask(ctx, "swap", ident, func(ctx context.Context) error {
		res, err := c.db.ExecContext(ctx, c.dialect.query(swap), to, from, c.name, ident[0], ident[1])
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the table has moved on from %s", table.ErrCommitFailed, path.Base(from))
	}
	if err == nil {
		return nil
	}
	settled := errors.Is(err, table.ErrCommitFailed) || c.dialect.settled(err)
	stands, lerr := c.where(context.WithoutCancel(ctx), ident)
	switch {
	case lerr == nil && stands == to:
		return nil
	case !settled:
		// The statement may still be on its way, so the file stays. It is harmless: it asserts where the table stood.
		return failure.Wrap(err, failure.Unknown, CodeUnknown, "nothing to do if it passes: the table shows whether the commit landed", "moving the table on")
	case lerr != nil:
		return err
	}
	// It can no longer land, unless it has and the next one has as well: that one lists it.
	if now, lerr := c.LoadTable(context.WithoutCancel(ctx), ident); lerr == nil && !listedIn(now.Metadata(), to) {
		return errors.Join(err, ignored(files.Remove(to)))
	}
	return err
}

// listedIn says whether a metadata file belongs to a table's past.
func listedIn(meta table.Metadata, location string) bool {
	for e := range meta.PreviousFiles() {
		if e.MetadataFile == location {
			return true
		}
	}
	return false
}

// ignored is for what is only tried: the file is small, and orphan removal finds it.
func ignored(error) error { return nil }

// encodable says whether metadata is written as we write it: plain or gzip.
func encodable(props iceberg.Properties) bool {
	codec := props.Get(table.MetadataCompressionKey, table.MetadataCompressionDefault)
	return codec == table.MetadataCompressionCodecNone || codec == table.MetadataCompressionCodecGzip
}

func writeMetadata(files iceio.WriteFileIO, location string, meta table.Metadata) (err error) {
	out, err := files.Create(location)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	var w io.Writer = out
	if meta.Properties().Get(table.MetadataCompressionKey, table.MetadataCompressionDefault) == table.MetadataCompressionCodecGzip {
		z := gzip.NewWriter(out)
		defer func() { err = errors.Join(err, z.Close()) }()
		w = z
	}
	return json.NewEncoder(w).Encode(meta)
}

// version is the number at the beginning of a metadata file's name, -1 if it has none.
func version(location string) int {
	digits, _, ok := strings.Cut(path.Base(location), "-")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 0 {
		return -1
	}
	return n
}

func versioned(location string) bool { return version(location) >= 0 }
