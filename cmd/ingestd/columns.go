package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// columnPlan is one column of a table with where its values come from.
type columnPlan struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	From     string `json:"from"`
	Doc      string `json:"doc,omitempty"`
	// New: run adds the column before it writes.
	New bool `json:"new,omitempty"`
}

// What columns are filled from, beside what ingest names.
const (
	fromNothing = "-" // always null
	fromUnknown = "?" // what fills it could not be asked
)

// fillings lists what fills the columns of a table, in the order of a new table's columns.
func (e *environment) fillings(ctx context.Context, t ingest.TableOptions) ([]ingest.Filling, error) {
	return t.Fillings(func(part schemareg.Part) (*ingest.WriterSchema, error) {
		s, err := e.findSchema(ctx, t, part)
		if s == nil && err == nil {
			err = failure.New(failure.Retry, "E_NO_SCHEMA", "register a schema under the topic's subject, or produce a first record",
				"the topics of table %s have no schema of the %s and no records", t.Name(), part)
		}
		return s, err
	})
}

// findSchema looks for the writer schema as the birth of a table does. Nil means that there is none.
func (e *environment) findSchema(ctx context.Context, t ingest.TableOptions, part schemareg.Part) (*ingest.WriterSchema, error) {
	registry, err := e.registry(t.Source)
	if err != nil {
		return nil, err
	}
	topics, err := e.topics(ctx, t)
	if err != nil {
		return nil, err
	}
	client, err := e.kafka(ctx, t.Source)
	if err != nil {
		return nil, err
	}
	return ingest.SchemaSearch{Registry: registry, Client: client, Topics: topics, Records: true}.Find(ctx, part)
}

// originOf says where the columns of a filling are known from, "" where its name says it all.
func originOf(f ingest.Filling, t ingest.TableOptions) string {
	declared := f.From == ingest.FromValue && t.Value.Format == ingest.FormatJSON || f.From == ingest.FromKey && t.Key.Format == ingest.FormatJSON
	switch {
	case f.Writer != nil:
		return f.Writer.Origin
	case declared:
		return "the schema declared in the configuration"
	}
	return ""
}

// newColumns are the columns of a table that run would create.
func newColumns(list []ingest.Filling, choice table.Choice) (plans []columnPlan) {
	for _, s := range list {
		for _, f := range choice.Fields(s.Fields) {
			plans = append(plans, planOf(f, s.From))
		}
	}
	return plans
}

// checkNew finds what would keep run from creating the table.
func checkNew(list []ingest.Filling, choice table.Choice, t ingest.TableOptions) error {
	var fields []column.Field
	for _, s := range list {
		fields = append(fields, choice.Fields(s.Fields)...)
	}
	terms, err := t.Create.Terms(fields)
	errs := []error{t.CheckFillings(list), err, table.CheckSort(t.SortBy, fields)}
	for _, term := range terms {
		errs = append(errs, choice.CheckTerm(term, fields))
	}
	return errors.Join(errs...)
}

func planOf(f column.Field, from string) columnPlan {
	return columnPlan{Name: f.Name, Type: f.Type.String(), Required: f.Required, Doc: f.Doc, From: from}
}

// existingColumns are the columns of a table that is there, and those that would be added; illegal says what makes
// run refuse.
func existingColumns(fields []column.Field, list []ingest.Filling, t ingest.TableOptions) (plans []columnPlan, illegal []string, err error) {
	from := map[string]string{}
	for _, s := range list {
		for _, f := range s.Fields {
			from[f.Name] = s.From
		}
	}
	for _, f := range fields {
		plans = append(plans, planOf(f, cmp.Or(from[f.Name], fromNothing)))
	}
	layout, err := column.NewLayout(fields)
	if err != nil {
		return plans, nil, err
	}
	add, err := t.Lacking(layout)
	if err != nil {
		return plans, nil, err
	}
	for _, s := range list {
		if s.Writer == nil {
			continue
		}
		half := schemareg.Value
		if s.From == ingest.FromKey {
			half = schemareg.Key
		}
		changes, err := t.Changes(half, s.Writer.Schema, layout)
		if err != nil {
			return plans, illegal, err
		}
		for _, m := range changes.Illegal {
			illegal = append(illegal, m.String())
		}
		if t.AddColumns {
			add = append(add, changes.Add...)
		}
	}
	for _, a := range add {
		path := append(slices.Clone(a.Path), a.Field.Name)
		p := planOf(a.Field, from[path[0]])
		p.Name, p.New = strings.Join(path, "."), true
		plans = append(plans, p)
		if len(a.Path) == 0 {
			fields = append(slices.Clip(fields), a.Field)
		}
	}
	return plans, illegal, table.CheckSort(t.SortBy, fields)
}
