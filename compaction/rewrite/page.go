package rewrite

import (
	"encoding/binary"
	"unsafe"

	"github.com/ingestd/ingestd/table/column"
)

// mode is how the values of a page are held.
type mode uint8

const (
	empty   mode = iota
	indexed      // references into a dictionary
	plain        // values
)

// page is the decoded values of one column: an input page, or the open output page.
type page struct {
	mode     mode
	def, rep []byte // levels, nothing where the column has none
	entries  int
	rows     int
	values   int // entries that are not null
	index    []int32
	i64      []int64 // values of PhysInt64 and PhysDouble (bits)
	i32      []int32 // values of PhysInt32 and PhysFloat (bits)
	buf      []byte  // values of the other types in PLAIN layout, of PhysBool as a bitmap
}

func (p *page) reset() {
	*p = page{def: p.def[:0], rep: p.rep[:0], index: p.index[:0], i64: p.i64[:0], i32: p.i32[:0], buf: p.buf[:0]}
}

// bytes is about the encoded size.
func (p *page) bytes() int {
	return 2*len(p.index) + 8*len(p.i64) + 4*len(p.i32) + len(p.buf) + (len(p.def)+len(p.rep))/4
}

// raw views numbers as the bytes of their PLAIN form; the machine is little-endian.
func raw[T int32 | int64](v []T) []byte { return view[byte](v) }

// view views bytes as numbers, or numbers as bytes.
func view[To, From byte | int32 | int64 | uint32 | uint64](v []From) []To {
	return unsafe.Slice((*To)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(From)))/int(unsafe.Sizeof(*new(To))))
}

// setPlain takes values in PLAIN layout. For byte strings and booleans the page refers to b.
func (p *page) setPlain(leaf *column.Leaf, b []byte) error {
	p.mode = plain
	switch leaf.Physical {
	case column.PhysInt64, column.PhysDouble:
		if len(b) != 8*p.values {
			return errValues
		}
		p.i64 = grow(p.i64[:0], p.values)
		copy(raw(p.i64), b)
	case column.PhysInt32, column.PhysFloat:
		if len(b) != 4*p.values {
			return errValues
		}
		p.i32 = grow(p.i32[:0], p.values)
		copy(raw(p.i32), b)
	case column.PhysBool:
		n := (p.values + 7) / 8
		if len(b) < n {
			return errValues
		}
		p.buf = b[:n]
	case column.PhysFixed:
		if len(b) != leaf.FixedLen*p.values {
			return errValues
		}
		p.buf = b
	default:
		if !wholeBytes(b, p.values) {
			return errValues
		}
		p.buf = b
	}
	return nil
}

// wholeBytes tells whether b is exactly n byte strings behind their lengths.
func wholeBytes(b []byte, n int) bool {
	for ; n > 0 && len(b) >= 4; n-- {
		size := binary.LittleEndian.Uint32(b)
		if uint64(size) > uint64(len(b)-4) {
			return false
		}
		b = b[4+size:]
	}
	return n == 0 && len(b) == 0
}

// grow makes a slice n longer.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		t := make([]T, len(s), len(s)+n+(len(s)+n)/2)
		copy(t, s)
		s = t
	}
	return s[:len(s)+n]
}
