package main

import (
	"context"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/rawrec"
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

// columnSource is what fills some columns: the value, the key, the audit.
type columnSource struct {
	from string
	// origin says where the columns are known from, "" where from says it all.
	origin string
	fields []column.Field
	// schema is nil for what has no writer schema.
	schema *writerSchema
}

// What columns are filled from.
const (
	fromValue   = "value"
	fromKey     = "key"
	fromRecord  = "record"
	fromAudit   = "audit"
	fromNothing = "-" // always null
	fromUnknown = "?" // what fills it could not be asked

	declared = "the schema declared in the configuration"
)

// sources lists what fills the columns of a table, in the order of a new table's columns.
func (e *environment) sources(ctx context.Context, t ingest.TableOptions) ([]columnSource, error) {
	value, err := e.valueSource(ctx, t)
	if err != nil {
		return nil, err
	}
	list := []columnSource{value}
	key, err := e.keySource(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(key.fields) > 0 {
		list = append(list, key)
	}
	if t.Value.NullRows {
		for i := range list {
			list[i].fields = optional(list[i].fields, "")
		}
	}
	if t.Audit {
		list = append(list, columnSource{from: fromAudit, fields: table.AuditFields(t.Pattern != nil || len(t.Topics) > 1)})
	}
	return list, nil
}

func (e *environment) valueSource(ctx context.Context, t ingest.TableOptions) (columnSource, error) {
	switch t.Value.Format {
	case ingest.FormatJSON:
		return columnSource{from: fromValue, origin: declared, fields: t.Value.Schema.Fields()}, nil
	case ingest.FormatRaw:
		return columnSource{from: fromRecord, fields: rawrec.Fields()}, nil
	default:
		return e.avroSource(ctx, t, schemareg.Value)
	}
}

func (e *environment) keySource(ctx context.Context, t ingest.TableOptions) (columnSource, error) {
	switch t.Key.Format {
	case ingest.FormatRaw:
		return columnSource{from: fromKey, fields: []column.Field{{Name: t.Key.Column, Doc: "record key", Type: column.Type{Kind: column.Binary}}}}, nil
	case ingest.FormatJSON:
		return columnSource{from: fromKey, origin: declared, fields: optional(t.Key.Schema.Fields(), t.Key.Prefix)}, nil
	case ingest.FormatAvro:
		s, err := e.avroSource(ctx, t, schemareg.Key)
		s.fields = optional(s.fields, "")
		return s, err
	default:
		return columnSource{}, nil
	}
}

// avroSource takes the fields of the writer schema.
func (e *environment) avroSource(ctx context.Context, t ingest.TableOptions, part schemareg.Part) (columnSource, error) {
	s, err := e.findSchema(ctx, t, part)
	if err != nil {
		return columnSource{}, err
	}
	if s == nil {
		return columnSource{}, failure.New(failure.Retry, "E_NO_SCHEMA", "register a schema under the topic's subject, or produce a first record",
			"the topics of table %s have no schema of the %s and no records", t.Name(), part)
	}
	naming := avro.Naming{}
	if part == schemareg.Key {
		naming = t.Key.Naming(s.Schema)
	}
	fields, err := s.FieldsAs(naming)
	return columnSource{from: part.String(), origin: s.origin, fields: fields, schema: s}, err
}

func optional(fields []column.Field, prefix string) []column.Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Name = prefix + out[i].Name
		out[i].Required = false
	}
	return out
}

// newColumns are the columns of a table that run would create.
func newColumns(list []columnSource, choice table.Choice) (plans []columnPlan) {
	for _, s := range list {
		for _, f := range choice.Fields(s.fields) {
			plans = append(plans, planOf(f, s.from))
		}
	}
	return plans
}

func planOf(f column.Field, from string) columnPlan {
	return columnPlan{Name: f.Name, Type: f.Type.String(), Required: f.Required, Doc: f.Doc, From: from}
}

// existingColumns are the columns of a table that is there, and those that would be added; illegal says what makes
// run refuse.
func existingColumns(fields []column.Field, list []columnSource, t ingest.TableOptions) (plans []columnPlan, illegal []string, err error) {
	from := map[string]string{}
	for _, s := range list {
		for _, f := range s.fields {
			from[f.Name] = s.from
		}
	}
	for _, f := range fields {
		origin := from[f.Name]
		if origin == "" {
			origin = fromNothing
		}
		plans = append(plans, planOf(f, origin))
	}
	layout, err := column.NewLayout(fields)
	if err != nil {
		return plans, nil, err
	}
	for _, s := range list {
		if s.schema == nil || s.from == fromKey {
			continue
		}
		changes, err := avro.Diff(s.schema.Schema, layout, avro.CompileOptions{Nodes: valueNodes(layout, t, list)})
		if err != nil {
			return plans, nil, err
		}
		for _, m := range changes.Illegal {
			illegal = append(illegal, m.String())
		}
		for _, a := range changes.Add {
			if t.AddColumns {
				p := planOf(a.Field, s.from)
				p.Name = strings.Join(append(slices.Clone(a.Path), a.Field.Name), ".")
				p.New = true
				plans = append(plans, p)
			}
		}
	}
	return plans, illegal, nil
}

// valueNodes are the columns that nobody but the value fills.
func valueNodes(l *column.Layout, t ingest.TableOptions, list []columnSource) (nodes []*column.Node) {
	taken := map[string]bool{}
	for _, s := range list[1:] {
		for _, f := range s.fields {
			taken[f.Name] = true
		}
	}
	for _, n := range l.Nodes {
		audit := t.Audit && table.IsAudit(n.Field.Name)
		if !taken[n.Field.Name] && !audit {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
