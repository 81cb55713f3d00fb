package rowtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ingestd/ingestd/table/column"
)

// Pair is one entry of a map. A map is a list of pairs, as written.
type Pair struct{ Key, Value any }

// Rows assembles all rows that set holds. A struct is a map[string]any, a list []any, a map []Pair, null is nil. Leaves
// are bool, int32, int64, float32, float64 or string; the latter holds the bytes of everything stored as bytes.
func Rows(set *column.Set) ([]map[string]any, error) {
	a := &assembler{set: set}
	for _, c := range set.Columns {
		cur, err := newCursor(c)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Leaf.Name(), err)
		}
		a.cursors = append(a.cursors, cur)
	}
	n := a.cursors[0].rows()
	for i, cur := range a.cursors {
		if cur.rows() != n {
			return nil, fmt.Errorf("column %s has %d rows, the first one %d", set.Columns[i].Leaf.Name(), cur.rows(), n)
		}
	}
	out := make([]map[string]any, 0, n)
	for range n {
		row := map[string]any{}
		for _, node := range set.Layout.Nodes {
			v, err := a.read(node)
			if err != nil {
				return nil, fmt.Errorf("row %d, column %s: %w", len(out), node.Field.Name, err)
			}
			row[node.Field.Name] = v
		}
		out = append(out, row)
	}
	for i, cur := range a.cursors {
		if cur.at != len(cur.def) || cur.next != len(cur.values) {
			return nil, fmt.Errorf("column %s has entries left", set.Columns[i].Leaf.Name())
		}
	}
	return out, nil
}

type assembler struct {
	set     *column.Set
	cursors []*cursor
}

// read takes one value of a node from its leaves.
func (a *assembler) read(n *column.Node) (any, error) {
	first := a.cursors[n.Lo]
	def, err := first.peek()
	if err != nil {
		return nil, err
	}
	switch n.Field.Type.Kind {
	case column.List, column.Map:
		if def < n.Def {
			return a.noItems(n, def)
		}
		return a.items(n)
	case column.Struct:
		if def < n.Def {
			return nil, a.takeNulls(n, def)
		}
		row := map[string]any{}
		for _, child := range n.Children {
			if row[child.Field.Name], err = a.read(child); err != nil {
				return nil, fmt.Errorf("%s: %w", child.Field.Name, err)
			}
		}
		return row, nil
	default:
		return first.take()
	}
}

// noItems is a null or an empty list.
func (a *assembler) noItems(n *column.Node, def byte) (any, error) {
	if err := a.takeNulls(n, def); err != nil {
		return nil, err
	}
	if def < n.Def-1 {
		return nil, nil
	}
	if n.Field.Type.Kind == column.Map {
		return []Pair{}, nil
	}
	return []any{}, nil
}

func (a *assembler) items(n *column.Node) (any, error) {
	var list []any
	var pairs []Pair
	for {
		values := make([]any, len(n.Children))
		for i, child := range n.Children {
			v, err := a.read(child)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", len(list)+len(pairs), err)
			}
			values[i] = v
		}
		if n.Field.Type.Kind == column.Map {
			pairs = append(pairs, Pair{values[0], values[1]})
		} else {
			list = append(list, values[0])
		}
		more := a.cursors[n.Lo].repeats(n.Rep)
		for _, cur := range a.cursors[n.Lo:n.Hi] {
			if cur.repeats(n.Rep) != more {
				return nil, fmt.Errorf("leaves disagree about the number of items")
			}
		}
		if more {
			continue
		}
		if n.Field.Type.Kind == column.Map {
			return pairs, nil
		}
		return list, nil
	}
}

// takeNulls takes one entry without a value from every leaf of n; all of them must be null at the same level.
func (a *assembler) takeNulls(n *column.Node, def byte) error {
	for i, cur := range a.cursors[n.Lo:n.Hi] {
		d, err := cur.peek()
		if err != nil {
			return err
		}
		if d != def {
			return fmt.Errorf("leaf %s is null at level %d, the first one at %d", a.set.Columns[n.Lo+i].Leaf.Name(), d, def)
		}
		if _, err := cur.take(); err != nil {
			return err
		}
	}
	return nil
}

// cursor goes through the entries of one leaf.
type cursor struct {
	max      byte
	def, rep []byte
	values   []any
	at, next int
}

func newCursor(c *column.Column) (*cursor, error) {
	cur := &cursor{max: c.Leaf.MaxDef}
	var err error
	if cur.values, err = plain(c); err != nil {
		return nil, err
	}
	def, rep := c.Levels()
	switch {
	case c.Leaf.MaxDef == 0:
		def = make([]byte, len(cur.values))
	case c.Flat():
		for i := range c.Rows() {
			def = append(def, c.Validity()[i/8]>>(i%8)&1)
		}
	}
	if len(rep) == 0 {
		rep = make([]byte, len(def))
	}
	if len(def) != len(rep) {
		return nil, fmt.Errorf("%d definition and %d repetition levels", len(def), len(rep))
	}
	cur.def, cur.rep = def, rep
	return cur, nil
}

func (c *cursor) rows() int {
	n := 0
	for _, r := range c.rep {
		if r == 0 {
			n++
		}
	}
	return n
}

func (c *cursor) peek() (byte, error) {
	if c.at >= len(c.def) {
		return 0, fmt.Errorf("entries end early")
	}
	return c.def[c.at], nil
}

// repeats says whether the next entry is a further item at a repetition level.
func (c *cursor) repeats(rep uint8) bool { return c.at < len(c.rep) && c.rep[c.at] == rep }

func (c *cursor) take() (any, error) {
	d, err := c.peek()
	if err != nil {
		return nil, err
	}
	c.at++
	if d > c.max {
		return nil, fmt.Errorf("definition level %d is above %d", d, c.max)
	}
	if d < c.max {
		return nil, nil
	}
	if c.next >= len(c.values) {
		return nil, fmt.Errorf("values end early")
	}
	c.next++
	return c.values[c.next-1], nil
}

// plain lists the values of a column as they wait in PLAIN layout.
func plain(c *column.Column) ([]any, error) {
	if len(c.Index()) > 0 {
		return nil, fmt.Errorf("it has been absorbed")
	}
	var out []any
	b, le := c.Plain(), binary.LittleEndian
	for i := range c.Values() {
		switch c.Leaf.Physical {
		case column.PhysBool:
			out = append(out, b[i/8]>>(i%8)&1 == 1)
		case column.PhysInt32:
			out = append(out, c.Int32s()[i])
		case column.PhysInt64:
			out = append(out, c.Int64s()[i])
		case column.PhysFloat:
			out = append(out, math.Float32frombits(le.Uint32(b[4*i:])))
		case column.PhysDouble:
			out = append(out, math.Float64frombits(le.Uint64(b[8*i:])))
		case column.PhysFixed:
			n := c.Leaf.FixedLen
			out = append(out, string(b[i*n:(i+1)*n]))
		case column.PhysBytes:
			n := int(le.Uint32(b))
			out = append(out, string(b[4:4+n]))
			b = b[4+n:]
		}
	}
	return out, nil
}
