package committest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
)

// Call is one commit as it was sent.
type Call struct {
	Ident        table.Identifier
	Requirements []table.Requirement
	Updates      []table.Update
}

// Answer is what a commit call returns.
type Answer struct {
	Metadata table.Metadata
	Location string
	Err      error
}

// Catalog is a catalog in memory. Set its hooks and switches before it is used.
type Catalog struct {
	// OnCommit stands between a commit and the catalog: it may call apply now, later, twice or never, and answers
	// as it likes. nil applies.
	OnCommit func(ctx context.Context, call Call, apply func() Answer) Answer
	// OnLoad is asked before a table is loaded; its error is the answer.
	OnLoad func(ctx context.Context, ident table.Identifier) error
	// HeadsOnly shows only snapshots that a branch or tag names, as Nessie does.
	HeadsOnly bool
	// IgnoreNullPins accepts the assertion that a branch does not exist whatever there is, as Nessie does.
	IgnoreNullPins bool
	// Files holds the metadata files of all tables.
	Files *Files

	mu struct {
		sync.Mutex
		tables     map[string]*entry
		namespaces map[string]bool
		versions   int
	}
}

type entry struct {
	ident    table.Identifier
	meta     table.Metadata
	location string
}

// New makes an empty catalog.
func New() *Catalog {
	c := &Catalog{Files: NewFiles()}
	c.mu.tables, c.mu.namespaces = map[string]*entry{}, map[string]bool{}
	return c
}

func key(ident table.Identifier) string { return strings.Join(ident, "\x1f") }

// CatalogType implements catalog.Catalog.
func (c *Catalog) CatalogType() catalog.Type { return "memory" }

// LoadTable implements catalog.Catalog.
func (c *Catalog) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	if c.OnLoad != nil {
		if err := c.OnLoad(ctx, ident); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.load(ident)
}

func (c *Catalog) load(ident table.Identifier) (*table.Table, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.mu.tables[key(ident)]
	if e == nil {
		return nil, fmt.Errorf("%w: %v", catalog.ErrNoSuchTable, ident)
	}
	meta := e.meta
	if c.HeadsOnly {
		var err error
		if meta, err = headsOnly(meta); err != nil {
			return nil, err
		}
	}
	return table.New(e.ident, meta, e.location, c.Files.FS, c), nil
}

// Table gives the table as it is, past hooks and switches.
func (c *Catalog) Table(ident ...string) table.Metadata {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.mu.tables[key(ident)]; e != nil {
		return e.meta
	}
	return nil
}

// CreateTable implements catalog.Catalog.
func (c *Catalog) CreateTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	meta, err := c.newMetadata(ident, sc, opts)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	switch {
	case !c.mu.namespaces[key(catalog.NamespaceFromIdent(ident))]:
		err = fmt.Errorf("%w: %v", catalog.ErrNoSuchNamespace, ident)
	case c.mu.tables[key(ident)] != nil:
		err = fmt.Errorf("%w: %v", catalog.ErrTableAlreadyExists, ident)
	default:
		c.put(ident, meta)
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.load(ident)
}

// Staging is a Catalog that can prepare a table without creating it.
type Staging struct{ *Catalog }

// StageTable gives the table that a commit with these options would create.
func (s Staging) StageTable(_ context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	meta, err := s.newMetadata(ident, sc, opts)
	if err != nil {
		return nil, err
	}
	if s.Table(ident...) != nil {
		return nil, fmt.Errorf("%w: %v", catalog.ErrTableAlreadyExists, ident)
	}
	return table.New(ident, meta, "", s.Files.FS, s), nil
}

func (c *Catalog) newMetadata(ident table.Identifier, sc *iceberg.Schema, opts []catalog.CreateTableOpt) (table.Metadata, error) {
	cfg := catalog.NewCreateTableCfg()
	for _, o := range opts {
		o(&cfg)
	}
	location := cfg.Location
	if location == "" {
		location = "mem://warehouse/" + strings.Join(ident, "/")
	}
	return table.NewMetadata(sc, cfg.PartitionSpec, cfg.SortOrder, location, cfg.Properties)
}

// put stores a new version under the lock.
func (c *Catalog) put(ident table.Identifier, meta table.Metadata) *entry {
	c.mu.versions++
	e := &entry{ident: slices.Clone(ident), meta: meta, location: fmt.Sprintf("%s/metadata/%05d.metadata.json", meta.Location(), c.mu.versions)}
	c.mu.tables[key(ident)] = e
	return e
}

// CommitTable implements catalog.Catalog.
func (c *Catalog) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	apply := func() Answer {
		meta, location, err := c.apply(ident, reqs, updates)
		return Answer{meta, location, err}
	}
	if c.OnCommit == nil {
		a := apply()
		return a.Metadata, a.Location, a.Err
	}
	a := c.OnCommit(ctx, Call{ident, reqs, updates}, apply)
	return a.Metadata, a.Location, a.Err
}

