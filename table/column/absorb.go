package column

import (
	"slices"
	"unsafe"
)

// absorber is the dictionary of the chunk. At most one of the three is in use, by physical type.
type absorber struct {
	on    bool
	bytes *bytesDict
	n64   *numDict[int64]
	n32   *numDict[int32]
	used  []uint64 // scratch of scanReferred

	// Bounds of the page's byte strings, kept while values are absorbed, if the page began with a large dictionary:
	// afterwards each of them would be a cache miss.
	running bool
	bounds  extremes
}

// manyValues is the size from which a dictionary does not stay in cache.
const manyValues = 8192

// HasDict tells whether the values of this column can have a dictionary: everything but booleans.
func (c *Column) HasDict() bool { return c.Leaf.Physical != PhysBool }

// UseDict switches the dictionary on or off for the values that follow. Whoever switches it off has flushed the open
// page or calls DropDict: a page is either indices or PLAIN.
func (c *Column) UseDict(on bool) { c.absorber.on = on && c.HasDict() }

// DictOn tells whether Absorb turns values into indices.
func (c *Column) DictOn() bool { return c.absorber.on }

// Absorb ends a batch: the values that wait become dictionary indices if the dictionary is on, and Truncate cannot
// reach behind this point any more.
func (c *Column) Absorb() {
	if n := c.waiting(); c.absorber.on && n > 0 {
		at := len(c.index)
		c.referred += 8*len(c.i64) + 4*len(c.i32) + len(c.buf)
		c.index = slices.Grow(c.index, n)[:at+n]
		c.encode(c.index[at:])
		c.i64, c.i32, c.buf, c.count = c.i64[:0], c.i32[:0], c.buf[:0], 0
	}
	c.setMark()
}

func (c *Column) encode(refs []int32) {
	d := &c.absorber
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		if d.n64 == nil {
			d.n64 = newNumDict[int64]()
		}
		d.n64.encode(c.i64, refs)
	case PhysInt32, PhysFloat:
		if d.n32 == nil {
			d.n32 = newNumDict[int32]()
		}
		d.n32.encode(c.i32, refs)
	case PhysBytes, PhysFixed:
		if d.bytes == nil {
			d.bytes = newBytesDict(&c.Leaf)
		}
		if len(c.index) == len(refs) {
			d.running = d.bytes.len() >= manyValues
			d.bounds.start(&c.Leaf)
		}
		repaired := d.bytes.repaired
		d.bytes.encode(c.buf, refs)
		d.running = d.running && repaired == d.bytes.repaired
		if d.running {
			c.scanPlain(&d.bounds)
			d.bounds.own()
		}
	default: // HasDict
	}
}

// DictLen is the number of values in the dictionary.
func (c *Column) DictLen() int {
	d := &c.absorber
	switch {
	case d.bytes != nil:
		return d.bytes.len()
	case d.n64 != nil:
		return len(d.n64.vals)
	case d.n32 != nil:
		return len(d.n32.vals)
	}
	return 0
}

// DictPlain is the body of the dictionary page: the values in PLAIN layout. It aliases the dictionary.
func (c *Column) DictPlain() []byte {
	d := &c.absorber
	switch {
	case d.bytes != nil:
		return d.bytes.buf
	case d.n64 != nil:
		return rawBytes(d.n64.vals)
	case d.n32 != nil:
		return rawBytes(d.n32.vals)
	}
	return nil
}

// DropDict turns the indices of the open page back into PLAIN values, frees the dictionary and switches it off. No
// earlier page of the chunk may refer to the dictionary.
func (c *Column) DropDict() {
	c.Absorb()
	for _, ref := range c.index {
		c.appendRef(ref)
	}
	c.index, c.referred = c.index[:0], 0
	c.repaired = c.TakeRepaired()
	c.absorber = absorber{}
	c.setMark()
}

func (c *Column) appendRef(ref int32) {
	switch d := &c.absorber; c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		c.i64 = append(c.i64, d.n64.vals[ref])
	case PhysInt32, PhysFloat:
		c.i32 = append(c.i32, d.n32.vals[ref])
	case PhysFixed:
		c.AppendFixed(d.bytes.value(ref))
	case PhysBytes:
		c.AppendBytes(d.bytes.value(ref))
	default: // HasDict
	}
}

// Unfolded is the size of the open page's values without a dictionary. References to long values are small, and
// whoever unfolds the page, we or its reader, needs that much.
func (c *Column) Unfolded() int { return c.referred + 8*len(c.i64) + 4*len(c.i32) + len(c.buf) }

// ResetChunk empties the dictionary for a new chunk.
func (c *Column) ResetChunk() {
	d := &c.absorber
	if d.bytes != nil {
		d.bytes.reset()
	}
	if d.n64 != nil {
		d.n64.reset()
	}
	if d.n32 != nil {
		d.n32.reset()
	}
}

// Bytes is the memory of the column: page buffers and dictionary, used or not.
func (c *Column) Bytes() int64 {
	n := 8*cap(c.i64) + 4*cap(c.i32) + cap(c.buf) + cap(c.bits) + cap(c.valid) + cap(c.def) + cap(c.rep) + 4*cap(c.index) + 8*cap(c.absorber.used) + cap(c.absorber.bounds.loBuf) + cap(c.absorber.bounds.hiBuf)
	total := int64(n) + int64(unsafe.Sizeof(*c))
	d := &c.absorber
	if d.bytes != nil {
		total += d.bytes.bytes()
	}
	if d.n64 != nil {
		total += d.n64.bytes()
	}
	if d.n32 != nil {
		total += d.n32.bytes()
	}
	return total
}

// rawBytes views numbers as the bytes of their PLAIN form (the machine is little-endian, see the package comment).
func rawBytes[T int32 | int64](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}
