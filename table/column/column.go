package column

import (
	"encoding/binary"
	"unsafe"
)

// slack is the room behind the end of every byte buffer, see the package comment.
const slack = 64

// Column is the open page of one leaf together with the dictionary of the chunk the page belongs to.
//
// Values wait in Parquet's PLAIN layout: 8- and 4-byte numbers in slices, booleans as a bitmap, byte arrays as
// length and bytes. After Absorb the values of a dictionary column are indices instead. How nulls are told depends on
// the leaf: a flat required leaf (MaxDef 0) takes values only; a flat optional one (MaxRep 0, MaxDef 1) takes one
// SetValid or SetNull per row, beside the value; every other leaf takes AppendLevels per entry.
//
// Appending never fails. A program that appends to the wrong buffer or forgets a level is found by Check.
type Column struct {
	Leaf Leaf

	i64   []int64 // PhysInt64, and the bits of PhysDouble
	i32   []int32 // PhysInt32, and the bits of PhysFloat
	buf   []byte  // PhysBytes (length and bytes), PhysFixed (bytes)
	bits  []byte  // PhysBool
	count int     // values in buf or bits

	valid []byte // validity bitmap of a flat optional leaf
	rows  int    // rows of a leaf that has levels or a validity bitmap
	def   []byte
	rep   []byte

	mark     mark
	index    []int32 // dictionary indices of the absorbed part of the page
	referred int     // bytes of the values behind index, in PLAIN form
	absorber absorber
	repaired int64 // PLAIN strings that were not UTF-8
}

// mark is the state of the open page at the last Absorb: what Truncate can go back to.
type mark struct {
	rows    int // rows of the page
	values  int // values that wait in PLAIN form
	entries int // level entries
	bytes   int // len(buf)
}

// Flat is true when the leaf takes no AppendLevels.
func (c *Column) Flat() bool { return c.Leaf.MaxRep == 0 && c.Leaf.MaxDef <= 1 }

// Optional is true for a flat leaf that takes one SetValid or SetNull per row.
func (c *Column) Optional() bool { return c.Leaf.MaxRep == 0 && c.Leaf.MaxDef == 1 }

// AppendInt64 appends a PhysInt64 value.
func (c *Column) AppendInt64(v int64) { c.i64 = append(c.i64, v) }

// AppendInt32 appends a PhysInt32 value.
func (c *Column) AppendInt32(v int32) { c.i32 = append(c.i32, v) }

// AppendDouble appends the IEEE bits of a PhysDouble value.
func (c *Column) AppendDouble(bits uint64) { c.i64 = append(c.i64, int64(bits)) }

// AppendFloat appends the IEEE bits of a PhysFloat value.
func (c *Column) AppendFloat(bits uint32) { c.i32 = append(c.i32, int32(bits)) }

// AppendBool appends the lowest bit of v to a PhysBool column.
func (c *Column) AppendBool(v byte) {
	n := c.count
	if n>>3 >= len(c.bits) {
		c.bits = growBits(c.bits)
	}
	c.bits[n>>3] |= (v & 1) << (n & 7)
	c.count = n + 1
}

// growBits doubles a bitmap; the new bytes are zero.
func growBits(b []byte) []byte {
	n := make([]byte, max(16, 2*len(b)))
	copy(n, b)
	return n
}

// AppendBytes appends a copy of v to a PhysBytes column.
func (c *Column) AppendBytes(v []byte) {
	at := len(c.buf)
	if cap(c.buf)-at < len(v)+4+slack {
		c.growBuf(len(v) + 4)
	}
	b := c.buf[:at+4+len(v)]
	binary.LittleEndian.PutUint32(b[at:], uint32(len(v)))
	copy(b[at+4:], v)
	c.buf = b
	c.count++
}

// AppendFrom appends src[at:at+n] to a PhysBytes column. The caller has checked that the range lies within src.
// Short values go through whole 16-byte moves where both sides have the room, which saves the call of memmove.
func (c *Column) AppendFrom(src []byte, at, n int) {
	end := len(c.buf)
	if cap(c.buf)-end < n+4+slack {
		c.growBuf(n + 4)
	}
	d := unsafe.Add(unsafe.Pointer(unsafe.SliceData(c.buf)), end)
	binary.LittleEndian.PutUint32((*[4]byte)(d)[:], uint32(n))
	d = unsafe.Add(d, 4)
	s := unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), at)
	switch {
	case n <= 16 && at+16 <= len(src):
		*(*[16]byte)(d) = *(*[16]byte)(s)
	case n <= 48 && at+48 <= len(src):
		*(*[16]byte)(d) = *(*[16]byte)(s)
		*(*[16]byte)(unsafe.Add(d, 16)) = *(*[16]byte)(unsafe.Add(s, 16))
		*(*[16]byte)(unsafe.Add(d, 32)) = *(*[16]byte)(unsafe.Add(s, 32))
	default:
		copy(unsafe.Slice((*byte)(d), n), unsafe.Slice((*byte)(s), n))
	}
	c.buf = c.buf[:end+4+n]
	c.count++
}

// AppendFixed appends a copy of v to a PhysFixed column; len(v) is Leaf.FixedLen. Decimals are big-endian two's
// complement.
func (c *Column) AppendFixed(v []byte) {
	if cap(c.buf)-len(c.buf) < len(v)+slack {
		c.growBuf(len(v))
	}
	c.buf = append(c.buf, v...)
	c.count++
}

func (c *Column) growBuf(n int) {
	b := make([]byte, len(c.buf), 2*cap(c.buf)+n+slack)
	copy(b, c.buf)
	c.buf = b
}

// waiting is the number of values in PLAIN form.
func (c *Column) waiting() int {
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		return len(c.i64)
	case PhysInt32, PhysFloat:
		return len(c.i32)
	default:
		return c.count
	}
}

// Values is the number of values (not nulls) in the open page.
func (c *Column) Values() int { return len(c.index) + c.waiting() }

// Rows is the number of rows in the open page.
func (c *Column) Rows() int {
	if c.Leaf.MaxDef == 0 {
		return c.Values()
	}
	return c.rows
}

// Entries is the number of level entries in the open page; for a flat leaf that is its rows.
func (c *Column) Entries() int {
	if c.Flat() {
		return c.Rows()
	}
	return len(c.def)
}

// Pending is the number of rows appended since the last Absorb. It is what Truncate counts from.
func (c *Column) Pending() int { return c.Rows() - c.mark.rows }

// setMark makes everything appended so far permanent.
func (c *Column) setMark() {
	c.mark = mark{rows: c.Rows(), values: c.waiting(), entries: len(c.def), bytes: len(c.buf)}
}

// ResetPage empties the open page; the dictionary stays.
func (c *Column) ResetPage() {
	c.i64, c.i32, c.buf = c.i64[:0], c.i32[:0], c.buf[:0]
	clear(c.bits)
	clear(c.valid)
	c.def, c.rep, c.index = c.def[:0], c.rep[:0], c.index[:0]
	c.count, c.rows, c.referred = 0, 0, 0
	c.mark = mark{}
}

// Release gives the memory of an empty column back: buffers and dictionary. It is as new afterwards, and the dictionary
// is on or off as before.
func (c *Column) Release() {
	on := c.absorber.on
	*c = Column{Leaf: c.Leaf, repaired: c.repaired}
	c.absorber.on = on
}