func (c *Catalog) apply(ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.mu.tables[key(ident)]
	var current table.Metadata
	if e != nil {
		current = e.meta
	}
	for _, r := range reqs {
		if c.IgnoreNullPins && nullPin(r) {
			continue
		}
		if err := r.Validate(current); err != nil {
			return nil, "", fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
		}
	}
	location := ""
	switch {
	case e != nil:
		location = e.location
	case slices.ContainsFunc(reqs, func(r table.Requirement) bool { return r.GetType() == "assert-create" }):
		var err error
		if current, err = table.NewMetadata(iceberg.NewSchema(0), nil, table.UnsortedSortOrder, "", nil); err != nil {
			return nil, "", err
		}
	default:
		return nil, "", fmt.Errorf("%w: %v", catalog.ErrNoSuchTable, ident)
	}
	meta, err := table.UpdateTableMetadata(current, updates, location)
	if err != nil {
		return nil, "", err
	}
	e = c.put(ident, meta)
	if c.HeadsOnly {
		if meta, err = headsOnly(meta); err != nil {
			return nil, "", err
		}
	}
	return meta, e.location, nil
}

func nullPin(r table.Requirement) bool {
	b, err := json.Marshal(r)
	return err == nil && r.GetType() == "assert-ref-snapshot-id" && strings.Contains(string(b), `"snapshot-id":null`)
}

// Rewrite replaces a table's metadata behind everybody's back: f gets and gives its JSON.
func (c *Catalog) Rewrite(f func(map[string]any), ident ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.mu.tables[key(ident)]
	if e == nil {
		return errors.New("no such table")
	}
	meta, err := edit(e.meta, f)
	if err == nil {
		c.put(ident, meta)
	}
	return err
}

func edit(meta table.Metadata, f func(map[string]any)) (table.Metadata, error) {
	b, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	// Snapshot ids do not fit into a float64.
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, err
	}
	f(m)
	if b, err = json.Marshal(m); err != nil {
		return nil, err
	}
	return table.ParseMetadataBytes(b)
}

func headsOnly(meta table.Metadata) (table.Metadata, error) {
	named := map[string]bool{}
	for _, ref := range meta.Refs() {
		named[fmt.Sprint(ref.SnapshotID)] = true
	}
	return edit(meta, func(m map[string]any) {
		for _, list := range []string{"snapshots", "snapshot-log"} {
			all, _ := m[list].([]any)
			m[list] = slices.DeleteFunc(all, func(s any) bool {
				return !named[fmt.Sprint(s.(map[string]any)["snapshot-id"])]
			})
		}
	})
}

// DropTable implements catalog.Catalog.
func (c *Catalog) DropTable(_ context.Context, ident table.Identifier) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.tables[key(ident)] == nil {
		return catalog.ErrNoSuchTable
	}
	delete(c.mu.tables, key(ident))
	return nil
}

// CheckTableExists implements catalog.Catalog.
func (c *Catalog) CheckTableExists(_ context.Context, ident table.Identifier) (bool, error) {
	return c.Table(ident...) != nil, nil
}

// ListTables implements catalog.Catalog.
func (c *Catalog) ListTables(_ context.Context, ns table.Identifier) iter.Seq2[table.Identifier, error] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []table.Identifier
	for _, k := range slices.Sorted(maps.Keys(c.mu.tables)) {
		if ident := c.mu.tables[k].ident; slices.Equal(catalog.NamespaceFromIdent(ident), ns) {
			out = append(out, ident)
		}
	}
	return func(yield func(table.Identifier, error) bool) {
		for _, ident := range out {
			if !yield(ident, nil) {
				return
			}
		}
	}
}

// CreateNamespace implements catalog.Catalog.
func (c *Catalog) CreateNamespace(_ context.Context, ns table.Identifier, _ iceberg.Properties) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.namespaces[key(ns)] {
		return catalog.ErrNamespaceAlreadyExists
	}
	c.mu.namespaces[key(ns)] = true
	return nil
}

// CheckNamespaceExists implements catalog.Catalog.
func (c *Catalog) CheckNamespaceExists(_ context.Context, ns table.Identifier) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.namespaces[key(ns)], nil
}

// ListNamespaces implements catalog.Catalog.
func (c *Catalog) ListNamespaces(context.Context, table.Identifier) ([]table.Identifier, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []table.Identifier
	for _, k := range slices.Sorted(maps.Keys(c.mu.namespaces)) {
		out = append(out, strings.Split(k, "\x1f"))
	}
	return out, nil
}

// DropNamespace implements catalog.Catalog.
func (c *Catalog) DropNamespace(_ context.Context, ns table.Identifier) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mu.namespaces, key(ns))
	return nil
}

// errUnused answers the calls that nothing of ours makes.
var errUnused = errors.New("not part of the catalog in memory")

// RenameTable implements catalog.Catalog.
func (c *Catalog) RenameTable(context.Context, table.Identifier, table.Identifier) (*table.Table, error) {
	return nil, errUnused
}

// LoadNamespaceProperties implements catalog.Catalog.
func (c *Catalog) LoadNamespaceProperties(context.Context, table.Identifier) (iceberg.Properties, error) {
	return iceberg.Properties{}, nil
}

// UpdateNamespaceProperties implements catalog.Catalog.
func (c *Catalog) UpdateNamespaceProperties(context.Context, table.Identifier, []string, iceberg.Properties) (catalog.PropertiesUpdateSummary, error) {
	return catalog.PropertiesUpdateSummary{}, errUnused
}
