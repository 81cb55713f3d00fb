package column

import "encoding/binary"

// Scatter moves the rows appended since the last Absorb to other sets of the same layout, row i to dst[i], one column
// at a time; a nil target drops the row. The set is a staging set, never absorbed, and whole: Check(len(dst)) has
// passed. It is empty afterwards.
func (s *Set) Scatter(dst []*Set) {
	for i, c := range s.Columns {
		switch {
		case c.Leaf.MaxDef == 0:
			c.scatterRequired(dst, i)
		case c.Flat():
			c.scatterOptional(dst, i)
		default:
			c.scatterLevels(dst, i)
		}
		c.ResetPage()
	}
}

// cursor walks the PLAIN values of a column.
type cursor struct {
	n  int // values passed
	at int // offset in buf
}

// move appends the next value of c to d; a nil d skips it.
func (c *Column) move(cur *cursor, d *Column) {
	k := cur.n
	cur.n++
	switch c.Leaf.Physical {
	case PhysBytes:
		n := int(binary.LittleEndian.Uint32(c.buf[cur.at:]))
		if d != nil {
			d.AppendFrom(c.buf, cur.at+4, n)
		}
		cur.at += 4 + n
	case PhysFixed:
		if d != nil {
			d.AppendFixed(c.buf[cur.at : cur.at+c.Leaf.FixedLen])
		}
		cur.at += c.Leaf.FixedLen
	default:
		if d != nil {
			c.moveNumber(k, d)
		}
	}
}

// moveNumber appends value k of c, which is not a byte string, to d.
func (c *Column) moveNumber(k int, d *Column) {
	switch c.Leaf.Physical {
	case PhysInt64, PhysDouble:
		d.i64 = append(d.i64, c.i64[k])
	case PhysInt32, PhysFloat:
		d.i32 = append(d.i32, c.i32[k])
	default:
		d.AppendBool(c.bits[k>>3] >> (k & 7))
	}
}

func target(s *Set, i int) *Column {
	if s == nil {
		return nil
	}
	return s.Columns[i]
}

func (c *Column) scatterRequired(dst []*Set, i int) {
	var cur cursor
	if c.Leaf.Physical == PhysInt64 || c.Leaf.Physical == PhysDouble {
		for k, s := range dst {
			if s != nil {
				d := s.Columns[i]
				d.i64 = append(d.i64, c.i64[k])
			}
		}
		return
	}
	for _, s := range dst {
		c.move(&cur, target(s, i))
	}
}

func (c *Column) scatterOptional(dst []*Set, i int) {
	var cur cursor
	for k, s := range dst {
		d := target(s, i)
		if c.valid[k>>3]>>(k&7)&1 == 1 {
			c.move(&cur, d)
			if d != nil {
				d.SetValid()
			}
		} else if d != nil {
			d.SetNull()
		}
	}
}

func (c *Column) scatterLevels(dst []*Set, i int) {
	var cur cursor
	row := -1
	var d *Column
	for k, def := range c.def {
		var rep byte
		if c.Leaf.MaxRep > 0 {
			rep = c.rep[k]
		}
		if rep == 0 {
			row++
			d = target(dst[row], i)
		}
		if def == c.Leaf.MaxDef {
			c.move(&cur, d)
		}
		if d != nil {
			d.AppendLevels(def, rep)
		}
	}
}
