package jsonrec

import (
	"math"
	"strconv"
	"unsafe"
)

// exact powers of ten of float64 and float32.
var (
	tens64 = [...]float64{
		1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
	}
	tens32 = [...]float32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}
)

// numberEnd checks the grammar of the number at p and gives its end.
func numberEnd(b []byte, p int) (int, fault) {
	if p < len(b) && b[p] == '-' {
		p++
	}
	first := p
	if p = digitsEnd(b, p); p == first || b[first] == '0' && p > first+1 {
		return first, badNumber
	}
	if p < len(b) && b[p] == '.' {
		first = p + 1
		if p = digitsEnd(b, first); p == first {
			return first, badNumber
		}
	}
	if p < len(b) && b[p]|0x20 == 'e' {
		p++
		if p < len(b) && (b[p] == '+' || b[p] == '-') {
			p++
		}
		first = p
		if p = digitsEnd(b, first); p == first {
			return first, badNumber
		}
	}
	return p, fine
}

// digitsEnd gives the end of the digits at p.
func digitsEnd(b []byte, p int) int {
	for p < len(b) && b[p]-'0' <= 9 {
		p++
	}
	return p
}

// plain is a number without an exponent and with at most 18 digits: neg * mantissa / 10^places.
type plain struct {
	mantissa uint64
	places   int
	neg      bool
}

// plainAt reads the common form of a number at p; ok is false for every other form, right or wrong.
func plainAt(b []byte, p int) (n plain, end int, ok bool) {
	if p < len(b) && b[p] == '-' {
		n.neg = true
		p++
	}
	first := p
	m := uint64(0)
	for p < len(b) && b[p]-'0' <= 9 {
		m = m*10 + uint64(b[p]-'0')
		p++
	}
	digits := p - first
	if digits == 0 || digits > 1 && b[first] == '0' {
		return n, p, false
	}
	if p < len(b) && b[p] == '.' {
		p++
		first = p
		for p < len(b) && b[p]-'0' <= 9 {
			m = m*10 + uint64(b[p]-'0')
			p++
		}
		n.places = p - first
		if n.places == 0 {
			return n, p, false
		}
		digits += n.places
	}
	n.mantissa = m
	return n, p, digits <= 18 && (p == len(b) || b[p]|0x20 != 'e')
}

// longAt reads an integer; any spelling of a whole number will do.
func longAt(b []byte, p int) (v int64, end int, f fault) {
	q := p
	if q < len(b) && b[q] == '-' {
		q++
	}
	first := q
	var m uint64
	for q < len(b) && b[q]-'0' <= 9 {
		m = m*10 + uint64(b[q]-'0')
		q++
	}
	digits := q - first
	if digits == 0 || digits > 18 || b[first] == '0' && digits > 1 || q < len(b) && (b[q] == '.' || b[q]|0x20 == 'e') {
		return longSlow(b, p)
	}
	if first > p {
		return -int64(m), q, fine
	}
	return int64(m), q, fine
}

// longSlow is longAt for long numbers, fractions and exponents.
func longSlow(b []byte, p int) (v int64, end int, f fault) {
	d, end, f := decimalAt(b, p)
	if f != fine {
		return 0, end, f
	}
	w, f := d.rescale(0)
	if f == inexact {
		f = notInteger
	}
	if f != fine {
		return 0, p, f
	}
	v, ok := w.int64()
	if !ok {
		return 0, p, outOfRange
	}
	return v, end, fine
}

// intAt reads a 32-bit integer.
func intAt(b []byte, p int) (v int32, end int, f fault) {
	w, end, f := longAt(b, p)
	if f == fine && int64(int32(w)) != w {
		return 0, p, outOfRange
	}
	return int32(w), end, f
}

// doubleAt reads the double nearest to the number at p, as bits.
func doubleAt(b []byte, p int) (bits uint64, end int, f fault) {
	if n, end, ok := plainAt(b, p); ok && n.mantissa < 1<<53 && n.places < len(tens64) {
		v := float64(n.mantissa) / tens64[n.places] // both exact, so one rounding
		if n.neg {
			v = -v
		}
		return math.Float64bits(v), end, fine
	}
	v, end, f := floatSlow(b, p, 64)
	return math.Float64bits(v), end, f
}

// floatAt reads the float nearest to the number at p, as bits.
func floatAt(b []byte, p int) (bits uint32, end int, f fault) {
	if n, end, ok := plainAt(b, p); ok && n.mantissa < 1<<24 && n.places < len(tens32) {
		v := float32(n.mantissa) / tens32[n.places]
		if n.neg {
			v = -v
		}
		return math.Float32bits(v), end, fine
	}
	v, end, f := floatSlow(b, p, 32)
	return math.Float32bits(float32(v)), end, f
}

// floatSlow is the library's correctly rounded conversion.
func floatSlow(b []byte, p, size int) (v float64, end int, f fault) {
	end, f = numberEnd(b, p)
	if f != fine {
		return 0, end, f
	}
	text := b[p:end]
	v, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), size)
	if err != nil {
		return 0, p, outOfRange
	}
	return v, end, fine
}
