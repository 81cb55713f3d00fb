package ingest

import (
	"slices"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// Lacking lists the columns that a table which exists lacks for what the configuration declares: fields of JSON schemas,
// the column of a raw key, and the topic's column since there are several topics. Columns of Avro come with the records.
func (t TableOptions) Lacking(l *column.Layout) (add []avro.AddColumn, err error) {
	audit, key, value := t.Split(l)
	if t.Value.Format == FormatJSON {
		if err := t.checkNames(FromValue, t.Value.Schema.Fields()); err != nil {
			return nil, err
		}
		list, err := jsonrec.Diff(t.Value.Schema, l, jsonrec.DiffOptions{Nodes: some(value), Optional: t.Value.NullRows})
		if err != nil {
			return nil, err
		}
		add = append(add, additions(list, "")...)
	}
	if err := t.declared(add); err != nil {
		return nil, err
	}
	switch {
	case t.Key.Format == FormatJSON:
		list, err := jsonrec.Diff(t.Key.Schema, l, jsonrec.DiffOptions{Nodes: some(stripped(key, t.Key.Prefix)), Optional: true})
		if err != nil {
			return nil, err
		}
		keys := additions(list, t.Key.Prefix)
		if err := t.declared(keys); err != nil {
			return nil, err
		}
		add = append(add, keys...)
	case t.Key.Format == FormatRaw && len(key) == 0:
		add = append(add, avro.AddColumn{Field: t.Key.rawField()})
	}
	// A table without the others was made by somebody who did not want them.
	if names := nodeNames(audit); t.SeveralTopics() && names[table.AuditPartition] && names[table.AuditOffset] && !names[table.AuditTopic] {
		fields := table.AuditFields(true)
		add = append(add, avro.AddColumn{Field: fields[len(fields)-1]})
	}
	if len(add) > 0 && !t.AddColumns {
		return nil, failure.New(failure.Config, jsonrec.CodeSchema, "set add_columns: true or add it by hand",
			"table %s has no column %s", t.Name(), add[0].Field.Name)
	}
	return t.readable(add), nil
}

// Changes says what a table lacks for the records of a writer schema. Fields that would be taken for somebody else's
// columns are a failure: what the table cannot have, and what add_columns would give away.
func (t TableOptions) Changes(half schemareg.Part, s *avro.Schema, l *column.Layout) (avro.Changes, error) {
	_, key, value := t.Split(l)
	from, opts := FromValue, avro.CompileOptions{Nodes: some(value)}
	if half == schemareg.Key {
		from, opts = FromKey, avro.CompileOptions{Nodes: some(key), Naming: t.Key.Naming(s)}
	}
	fields, err := s.FieldsAs(opts.Naming)
	if err != nil {
		return avro.Changes{}, err
	}
	if !t.AddColumns {
		fields = slices.DeleteFunc(fields, func(f column.Field) bool { return l.Node(f.Name) == nil })
	}
	if err := t.checkNames(from, fields); err != nil {
		return avro.Changes{}, err
	}
	changes, err := avro.Diff(s, l, opts)
	changes.Add = t.readable(changes.Add)
	return changes, err
}

// declared refuses new columns of a JSON schema that the table could not have as they were declared.
func (t TableOptions) declared(add []avro.AddColumn) error {
	fields := make([]column.Field, len(add))
	for i := range add {
		fields[i] = add[i].Field
	}
	return t.Create.Readers.CheckDeclared(fields)
}

// readable adapts new columns to who must be able to read the table.
func (t TableOptions) readable(add []avro.AddColumn) []avro.AddColumn {
	for i := range add {
		add[i].Field = t.Create.Readers.Fields([]column.Field{add[i].Field})[0]
	}
	return add
}

// some is never nil: nil would stand for all columns.
func some(nodes []*column.Node) []*column.Node { return append([]*column.Node{}, nodes...) }

func nodeNames(nodes []*column.Node) map[string]bool {
	out := map[string]bool{}
	for _, n := range nodes {
		out[n.Field.Name] = true
	}
	return out
}

// additions gives the top-level names of columns their prefix.
func additions(list []jsonrec.AddColumn, prefix string) (out []avro.AddColumn) {
	for _, a := range list {
		if len(a.Path) == 0 {
			a.Field.Name = prefix + a.Field.Name
		} else {
			a.Path = append([]string{prefix + a.Path[0]}, a.Path[1:]...)
		}
		out = append(out, avro.AddColumn(a))
	}
	return out
}
