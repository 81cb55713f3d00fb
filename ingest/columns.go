package ingest

import (
	"slices"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/rawrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// This file alone says which columns a table has and who fills which of them. The daemon and whoever explains it ask here.

// What columns are filled from.
const (
	FromValue  = "value"
	FromKey    = "key"
	FromRecord = "record" // as it is, nothing decoded
	FromAudit  = "audit"
)

// Filling is a part of the records with the columns it fills.
type Filling struct {
	From   string
	Fields []column.Field
	// Writer is the schema the fields come from; nil where they are declared or fixed.
	Writer *WriterSchema
}

// WriterSchema is a schema with where it was found.
type WriterSchema struct {
	*avro.Schema
	Origin string
}

// CodeColumnTwice is the code of two columns of one name, or of a field that would be taken for a column of the key or
// of the audit.
const CodeColumnTwice = "E_COLUMN_TWICE"

// Fillings lists the columns of a new table: value, key, audit. find gives the writer schema of a half of the records.
func (t TableOptions) Fillings(find func(schemareg.Part) (*WriterSchema, error)) ([]Filling, error) {
	value, err := t.valueFilling(find)
	if err != nil {
		return nil, err
	}
	key, err := t.keyFilling(find)
	if err != nil {
		return nil, err
	}
	list := []Filling{value}
	if len(key.Fields) > 0 {
		list = append(list, key)
	}
	if t.Value.NullRows {
		for i := range list {
			list[i].Fields = optional(list[i].Fields, "")
		}
	}
	if t.Audit {
		list = append(list, Filling{From: FromAudit, Fields: table.AuditFields(t.SeveralTopics())})
	}
	return list, nil
}

// Terms are the partition fields of a new table with these columns. Those that a table cannot have together are refused.
func (c CreateOptions) Terms(fields []column.Field) ([]transform.Term, error) {
	var terms []transform.Term
	for _, text := range c.PartitionBy {
		t, err := transform.Parse(text)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
	}
	return terms, transform.CheckAll(terms, fields)
}

// SeveralTopics says whether rows of different topics may meet in the table.
func (t TableOptions) SeveralTopics() bool { return t.Pattern != nil || len(t.Topics) > 1 }

func (t TableOptions) valueFilling(find func(schemareg.Part) (*WriterSchema, error)) (Filling, error) {
	switch t.Value.Format {
	case FormatJSON:
		return Filling{From: FromValue, Fields: t.Value.Schema.Fields()}, nil
	case FormatRaw:
		return Filling{From: FromRecord, Fields: rawrec.Fields()}, nil
	default:
		s, err := find(schemareg.Value)
		if err != nil {
			return Filling{}, err
		}
		fields, err := s.Fields()
		return Filling{From: FromValue, Fields: fields, Writer: s}, err
	}
}

func (t TableOptions) keyFilling(find func(schemareg.Part) (*WriterSchema, error)) (Filling, error) {
	k := t.Key
	switch k.Format {
	case FormatRaw:
		return Filling{From: FromKey, Fields: []column.Field{k.rawField()}}, nil
	case FormatJSON:
		return Filling{From: FromKey, Fields: optional(k.Schema.Fields(), k.Prefix)}, nil
	case FormatAvro:
		s, err := find(schemareg.Key)
		if err != nil {
			return Filling{}, err
		}
		fields, err := s.FieldsAs(k.Naming(s.Schema))
		return Filling{From: FromKey, Fields: optional(fields, ""), Writer: s}, err
	}
	return Filling{}, nil
}

func (k KeyOptions) rawField() column.Field {
	return column.Field{Name: k.Column, Doc: "record key", Type: column.Type{Kind: column.Binary}}
}

// optional renames columns and makes them optional: tombstones and keyless records exist, a key refuses no row.
func optional(fields []column.Field, prefix string) []column.Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Name = prefix + out[i].Name
		out[i].Required = false
	}
	return out
}

