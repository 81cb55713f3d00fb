package transform

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"
)

const (
	microsPerHour = 3600 * 1_000_000
	microsPerDay  = 24 * microsPerHour
	nanosPerMicro = 1000
	monthsPerYear = 12
	epochYear     = 1970
)

// floorDiv divides, rounding towards minus infinity; b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorMod is what floorDiv leaves: 0 <= m < b.
func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

// yearMonth gives year and month (1..12) of a day since 1970, in the proleptic Gregorian calendar. The year
// begins in March here, so that the leap day is its last; 400 years are one era of 146097 days.
func yearMonth(day int64) (year, month int64) {
	z := day + 719468 // since 0000-03-01
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	year, month = yoe+era*400, mp+3
	if month > monthsPerYear {
		year, month = year+1, month-monthsPerYear
	}
	return year, month
}

func yearsSinceEpoch(day int64) int64 {
	y, _ := yearMonth(day)
	return y - epochYear
}

func monthsSinceEpoch(day int64) int64 {
	y, m := yearMonth(day)
	return (y-epochYear)*monthsPerYear + m - 1
}

// The hash of bucket: Murmur3, x86, 32 bits, seed 0.
const (
	murmur1 = 0xcc9e2d51
	murmur2 = 0x1b873593
)

func mix(h, k uint32) uint32 {
	h ^= bits.RotateLeft32(k*murmur1, 15) * murmur2
	return bits.RotateLeft32(h, 13)*5 + 0xe6546b64
}

func finish(h, n uint32) uint32 {
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// hashLong hashes the eight little-endian bytes of v, which is how the specification hashes every integer.
func hashLong(v int64) uint32 {
	return finish(mix(mix(0, uint32(v)), uint32(uint64(v)>>32)), 8)
}

func hashBytes(b []byte) uint32 {
	n := uint32(len(b))
	var h uint32
	for ; len(b) >= 4; b = b[4:] {
		h = mix(h, binary.LittleEndian.Uint32(b))
	}
	var k uint32
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	if len(b) > 0 {
		h ^= bits.RotateLeft32(k*murmur1, 15) * murmur2
	}
	return finish(h, n)
}

func bucketOf(hash uint32, n int64) int64 { return int64(hash&math.MaxInt32) % n }

// wide is a two's complement number of 128 bits: a decimal's unscaled value.
type wide struct {
	hi int64
	lo uint64
}

func wideOf(v int64) wide { return wide{v >> 63, uint64(v)} }

// wideFrom reads a big-endian two's complement number of at most 16 bytes.
func wideFrom(b []byte) wide {
	w := wide{}
	if len(b) > 0 && b[0]&0x80 != 0 {
		w = wide{-1, math.MaxUint64}
	}
	for _, c := range b {
		w.hi = w.hi<<8 | int64(w.lo>>56)
		w.lo = w.lo<<8 | uint64(c)
	}
	return w
}

// put writes all 16 bytes, big-endian.
func (w wide) put(b *[16]byte) {
	binary.BigEndian.PutUint64(b[:8], uint64(w.hi))
	binary.BigEndian.PutUint64(b[8:], w.lo)
}

// hash hashes the shortest two's complement form, as the specification wants for decimals.
func (w wide) hash() uint32 {
	var b [16]byte
	w.put(&b)
	i := 0
	for i < 15 && (b[i] == 0 && b[i+1]&0x80 == 0 || b[i] == 0xff && b[i+1]&0x80 != 0) {
		i++
	}
	return hashBytes(b[i:])
}

// truncate gives w - (w mod n), the modulus never negative.
func (w wide) truncate(n int64) wide {
	hi, lo := uint64(w.hi), w.lo
	if w.hi < 0 {
		var carry uint64
		lo, carry = bits.Add64(^lo, 1, 0)
		hi = ^hi + carry
	}
	_, r := bits.Div64(0, hi, uint64(n))
	_, r = bits.Div64(r, lo, uint64(n))
	if w.hi < 0 && r > 0 {
		r = uint64(n) - r
	}
	var borrow uint64
	w.lo, borrow = bits.Sub64(w.lo, r, 0)
	w.hi -= int64(borrow)
	return w
}

// prefix gives the first n code points of s, which is UTF-8.
func prefix(s []byte, n int) []byte {
	if len(s) <= n {
		return s
	}
	at := 0
	for ; n > 0 && at < len(s); n-- {
		if s[at] < utf8.RuneSelf {
			at++
			continue
		}
		_, size := utf8.DecodeRune(s[at:])
		at += size
	}
	return s[:at]
}
