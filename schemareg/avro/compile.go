package avro

import (
	"math"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// CompileOptions say which part of a table a program is for.
type CompileOptions struct {
	// Nodes are the top-level columns that the program fills, each with one row per record; nil means all of them.
	// The others belong to somebody else.
	Nodes []*column.Node
	// Naming is as in Schema.FieldsAs.
	Naming Naming
}

// Compile makes the program that decodes records of s into set. Columns which the schema lacks are filled with null,
// fields which the table lacks are skipped. What cannot be right for every record is an error here, not later.
func Compile(s *Schema, set *column.Set, opts CompileOptions) (*Program, error) {
	c := newCompiler(set.Layout, opts)
	c.columns = set.Columns
	pr := &Program{scratch: make([]byte, 0, 128)}
	if err := c.compile(&pr.root, s); err != nil {
		return nil, err
	}
	if len(c.changes.Illegal) > 0 {
		return nil, failure.New(failure.Halt, CodeMismatch,
			"see what the schema and the table disagree on with: ingestd explain",
			"compiling Avro schema %s for the table: %s", s.root, c.changes.Illegal[0])
	}
	return pr, nil
}

// compiler walks a writer schema and the columns side by side. It writes ops and notes what is different; Diff is the
// same walk without columns, so that the two never disagree.
type compiler struct {
	layout  *column.Layout
	nodes   []*column.Node
	columns []*column.Column // nil: only compare
	naming  Naming
	changes Changes
	added   map[string]string // lower-case path of each of changes.Add -> its name
	err     error             // the schema cannot be compiled at all
}

func newCompiler(l *column.Layout, opts CompileOptions) *compiler {
	nodes := opts.Nodes
	if nodes == nil {
		nodes = l.Nodes
	}
	return &compiler{layout: l, nodes: nodes, naming: opts.Naming, added: map[string]string{}}
}

func (c *compiler) compile(root *block, s *Schema) error {
	b := &builder{block: root}
	c.record(b, s.top(c.naming), c.nodes, place{prefix: c.naming.Prefix, top: true})
	return c.err
}

// place is where the walk is.
type place struct {
	path   string   // of the field in the schema, for messages
	column []string // of the column, in Iceberg's spelling
	prefix string   // before the names of fields
	top    bool
}

func (at place) below(field, column string) place {
	names := append(at.column[:len(at.column):len(at.column)], column)
	return place{path: join(at.path, field), column: names}
}

// builder appends ops to a block. Ops before barrier must not be changed any more: something jumps behind them.
type builder struct {
	*block
	barrier int
}

func (b *builder) add(o op, at place) int {
	b.ops = append(b.ops, o)
	b.paths = append(b.paths, at.path)
	return len(b.ops) - 1
}

// land makes the op at index i jump to whatever comes next.
func (c *compiler) land(b *builder, i int) {
	if len(b.ops) > math.MaxUint16 && c.err == nil {
		c.err = unsupported("", "compiling Avro schema: it has too many fields")
	}
	b.ops[i].jump = uint16(len(b.ops))
	b.barrier = len(b.ops)
}

// record compiles the fields of t against the columns nodes. t has no bytes of its own.
func (c *compiler) record(b *builder, t *avroType, nodes []*column.Node, at place) {
	byName := make(map[string]*column.Node, len(nodes))
	for _, n := range nodes {
		byName[n.Field.Name] = n
	}
	siblings := nodes
	if at.top {
		siblings = c.layout.Nodes // also those that somebody else fills
	}
	byLower := c.byLower(siblings)
	for i := range t.fields {
		f := &t.fields[i]
		name := at.prefix + f.name
		below := at.below(f.name, name)
		n := byName[name]
		if n == nil {
			c.lacks(f, name, byLower, at)
			c.skip(b, f.typ, below)
			continue
		}
		delete(byName, name)
		c.value(b, f.typ, n, below)
	}
	for _, n := range nodes {
		if byName[n.Field.Name] == n {
			c.absent(b, n, at)
		}
	}
}

// absent compiles a column that no field fills.
func (c *compiler) absent(b *builder, n *column.Node, at place) {
	if n.Field.Required {
		at = at.below(n.Field.Name, n.Field.Name)
		c.mismatch(at, n, "nothing", "the column is required and the schema has no such field")
		return
	}
	c.fill(b, n, at)
}

// value compiles a value of type t that goes to n.
func (c *compiler) value(b *builder, t *avroType, n *column.Node, at place) {
	switch {
	case t.kind == kUnion:
		c.union(b, t, n, at)
	case t.kind == kNull:
		if n.Field.Required {
			c.mismatch(at, n, "null", "the column is required")
			return
		}
		c.fill(b, n, at)
	case memberOf(t, n) != nil:
		c.member(b, &avroType{kind: kUnion, branches: []*avroType{t}}, n, 0, at)
	case t.kind == kRecord && n.Field.Type.Kind == column.Struct:
		c.record(b, t, n.Children, at)
	case t.kind == kArray && n.Field.Type.Kind == column.List:
		c.list(b, t, n, at)
	case t.kind == kMap && n.Field.Type.Kind == column.Map:
		c.list(b, t, n, at)
	case n.Leaf >= 0:
		c.leaf(b, t, n, at)
	default:
		c.mismatch(at, n, t.String(), "the types are different")
	}
}

// list compiles an array or a map: a block per item.
func (c *compiler) list(b *builder, t *avroType, n *column.Node, at place) {
	o := op{code: opArray, n: int32(n.Rep), x: &extra{subs: make([]block, 1)}}
	sub := &builder{block: &o.x.subs[0]}
	element := n.Children[len(n.Children)-1]
	if t.kind == kMap {
		key := &avroType{kind: kString}
		c.value(sub, key, n.Children[0], at.below("key", "key"))
		c.value(sub, t.items, element, at.below("value", "value"))
	} else {
		c.value(sub, t.items, element, at.below("element", "element"))
	}
	if c.columns == nil {
		return
	}
	if t.kind == kArray && isStrings(sub.block) {
		b.add(op{code: opStrings, def: n.Def - 1, n: int32(n.Rep), col: c.columns[n.Lo]}, at)
		return
	}
	o.x.nulls = c.nulls(n, n.Def-1)
	o.x.cost = max(1, n.Hi-n.Lo)
	b.add(o, at)
}

// isStrings recognizes the block of a list whose items are strings or bytes that cannot be null.
func isStrings(b *block) bool {
	return len(b.ops) == 2 && b.ops[0].code == opBytes && b.ops[1].code == opLevels
}

// fill compiles a null. Neighbours of one level become one op.
func (c *compiler) fill(b *builder, n *column.Node, at place) {
	if c.columns == nil {
		return
	}
	more := c.nulls(n, nullLevel(n))
	if last := len(b.ops) - 1; last >= b.barrier && b.ops[last].code == opFill {
		have := &b.ops[last].x.nulls
		if have.def == more.def || len(more.nested) == 0 {
			have.flat = append(have.flat, more.flat...)
			have.nested = append(have.nested, more.nested...)
			return
		}
	}
	b.add(op{code: opFill, x: &extra{nulls: more}}, at)
}

// nullLevel is the definition level of a null of an optional node.
func nullLevel(n *column.Node) uint8 {
	if k := n.Field.Type.Kind; k == column.List || k == column.Map {
		return n.Def - 2
	}
	return n.Def - 1
}

func (c *compiler) nulls(n *column.Node, def uint8) nulls {
	out := nulls{def: def}
	for _, col := range c.columns[n.Lo:n.Hi] {
		if col.Flat() {
			out.flat = append(out.flat, col)
		} else {
			out.nested = append(out.nested, col)
		}
	}
	return out
}
