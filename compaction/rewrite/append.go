package rewrite

import (
	"bytes"
	"encoding/binary"

	"github.com/ingestd/ingestd/table/column"
)

// appendSpans copies entries of src to dst, which has the same mode or no values. remap translates references.
func (dst *page) appendSpans(leaf *column.Leaf, src *page, spans []span, remap []int32) error {
	if src.values > 0 {
		dst.mode = src.mode
	}
	values := walker{src: src}
	for _, s := range spans {
		lo, hi := s.lo, s.hi
		if leaf.MaxDef > 0 {
			dst.def = append(dst.def, src.def[lo:hi]...)
			lo = values.passed + bytes.Count(src.def[values.entry:s.lo], []byte{leaf.MaxDef})
			hi = lo + bytes.Count(src.def[s.lo:s.hi], []byte{leaf.MaxDef})
			values.entry = s.hi
		}
		rows := s.hi - s.lo
		if leaf.MaxRep > 0 {
			dst.rep = append(dst.rep, src.rep[s.lo:s.hi]...)
			rows = bytes.Count(src.rep[s.lo:s.hi], []byte{0})
		}
		if err := dst.appendValues(leaf, &values, lo, hi, remap); err != nil {
			return err
		}
		values.passed = hi
		dst.values += hi - lo
		dst.entries += s.hi - s.lo
		dst.rows += rows
	}
	return nil
}

// walker goes through the values of a page in order.
type walker struct {
	src    *page
	passed int // values
	entry  int
	at     int // in buf, for byte strings
}

// skip goes n byte strings on and gives where that is.
func (w *walker) skip(n int) int {
	for ; n > 0; n-- { // setPlain has checked the lengths
		w.at += 4 + int(binary.LittleEndian.Uint32(w.src.buf[w.at:]))
	}
	return w.at
}

// appendValues copies the values [lo,hi).
func (dst *page) appendValues(leaf *column.Leaf, w *walker, lo, hi int, remap []int32) error {
	src := w.src
	switch {
	case src.mode == indexed:
		n := len(dst.index)
		dst.index = grow(dst.index, hi-lo)
		out := dst.index[n:]
		for i, x := range src.index[lo:hi] {
			if uint(x) >= uint(len(remap)) {
				return errIndex
			}
			out[i] = remap[x]
		}
	case leaf.Physical == column.PhysInt64 || leaf.Physical == column.PhysDouble:
		dst.i64 = append(dst.i64, src.i64[lo:hi]...)
	case leaf.Physical == column.PhysInt32 || leaf.Physical == column.PhysFloat:
		dst.i32 = append(dst.i32, src.i32[lo:hi]...)
	case leaf.Physical == column.PhysBool:
		dst.buf = appendBits(dst.buf, dst.values, src.buf, span{lo, hi})
	case leaf.Physical == column.PhysFixed:
		dst.buf = append(dst.buf, src.buf[lo*leaf.FixedLen:hi*leaf.FixedLen]...)
	case hi-lo == src.values:
		dst.buf = append(dst.buf, src.buf...)
	default:
		from := w.skip(lo - w.passed)
		dst.buf = append(dst.buf, src.buf[from:w.skip(hi-lo)]...)
	}
	return nil
}

// appendNulls appends rows of null.
func (dst *page) appendNulls(leaf *column.Leaf, n int) {
	at := len(dst.def)
	dst.def = grow(dst.def, n)
	clear(dst.def[at:])
	if leaf.MaxRep > 0 {
		dst.rep = grow(dst.rep, n)
		clear(dst.rep[at:])
	}
	dst.entries += n
	dst.rows += n
}

// appendBits appends a range of bits of src to dst, which holds n bits.
func appendBits(dst []byte, n int, src []byte, s span) []byte {
	old := len(dst)
	dst = grow(dst, (n+s.hi-s.lo+7)/8-old)
	clear(dst[old:])
	for lo := s.lo; lo < s.hi; {
		if lo&7 == 0 && n&7 == 0 && s.hi-lo >= 8 {
			k := (s.hi - lo) / 8
			copy(dst[n/8:], src[lo/8:lo/8+k])
			lo, n = lo+8*k, n+8*k
			continue
		}
		dst[n>>3] |= src[lo>>3] >> (lo & 7) & 1 << (n & 7)
		lo, n = lo+1, n+1
	}
	return dst
}
