package rewrite

import (
	"encoding/binary"
	"math/bits"

	"github.com/ingestd/ingestd/table/column"
)

// scratch is room for the statistics of a page.
type scratch struct {
	i64      []int64
	i32      []int32
	used     []uint64
	extremes column.Extremes
}

// stats describes the open page. The result refers to page and dictionary.
func (s *scratch) stats(leaf *column.Leaf, p *page, d *dict) column.Stats {
	var out column.Stats
	switch {
	case p.values == 0:
	case p.mode == indexed:
		out = s.referred(leaf, p, d)
	case leaf.Physical == column.PhysInt64:
		out = column.StatsOfInt64s(p.i64)
	case leaf.Physical == column.PhysDouble:
		out = column.StatsOfDoubles(p.i64)
	case leaf.Physical == column.PhysInt32:
		out = column.StatsOfInt32s(p.i32)
	case leaf.Physical == column.PhysFloat:
		out = column.StatsOfFloats(p.i32)
	case leaf.Physical == column.PhysBool:
		out = column.StatsOfBools(p.buf, p.values)
	default:
		s.extremes.Start(leaf)
		s.extremes.AddPlain(leaf, p.buf)
		out = s.extremes.Stats()
	}
	out.Nulls = int64(p.entries - p.values)
	return out
}

// referred looks at the values behind references.
func (s *scratch) referred(leaf *column.Leaf, p *page, d *dict) column.Stats {
	switch leaf.Physical {
	case column.PhysInt64, column.PhysDouble:
		s.i64 = grow(s.i64[:0], len(p.index))
		for i, x := range p.index {
			s.i64[i] = int64(binary.LittleEndian.Uint64(d.buf[8*int(x):]))
		}
		if leaf.Physical == column.PhysDouble {
			return column.StatsOfDoubles(s.i64)
		}
		return column.StatsOfInt64s(s.i64)
	case column.PhysInt32, column.PhysFloat:
		s.i32 = grow(s.i32[:0], len(p.index))
		for i, x := range p.index {
			s.i32[i] = int32(binary.LittleEndian.Uint32(d.buf[4*int(x):]))
		}
		if leaf.Physical == column.PhysFloat {
			return column.StatsOfFloats(s.i32)
		}
		return column.StatsOfInt32s(s.i32)
	default:
		return s.referredBytes(leaf, p, d)
	}
}

// referredBytes looks at each byte string that the page refers to once.
func (s *scratch) referredBytes(leaf *column.Leaf, p *page, d *dict) column.Stats {
	s.used = grow(s.used[:0], (d.n+63)/64)
	clear(s.used)
	for _, x := range p.index {
		s.used[uint32(x)>>6] |= 1 << (uint32(x) & 63)
	}
	s.extremes.Start(leaf)
	for i, w := range s.used {
		for ; w != 0; w &= w - 1 {
			s.extremes.Add(d.value(int32(i<<6 + bits.TrailingZeros64(w))))
		}
	}
	return s.extremes.Stats()
}
