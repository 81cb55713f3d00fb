package avro

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// powers of ten that fit 64 bits.
var pow10 = [19]int64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// unscaled finds the bytes of a decimal: as many as the fixed type has (jump), or as its length says.
func unscaled(b []byte, p int, o *op) (n, at int) {
	if o.jump == 0 {
		return length(b, p)
	}
	if n = int(o.jump); n > len(b)-p {
		return 0, faultShort
	}
	return n, p
}

// decimal64 reads a decimal of up to 18 digits; n is the column's precision.
func decimal64(b []byte, p int, o *op) (int64, int) {
	n, p := unscaled(b, p, o)
	if p < 0 {
		return 0, p
	}
	end := p + n
	for n > 8 { // more bytes than needed: all must repeat the sign
		if b[p] != 0 && b[p] != 0xff || (b[p]^b[p+1])&0x80 != 0 {
			return 0, faultDecimal
		}
		p, n = p+1, n-1
	}
	var v int64
	switch {
	case n == 0:
	case len(b)-p >= 8:
		v = int64(binary.BigEndian.Uint64(b[p:])) >> (64 - 8*uint(n))
	default:
		v = int64(int8(b[p]))
		for _, c := range b[p+1 : end] {
			v = v<<8 | int64(c)
		}
	}
	if limit := pow10[o.n]; v >= limit || v <= -limit {
		return 0, faultDecimal
	}
	return v, end
}

// int128 is a signed number of 128 bits.
type int128 struct{ hi, lo uint64 }

// parse128 reads big-endian two's complement; false if it does not fit.
func parse128(v []byte) (int128, bool) {
	for len(v) > 16 {
		if v[0] != 0 && v[0] != 0xff || (v[0]^v[1])&0x80 != 0 {
			return int128{}, false
		}
		v = v[1:]
	}
	var x int128
	if len(v) > 0 && v[0] >= 0x80 {
		x = int128{^uint64(0), ^uint64(0)}
	}
	for _, c := range v {
		x.hi = x.hi<<8 | x.lo>>56
		x.lo = x.lo<<8 | uint64(c)
	}
	return x, true
}

// abs gives the sign and the magnitude.
func (x int128) abs() (negative bool, m int128) {
	if x.hi>>63 == 0 {
		return false, x
	}
	lo, borrow := bits.Sub64(0, x.lo, 0)
	hi, _ := bits.Sub64(0, x.hi, borrow)
	return true, int128{hi, lo}
}

// below tells whether the magnitude m is less than 10^digits, digits in 19..38.
func (x int128) below(digits int) bool {
	hi, lo := bits.Mul64(1e19, uint64(pow10[(digits-19)/2])*uint64(pow10[(digits-18)/2]))
	return x.hi < hi || x.hi == hi && x.lo < lo
}

// decimalWide appends a decimal of 19 to 38 digits in the column's fixed length.
func (pr *Program) decimalWide(o *op, b []byte, p int) int {
	n, p := unscaled(b, p, o)
	if p < 0 {
		return p
	}
	x, ok := parse128(b[p : p+n])
	if !ok {
		return faultDecimal
	}
	if _, m := x.abs(); !m.below(int(o.n)) {
		return faultDecimal
	}
	s := binary.BigEndian.AppendUint64(pr.scratch[:0], x.hi)
	s = binary.BigEndian.AppendUint64(s, x.lo)
	pr.scratch = s
	o.col.AppendFixed(s[16-o.col.Leaf.FixedLen:])
	return p + n
}

// maxTextBytes bounds a decimal that is written out; that is more digits than any database has.
const maxTextBytes = 64 << 10

// decimalText appends a decimal as plain digits with a point, never with an exponent.
func (pr *Program) decimalText(o *op, b []byte, p int) int {
	n, p := unscaled(b, p, o)
	if p < 0 {
		return p
	}
	if n > maxTextBytes {
		return faultDecimal
	}
	v := b[p : p+n]
	if x, ok := parse128(v); ok {
		pr.scratch = appendInt128(pr.scratch[:0], x)
	} else {
		pr.scratch = pr.appendLarge(pr.scratch[:0], v)
	}
	pr.scratch = placePoint(pr.scratch, int(o.n))
	o.col.AppendBytes(pr.scratch)
	return p + n
}

// appendInt128 writes the digits.
func appendInt128(dst []byte, x int128) []byte {
	negative, m := x.abs()
	if negative {
		dst = append(dst, '-')
	}
	if m.hi == 0 {
		return strconv.AppendUint(dst, m.lo, 10)
	}
	// 2^128 < 10^39: split off twice 19 digits.
	const group = 1e19
	top, rest := m.hi/group, m.hi%group
	mid, low := bits.Div64(rest, m.lo, group)
	if top == 0 {
		return appendPadded(strconv.AppendUint(dst, mid, 10), low)
	}
	first, second := bits.Div64(top, mid, group)
	return appendPadded(appendPadded(strconv.AppendUint(dst, first, 10), second), low)
}

// appendPadded writes 19 digits.
func appendPadded(dst []byte, v uint64) []byte {
	at := len(dst)
	dst = append(dst, "0000000000000000000"...)
	for i := len(dst) - 1; i >= at; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// appendLarge writes a number of more than 128 bits; it allocates.
func (pr *Program) appendLarge(dst, v []byte) []byte {
	x := pr.large.SetBytes(v)
	if v[0] >= 0x80 {
		inverted := make([]byte, len(v))
		for i, c := range v {
			inverted[i] = ^c
		}
		x.SetBytes(inverted)
		x.Not(x)
	}
	return x.Append(dst, 10)
}

// placePoint moves the point scale digits to the left, filling up with zeros where there are no digits.
func placePoint(s []byte, scale int) []byte {
	if scale < 0 {
		if len(s) == 1 && s[0] == '0' {
			return s
		}
		for range -scale {
			s = append(s, '0')
		}
		return s
	}
	if scale == 0 {
		return s
	}
	start := 0
	if s[0] == '-' {
		start = 1
	}
	if missing := scale + 1 - (len(s) - start); missing > 0 {
		for range missing {
			s = append(s, '0')
		}
		copy(s[start+missing:], s[start:])
		for i := range missing {
			s[start+i] = '0'
		}
	}
	at := len(s) - scale
	s = append(s, 0)
	copy(s[at+1:], s[at:])
	s[at] = '.'
	return s
}
