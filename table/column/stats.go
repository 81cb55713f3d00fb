package column

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"
)

// Stats describes the values of an open page. Which pair of bounds is set follows from the leaf's physical type.
type Stats struct {
	Nulls int64 // entries without a value
	NaNs  int64 // counted per value, also in a dictionary
	Has   bool  // there are bounds: a value that is not NaN

	MinInt, MaxInt     int64   // PhysBool, PhysInt32, PhysInt64
	MinFloat, MaxFloat float64 // PhysFloat, PhysDouble: a zero minimum is -0, a zero maximum +0

	// Min and Max are the bounds of PhysBytes and PhysFixed: unsigned bytes, but signed for decimals. They alias the
	// column and are good until the next append.
	Min, Max []byte
}

// PageStats computes the statistics of the open page.
func (c *Column) PageStats() Stats {
	s := Stats{Nulls: int64(c.Entries() - c.Values())}
	if c.Values() == 0 {
		return s
	}
	switch c.Leaf.Physical {
	case PhysBool:
		s.bools(c.bits, c.count)
	case PhysInt32:
		s.ints(minMaxOf(c.i32, c.index, c.absorber.n32))
	case PhysInt64:
		s.ints(minMaxOf(c.i64, c.index, c.absorber.n64))
	case PhysFloat:
		scanFloats[float32](&s, c.i32, c.index, c.absorber.n32)
	case PhysDouble:
		scanFloats[float64](&s, c.i64, c.index, c.absorber.n64)
	default:
		c.bytesBounds(&s)
	}
	return s
}

func (s *Stats) bools(b []byte, n int) {
	ones := popcount(b, 0, n)
	s.Has = true
	if ones > 0 {
		s.MaxInt = 1
	}
	if ones == n {
		s.MinInt = 1
	}
}

func (s *Stats) ints(lo, hi int64) { s.Has, s.MinInt, s.MaxInt = true, lo, hi }

// minMaxOf scans the plain values or, through the references, the dictionary. There is at least one value.
func minMaxOf[T int32 | int64](plain []T, refs []int32, d *numDict[T]) (int64, int64) {
	if len(refs) == 0 {
		lo, hi := minMax(plain)
		return int64(lo), int64(hi)
	}
	lo, hi := d.vals[refs[0]], d.vals[refs[0]]
	for _, r := range refs {
		v := d.vals[r]
		lo, hi = min(lo, v), max(hi, v)
	}
	for _, v := range plain {
		lo, hi = min(lo, v), max(hi, v)
	}
	return int64(lo), int64(hi)
}

// minMax keeps two pairs, so that the comparisons of neighbours do not wait for each other.
func minMax[T int32 | int64](v []T) (T, T) {
	lo, hi := v[0], v[0]
	lo2, hi2 := lo, hi
	for len(v) >= 2 {
		lo, hi = min(lo, v[0]), max(hi, v[0])
		lo2, hi2 = min(lo2, v[1]), max(hi2, v[1])
		v = v[2:]
	}
	if len(v) > 0 {
		lo, hi = min(lo, v[0]), max(hi, v[0])
	}
	return min(lo, lo2), max(hi, hi2)
}

func scanFloats[F float32 | float64, T int32 | int64](s *Stats, plain []T, refs []int32, d *numDict[T]) {
	lo, hi := F(math.Inf(1)), F(math.Inf(-1))
	nans := 0
	if len(refs) > 0 {
		vals := asFloats[F](d.vals)
		for _, r := range refs {
			lo, hi, nans = widen(lo, hi, nans, vals[r])
		}
	}
	for _, v := range asFloats[F](plain) {
		lo, hi, nans = widen(lo, hi, nans, v)
	}
	s.NaNs = int64(nans)
	if nans == len(refs)+len(plain) {
		return
	}
	s.Has, s.MinFloat, s.MaxFloat = true, float64(lo), float64(hi)
	if s.MinFloat == 0 {
		s.MinFloat = math.Copysign(0, -1)
	}
	if s.MaxFloat == 0 {
		s.MaxFloat = 0
	}
}

func widen[F float32 | float64](lo, hi F, nans int, v F) (F, F, int) {
	if v < lo {
		lo = v
	}
	if v > hi {
		hi = v
	}
	if v != v {
		nans++
	}
	return lo, hi, nans
}

func asFloats[F float32 | float64, T int32 | int64](v []T) []F {
	return unsafe.Slice((*F)(unsafe.Pointer(unsafe.SliceData(v))), len(v))
}

// extremes is a running minimum and maximum of byte strings. Most comparisons are decided by the first eight bytes.
type extremes struct {
	sign     uint64 // flips the order of the first bit for signed values
	has      bool
	lo, hi   []byte
	klo, khi uint64

	loBuf, hiBuf []byte // see own
}

// start forgets the values seen.
func (x *extremes) start(leaf *Leaf) {
	x.has, x.sign = false, 0
	if leaf.Type.Kind == Decimal {
		x.sign = 1 << 63
	}
}

func (x *extremes) add(v []byte) {
	k := prefix8(v) ^ x.sign
	if !x.has {
		x.has, x.lo, x.hi, x.klo, x.khi = true, v, v, k, k
		return
	}
	if k <= x.klo && (k < x.klo || bytes.Compare(v, x.lo) < 0) {
		x.lo, x.klo = v, k
	}
	if k >= x.khi && (k > x.khi || bytes.Compare(v, x.hi) > 0) {
		x.hi, x.khi = v, k
	}
}

func prefix8(v []byte) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64(v)
	}
	var t [8]byte
	copy(t[:], v)
	return binary.BigEndian.Uint64(t[:])
}

// own copies the extremes out of a buffer that will be used again.
func (x *extremes) own() {
	x.loBuf = append(x.loBuf[:0], x.lo...)
	x.hiBuf = append(x.hiBuf[:0], x.hi...)
	x.lo, x.hi = x.loBuf, x.hiBuf
}

func (c *Column) bytesBounds(s *Stats) {
	var x extremes
	x.start(&c.Leaf)
	switch {
	case len(c.index) == 0:
	case c.absorber.running:
		x = c.absorber.bounds
	default:
		c.scanReferred(&x)
	}
	c.scanPlain(&x)
	s.Has, s.Min, s.Max = x.has, x.lo, x.hi
}

// scanPlain looks at the values that wait.
func (c *Column) scanPlain(x *extremes) {
	if c.Leaf.Physical == PhysFixed {
		for at := 0; at < len(c.buf); at += c.Leaf.FixedLen {
			x.add(c.buf[at : at+c.Leaf.FixedLen])
		}
		return
	}
	for at := 0; at < len(c.buf); {
		n := int(binary.LittleEndian.Uint32(c.buf[at:]))
		x.add(c.buf[at+4 : at+4+n])
		at += 4 + n
	}
}

// scanReferred looks at each dictionary value that the page refers to once.
func (c *Column) scanReferred(x *extremes) {
	d := c.absorber.bytes
	words := (d.len() + 63) / 64
	if cap(c.absorber.used) < words {
		c.absorber.used = make([]uint64, words, words+words/2)
	}
	used := c.absorber.used[:words]
	clear(used)
	for _, r := range c.index {
		used[uint32(r)>>6] |= 1 << (uint32(r) & 63)
	}
	for i, w := range used {
		for ; w != 0; w &= w - 1 {
			x.add(d.value(int32(i<<6 + bits.TrailingZeros64(w))))
		}
	}
}
