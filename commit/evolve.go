package commit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	ours "github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// Evolve adds optional columns in a commit of their own, which changes the schema and nothing else. What is there
// already is left out, so that several processes adding the same columns end with one of each. The ids are those of
// the table afterwards: read Schema.
func (t *Table) Evolve(ctx context.Context, add []AddColumn) error {
	return t.change(ctx, "evolve", "evolving", func() (func(context.Context) error, error) {
		missing, err := t.missing(add)
		if err != nil || len(missing) == 0 {
			return nil, err
		}
		return func(ctx context.Context) error {
			err := t.tryEvolve(ctx, missing)
			if err == nil {
				t.env.Events.Emit(event.SchemaChanged{Table: t.spec.name(), Added: columnNames(missing), At: t.env.Now()})
			}
			return err
		}, nil
	})
}

// change commits what is no batch, alone, until the table has it. plan looks at the table as it is and gives the next
// attempt, nil when nothing is left to do.
func (t *Table) change(ctx context.Context, verb, doing string, plan func() (func(context.Context) error, error)) error {
	if err := t.load(ctx); err != nil {
		return err
	}
	refused := 0
	for n := 0; ; n++ {
		attempt, err := plan()
		if err != nil || attempt == nil {
			return err
		}
		err = attempt(ctx)
		if err != nil {
			t.retrying(n, verb, err)
			if definite(t.catalogError(err, doing)) {
				refused++
			}
		}
		if lerr := t.load(ctx); lerr != nil {
			return lerr
		}
		switch {
		case err == nil:
			continue
		case refused == stubborn || failure.ClassOf(t.catalogError(err, "")) == failure.Halt:
			return t.catalogError(err, doing)
		}
		if err := t.env.Wait(ctx, t.env.backoff(n, conflictWaitMin, errorWaitMax)); err != nil {
			return canceled(ctx, doing+" table "+t.spec.name(), false)
		}
	}
}

// definite says whether time alone does not mend an error.
func definite(err error) bool {
	class := failure.ClassOf(err)
	return class == failure.Config || class == failure.Fatal
}

// missing are the columns that the current schema lacks. One of another type is a conflict that only people solve.
func (t *Table) missing(add []AddColumn) ([]AddColumn, error) {
	sc := t.view.meta.CurrentSchema()
	var out []AddColumn
	for _, a := range add {
		if a.Field.Required {
			return nil, t.refuse("new column %s is required", columnName(a))
		}
		have, ok := sc.FindFieldByName(columnName(a))
		if !ok {
			out = append(out, a)
			continue
		}
		want := ours.Type(a.Field.Type)
		if have.Type.Type() != want.Type() || have.Type.String() != want.String() && !nested(want) {
			return nil, t.spec.halt(CodeSchemaConflict, "rename one of the two columns", "column %s has type %s, the records need %s", columnName(a), have.Type, want)
		}
	}
	return out, nil
}

// nested types are compared by kind only: their members are columns of their own.
func nested(t iceberg.Type) bool {
	_, ok := t.(iceberg.NestedType)
	return ok
}

func columnName(a AddColumn) string {
	return strings.Join(append(slices.Clone(a.Path), a.Field.Name), ".")
}

func columnNames(add []AddColumn) []string {
	names := make([]string, len(add))
	for i, a := range add {
		names[i] = columnName(a)
	}
	return names
}

// tryEvolve makes one attempt on the schema last seen.
func (t *Table) tryEvolve(ctx context.Context, add []AddColumn) error {
	meta := t.view.meta
	tx := table.New(t.view.tbl.Identifier(), timeless{meta}, "", t.view.tbl.FS, nil).NewTransaction()
	update := tx.UpdateSchema(true, false)
	for _, a := range add {
		// Numbered by itself: the library wants ids that differ, and gives its own.
		sc, err := schema([]column.Field{a.Field})
		if err != nil {
			return failure.Wrap(err, failure.Halt, CodeSchemaConflict, "add the column by hand", "table %s: adding column %s", t.spec.name(), columnName(a))
		}
		update.AddColumn(append(slices.Clone(a.Path), a.Field.Name), sc.Field(0).Type, a.Field.Doc, false, nil)
	}
	if err := update.Commit(); err != nil {
		return failure.Wrap(err, failure.Halt, CodeSchemaConflict, "add the columns by hand", "table %s: adding columns %s", t.spec.name(), strings.Join(columnNames(add), ", "))
	}
	staged, err := tx.TableCommit()
	if err != nil {
		return fmt.Errorf("building schema change: %w", err)
	}
	if len(staged.Updates) == 0 {
		return errors.New("building schema change: the library staged nothing")
	}
	for i, u := range staged.Updates {
		if u.Action() != table.UpdateAddSchema {
			continue
		}
		sc, err := schemaOf(u)
		if err != nil {
			return fmt.Errorf("building schema change: %w", err)
		}
		staged.Updates[i] = newAddSchema(sc, meta.LastColumnID())
	}
	requirements := []table.Requirement{
		table.AssertTableUUID(meta.TableUUID()),
		table.AssertCurrentSchemaID(meta.CurrentSchema().ID),
		table.AssertLastAssignedFieldID(meta.LastColumnID()),
	}
	_, _, err = t.cat.CommitTable(ctx, t.view.tbl.Identifier(), requirements, staged.Updates)
	return err
}
