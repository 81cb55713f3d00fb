package transform

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/table/column"
)

// field is one field of the spec with the dictionary of its values. Code c stands for the value that was met as
// number c, in the order of rows.
type field struct {
	id   int
	name string
	term Term
	pub  iceberg.Transform
	typ  column.Type
	leaf int

	ints   func([]int64)              // transforms integer values in place; nil = as they are
	narrow func(*field, []byte) int64 // transforms bytes to an integer
	bytes  func(*field, []byte) []byte

	null   uint32 // its code + 1; 0 = not met
	byInt  map[int64]uint32
	byText map[string]uint32
	values []entry
	text   int64 // bytes of long values

	codes   []uint32 // of the rows of the last assign
	vals    []int64  // scratch
	nulls   []bool   // scratch
	scratch [16]byte
}

// entry is one value of the dictionary.
type entry struct {
	form form
	n    int64
	s    string
}

// form says where an entry's value is.
type form uint8

const (
	isNull form = iota
	isInt
	isText
)

// choose picks the typed functions for the field's transform and source type.
func (f *field) choose() {
	n := int64(f.term.Width)
	switch f.term.Kind {
	case Bucket:
		f.ints = func(v []int64) {
			for i, x := range v {
				v[i] = bucketOf(hashLong(x), n)
			}
		}
		f.narrow = func(_ *field, b []byte) int64 { return bucketOf(hashBytes(b), n) }
		if f.typ.Kind == column.Decimal {
			f.ints = func(v []int64) {
				for i, x := range v {
					v[i] = bucketOf(wideOf(x).hash(), n)
				}
			}
			f.narrow = func(_ *field, b []byte) int64 { return bucketOf(wideFrom(b).hash(), n) }
		}
		if nanos(f.typ.Kind) { // the specification hashes microseconds
			f.ints = func(v []int64) {
				for i, x := range v {
					v[i] = bucketOf(hashLong(floorDiv(x, nanosPerMicro)), n)
				}
			}
		}
	case Truncate:
		f.ints = func(v []int64) {
			for i, x := range v {
				v[i] = x - floorMod(x, n)
			}
		}
		f.bytes = truncateBytes(f.typ.Kind, f.term.Width)
	case Identity:
		if f.typ.Kind == column.Decimal {
			f.bytes = func(f *field, b []byte) []byte {
				wideFrom(b).put(&f.scratch)
				return f.scratch[:]
			}
		}
	default:
		f.ints = timeFunc(f.term.Kind, f.typ.Kind)
	}
}

func truncateBytes(kind column.Kind, width int) func(*field, []byte) []byte {
	switch kind {
	case column.String:
		return func(_ *field, b []byte) []byte { return prefix(b, width) }
	case column.Decimal:
		return func(f *field, b []byte) []byte {
			wideFrom(b).truncate(int64(width)).put(&f.scratch)
			return f.scratch[:]
		}
	default:
		return func(_ *field, b []byte) []byte { return b[:min(len(b), width)] }
	}
}

// timeFunc transforms days (of a date), microseconds or nanoseconds to whole units since 1970.
func timeFunc(kind Kind, src column.Kind) func([]int64) {
	unit := int64(microsPerDay)
	if kind == Hour {
		unit = microsPerHour
	}
	switch {
	case src == column.Date:
		unit = 1
	case nanos(src):
		unit *= nanosPerMicro
	}
	var calendar func(int64) int64
	switch kind {
	case Year:
		calendar = yearsSinceEpoch
	case Month:
		calendar = monthsSinceEpoch
	default:
	}
	return func(v []int64) {
		for i, x := range v {
			v[i] = floorDiv(x, unit)
		}
		if calendar == nil {
			return
		}
		for i, x := range v {
			v[i] = calendar(x)
		}
	}
}

