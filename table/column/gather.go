package column

import "encoding/binary"

// Gather finds rows of a column in any order. The column has no dictionary and takes nothing while it is used.
type Gather struct {
	c *Column
	// at is where a row begins: for a byte array its offset, for levels the entry, for other leaves the number of
	// values before it. values is the same for the values of a leaf with levels.
	at, values []int
}

// Of prepares the rows of c; memory of the column before is used again.
func (g *Gather) Of(c *Column) {
	g.c, g.at, g.values = c, g.at[:0], g.values[:0]
	switch {
	case !c.Flat():
		g.ofLevels()
	case c.Leaf.MaxDef == 1 || c.Leaf.Physical == PhysBytes:
		g.ofFlat()
	}
}

func (g *Gather) ofFlat() {
	c, cur := g.c, cursor{}
	for row := range c.Rows() {
		g.at = append(g.at, c.place(&cur))
		if c.Leaf.MaxDef == 0 || c.valid[row>>3]>>(row&7)&1 == 1 {
			c.skip(&cur)
		}
	}
}

func (g *Gather) ofLevels() {
	c, cur := g.c, cursor{}
	for k, def := range c.def {
		if c.Leaf.MaxRep == 0 || c.rep[k] == 0 {
			g.at, g.values = append(g.at, k), append(g.values, c.place(&cur))
		}
		if def == c.Leaf.MaxDef {
			c.skip(&cur)
		}
	}
	g.at = append(g.at, len(c.def))
}

// place is what finds the next value again: its offset for byte arrays, otherwise its number.
func (c *Column) place(cur *cursor) int {
	if c.Leaf.Physical == PhysBytes {
		return cur.at
	}
	return cur.n
}

// skip passes the next value.
func (c *Column) skip(cur *cursor) {
	cur.n++
	if c.Leaf.Physical == PhysBytes {
		cur.at += 4 + int(binary.LittleEndian.Uint32(c.buf[cur.at:]))
	}
}

// seek is the cursor at a place.
func (c *Column) seek(place int) cursor {
	return cursor{n: place, at: place * max(1, c.Leaf.FixedLen)}
}

// Append appends the rows named to d, a column of the same leaf.
func (g *Gather) Append(d *Column, rows []int32) {
	c := g.c
	switch {
	case !c.Flat():
		for _, row := range rows {
			g.appendLevels(d, row)
		}
	case c.Leaf.MaxDef == 1:
		for _, row := range rows {
			if c.valid[row>>3]>>(row&7)&1 == 0 {
				d.SetNull()
				continue
			}
			cur := c.seek(g.at[row])
			c.move(&cur, d)
			d.SetValid()
		}
	case c.Leaf.Physical == PhysBytes:
		for _, row := range rows {
			cur := cursor{at: g.at[row]}
			c.move(&cur, d)
		}
	default:
		for _, row := range rows {
			cur := c.seek(int(row))
			c.move(&cur, d)
		}
	}
}

func (g *Gather) appendLevels(d *Column, row int32) {
	c := g.c
	cur := c.seek(g.values[row])
	for k := g.at[row]; k < g.at[row+1]; k++ {
		if c.def[k] == c.Leaf.MaxDef {
			c.move(&cur, d)
		}
		var rep byte
		if c.Leaf.MaxRep > 0 {
			rep = c.rep[k]
		}
		d.AppendLevels(c.def[k], rep)
	}
}