// Naming says how an Avro key becomes columns: the fields of a record have the prefix, any other key has the column.
func (k KeyOptions) Naming(s *avro.Schema) avro.Naming {
	if s.IsRecord() {
		return avro.Naming{Prefix: k.Prefix}
	}
	return avro.Naming{Scalar: k.Column}
}

// Split says who fills which column. It goes by names; checkNames keeps fields away from names that are not theirs.
func (t TableOptions) Split(l *column.Layout) (audit, key, value []*column.Node) {
	for _, n := range l.Nodes {
		switch name := n.Field.Name; {
		case t.Audit && table.IsAudit(name):
			audit = append(audit, n)
		case t.Key.owns(name, exactly):
			key = append(key, n)
		default:
			value = append(value, n)
		}
	}
	return audit, key, value
}

// owns says whether a column is the key's. The columns of a declared key are known. Those of an Avro key are not: its
// schema may be any, so every name with the prefix is the key's, and checkNames keeps values away from them.
func (k KeyOptions) owns(name string, equal func(a, b string) bool) bool {
	prefixed := len(name) >= len(k.Prefix) && equal(name[:len(k.Prefix)], k.Prefix)
	switch k.Format {
	case FormatRaw:
		return equal(name, k.Column)
	case FormatAvro:
		return equal(name, k.Column) || prefixed && k.Prefix != ""
	case FormatJSON:
		return prefixed && slices.ContainsFunc(k.Schema.Fields(), func(f column.Field) bool { return equal(f.Name, name[len(k.Prefix):]) })
	}
	return false
}

func exactly(a, b string) bool { return a == b }

// CheckFillings refuses a list of columns in which two have one name, or one would be filled by somebody else.
func (t TableOptions) CheckFillings(list []Filling) error {
	seen := map[string]bool{}
	for _, part := range list {
		if err := t.checkNames(part.From, part.Fields); err != nil {
			return err
		}
		for _, f := range part.Fields {
			if name := strings.ToLower(f.Name); !seen[name] {
				seen[name] = true
				continue
			}
			return failure.New(failure.Config, CodeColumnTwice, "set key.prefix or key.column, or audit_columns: false",
				"table %s would have two columns %q", t.Name(), f.Name)
		}
	}
	return nil
}

// checkNames refuses fields of values and keys that Split would give to somebody else: they would be lost, or filled
// with what they are not. Case does not count, as it does not to most readers.
func (t TableOptions) checkNames(from string, fields []column.Field) error {
	if from != FromValue && from != FromKey {
		return nil
	}
	for _, f := range fields {
		switch {
		case t.Audit && table.IsAudit(strings.ToLower(f.Name)):
			hint := "set audit_columns: false for this table, or rename the field"
			if from == FromKey {
				hint = "set key.prefix or key.column to something else, or audit_columns: false"
			}
			return t.taken(f, from, "an auditing column", hint)
		case from == FromKey || !t.Key.owns(f.Name, strings.EqualFold):
		case t.Key.Format != FormatJSON && strings.EqualFold(f.Name, t.Key.Column):
			return t.taken(f, from, "the column of the record key", "set key.column to a name that no field of the value has")
		default:
			return t.taken(f, from, "a column of the record key", "set key.prefix to something that no field of the value begins with")
		}
	}
	return nil
}

func (t TableOptions) taken(f column.Field, from, what, hint string) error {
	return failure.New(failure.Halt, CodeColumnTwice, hint, "table %s: field %s of the %s has the name of %s", t.Name(), f.Name, from, what)
}

// stripped renames key columns back to the names the key's schema knows.
func stripped(nodes []*column.Node, prefix string) []*column.Node {
	out := make([]*column.Node, len(nodes))
	for i, n := range nodes {
		c := *n
		c.Field.Name = strings.TrimPrefix(n.Field.Name, prefix)
		out[i] = &c
	}
	return out
}
