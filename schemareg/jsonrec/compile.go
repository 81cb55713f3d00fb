package jsonrec

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ingestd/ingestd/table/column"
)

// op is how a value is parsed and where it goes.
type op uint8

const (
	opBool op = iota
	opInt
	opLong
	opFloat
	opDouble
	opString
	opDecimal
	opDateText
	opTimeText
	opTimeNumber
	opTimestampText
	opTimestampTZText
	opTimestampNsText
	opTimestampTZNsText
	opTimestampNumber
	opUUID
	opFixed
	opBinary
	opStruct
	opList
	opMap
)

// presence is what a column is told beside a value.
type presence uint8

const (
	always   presence = iota // nothing
	flat                     // SetValid or SetNull
	levelled                 // AppendLevels
)

// field is one declared field, compiled. Hot parts first.
type field struct {
	column   *column.Column // of a value that is not nested
	seen     uint64         // the last object that had this key
	op       op
	presence presence
	required bool
	def      byte // level of a present value; of a list or map: of an empty one
	absent   byte // level of a null
	rep      byte // lists and maps: level of the second element
	size     int  // fixed: bytes; decimal: scale; numeric time: power of ten
	key      []byte
	next     *field // the field whose key is expected behind this one

	limit   wide    // decimal: 10^precision
	object  *object // struct: its members
	mapKey  *field
	element *field // list element, map value
	leaves  []leaf // columns at and below this field
	deep    bool   // there is a struct at or below this field
	path    string
}

// leaf is a column that gets a null or a level when a field above it is absent.
type leaf struct {
	column *column.Column
	flat   bool
}

// object is a struct, or the record itself.
type object struct {
	fields []*field
	fill   []*field // members of the table's struct that nobody declared: always null
	byKey  map[string]*field
	depth  int    // objects and arrays around its members
	path   string // "" for the record
}

// Options say which part of a row the program fills.
type Options struct {
	// Nodes are the top-level columns this program is responsible for; nil stands for all of the set's layout.
	// Every declared field must be among them, and every one of them gets one row per record.
	Nodes []*column.Node
}

// compiler carries what compiling needs to know.
type compiler struct {
	set *column.Set
}

// Compile plans how records of s fill the columns of set. Columns that nobody declared are null; columns wider than
// declared (long for int, double for float, a decimal of more digits) are filled all the same, and a long column
// takes a declared time as microseconds. Whatever else differs is a failure of class Config.
func Compile(s *Schema, set *column.Set, opts Options) (*Program, error) {
	nodes := opts.Nodes
	if nodes == nil {
		nodes = set.Layout.Nodes
	}
	c := compiler{set}
	p := &Program{repair: s.config.Text == ReplaceInvalid, unknown: s.config.Unknown, keys: newKeyset()}
	if p.unknown == Rest {
		at := slices.IndexFunc(nodes, func(n *column.Node) bool { return n.Field.Name == RestColumn })
		if at < 0 {
			return nil, noRest()
		}
		if err := fitsRest(nodes[at]); err != nil {
			return nil, err
		}
		p.restColumn = set.Columns[nodes[at].Leaf]
		nodes = slices.Delete(slices.Clone(nodes), at, at+1)
	}
	var err error
	p.root, err = c.object(s.root, nodes, "", 1)
	return p, err
}

// fitsRest checks that undeclared fields can stand in the column of that name.
func fitsRest(n *column.Node) error {
	if n.Field.Required || n.Field.Type.Kind != column.String {
		return noRest()
	}
	return nil
}

func noRest() error {
	return schemaFailure("add the column or set unknown_fields: refuse", "the table has no optional string column %s", RestColumn)
}

// object compiles members against the nodes of their struct.
func (c *compiler) object(members []declared, nodes []*column.Node, path string, depth int) (*object, error) {
	o := &object{byKey: make(map[string]*field, len(members)), depth: depth, path: path}
	left := slices.Clone(nodes)
	for i := range members {
		d := &members[i]
		at := slices.IndexFunc(left, func(n *column.Node) bool { return n.Field.Name == d.Name })
		if at < 0 {
			return nil, schemaFailure("set add_columns: true or add it by hand", "the table has no column %s", joinPath(d.path))
		}
		f, err := c.field(d, left[at], depth)
		if err != nil {
			return nil, err
		}
		left = slices.Delete(left, at, at+1)
		f.key = append(quoted(d.from), ':')
		o.fields = append(o.fields, f)
		o.byKey[d.from] = f
	}
	for i, f := range o.fields {
		f.next = o.fields[(i+1)%len(o.fields)]
	}
	for _, n := range left {
		o.fill = append(o.fill, c.shell(n))
	}
	return o, allOptional(left, func(*column.Node) bool { return false })
}

