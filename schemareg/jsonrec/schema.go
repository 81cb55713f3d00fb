package jsonrec

import (
	"slices"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// CodeSchema is the code of every fault in a declaration, or between a declaration and a table.
const CodeSchema = "E_SCHEMA"

// RestColumn is the column that keeps undeclared keys: an optional string holding one JSON object.
//
// Keys and values stand in it as they stood in the record. A key found inside a declared struct is nested under that
// struct's key; list elements are nested under their index and map entries under their key:
// {"a":1,"items":{"0":{"color":"red"}}}.
const RestColumn = "_rest"

// Unit says how a date or time is written in JSON.
type Unit uint8

// The units. A field without a hint has ISO.
const (
	ISO     Unit = iota // text: 2006-01-02, 15:04:05.999999, 2006-01-02T15:04:05.999999Z
	Seconds             // a number of seconds
	Millis              // a number of milliseconds
	Micros              // a number of microseconds
	Nanos               // a number of nanoseconds
	Days                // dates only: days since 1970-01-01
)

// String is the unit's name in the configuration.
func (u Unit) String() string {
	return [...]string{"iso", "seconds", "millis", "micros", "nanos", "days"}[u]
}

// power is the exponent p in "one unit is 10^p microseconds".
func (u Unit) power() int {
	return map[Unit]int{Seconds: 6, Millis: 3, Micros: 0, Nanos: -3}[u]
}

// Hint says what a declared field's type leaves open.
type Hint struct {
	// Path is the field: member names, "element" for list elements, "key" and "value" for map entries.
	Path []string
	// From is the key in the JSON object, where it differs from the column's name.
	From string
	// Unit is how a date or time is written.
	Unit Unit
}

// Unknown says what happens to keys that nobody declared.
type Unknown uint8

// The policies. There is none that loses data.
const (
	Refuse Unknown = iota // the record is poison
	Rest                  // they go to RestColumn
)

// Text says what happens to text that is not valid Unicode.
type Text uint8

// The policies.
const (
	RefuseInvalid  Text = iota // the record is poison
	ReplaceInvalid             // U+FFFD for each invalid byte and each lone surrogate
)

// Config declares the records of a topic.
type Config struct {
	Fields  []column.Field
	Hints   []Hint
	Unknown Unknown
	Text    Text
}

// Schema is a checked declaration. It is immutable and may be shared.
type Schema struct {
	config Config
	root   []declared
}

// declared is a declared field with its hints.
type declared struct {
	column.Field
	from    string
	unit    Unit
	path    []string
	members []declared
}

// NewSchema checks a declaration. All its failures are of class Config.
func NewSchema(c Config) (*Schema, error) {
	s := &Schema{config: c}
	var err error
	if s.root, err = declare(c.Fields, nil); err != nil {
		return nil, err
	}
	for _, h := range c.Hints {
		if err := s.apply(h); err != nil {
			return nil, err
		}
	}
	if c.Unknown == Rest && slices.ContainsFunc(c.Fields, func(f column.Field) bool { return f.Name == RestColumn }) {
		return nil, schemaFailure("rename the column", "column %s is needed for undeclared fields", RestColumn)
	}
	return s, checkKeys(s.root)
}

// Fields are the columns the declaration asks for, RestColumn last if there is one.
func (s *Schema) Fields() []column.Field {
	fields := slices.Clone(s.config.Fields)
	if s.config.Unknown == Rest {
		fields = append(fields, restField())
	}
	return fields
}

func restField() column.Field {
	return column.Field{
		Name: RestColumn,
		Doc:  "fields of the record that the schema does not name, as a JSON object",
		Type: column.Type{Kind: column.String},
	}
}

func schemaFailure(hint, format string, args ...any) error {
	return failure.New(failure.Config, CodeSchema, hint, "declaring the JSON schema: "+format, args...)
}

// declare copies fields into the tree that takes the hints.
func declare(fields []column.Field, path []string) ([]declared, error) {
	if len(fields) == 0 {
		return nil, schemaFailure("", "%s has no fields", place(path))
	}
	out := make([]declared, len(fields))
	for i, f := range fields {
		d := declared{Field: f, from: f.Name, path: append(slices.Clone(path), f.Name)}
		if f.Name == "" {
			return nil, schemaFailure("", "a field of %s has no name", place(path))
		}
		if err := d.declareMembers(); err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// declareMembers fills in what is below d.
func (d *declared) declareMembers() error {
	var names []string
	switch d.Type.Kind {
	case column.Struct:
		var err error
		d.members, err = declare(d.Type.Fields, d.path)
		return err
	case column.List:
		names = []string{"element"}
	case column.Map:
		names = []string{"key", "value"}
	default: // a column of its own
	}
	if len(d.Type.Fields) != len(names) {
		return schemaFailure("", "type %s of field %s is not whole", d.Type, place(d.path))
	}
	if d.Type.Kind == column.Map && d.Type.Fields[0].Type.Kind != column.String {
		return schemaFailure("declare the key as string", "field %s: the keys of a JSON object are strings", place(d.path))
	}
	for i, name := range names {
		member := declared{Field: d.Type.Fields[i], path: append(slices.Clone(d.path), name)}
		if err := member.declareMembers(); err != nil {
			return err
		}
		d.members = append(d.members, member)
	}
	return nil
}

// place names a field for people.
func place(path []string) string {
	if len(path) == 0 {
		return "the record"
	}
	return joinPath(path)
}

// apply sets one hint.
func (s *Schema) apply(h Hint) error {
	level := s.root
	var d *declared
	for i := range h.Path {
		at := slices.IndexFunc(level, func(m declared) bool { return m.path[i] == h.Path[i] })
		if at < 0 {
			return schemaFailure("", "there is no field %s", place(h.Path))
		}
		d = &level[at]
		level = d.members
	}
	if d == nil {
		return schemaFailure("", "a hint names no field")
	}
	if !d.takes(h.Unit) {
		return schemaFailure("", "field %s of type %s cannot have the unit %s", place(h.Path), d.Type, h.Unit)
	}
	d.unit = h.Unit
	if h.From != "" {
		if d.from == "" {
			return schemaFailure("", "%s has no key of its own", place(h.Path))
		}
		d.from = h.From
	}
	return nil
}

// takes says whether u can spell values of d.
func (d *declared) takes(u Unit) bool {
	switch d.Type.Kind {
	case column.Date:
		return u == ISO || u == Days
	case column.Time, column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs:
		return u != Days
	default:
		return u == ISO
	}
}

// checkKeys finds columns and JSON keys that are declared twice.
func checkKeys(fields []declared) error {
	names, keys := map[string]bool{}, map[string]bool{}
	for _, f := range fields {
		if f.from != "" && (names[f.Name] || keys[f.from]) {
			return schemaFailure("", "field %s is declared twice", place(f.path))
		}
		names[f.Name], keys[f.from] = true, true
		if err := checkKeys(f.members); err != nil {
			return err
		}
	}
	return nil
}
