package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/ingestd/ingestd/table/column"
)

// entry is one level entry of a leaf with its value in PLAIN form (no length), nil when there is none. Lists of
// entries are the oracle of a column.
type entry struct {
	def, rep byte
	value    []byte
}

var primitives = []column.Kind{
	column.Boolean, column.Int, column.Long, column.Float, column.Double, column.Decimal, column.Date, column.Time,
	column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs, column.String, column.UUID, column.Fixed, column.Binary,
}

// typeOf completes a primitive kind.
func typeOf(kind column.Kind) column.Type {
	t := column.Type{Kind: kind}
	switch kind {
	case column.Decimal:
		t.Precision, t.Scale = 25, 3
	case column.Fixed:
		t.Length = 6
	default:
	}
	return t
}

func field(name string, required bool, t column.Type) column.Field {
	return column.Field{Name: name, Required: required, Type: t}
}

func nested(name string, required bool, kind column.Kind, fields ...column.Field) column.Field {
	return column.Field{Name: name, Required: required, Type: column.Type{Kind: kind, Fields: fields}}
}

// shapes puts a primitive type into every place a leaf can have.
func shapes(t column.Type) []column.Field {
	key := field("key", true, column.Type{Kind: column.String})
	return []column.Field{
		field("required", true, t),
		field("optional", false, t),
		nested("struct", false, column.Struct, field("r", true, t), field("o", false, t)),
		nested("list", false, column.List, field("element", false, t)),
		nested("fulllist", true, column.List, field("element", true, t)),
		nested("map", false, column.Map, key, field("value", false, t)),
		nested("deep", false, column.List, nested("element", false, column.Struct,
			field("x", false, t), nested("inner", false, column.List, field("element", true, t)))),
	}
}

// number gives field ids in depth-first order, from 1.
func number(fields []column.Field, last *int) []column.Field {
	for i := range fields {
		*last++
		fields[i].ID = *last
		number(fields[i].Type.Fields, last)
	}
	return fields
}

func layoutOf(fields ...column.Field) *column.Layout {
	l, err := column.NewLayout(number(fields, new(int)))
	if err != nil {
		panic(err)
	}
	return l
}

// data draws rows of a layout, appends them to a set and remembers the entries of each leaf.
type data struct {
	r       *rand.Rand
	layout  *column.Layout
	entries [][]entry
	nulls   float64 // share of nulls
	pool    int     // number of different values per column, about
	draw    func(leaf *column.Leaf) []byte
}

func newData(l *column.Layout, seed uint64) *data {
	d := &data{r: rand.New(rand.NewPCG(seed, 1)), layout: l, entries: make([][]entry, len(l.Leaves)), nulls: 0.2, pool: 50}
	d.draw = d.value
	return d
}

// row draws one row and appends it to the columns.
func (d *data) row(s *column.Set) {
	for _, n := range d.layout.Nodes {
		d.shred(s, n, 0, 0)
	}
}

// shred writes a random value of n, by Dremel's rules. def is the level of the parent.
func (d *data) shred(s *column.Set, n *column.Node, def, rep byte) {
	if !n.Field.Required {
		if d.r.Float64() < d.nulls {
			d.absent(s, n, def, rep)
			return
		}
		def++
	}
	switch n.Field.Type.Kind {
	case column.Struct:
		for _, c := range n.Children {
			d.shred(s, c, def, rep)
		}
	case column.List, column.Map:
		count := d.r.IntN(4)
		if count == 0 {
			d.absent(s, n, def, rep)
		}
		for i := range count {
			if i > 0 {
				rep = n.Rep
			}
			for _, c := range n.Children {
				d.shred(s, c, def+1, rep)
			}
		}
	default:
		d.put(s, n.Leaf, entry{def, rep, d.draw(&d.layout.Leaves[n.Leaf])})
	}
}

func (d *data) absent(s *column.Set, n *column.Node, def, rep byte) {
	for i := n.Lo; i < n.Hi; i++ {
		d.put(s, i, entry{def: def, rep: rep})
	}
}

func (d *data) put(s *column.Set, leaf int, e entry) {
	d.entries[leaf] = append(d.entries[leaf], e)
	c := s.Columns[leaf]
	switch {
	case c.Leaf.MaxDef == 0:
	case !c.Flat():
		c.AppendLevels(e.def, e.rep)
	case e.value != nil:
		c.SetValid()
	default:
		c.SetNull()
	}
	if e.value != nil {
		appendPlain(c, e.value)
	}
}

func appendPlain(c *column.Column, v []byte) {
	switch c.Leaf.Physical {
	case column.PhysBool:
		c.AppendBool(v[0])
	case column.PhysInt32:
		c.AppendInt32(int32(binary.LittleEndian.Uint32(v)))
	case column.PhysFloat:
		c.AppendFloat(binary.LittleEndian.Uint32(v))
	case column.PhysInt64:
		c.AppendInt64(int64(binary.LittleEndian.Uint64(v)))
	case column.PhysDouble:
		c.AppendDouble(binary.LittleEndian.Uint64(v))
	case column.PhysFixed:
		c.AppendFixed(v)
	default:
		c.AppendBytes(v)
	}
}

// value draws one of about pool values of the leaf's type; with a pool of 0 values hardly ever repeat.
func (d *data) value(leaf *column.Leaf) []byte {
	n := d.r.Uint64()
	if d.pool > 0 {
		n = uint64(d.r.IntN(d.pool)) * 0x9e3779b97f4a7c15
	}
	switch leaf.Physical {
	case column.PhysBool:
		return []byte{byte(n >> 63)}
	case column.PhysInt32:
		return binary.LittleEndian.AppendUint32(nil, uint32(n>>36))
	case column.PhysInt64:
		return binary.LittleEndian.AppendUint64(nil, n>>20)
	case column.PhysFloat:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(special(n, float64(int32(n))/64))))
	case column.PhysDouble:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(special(n, float64(int64(n))/1000)))
	case column.PhysFixed:
		v := make([]byte, leaf.FixedLen)
		for i := range v {
			v[i] = byte(n >> (8 * (i % 8)))
		}
		if leaf.Type.Kind == column.Decimal { // keep within the precision
			copy(v, []byte{byte(int8(v[0]) >> 7), byte(int8(v[0]) >> 7)})
		}
		return v
	case column.PhysBytes:
		if leaf.Type.Kind == column.Binary {
			return binary.BigEndian.AppendUint64(nil, n)[:n%9]
		}
		return fmt.Appendf(nil, "välue %d%s", n, strings.Repeat("-", int(n%70)))
	}
	return nil
}

// special makes some numbers zeros, infinities and NaNs.
func special(n uint64, v float64) float64 {
	switch n >> 58 {
	case 0:
		return 0
	case 1:
		return math.Copysign(0, -1)
	case 2:
		return math.NaN()
	case 3:
		return math.Inf(int(n&2) - 1)
	}
	return v
}
