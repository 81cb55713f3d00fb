package table

import (
	"fmt"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

const (
	codeSchema = "E_TABLE_SCHEMA" // a schema that cannot be written
	codeParts  = "E_TABLE_PARTS"  // parts that do not belong together
)

// Fields gives the columns of a loaded schema, with its field ids. Of the types that format version 3 adds, variant,
// geometry, geography and unknown are refused.
func Fields(sc *iceberg.Schema) ([]column.Field, error) {
	fields, err := fromNested(sc.Fields(), nil)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, codeSchema, "variant, geometry, geography and unknown cannot be written: drop the column, or write to another table",
			"reading schema %d", sc.ID)
	}
	return fields, nil
}

func fromNested(in []iceberg.NestedField, path []string) ([]column.Field, error) {
	out := make([]column.Field, len(in))
	for i, f := range in {
		t, err := fromType(f.Type, append(path[:len(path):len(path)], f.Name))
		if err != nil {
			return nil, err
		}
		out[i] = column.Field{ID: f.ID, Name: f.Name, Doc: f.Doc, Required: f.Required, Type: t}
	}
	return out, nil
}

func fromType(t iceberg.Type, path []string) (column.Type, error) {
	switch t := t.(type) {
	case *iceberg.StructType:
		fields, err := fromNested(t.Fields(), path)
		return column.Type{Kind: column.Struct, Fields: fields}, err
	case *iceberg.ListType:
		fields, err := fromNested([]iceberg.NestedField{t.ElementField()}, path)
		return column.Type{Kind: column.List, Fields: fields}, err
	case *iceberg.MapType:
		fields, err := fromNested([]iceberg.NestedField{t.KeyField(), t.ValueField()}, path)
		return column.Type{Kind: column.Map, Fields: fields}, err
	case iceberg.DecimalType:
		return column.Type{Kind: column.Decimal, Precision: t.Precision(), Scale: t.Scale()}, nil
	case iceberg.FixedType:
		return column.Type{Kind: column.Fixed, Length: t.Len()}, nil
	}
	for kind, plain := range plainTypes() {
		if plain != nil && plain.Equals(t) {
			return column.Type{Kind: column.Kind(kind)}, nil
		}
	}
	return column.Type{}, fmt.Errorf("column %s has the type %s", strings.Join(path, "."), t)
}

// plainTypes are the types without parameters, by kind.
func plainTypes() [column.Map + 1]iceberg.Type {
	p := iceberg.PrimitiveTypes
	return [...]iceberg.Type{
		column.Boolean: p.Bool, column.Int: p.Int32, column.Long: p.Int64, column.Float: p.Float32, column.Double: p.Float64,
		column.Date: p.Date, column.Time: p.Time, column.Timestamp: p.Timestamp, column.TimestampTZ: p.TimestampTz,
		column.TimestampNs: p.TimestampNs, column.TimestampTZNs: p.TimestampTzNs,
		column.String: p.String, column.UUID: p.UUID, column.Binary: p.Binary, column.Map: nil,
	}
}

// Schema gives the schema of columns. Field ids are kept; columns without one get the next ids above all others,
// top-level columns before nested ones. A catalog gives its own ids when it creates a table: files are written with
// those of the schema it answers with.
func Schema(id int, fields []column.Field) (*iceberg.Schema, error) {
	if _, err := column.NewLayout(fields); err != nil {
		return nil, failure.Wrap(err, failure.Config, codeSchema, "", "building a schema")
	}
	n := numbering{seen: map[int]bool{}}
	if err := n.collect(fields); err != nil {
		return nil, failure.Wrap(err, failure.Fatal, codeSchema, "", "building a schema")
	}
	return iceberg.NewSchema(id, toNested(n.fill(fields))...), nil
}

// numbering gives ids to fields that have none.
type numbering struct {
	seen map[int]bool
	last int
}

func (n *numbering) collect(fields []column.Field) error {
	for i := range fields {
		if id := fields[i].ID; id != 0 {
			if n.seen[id] {
				return fmt.Errorf("field id %d stands at two columns", id)
			}
			n.seen[id] = true
			n.last = max(n.last, id)
		}
		if err := n.collect(fields[i].Type.Fields); err != nil {
			return err
		}
	}
	return nil
}

// fill numbers a level before it goes down, as catalogs do.
func (n *numbering) fill(fields []column.Field) []column.Field {
	out := append([]column.Field(nil), fields...)
	for i := range out {
		if out[i].ID == 0 {
			n.last++
			out[i].ID = n.last
		}
	}
	for i := range out {
		out[i].Type.Fields = n.fill(out[i].Type.Fields)
	}
	return out
}

func toNested(fields []column.Field) []iceberg.NestedField {
	out := make([]iceberg.NestedField, len(fields))
	for i := range fields {
		f := &fields[i]
		out[i] = iceberg.NestedField{ID: f.ID, Name: f.Name, Doc: f.Doc, Required: f.Required, Type: Type(f.Type)}
	}
	return out
}

// Type gives the Iceberg type of a column type, with the ids of its nested fields.
func Type(t column.Type) iceberg.Type {
	switch t.Kind {
	case column.Struct:
		return &iceberg.StructType{FieldList: toNested(t.Fields)}
	case column.List:
		e := &t.Fields[0]
		return &iceberg.ListType{ElementID: e.ID, Element: Type(e.Type), ElementRequired: e.Required}
	case column.Map:
		k, v := &t.Fields[0], &t.Fields[1]
		return &iceberg.MapType{KeyID: k.ID, KeyType: Type(k.Type), ValueID: v.ID, ValueType: Type(v.Type), ValueRequired: v.Required}
	case column.Decimal:
		return iceberg.DecimalTypeOf(t.Precision, t.Scale)
	case column.Fixed:
		return iceberg.FixedTypeOf(t.Length)
	default:
		return plainTypes()[t.Kind]
	}
}
