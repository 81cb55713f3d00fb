package avro

import (
	"strings"

	"github.com/ingestd/ingestd/table/column"
)

// Naming says how the names of a schema become column names.
type Naming struct {
	// Prefix stands before the name of every top-level column ("_key_").
	Prefix string
	// Scalar names the one column of a schema that is not a record; "value" if empty.
	Scalar string
}

func (n Naming) scalar() string {
	if n.Scalar == "" {
		return "value"
	}
	return n.Scalar
}

// top is the schema as a record: of one field, if it is something else.
func (s *Schema) top(n Naming) *avroType {
	if s.root.kind == kRecord {
		return s.root
	}
	return &avroType{kind: kRecord, fields: []avroField{{name: n.scalar(), doc: s.root.doc, typ: s.root}}}
}

// IsRecord says whether the schema's top is a record: anything else is one column (Naming.Scalar).
func (s *Schema) IsRecord() bool { return s.root.kind == kRecord }

// Fields proposes the columns of a table for records of this schema, see the package comment.
func (s *Schema) Fields() ([]column.Field, error) { return s.FieldsAs(Naming{}) }

// FieldsAs is Fields with other names.
func (s *Schema) FieldsAs(n Naming) ([]column.Field, error) {
	fields, err := proposeRecord(s.top(n), "")
	if err != nil {
		return nil, err
	}
	for i := range fields {
		fields[i].Name = n.Prefix + fields[i].Name
	}
	if _, err := column.NewLayout(fields); err != nil {
		return nil, unsupported("", "proposing columns for %s: %v", s.root, err)
	}
	return fields, nil
}

// proposed is the column for a type; ok is false when there is nothing to store.
type proposed struct {
	typ      column.Type
	optional bool
	ok       bool
}

func proposeRecord(t *avroType, path string) ([]column.Field, error) {
	var out []column.Field
	seen := map[string]string{}
	for i := range t.fields {
		f := &t.fields[i]
		p, err := propose(f.typ, join(path, f.name))
		if err != nil {
			return nil, err
		}
		if !p.ok {
			continue
		}
		lower := strings.ToLower(f.name)
		if other, twice := seen[lower]; twice {
			return nil, caseCollision(path, other, f.name)
		}
		seen[lower] = f.name
		out = append(out, column.Field{Name: f.name, Doc: f.docs(), Required: !p.optional, Type: p.typ})
	}
	return out, nil
}

func caseCollision(path, a, b string) error {
	return unsupported("rename one of the two fields in the schema",
		"fields %s and %s differ only in case, which most engines do not tell apart", join(path, a), join(path, b))
}

// docs is the documentation of a field, or else that of its named type.
func (f *avroField) docs() string {
	if f.doc != "" {
		return f.doc
	}
	t := f.typ
	if others, _ := t.nullable(); len(others) == 1 {
		t = others[0]
	}
	return t.doc
}

func propose(t *avroType, path string) (proposed, error) {
	switch t.kind {
	case kNull:
		return proposed{}, nil
	case kUnion:
		return proposeUnion(t, path)
	case kRecord:
		fields, err := proposeRecord(t, path)
		return proposed{typ: column.Type{Kind: column.Struct, Fields: fields}, ok: len(fields) > 0}, err
	case kArray:
		p, err := propose(t.items, join(path, "element"))
		element := column.Field{Name: "element", Required: !p.optional, Type: p.typ}
		return proposed{typ: column.Type{Kind: column.List, Fields: []column.Field{element}}, ok: p.ok}, err
	case kMap:
		p, err := propose(t.items, join(path, "value"))
		key := column.Field{Name: "key", Required: true, Type: column.Type{Kind: column.String}}
		value := column.Field{Name: "value", Required: !p.optional, Type: p.typ}
		return proposed{typ: column.Type{Kind: column.Map, Fields: []column.Field{key, value}}, ok: p.ok}, err
	default:
		return proposed{typ: t.column(), ok: true}, nil
	}
}

func proposeUnion(t *avroType, path string) (proposed, error) {
	others, null := t.nullable()
	if len(others) == 0 {
		return proposed{}, nil
	}
	if len(others) == 1 {
		p, err := propose(others[0], path)
		p.optional = p.optional || null >= 0
		return p, err
	}
	names, err := t.memberNames(path)
	if err != nil {
		return proposed{}, err
	}
	var members []column.Field
	for i, b := range t.branches {
		p, err := propose(b, join(path, names[i]))
		if err != nil {
			return proposed{}, err
		}
		if p.ok {
			members = append(members, column.Field{Name: names[i], Doc: b.doc, Type: p.typ})
		}
	}
	typ := column.Type{Kind: column.Struct, Fields: members}
	return proposed{typ: typ, optional: null >= 0, ok: len(members) > 0}, nil
}

// memberNames are branchNames, refused when two of them are one after all.
func (t *avroType) memberNames(path string) ([]string, error) {
	names := t.branchNames()
	seen := map[string]string{}
	for _, n := range names {
		if other, twice := seen[strings.ToLower(n)]; twice && n != "" {
			return nil, caseCollision(path, other, n)
		}
		seen[strings.ToLower(n)] = n
	}
	return names, nil
}

// column is the proposed type of a leaf.
func (t *avroType) column() column.Type {
	switch t.logical {
	case lDecimal:
		if t.asText() {
			return column.Type{Kind: column.String}
		}
		return column.Type{Kind: column.Decimal, Precision: t.precision, Scale: t.scale}
	case lUUID:
		return column.Type{Kind: column.UUID}
	case lDate:
		return column.Type{Kind: column.Date}
	case lTimeMillis, lTimeMicros:
		return column.Type{Kind: column.Time}
	case lTimestampMillis, lTimestampMicros:
		return column.Type{Kind: column.TimestampTZ}
	case lLocalMillis, lLocalMicros:
		return column.Type{Kind: column.Timestamp}
	case lTimestampNanos:
		return column.Type{Kind: column.TimestampTZNs}
	case lLocalNanos:
		return column.Type{Kind: column.TimestampNs}
	case lDuration:
		return column.Type{Kind: column.String}
	default:
		return t.base()
	}
}

func (t *avroType) base() column.Type {
	if t.kind == kFixed {
		return column.Type{Kind: column.Fixed, Length: t.size}
	}
	return column.Type{Kind: baseColumns[t.kind]}
}

var baseColumns = [...]column.Kind{
	kBoolean: column.Boolean, kInt: column.Int, kLong: column.Long, kFloat: column.Float, kDouble: column.Double,
	kBytes: column.Binary, kString: column.String, kEnum: column.String,
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
