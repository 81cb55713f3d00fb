package parquet

import (
	"bytes"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/ingestd/ingestd/table/column"
)

// boundBytes is the most that footer and page index keep of a byte string.
const boundBytes = 64

// bounds is the minimum and maximum of a page or chunk. Byte strings are kept as the first 64 bytes and a flag, which
// is enough for every truncation that follows: the prefix of a minimum is the minimum of the prefixes.
type bounds struct {
	has                bool
	minInt, maxInt     int64
	minFloat, maxFloat float64
	min, max           prefix
}

// prefix is the beginning of a byte string.
type prefix struct {
	b    []byte
	long bool // the string goes on
}

func newPrefix(v []byte) prefix {
	if len(v) > boundBytes {
		return prefix{b: v[:boundBytes], long: true}
	}
	return prefix{b: v}
}

// boundsOf aliases the statistics.
func boundsOf(s *column.Stats) bounds {
	return bounds{
		has: s.Has, minInt: s.MinInt, maxInt: s.MaxInt, minFloat: s.MinFloat, maxFloat: s.MaxFloat,
		min: newPrefix(s.Min), max: newPrefix(s.Max),
	}
}

// merge widens b by o, which it copies from.
func (b *bounds) merge(o *bounds, leaf *column.Leaf) {
	if !o.has {
		return
	}
	first := !b.has
	b.has = true
	if first || o.minInt < b.minInt {
		b.minInt = o.minInt
	}
	if first || o.maxInt > b.maxInt {
		b.maxInt = o.maxInt
	}
	// -0 and +0 need no care: PageStats has made every zero minimum -0 and every zero maximum +0.
	if first || o.minFloat < b.minFloat {
		b.minFloat = o.minFloat
	}
	if first || o.maxFloat > b.maxFloat {
		b.maxFloat = o.maxFloat
	}
	signed := leaf.Type.Kind == column.Decimal
	if first || compareBytes(o.min.b, b.min.b, signed) < 0 {
		b.min = prefix{b: append(b.min.b[:0], o.min.b...), long: o.min.long}
	}
	if c := compareBytes(o.max.b, b.max.b, signed); first || c > 0 || c == 0 && o.max.long {
		b.max = prefix{b: append(b.max.b[:0], o.max.b...), long: o.max.long}
	}
}

// compareBytes orders byte strings by unsigned bytes, big-endian decimals by value.
func compareBytes(a, b []byte, signed bool) int {
	if signed && len(a) > 0 && len(b) > 0 && (a[0]^b[0])&0x80 != 0 {
		return int(b[0]>>7) - int(a[0]>>7)
	}
	return bytes.Compare(a, b)
}

// plain renders the bounds as Parquet statistics do: in PLAIN layout without a length, at most 64 bytes. Where a bound
// cannot be had in that room, ok is false for it.
func (b *bounds) plain(leaf *column.Leaf) (lo, hi []byte, loOK, hiOK bool) {
	if !b.has {
		return nil, nil, false, false
	}
	switch leaf.Physical {
	case column.PhysBytes:
		text := leaf.Type.Kind == column.String
		lo = truncateLower(b.min, boundBytes, text)
		hi, hiOK = truncateUpper(b.max, boundBytes, text)
		return lo, hi, true, hiOK
	case column.PhysFixed:
		// A shortened value would not be one of the type.
		fits := leaf.FixedLen <= boundBytes
		return b.min.b, b.max.b, fits, fits
	case column.PhysBool:
		return []byte{byte(b.minInt)}, []byte{byte(b.maxInt)}, true, true
	case column.PhysInt32:
		return le32(uint32(b.minInt)), le32(uint32(b.maxInt)), true, true
	case column.PhysInt64:
		return le64(uint64(b.minInt)), le64(uint64(b.maxInt)), true, true
	case column.PhysFloat:
		return le32(math.Float32bits(float32(b.minFloat))), le32(math.Float32bits(float32(b.maxFloat))), true, true
	default:
		return le64(math.Float64bits(b.minFloat)), le64(math.Float64bits(b.maxFloat)), true, true
	}
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// truncateLower cuts a minimum to at most n bytes; text is cut at a character. What is shorter is never greater.
func truncateLower(p prefix, n int, text bool) []byte {
	if !p.long && len(p.b) <= n {
		return p.b
	}
	if text {
		n = wholeRunes(p.b, n)
	}
	return p.b[:min(n, len(p.b))]
}

// truncateUpper cuts a maximum to at most n bytes and raises what is left above everything that begins with it. That
// is not possible when there is nothing greater of that length.
func truncateUpper(p prefix, n int, text bool) ([]byte, bool) {
	if !p.long && len(p.b) <= n {
		return p.b, true
	}
	if text {
		return raiseText(p.b[:wholeRunes(p.b, n)])
	}
	return raiseBytes(p.b[:min(n, len(p.b))])
}

// wholeRunes is the longest length of at most n bytes that does not split a character. The bytes may be cut anywhere.
func wholeRunes(b []byte, n int) int {
	n = min(n, len(b))
	for i := n; i > 0 && i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i-1]) {
			if r, size := utf8.DecodeRune(b[i-1 : n]); r == utf8.RuneError && size <= 1 {
				return i - 1
			}
			return n
		}
	}
	return n
}

func raiseBytes(b []byte) ([]byte, bool) {
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0xff {
			up := bytes.Clone(b[:i+1])
			up[i]++
			return up, true
		}
	}
	return nil, false
}

// raiseText increments the last character that has a successor and drops what follows it.
func raiseText(b []byte) ([]byte, bool) {
	for len(b) > 0 {
		r, size := utf8.DecodeLastRune(b)
		b = b[:len(b)-size]
		next := r + 1
		if next == 0xd800 {
			next = 0xe000 // the surrogates are no characters
		}
		if next <= utf8.MaxRune {
			return utf8.AppendRune(bytes.Clone(b), next), true
		}
	}
	return nil, false
}
