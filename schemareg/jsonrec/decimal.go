package jsonrec

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// wide is a 128-bit magnitude with a sign.
type wide struct {
	hi, lo uint64
	neg    bool
}

// times gives w * m; ok is false on overflow.
func (w wide) times(m uint64) (r wide, ok bool) {
	over, high := bits.Mul64(w.hi, m)
	carry, lo := bits.Mul64(w.lo, m)
	hi, c := bits.Add64(high, carry, 0)
	return wide{hi, lo, w.neg}, over == 0 && c == 0
}

// plus gives w + d.
func (w wide) plus(d uint64) (r wide, ok bool) {
	lo, c := bits.Add64(w.lo, d, 0)
	hi, c := bits.Add64(w.hi, 0, c)
	return wide{hi, lo, w.neg}, c == 0
}

// over divides by d and gives the remainder.
func (w wide) over(d uint64) (q wide, rem uint64) {
	hi, rem := bits.Div64(0, w.hi, d)
	lo, rem := bits.Div64(rem, w.lo, d)
	return wide{hi, lo, w.neg}, rem
}

func (w wide) less(v wide) bool {
	return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo
}

// int64 gives the value if it fits.
func (w wide) int64() (int64, bool) {
	limit := uint64(math.MaxInt64)
	if w.neg {
		limit++
	}
	if w.hi != 0 || w.lo > limit {
		return 0, false
	}
	if w.neg {
		return -int64(w.lo), true
	}
	return int64(w.lo), true
}

// putBig writes the value as big-endian two's complement into the whole of dst, which has at most 16 bytes. The
// caller knows that it fits.
func (w wide) putBig(dst []byte) {
	hi, lo := w.hi, w.lo
	if w.neg {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	var full [16]byte
	binary.BigEndian.PutUint64(full[:8], hi)
	binary.BigEndian.PutUint64(full[8:], lo)
	copy(dst, full[16-len(dst):])
}

// tenTo gives 10^n for n <= 38.
func tenTo(n int) wide {
	w := wide{lo: 1}
	for ; n > 18; n -= 18 {
		w, _ = w.times(1e18)
	}
	w, _ = w.times(tens[n])
	return w
}

// tens are the powers of ten up to 10^18.
var tens = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// maxExponent bounds exponents while they are read; every larger one is out of every range.
const maxExponent = 1 << 20

// decimal is a number as written, exactly: w * 10^exp, where w has no trailing zeros. big says that it has more
// significant digits than fit.
type decimal struct {
	w   wide
	exp int
	big bool
}

// decimalAt reads the number at p.
func decimalAt(b []byte, p int) (d decimal, end int, f fault) {
	end, f = numberEnd(b, p)
	if f != fine {
		return d, end, f
	}
	zeros, fraction := 0, false
	for i := p; i < end; i++ {
		switch c := b[i]; {
		case c == '-':
			d.w.neg = true
		case c == '.':
			fraction = true
		case c|0x20 == 'e':
			d.exp += exponent(b[i+1 : end])
			i = end
		default:
			if fraction {
				d.exp--
			}
			zeros++
			if c != '0' {
				d.push(uint64(c-'0'), zeros)
				zeros = 0
			}
		}
	}
	d.exp += zeros
	return d, end, fine
}

// push appends a digit that ends a run of n digits, the others zero.
func (d *decimal) push(digit uint64, n int) {
	if d.w.hi|d.w.lo == 0 {
		d.w.lo = digit
		return
	}
	ok := true
	for ; n > 0 && ok; n -= 18 {
		d.w, ok = d.w.times(tens[min(n, 18)])
	}
	if ok {
		d.w, ok = d.w.plus(digit)
	}
	d.big = d.big || !ok
}

// exponent reads a checked exponent, saturated.
func exponent(s []byte) int {
	neg, e := false, 0
	for _, c := range s {
		switch {
		case c == '-':
			neg = true
		case c != '+' && e < maxExponent:
			e = e*10 + int(c-'0')
		}
	}
	if neg {
		return -e
	}
	return e
}

// rescale gives d * 10^scale if that is an integer: inexact if not, outOfRange if it is too large.
func (d decimal) rescale(scale int) (wide, fault) {
	if d.w.hi|d.w.lo == 0 && !d.big {
		return wide{}, fine
	}
	shift := d.exp + scale
	if shift < 0 {
		return wide{}, inexact
	}
	if d.big || shift > 38 {
		return wide{}, outOfRange
	}
	w, ok := d.w, true
	for ; shift > 0 && ok; shift -= 18 {
		w, ok = w.times(tens[min(shift, 18)])
	}
	if !ok {
		return wide{}, outOfRange
	}
	return w, fine
}

// floor is rescale that cuts off what does not fit, towards minus infinity.
func (d decimal) floor(scale int) (wide, fault) {
	shift := d.exp + scale
	if shift >= 0 || d.w.hi|d.w.lo == 0 && !d.big {
		return d.rescale(scale)
	}
	if d.big {
		return wide{}, outOfRange
	}
	w, cut := d.w, false
	for ; shift < 0 && w.hi|w.lo != 0; shift += 18 {
		q, rem := w.over(tens[min(-shift, 18)])
		w, cut = q, cut || rem != 0
	}
	cut = cut || shift < 0
	if cut && w.neg {
		w, _ = w.plus(1)
	}
	return w, fine
}
