package commit

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// Table is one branch of one table as one writer sees it. One goroutine at a time may use it; several processes may
// have the same table open.
type Table struct {
	cat  catalog.Catalog
	spec Spec
	env  Env
	caps Capabilities

	// view is the last look at the table, nil while it does not exist.
	view *view
	uuid uuid.UUID
	// opened is the config epoch that the table had when it was opened, or the one we wrote.
	opened uint64
	// landed counts own commits since the last round of upkeep.
	landed int
	paths  paths
	// dead are files that have left the table, and when they are to be deleted.
	dead []deadFile
	// watch accompanies a procedure, nil for everything else.
	watch Watch
	// surveys: a history that is refused is looked at all the same (control.go).
	surveys bool
}

// Capabilities are what a catalog can do beyond catalog.Catalog. A catalog that implements Capable says so; others
// are taken to be local ones that compare in the process.
type Capabilities struct {
	// NullPin: the assertion that a branch does not exist holds. Nessie accepts it on a branch that exists.
	NullPin bool
	// Refs: tables have branches and tags beside the main branch. Nessie has them for the whole catalog only.
	Refs bool
	// HeadsOnly: a table shows the head of its branch and none of the snapshots before it. Nessie keeps its own history.
	HeadsOnly bool
	// RemovesMetadata: the catalog removes superseded metadata files itself.
	RemovesMetadata bool
}

// Capable is implemented by catalogs that know their capabilities.
type Capable interface{ Capabilities() Capabilities }

// StagedCreator is implemented by catalogs that can prepare a table without creating it: the answer has location,
// uuid and field ids, and the table comes to life with the commit that asserts its absence.
type StagedCreator interface {
	StageTable(ctx context.Context, ident table.Identifier, schema *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error)
}

// Open loads the table once and checks that its history agrees with its state. A table that does not exist is an
// error unless spec.MayCreate.
func Open(ctx context.Context, cat catalog.Catalog, spec Spec, env Env) (*Table, error) {
	t := newTable(cat, spec, env)
	if t.spec.Branch != table.MainBranch && !t.caps.Refs {
		return nil, failure.New(failure.Config, CodeBranch, "leave branch out, or use another catalog",
			"table %s: branch %s: this catalog keeps no branches within a table", t.spec.name(), t.spec.Branch)
	}
	tbl, err := cat.LoadTable(ctx, t.spec.Identifier)
	for n := 1; n < stubborn && isGone(err); n++ {
		if werr := t.env.Wait(ctx, t.env.backoff(n, errorWaitMin, errorWaitMax)); werr != nil {
			return nil, canceled(ctx, "loading table "+t.spec.name(), false)
		}
		tbl, err = cat.LoadTable(ctx, t.spec.Identifier)
	}
	switch {
	case err == nil:
		return t, t.adopt(tbl)
	case isGone(err):
		return nil, t.spec.gone(err)
	case !isMissing(err):
		return nil, t.catalogError(err, "loading")
	case !spec.MayCreate:
		return nil, failure.Wrap(err, failure.Config, CodeMissing, "create it, or set auto_create: true", "table %s does not exist", t.spec.name())
	}
	return t, nil
}

// newTable makes a Table that has not looked yet.
func newTable(cat catalog.Catalog, spec Spec, env Env) *Table {
	t := &Table{cat: cat, spec: spec, env: env.withDefaults(), caps: Capabilities{NullPin: true, Refs: true}}
	if t.spec.Branch == "" {
		t.spec.Branch = table.MainBranch
	}
	if t.spec.Writer == "" {
		t.spec.Writer = t.env.NewID()
	}
	t.spec.Upkeep = t.spec.Upkeep.withDefaults()
	if c, ok := cat.(Capable); ok {
		t.caps = c.Capabilities()
	}
	return t
}

func isMissing(err error) bool {
	return errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace)
}

// isGone says that the catalog knows the table, but the metadata file it names is not there.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// beyond is the failure behind an error of a look that time alone does not mend; nil for one that may pass.
func (t *Table) beyond(err error) error {
	switch {
	case isGone(err):
		return t.spec.gone(err)
	case isMissing(err):
		return t.spec.dropped(err)
	case failure.ClassOf(t.catalogError(err, "loading")) == failure.Config:
		return t.catalogError(err, "loading")
	}
	return nil
}

// catalogError keeps the class that the catalog gave an error; one without a class may pass.
func (t *Table) catalogError(err error, doing string) error {
	if failure.CodeOf(err) != "" {
		return failure.Wrap(err, failure.ClassOf(err), failure.CodeOf(err), failure.HintOf(err), "%s table %s", doing, t.spec.name())
	}
	return failure.Wrap(err, failure.Retry, CodeCatalog, "", "%s table %s", doing, t.spec.name())
}

// adopt takes a table that was loaded for the first time.
func (t *Table) adopt(tbl *table.Table) error {
	v, err := t.inspect(tbl)
	if err != nil {
		return err
	}
	e := v.state.Epoch
	if t.spec.ConfigHash != (state.Hash{}) && e.Hash != t.spec.ConfigHash && e.WasSuperseded(t.spec.ConfigHash) && !t.spec.AcceptConfig {
		return failure.New(failure.Config, CodeConfigSuperseded, "start with the newer configuration, or with --accept-config to go back to this one",
			"table %s has been written with a newer configuration (epoch %d) since this one", t.spec.name(), e.N)
	}
	t.view, t.uuid, t.opened = v, tbl.Metadata().TableUUID(), e.N
	return nil
}

