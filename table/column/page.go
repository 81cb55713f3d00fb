package column

import "encoding/binary"

// The methods in this file show the open page to the page writer. Their results alias the column and are good until
// the next append or reset.

// Index is the dictionary references of the page; empty when the page is PLAIN.
func (c *Column) Index() []int32 { return c.index }

// Int64s is the waiting values of PhysInt64 and PhysDouble (bits).
func (c *Column) Int64s() []int64 { return c.i64 }

// Int32s is the waiting values of PhysInt32 and PhysFloat (bits).
func (c *Column) Int32s() []int32 { return c.i32 }

// Plain is the waiting values in PLAIN layout, for every physical type.
func (c *Column) Plain() []byte {
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		return rawBytes(c.i64)
	case PhysInt32, PhysFloat:
		return rawBytes(c.i32)
	case PhysBool:
		return c.bits[:(c.count+7)/8]
	default:
		return c.buf
	}
}

// Validity is the bitmap of a flat optional leaf, one bit per row.
func (c *Column) Validity() []byte { return c.valid[:(c.rows+7)/8] }

// Levels is the definition and repetition levels of a leaf that is not flat; rep is empty when MaxRep is 0.
func (c *Column) Levels() (def, rep []byte) { return c.def, c.rep }

// PageBytes is the encoded size of the open page as far as it is known: indices count two bytes.
func (c *Column) PageBytes() int {
	n := 2*len(c.index) + len(c.def)/4 + len(c.rep)/4
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		return n + 8*len(c.i64)
	case PhysInt32, PhysFloat:
		return n + 4*len(c.i32)
	case PhysBool:
		return n + c.count/8
	default:
		return n + len(c.buf)
	}
}

// ReferredInt64s appends the values behind the page's references: what the page would hold without a dictionary.
func (c *Column) ReferredInt64s(dst []int64) []int64 {
	return appendReferred(dst, c.index, c.absorber.n64)
}

// ReferredInt32s is ReferredInt64s for 4-byte values.
func (c *Column) ReferredInt32s(dst []int32) []int32 {
	return appendReferred(dst, c.index, c.absorber.n32)
}

// ReferredBytes is ReferredInt64s for byte arrays and fixed values, in PLAIN layout.
func (c *Column) ReferredBytes(dst []byte) []byte {
	d := c.absorber.bytes
	if d == nil {
		return dst
	}
	for _, ref := range c.index {
		v := d.value(ref)
		if d.prefix > 0 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v)))
		}
		dst = append(dst, v...)
	}
	return dst
}

func appendReferred[T int32 | int64](dst []T, refs []int32, d *numDict[T]) []T {
	if d == nil {
		return dst
	}
	for _, ref := range refs {
		dst = append(dst, d.vals[ref])
	}
	return dst
}