// assign computes the codes of all rows of the set.
func (f *field) assign(set *column.Set, rows int) {
	f.codes = grow(f.codes, rows)
	if f.leaf < 0 { // void
		for r := range f.codes {
			f.codes[r] = f.nullCode()
		}
		return
	}
	c := set.Columns[f.leaf]
	f.markNulls(c, rows)
	switch c.Leaf.Physical {
	case column.PhysBytes, column.PhysFixed:
		f.assignBytes(c)
	default:
		f.spread(c, rows)
		f.assignInts()
	}
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (f *field) markNulls(c *column.Column, rows int) {
	f.nulls = grow(f.nulls, rows)
	if !c.Optional() {
		clear(f.nulls)
		return
	}
	valid := c.Validity()
	for r := range f.nulls {
		f.nulls[r] = valid[r>>3]>>(r&7)&1 == 0
	}
}

// spread lays the values of a column of numbers out, one per row, and transforms them; rows of null hold rubbish.
func (f *field) spread(c *column.Column, rows int) {
	f.vals = grow(f.vals, rows)
	k := 0
	plain := c.Plain()
	for r, null := range f.nulls {
		if null {
			f.vals[r] = 0
			continue
		}
		switch c.Leaf.Physical {
		case column.PhysInt64, column.PhysDouble:
			f.vals[r] = int64(binary.LittleEndian.Uint64(plain[8*k:]))
		case column.PhysInt32, column.PhysFloat:
			f.vals[r] = int64(int32(binary.LittleEndian.Uint32(plain[4*k:])))
		default:
			f.vals[r] = int64(plain[k>>3] >> (k & 7) & 1)
		}
		k++
	}
	if f.ints != nil {
		f.ints(f.vals)
	}
}

// assignInts looks the values up. Neighbours are often equal, so the last one is tried first.
func (f *field) assignInts() {
	last, code, have := int64(0), uint32(0), false
	for r, v := range f.vals {
		switch {
		case f.nulls[r]:
			f.codes[r] = f.nullCode()
			continue
		case have && v == last:
		default:
			code = f.intCode(v)
			last, have = v, true
		}
		f.codes[r] = code
	}
}

func (f *field) assignBytes(c *column.Column) {
	plain := c.Plain()
	text := f.typ.Kind == column.String
	var last []byte // the source of code; nil = none
	var code uint32
	for r, null := range f.nulls {
		if null {
			f.codes[r] = f.nullCode()
			continue
		}
		n := c.Leaf.FixedLen
		if c.Leaf.Physical == column.PhysBytes {
			n = int(binary.LittleEndian.Uint32(plain))
			plain = plain[4:]
		}
		b := plain[:n:n]
		plain = plain[n:]
		if last == nil || !bytes.Equal(b, last) {
			last, code = b, f.bytesCode(b, text)
		}
		f.codes[r] = code
	}
}

func (f *field) bytesCode(b []byte, text bool) uint32 {
	if text && !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte(string(utf8.RuneError)))
	}
	if f.narrow != nil {
		return f.intCode(f.narrow(f, b))
	}
	if f.bytes != nil {
		b = f.bytes(f, b)
	}
	code, ok := f.byText[string(b)]
	if !ok {
		code = uint32(len(f.values))
		s := string(b)
		f.byText[s] = code
		f.values = append(f.values, entry{form: isText, s: s})
		f.text += int64(len(s))
	}
	return code
}

func (f *field) intCode(v int64) uint32 {
	code, ok := f.byInt[v]
	if !ok {
		code = uint32(len(f.values))
		f.byInt[v] = code
		f.values = append(f.values, entry{form: isInt, n: v})
	}
	return code
}

func (f *field) nullCode() uint32 {
	if f.null == 0 {
		f.values = append(f.values, entry{form: isNull})
		f.null = uint32(len(f.values))
	}
	return f.null - 1
}

func (f *field) reset() {
	f.null, f.values, f.text = 0, nil, 0
	f.byInt, f.byText = map[int64]uint32{}, map[string]uint32{}
}
