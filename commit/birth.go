package commit

import (
	"context"
	"errors"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// birth is a table to be created, in the library's words.
type birth struct {
	schema *iceberg.Schema
	opts   []catalog.CreateTableOpt
	start  []Step
}

// Create brings the table to life with its start positions. Where the catalog can, table and first snapshot are one
// commit; elsewhere they are two, and whoever finds a table between them adds the snapshot. Of several creators one
// wins and the others go on with its table. A table that exists is only begun.
func (t *Table) Create(ctx context.Context, c Creation) error {
	if t.Exists() {
		return t.Begin(ctx, c.Start)
	}
	sc, err := schema(c.Fields)
	if err != nil {
		return failure.Wrap(err, failure.Fatal, CodeFileSet, "please report this", "creating table %s", t.spec.name())
	}
	spec, err := partitioning(c.PartitionBy, sc)
	if err != nil {
		return err
	}
	order, err := sortOrder(c.SortBy, sc)
	if err != nil {
		return err
	}
	b := &birth{schema: sc, start: c.Start, opts: []catalog.CreateTableOpt{
		catalog.WithPartitionSpec(spec), catalog.WithSortOrder(order), catalog.WithProperties(t.properties(&c)),
	}}
	if c.Location != "" {
		b.opts = append(b.opts, catalog.WithLocation(c.Location))
	}
	return t.bear(ctx, b)
}

// bear tries to create the table until it exists, whoever created it.
func (t *Table) bear(ctx context.Context, b *birth) error {
	refused, hidden := 0, 0
	for n := 0; ; n++ {
		created, err := t.tryCreate(ctx, b)
		if err != nil {
			// As with any commit, an error says nothing: look.
			t.retrying(n, "create", err)
			if definite(t.catalogError(err, "creating")) {
				refused++
			}
		}
		tbl, lerr := t.cat.LoadTable(ctx, t.spec.Identifier)
		if lerr == nil {
			return t.born(ctx, tbl, b, created)
		}
		if err == nil && (isMissing(lerr) || isGone(lerr)) {
			// The catalog refuses to create what it cannot show.
			t.retrying(n, "load", lerr)
			if hidden++; hidden == stubborn {
				return t.spec.gone(lerr)
			}
		}
		if err != nil && (refused == stubborn || failure.ClassOf(t.catalogError(err, "")) == failure.Halt) {
			return t.catalogError(err, "creating")
		}
		if err := t.env.Wait(ctx, t.env.backoff(n, errorWaitMin, errorWaitMax)); err != nil {
			return canceled(ctx, "creating table "+t.spec.name(), true)
		}
	}
}

// born goes on with a table that exists now.
func (t *Table) born(ctx context.Context, tbl *table.Table, b *birth, created bool) error {
	if err := t.adopt(tbl); err != nil {
		return err
	}
	if created {
		t.env.Events.Emit(event.TableCreated{Table: t.spec.name(), Location: t.Location(), At: t.env.Now()})
	}
	_, err := t.begin(ctx, b.start, created)
	return err
}

// tryCreate makes one attempt at creating the table.
func (t *Table) tryCreate(ctx context.Context, b *birth) (created bool, err error) {
	if err := t.ensureNamespace(ctx); err != nil {
		return false, err
	}
	if s, ok := t.cat.(StagedCreator); ok {
		err = t.createStaged(ctx, s, b)
	} else {
		_, err = t.cat.CreateTable(ctx, t.spec.Identifier, b.schema, b.opts...)
	}
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return false, nil
	}
	return err == nil, err
}

// ensureNamespace creates the table's namespace and those above it.
func (t *Table) ensureNamespace(ctx context.Context) error {
	ns := catalog.NamespaceFromIdent(t.spec.Identifier)
	if ok, err := t.cat.CheckNamespaceExists(ctx, ns); err == nil && ok {
		return nil
	}
	for i := range ns {
		err := t.cat.CreateNamespace(ctx, ns[:i+1], nil)
		if err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
			return err
		}
	}
	return nil
}

// createStaged sends table and first snapshot in one commit that asserts the table's absence.
func (t *Table) createStaged(ctx context.Context, cat StagedCreator, b *birth) error {
	staged, err := cat.StageTable(ctx, t.spec.Identifier, b.schema, b.opts...)
	if err != nil {
		return err
	}
	empty := &state.State{Pipeline: t.spec.Pipeline, Branch: t.spec.Branch}
	next, miss, err := empty.Apply(changes(b.start))
	if err != nil || miss != nil {
		return t.refuse("start positions: %v%v", err, miss)
	}
	if next.Epoch, err = t.epoch(empty.Epoch); err != nil {
		return err
	}
	next.Committed(t.spec.Writer, t.env.NewID())
	v := &view{tbl: staged, meta: staged.Metadata(), state: empty}
	a, err := t.build(ctx, v, next, notesOf(b.start), addRows(nil))
	if err != nil {
		return err
	}
	a.requirements = []table.Requirement{table.AssertCreate()}
	a.updates = append(creation(staged.Metadata()), a.updates...)
	a.set(staged.Metadata().Properties())
	_, _, err = t.cat.CommitTable(ctx, t.spec.Identifier, a.requirements, a.updates)
	if errors.Is(err, table.ErrCommitFailed) {
		return catalog.ErrTableAlreadyExists
	}
	return err
}

// creation lists what makes an empty table the staged one, but for its properties.
func creation(meta table.Metadata) []table.Update {
	spec, order := meta.PartitionSpec(), meta.SortOrder()
	updates := []table.Update{
		table.NewAssignUUIDUpdate(meta.TableUUID()),
		table.NewUpgradeFormatVersionUpdate(meta.Version()),
		newAddSchema(meta.CurrentSchema(), meta.LastColumnID()),
		table.NewSetCurrentSchemaUpdate(-1),
		table.NewAddPartitionSpecUpdate(&spec, true),
		table.NewSetDefaultSpecUpdate(-1),
		table.NewAddSortOrderUpdate(&order),
		table.NewSetDefaultSortOrderUpdate(-1),
	}
	if loc := meta.Location(); loc != "" {
		updates = append(updates, table.NewSetLocationUpdate(loc))
	}
	return updates
}
