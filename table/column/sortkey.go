package column

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// SortKey is one column of a sort order.
type SortKey struct {
	Leaf       int
	Descending bool
	NullsFirst bool
}

// CheckSortKey says why rows cannot be sorted by a leaf; nil when they can.
func CheckSortKey(l *Layout, k SortKey) error {
	leaf := &l.Leaves[k.Leaf]
	if leaf.MaxRep > 0 || leaf.MaxDef > 1 || len(leaf.Path) > 1 {
		return fmt.Errorf("%s is not a column of its own", leaf.Name())
	}
	return nil
}

// Sorting is the order of the rows in a Set. Each row has a key: its sort columns in a form whose bytes compare like
// the values, so that one comparison decides, and keys of several sets are comparable.
//
//	null:    one byte before an optional value, 0 or 1, as nulls are first or last
//	numbers: big endian, the sign flipped; floats in the total order of their bits: -NaN, -Infinity, numbers, -0 before
//	         0, Infinity, NaN
//	fixed:   as they are, decimals with the sign flipped
//	bytes:   0 as 0 255, and 0 0 behind the end
//
// The bytes of a descending value are inverted.
type Sorting struct {
	// Rows are the rows of the set in order; those with equal keys in the order in which they were appended.
	Rows []int32

	buf  []byte
	ends []int
}

// First and Last are the lowest and the highest key. There is at least one row.
func (s *Sorting) First() []byte { return s.key(s.Rows[0]) }

// Last is the highest key.
func (s *Sorting) Last() []byte { return s.key(s.Rows[len(s.Rows)-1]) }

func (s *Sorting) key(row int32) []byte { return s.buf[s.begin(row):s.ends[row]] }

func (s *Sorting) begin(row int32) int {
	if row == 0 {
		return 0
	}
	return s.ends[row-1]
}

// SortedBytes is about the memory that Sort takes, beside the set.
func (s *Set) SortedBytes(keys []SortKey) int64 {
	var n int64
	for _, k := range keys {
		c := s.Columns[k.Leaf]
		n += int64(len(c.buf)+8*len(c.i64)+4*len(c.i32)) + int64(c.Rows())
	}
	return n + int64(s.Columns[0].Rows())*sortedRowBytes
}

// sortedRowBytes is what a row takes in Sort: the end of its key, an entry to be sorted, its place, and its place in
// the column that is being moved.
const sortedRowBytes = 8 + 16 + 4 + 8

// Sort orders the rows of a set that has no dictionaries; each key column is as CheckSortKey wants it.
func (s *Set) Sort(keys []SortKey) *Sorting {
	rows := s.Columns[keys[0].Leaf].Rows()
	out := &Sorting{Rows: make([]int32, rows)}
	out.appendKeys(s, keys, rows)
	type entry struct {
		prefix uint64
		row    int32
	}
	list := make([]entry, rows)
	for i := range list {
		list[i] = entry{prefix8(out.key(int32(i))), int32(i)}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := bytes.Compare(out.key(a.row), out.key(b.row)); c != 0 {
			return c
		}
		return cmp.Compare(a.row, b.row)
	})
	for i := range list {
		out.Rows[i] = list[i].row
	}
	return out
}

// appendKeys makes the keys of all rows.
func (s *Sorting) appendKeys(set *Set, keys []SortKey, rows int) {
	cursors := make([]cursor, len(keys))
	s.ends = make([]int, rows)
	size := 0
	for _, k := range keys {
		c := set.Columns[k.Leaf]
		size += len(c.buf) + 8*len(c.i64) + 4*len(c.i32) + rows
	}
	s.buf = make([]byte, 0, size)
	for row := range rows {
		for i, k := range keys {
			c := set.Columns[k.Leaf]
			if c.Optional() {
				null := c.valid[row>>3]>>(row&7)&1 == 0
				s.buf = append(s.buf, nullMark(null, k.NullsFirst))
				if null {
					continue
				}
			}
			at := len(s.buf)
			s.buf = c.appendSortKey(s.buf, &cursors[i])
			if k.Descending {
				invert(s.buf[at:])
			}
		}
		s.ends[row] = len(s.buf)
	}
}

func nullMark(null, first bool) byte {
	if null == first {
		return 0
	}
	return 1
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// appendSortKey appends the next value of the column.
func (c *Column) appendSortKey(dst []byte, cur *cursor) []byte {
	k, at := cur.n, cur.at
	cur.n++
	switch c.Leaf.Physical {
	case PhysBool:
		return append(dst, c.bits[k>>3]>>(k&7)&1)
	case PhysInt32:
		return binary.BigEndian.AppendUint32(dst, uint32(c.i32[k])^1<<31)
	case PhysInt64:
		return binary.BigEndian.AppendUint64(dst, uint64(c.i64[k])^1<<63)
	case PhysFloat:
		return binary.BigEndian.AppendUint32(dst, uint32(c.i32[k])^(uint32(c.i32[k]>>31)|1<<31))
	case PhysDouble:
		return binary.BigEndian.AppendUint64(dst, uint64(c.i64[k])^(uint64(c.i64[k]>>63)|1<<63))
	case PhysFixed:
		cur.at += c.Leaf.FixedLen
		dst = append(dst, c.buf[at:cur.at]...)
		if c.Leaf.Type.Kind == Decimal {
			dst[len(dst)-c.Leaf.FixedLen] ^= 0x80
		}
		return dst
	default:
		n := int(binary.LittleEndian.Uint32(c.buf[at:]))
		cur.at += 4 + n
		return appendEscaped(dst, c.buf[at+4:at+4+n])
	}
}

// appendEscaped writes a byte string so that none is the beginning of another.
func appendEscaped(dst, v []byte) []byte {
	for {
		i := bytes.IndexByte(v, 0)
		if i < 0 {
			return append(append(dst, v...), 0, 0)
		}
		dst = append(append(dst, v[:i]...), 0, 0xff)
		v = v[i+1:]
	}
}