// quoted is s as a JSON string the way encoders commonly write it.
func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return bytes.TrimRight(b.Bytes(), "\n")
}

// shell is the part of a compiled field that null needs.
func (c *compiler) shell(n *column.Node) *field {
	f := &field{required: n.Field.Required, rep: n.Rep, def: n.Def, absent: n.Def - 1}
	if kind := n.Field.Type.Kind; kind == column.List || kind == column.Map {
		f.def, f.absent = n.Def-1, n.Def-2
	}
	for _, col := range c.set.Columns[n.Lo:n.Hi] {
		f.leaves = append(f.leaves, leaf{col, col.Optional()})
	}
	return f
}

// field compiles d against its node. depth is the number of objects and arrays around the value.
func (c *compiler) field(d *declared, n *column.Node, depth int) (*field, error) {
	if err := d.fits(n); err != nil {
		return nil, err
	}
	f := c.shell(n)
	f.path = joinPath(d.path)
	f.required = d.Required || n.Field.Required
	var err error
	switch d.Type.Kind {
	case column.Struct:
		f.op, f.deep = opStruct, true
		f.object, err = c.object(d.members, n.Children, f.path, depth+1)
	case column.List:
		f.op = opList
		f.element, err = c.field(&d.members[0], n.Children[0], depth+1)
	case column.Map:
		f.op = opMap
		if f.mapKey, err = c.field(&d.members[0], n.Children[0], depth+1); err == nil {
			f.element, err = c.field(&d.members[1], n.Children[1], depth+1)
		}
	default:
		c.scalar(f, d, n)
	}
	if err == nil && f.element != nil {
		f.deep = f.element.deep
	}
	return f, err
}

// scalar completes a field that is one column.
func (c *compiler) scalar(f *field, d *declared, n *column.Node) {
	f.column = c.set.Columns[n.Leaf]
	switch {
	case f.column.Optional():
		f.presence = flat
	case !f.column.Flat():
		f.presence = levelled
	}
	t := n.Field.Type
	switch t.Kind {
	case column.Decimal:
		f.size, f.limit = t.Scale, tenTo(t.Precision)
	case column.Fixed:
		f.size = t.Length
	default:
	}
	f.op = opOf(d.Type.Kind, t.Kind)
	if d.unit != ISO && d.unit != Days {
		f.size = d.unit.power()
		if t.Kind == column.TimestampNs || t.Kind == column.TimestampTZNs {
			f.size += nanosDigits
		}
		f.op = opTimestampNumber
		if d.Type.Kind == column.Time {
			f.op = opTimeNumber
		}
	}
	if d.unit == Days {
		f.op = opInt
	}
}

// opOf chooses the parser for a declared kind and the kind of its column.
func opOf(declared, col column.Kind) op {
	if declared == column.Time {
		return opTimeText
	}
	return [...]op{
		column.Boolean: opBool, column.Int: opInt, column.Long: opLong, column.Float: opFloat, column.Double: opDouble,
		column.Decimal: opDecimal, column.Date: opDateText, column.Timestamp: opTimestampText,
		column.TimestampTZ: opTimestampTZText, column.TimestampNs: opTimestampNsText, column.TimestampTZNs: opTimestampTZNsText,
		column.String: opString, column.UUID: opUUID, column.Fixed: opFixed, column.Binary: opBinary, column.Time: opTimeText,
	}[col]
}

// fits checks that values of d can stand in n's column.
func (d *declared) fits(n *column.Node) error {
	have, want := n.Field.Type, d.Type
	ok := have.Kind == want.Kind
	switch want.Kind {
	case column.Int, column.Time:
		ok = ok || have.Kind == column.Long
	case column.Float:
		ok = ok || have.Kind == column.Double
	case column.Decimal:
		ok = ok && have.Scale == want.Scale && have.Precision >= want.Precision
	case column.Fixed:
		ok = ok && have.Length == want.Length
	default:
	}
	if !ok {
		return schemaFailure("declare the type of the table", "column %s is %s in the table, not %s", joinPath(d.path), have, want)
	}
	if n.Field.Required && !d.Required {
		return schemaFailure("declare it as required", "column %s is required in the table", joinPath(d.path))
	}
	return nil
}
