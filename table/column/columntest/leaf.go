package columntest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/ingestd/ingestd/table/column"
)

// leaf walks over the entries of one column.
type leaf struct {
	column     *column.Column
	defs, reps []byte // nil for a required flat leaf
	values     []any
	at, used   int // entries and values taken
}

func newLeaf(c *column.Column) *leaf {
	l := &leaf{column: c, values: values(c)}
	switch {
	case !c.Flat():
		l.defs, l.reps = c.Levels()
	case c.Optional():
		l.defs = make([]byte, c.Rows())
		for i := range l.defs {
			l.defs[i] = c.Validity()[i/8] >> (i % 8) & 1
		}
	}
	return l
}

func (l *leaf) name() string { return l.column.Leaf.Name() }

// more says whether there is another entry.
func (l *leaf) more() bool {
	if l.defs == nil {
		return l.used < len(l.values)
	}
	return l.at < len(l.defs)
}

// def is the definition level of the next entry.
func (l *leaf) def() uint8 {
	if !l.more() {
		panic(fmt.Sprintf("column %s ends early", l.name()))
	}
	if l.defs == nil {
		return 0
	}
	return l.defs[l.at]
}

// rep is the repetition level of the next entry.
func (l *leaf) rep() uint8 {
	if len(l.reps) == 0 {
		return 0
	}
	return l.reps[l.at]
}

// take gives the value of the next entry, nil for none.
func (l *leaf) take() any {
	def := l.def()
	l.at++
	if def < l.column.Leaf.MaxDef {
		return nil
	}
	if l.used == len(l.values) {
		panic(fmt.Sprintf("column %s promises more values than it has", l.name()))
	}
	l.used++
	return l.values[l.used-1]
}

// finish checks that nothing is left.
func (l *leaf) finish() {
	if l.more() || l.used < len(l.values) {
		panic(fmt.Sprintf("column %s has entries or values behind the last row", l.name()))
	}
}

// values lists the values of the open page, those in the dictionary first, as they stand in it.
func values(c *column.Column) []any {
	var out []any
	if index := c.Index(); len(index) > 0 {
		dict := split(&c.Leaf, c.DictPlain(), c.DictLen())
		for _, i := range index {
			out = append(out, dict[i])
		}
	}
	return append(out, split(&c.Leaf, c.Plain(), c.Values()-len(out))...)
}

// split reads n values in PLAIN layout.
func split(l *column.Leaf, b []byte, n int) []any {
	out := make([]any, n)
	for i := range out {
		switch l.Physical {
		case column.PhysBool:
			out[i] = b[i/8]>>(i%8)&1 == 1
		case column.PhysInt32, column.PhysFloat:
			out[i] = typed(l, uint64(int64(int32(binary.LittleEndian.Uint32(b[4*i:])))))
		case column.PhysInt64, column.PhysDouble:
			out[i] = typed(l, binary.LittleEndian.Uint64(b[8*i:]))
		case column.PhysFixed:
			out[i] = bytesOf(l, b[i*l.FixedLen:][:l.FixedLen])
		default:
			size := int(binary.LittleEndian.Uint32(b))
			out[i] = bytesOf(l, b[4:4+size])
			b = b[4+size:]
		}
	}
	return out
}

// typed is the value of a number whose 64 (sign-extended) bits are given.
func typed(l *column.Leaf, bits uint64) any {
	switch {
	case l.Type.Kind == column.Decimal:
		return big.NewInt(int64(bits))
	case l.Physical == column.PhysFloat:
		return math.Float32frombits(uint32(bits))
	case l.Physical == column.PhysDouble:
		return math.Float64frombits(bits)
	case l.Physical == column.PhysInt32:
		return int32(bits)
	}
	return int64(bits)
}

// bytesOf is the value of a byte string.
func bytesOf(l *column.Leaf, b []byte) any {
	switch l.Type.Kind {
	case column.String:
		return string(b)
	case column.Decimal:
		v := new(big.Int).SetBytes(b)
		if b[0] >= 0x80 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		if v.Sign() == 0 {
			return new(big.Int) // the one form of zero that compares equal
		}
		return v
	default:
		return slices.Clone(b)
	}
}