// inspect reads what a loaded table says. Only those who decide about a history that is refused see it.
func (t *Table) inspect(tbl *table.Table) (*view, error) {
	v, err := t.spec.inspect(tbl)
	if t.surveys {
		return t.spec.survey(tbl, v, err)
	}
	return v, err
}

// look takes a table that was loaded again.
func (t *Table) look(tbl *table.Table) error {
	if tbl.Metadata().TableUUID() != t.uuid {
		return t.spec.recreated()
	}
	v, err := t.inspect(tbl)
	if err != nil {
		return err
	}
	t.view = v
	return nil
}

// Exists says whether the table has been created.
func (t *Table) Exists() bool { return t.view != nil }

// Name is the table's name with its namespace.
func (t *Table) Name() string { return t.spec.name() }

// Branch is the branch that this value looks at and commits to.
func (t *Table) Branch() string { return t.spec.Branch }

// Writer is the id under which this value commits.
func (t *Table) Writer() string { return t.spec.Writer }

// State is the newest state seen, nil while the table does not exist. It is shared: do not change it.
func (t *Table) State() *state.State {
	if t.view == nil {
		return nil
	}
	return t.view.state
}

// Notes are what was stored with the positions, as far as the mirror agrees with the state.
func (t *Table) Notes() map[state.Key][]byte {
	if t.view == nil {
		return nil
	}
	return maps.Clone(t.view.notes)
}

// FromMirror says that the state comes from the mirror since no snapshot that carries it is left: whoever has
// another witness of the positions compares.
func (t *Table) FromMirror() bool {
	return t.view != nil && t.view.carrier == 0 && len(t.view.state.Writers) > 0
}

// Iceberg is the library's view of the table as last seen, nil while it does not exist.
func (t *Table) Iceberg() *table.Table {
	if t.view == nil {
		return nil
	}
	return t.view.tbl
}

// Schema is the current schema.
func (t *Table) Schema() *iceberg.Schema { return t.view.meta.CurrentSchema() }

// PartitionSpec is the spec of new files.
func (t *Table) PartitionSpec() iceberg.PartitionSpec { return t.view.meta.PartitionSpec() }

// Location is the root of the table's files.
func (t *Table) Location() string { return t.view.meta.Location() }

// Properties are the table's properties.
func (t *Table) Properties() iceberg.Properties { return maps.Clone(t.view.meta.Properties()) }

// Head is the newest snapshot of the branch as last seen, nil for none.
func (t *Table) Head() *table.Snapshot {
	if t.view == nil {
		return nil
	}
	return t.view.head
}

// Metadata is the table's metadata as last seen.
func (t *Table) Metadata() table.Metadata { return t.view.meta }

// Refresh loads the table once.
func (t *Table) Refresh(ctx context.Context) error {
	tbl, err := t.cat.LoadTable(ctx, t.spec.Identifier)
	switch {
	case err != nil && isMissing(err) && t.Exists():
		return t.spec.dropped(err)
	case err != nil && isMissing(err):
		return nil
	case err != nil && isGone(err):
		return t.spec.gone(err)
	case err != nil:
		return t.catalogError(err, "loading")
	case !t.Exists():
		return t.adopt(tbl)
	}
	return t.look(tbl)
}

// stubborn is the number of times in a row that a definite answer (no such table, no rights) is not believed: a
// proxy in trouble gives the same ones.
const stubborn = 3

// load looks at the table until that succeeds. It ends early with the context, with a halt, or with a definite
// answer that was given several times.
func (t *Table) load(ctx context.Context) error {
	definite := 0
	for n := 0; ; n++ {
		tbl, err := t.cat.LoadTable(ctx, t.spec.Identifier)
		if err == nil {
			return t.look(tbl)
		}
		if ctx.Err() != nil {
			return canceled(ctx, "loading table "+t.spec.name(), false)
		}
		if final := t.beyond(err); final == nil {
			definite = 0
		} else if definite++; definite == stubborn {
			return final
		}
		t.retrying(n, "load", err)
		if err := t.env.Wait(ctx, t.env.backoff(n, errorWaitMin, errorWaitMax)); err != nil {
			return canceled(ctx, "loading table "+t.spec.name(), false)
		}
	}
}

func (t *Table) retrying(attempt int, reason string, err error) {
	t.env.Events.Emit(event.CommitRetried{Table: t.spec.name(), Attempt: attempt + 1, Reason: reason, Err: err, At: t.env.Now()})
}

// paths remembers the files of our own latest commits, so that none is added twice.
type paths struct {
	known map[string]bool
	order []string
}

// pathsKept bounds the memory of paths: a few hundred commits of many files.
const pathsKept = 16384

func (p *paths) add(files []iceberg.DataFile) {
	if p.known == nil {
		p.known = map[string]bool{}
	}
	for _, f := range files {
		p.known[f.FilePath()] = true
		p.order = append(p.order, f.FilePath())
	}
	if extra := len(p.order) - pathsKept; extra > 0 {
		for _, path := range p.order[:extra] {
			delete(p.known, path)
		}
		p.order = slices.Clone(p.order[extra:])
	}
}
