package column

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// SetValid marks the next row of a flat optional leaf as present; its value is appended as well.
func (c *Column) SetValid() {
	r := c.rows
	if r>>3 >= len(c.valid) {
		c.valid = growBits(c.valid)
	}
	c.valid[r>>3] |= 1 << (r & 7)
	c.rows = r + 1
}

// SetNull marks the next row of a flat optional leaf as null.
func (c *Column) SetNull() {
	r := c.rows
	if r>>3 >= len(c.valid) {
		c.valid = growBits(c.valid)
	}
	c.rows = r + 1
}

// AppendLevels appends one entry to a leaf that is not flat. A value is appended as well if and only if def is the
// leaf's MaxDef. rep 0 begins a row.
func (c *Column) AppendLevels(def, rep byte) {
	c.def = append(c.def, def)
	if c.Leaf.MaxRep > 0 {
		c.rep = append(c.rep, rep)
	}
	if rep == 0 {
		c.rows++
	}
}

// appendNull appends a row without a value: null for an optional leaf, an absent ancestor for a nested one.
func (c *Column) appendNull() {
	if c.Flat() {
		c.SetNull()
		return
	}
	c.AppendLevels(0, 0)
}

// Check reports whether the rows appended since the last Absorb are whole: as many as the caller says, a value for
// each level that promises one, every list begun with a row. A program that breaks the rules is a bug; the check
// keeps it from becoming a broken file.
func (c *Column) Check(rows int) error {
	if got := c.Pending(); got != rows {
		return fmt.Errorf("column %s has %d rows, not %d", c.Leaf.Name(), got, rows)
	}
	if c.Leaf.Physical == PhysFixed && len(c.buf) != c.count*c.Leaf.FixedLen {
		return fmt.Errorf("column %s got a value that is not %d bytes long", c.Leaf.Name(), c.Leaf.FixedLen)
	}
	if c.Leaf.MaxDef == 0 {
		return nil
	}
	if !c.Flat() && len(c.def) > c.mark.entries && c.Leaf.MaxRep > 0 && c.rep[c.mark.entries] != 0 {
		return fmt.Errorf("column %s continues a list that no row began", c.Leaf.Name())
	}
	if err := c.checkLevels(); err != nil {
		return err
	}
	if got, want := c.waiting()-c.mark.values, c.valuesAfterMark(c.rows, len(c.def)); got != want {
		return fmt.Errorf("column %s has %d values for %d levels that promise one", c.Leaf.Name(), got, want)
	}
	return nil
}

func (c *Column) checkLevels() error {
	if c.Flat() {
		if len(c.def) > 0 {
			return fmt.Errorf("column %s is flat but got levels", c.Leaf.Name())
		}
		return nil
	}
	def := c.def[c.mark.entries:]
	rows := len(def)
	above := anyAbove(def, c.Leaf.MaxDef)
	if c.Leaf.MaxRep > 0 {
		rep := c.rep[c.mark.entries:]
		above = above || anyAbove(rep, c.Leaf.MaxRep)
		rows = bytes.Count(rep, []byte{0})
	}
	if above {
		return fmt.Errorf("column %s has a level out of range", c.Leaf.Name())
	}
	if rows != c.Pending() {
		return fmt.Errorf("column %s has %d rows but levels for %d", c.Leaf.Name(), c.Pending(), rows)
	}
	return nil
}

// anyAbove tells whether a byte is greater than highest, which is below 128: eight at a time, by the carry into the
// top bit.
func anyAbove(b []byte, highest uint8) bool {
	const ones = 0x0101010101010101
	var x uint64
	for len(b) >= 8 {
		v := binary.LittleEndian.Uint64(b)
		x |= v | (v&^(0x80*ones) + uint64(0x7f-highest)*ones)
		b = b[8:]
	}
	for _, v := range b {
		if v > highest {
			return true
		}
	}
	return x&(0x80*ones) != 0
}

// valuesAfterMark counts the values that the levels behind the mark promise, up to the given row and entry.
func (c *Column) valuesAfterMark(rows, entries int) int {
	if c.Flat() {
		return popcount(c.valid, c.mark.rows, rows)
	}
	return bytes.Count(c.def[c.mark.entries:entries], []byte{c.Leaf.MaxDef})
}

// popcount counts the set bits of b in [lo,hi).
func popcount(b []byte, lo, hi int) int {
	n := 0
	for lo < hi && lo&7 != 0 {
		n += int(b[lo>>3] >> (lo & 7) & 1)
		lo++
	}
	for ; lo+8 <= hi; lo += 8 {
		n += bits.OnesCount8(b[lo>>3])
	}
	for ; lo < hi; lo++ {
		n += int(b[lo>>3] >> (lo & 7) & 1)
	}
	return n
}

// clearBits zeroes the bits of b from lo on.
func clearBits(b []byte, lo int) {
	if lo>>3 >= len(b) {
		return
	}
	b[lo>>3] &= 1<<(lo&7) - 1
	clear(b[lo>>3+1:])
}
