package column

import "encoding/binary"

// Truncate keeps the first rows of those appended since the last Absorb and drops the others, whole or half
// appended: a value without its level, a level without its value, a list that broke off. It takes back a bad record.
func (c *Column) Truncate(rows int) {
	rows = min(max(rows, 0), max(c.Pending(), 0))
	keep := c.mark.rows + rows
	if c.Leaf.MaxDef == 0 {
		c.truncateValues(c.mark.values + rows)
		return
	}
	entries := 0
	if !c.Flat() {
		entries = c.entriesOf(rows)
		c.def = c.def[:entries]
		if c.Leaf.MaxRep > 0 {
			c.rep = c.rep[:entries]
		}
	}
	values := c.valuesAfterMark(keep, entries)
	c.truncateValues(c.mark.values + values)
	c.rows = keep
	if c.Flat() {
		clearBits(c.valid, keep)
	}
}

// entriesOf finds the end of the given number of rows behind the mark.
func (c *Column) entriesOf(rows int) int {
	if c.Leaf.MaxRep == 0 || rows == 0 {
		return c.mark.entries + rows
	}
	for i := c.mark.entries; i < len(c.rep); i++ {
		if c.rep[i] == 0 {
			if rows == 0 {
				return i
			}
			rows--
		}
	}
	return len(c.rep)
}

// truncateValues keeps n of the values in PLAIN form; n is not below the mark.
func (c *Column) truncateValues(n int) {
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		c.i64 = c.i64[:min(n, len(c.i64))]
	case PhysInt32, PhysFloat:
		c.i32 = c.i32[:min(n, len(c.i32))]
	default:
		c.truncateCounted(min(n, c.count))
	}
}

// truncateCounted is truncateValues for what is counted in count.
func (c *Column) truncateCounted(n int) {
	switch c.Leaf.Physical {
	case PhysBool:
		clearBits(c.bits, n)
	case PhysFixed:
		c.buf = c.buf[:min(n*c.Leaf.FixedLen, len(c.buf))]
	default:
		end := c.mark.bytes
		for range n - c.mark.values {
			end += 4 + int(binary.LittleEndian.Uint32(c.buf[end:]))
		}
		c.buf = c.buf[:end]
	}
	c.count = n
}
