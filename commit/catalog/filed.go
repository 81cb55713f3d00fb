package catalog

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// A metadata file never changes, so what was read or written once is known by its location. The library reads and
// parses the whole file twice for every commit, which made the cost of a commit that of the table's history. Here a
// look asks the catalog where the table stands and reads a file only when that is news; a commit is the library's, but
// for that, and takes its file back when it can no longer land.

// filed is a catalog that holds the location of each table's metadata file and nothing else.
type filed struct {
	classified
	props iceberg.Properties
	known known
	at    pointers
	// creates says that a move from nowhere creates the table; elsewhere the library does that.
	creates bool
}

// pointers is where the locations are kept.
type pointers interface {
	// where says where a table stands, "" when it does not know.
	where(ctx context.Context, ident table.Identifier) (string, error)
	// move makes a table stand at the next file if it stands where it was read; otherwise the error is ErrCommitFailed.
	move(ctx context.Context, ident table.Identifier, from string, next standing) error
	// settled says that a move which ended with this error has had no effect and will have none.
	settled(err error) bool
}

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

// LoadTable implements catalog.Catalog.
func (c *filed) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	location, err := c.at.where(ctx, ident)
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
func (c *filed) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	old, err := c.LoadTable(ctx, ident)
	if c.creates && errors.Is(err, catalog.ErrNoSuchTable) {
		s, err := c.born(ctx, ident, reqs, updates)
		if err != nil {
			return nil, "", c.classify(err, named("creating table", ident))
		}
		c.known.put(ident, s)
		return s.meta, s.location, nil
	}
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
func (c *filed) swap(ctx context.Context, ident table.Identifier, old standing, reqs []table.Requirement, updates []table.Update) (standing, error) {
	for _, r := range reqs {
		if err := r.Validate(old.meta); err != nil {
			return old, err
		}
	}
	next, err := table.UpdateTableMetadata(old.meta, updates, old.location)
	if err != nil || next.Equals(old.meta) {
		return old, err
	}
	return c.advance(ctx, ident, old.location, next, superseded(old.meta, next)...)
}

// superseded are the metadata files that the writer will delete after the commit.
func superseded(old, next table.Metadata) (out []string) {
	if next.Properties()[table.MetadataDeleteAfterCommitEnabledKey] != "true" {
		return nil
	}
	for e := range old.PreviousFiles() {
		if !listedIn(next, e.MetadataFile) {
			out = append(out, e.MetadataFile)
		}
	}
	return out
}

// born makes a table out of nothing.
func (c *filed) born(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (standing, error) {
	for _, r := range reqs {
		if err := r.Validate(nil); err != nil {
			return standing{}, err
		}
	}
	nothing, err := table.NewMetadata(iceberg.NewSchema(0), nil, table.UnsortedSortOrder, "", nil)
	if err != nil {
		return standing{}, err
	}
	next, err := table.UpdateTableMetadata(nothing, updates, "")
	if err != nil {
		return standing{}, err
	}
	return c.advance(ctx, ident, "", next)
}

// advance writes the next metadata file and makes the catalog point to it.
func (c *filed) advance(ctx context.Context, ident table.Identifier, from string, next table.Metadata, gone ...string) (standing, error) {
	s := standing{meta: next}
	locations, err := table.LoadLocationProvider(next.Location(), next.Properties())
	if err != nil {
		return s, err
	}
	if s.location, err = locations.NewTableMetadataFileLocation(version(from) + 1); err != nil {
		return s, err
	}
	props := maps.Clone(c.props)
	maps.Copy(props, next.Properties())
	fs, err := iceio.LoadFSFunc(props, s.location)(ctx)
	if err != nil {
		return s, err
	}
	files, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return s, fmt.Errorf("file access of type %T cannot write", fs)
	}
	if err := commit.Leaving(ctx, append(gone, s.location)...); err != nil {
		return s, err
	}
	if err := writeMetadata(files, s.location, next); err != nil {
		return s, errors.Join(err, ignored(files.Remove(s.location)))
	}
	return s, c.replace(ctx, ident, from, s, files)
}

// replace makes the catalog point to the new file. If that fails for good, the file is of no use to anybody and is
// removed; nobody but this call knows its name.
func (c *filed) replace(ctx context.Context, ident table.Identifier, from string, next standing, files iceio.WriteFileIO) error {
	to := next.location
	err := c.at.move(ctx, ident, from, next)
	if err == nil {
		return nil
	}
	settled := errors.Is(err, table.ErrCommitFailed) || c.at.settled(err)
	stands, lerr := c.at.where(context.WithoutCancel(ctx), ident)
	switch {
	case lerr == nil && stands == to:
		return nil
	case !settled:
		// The request may still be on its way, so the file stays. It is harmless: it asserts where the table stood.
		return failure.Wrap(err, failure.Unknown, CodeUnknown, "nothing to do if it passes: the table shows whether the commit landed", "moving the table on")
	case lerr != nil:
		return err
	}
	// It can no longer land, unless it has and the next one has as well: that one lists it.
	now, lerr := c.LoadTable(context.WithoutCancel(ctx), ident)
	if errors.Is(lerr, catalog.ErrNoSuchTable) || lerr == nil && !listedIn(now.Metadata(), to) {
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

// stage prepares a table without creating it.
func (c *filed) stage(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	doing := named("preparing table", ident)
	exists, err := c.CheckTableExists(ctx, ident)
	if err != nil {
		return nil, err
	}
	if exists {
		return nil, fmt.Errorf("%s: %w", doing, catalog.ErrTableAlreadyExists)
	}
	cfg := catalog.NewCreateTableCfg()
	for _, o := range opts {
		o(&cfg)
	}
	location := strings.TrimSuffix(cfg.Location, "/")
	if location == "" {
		ns := catalog.NamespaceFromIdent(ident)
		have, err := c.LoadNamespaceProperties(ctx, ns)
		if err != nil {
			return nil, c.classify(err, doing)
		}
		parent := strings.TrimSuffix(have["location"], "/")
		if parent == "" {
			parent = c.props["warehouse"] + "/" + strings.Join(ns, ".") + ".db"
		}
		location = parent + "/" + catalog.TableNameFromIdent(ident)
	}
	meta, err := table.NewMetadata(sc, cfg.PartitionSpec, cfg.SortOrder, location, cfg.Properties)
	if err != nil {
		return nil, c.classify(err, doing)
	}
	props := maps.Clone(c.props)
	maps.Copy(props, cfg.Properties)
	return table.New(ident, meta, "", iceio.LoadFSFunc(props, location), c), nil
}
