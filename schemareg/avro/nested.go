package avro

import "math"

// nested runs the ops that have blocks of their own or write to many columns.
func (pr *Program) nested(o *op, b []byte, p int, rep byte) int {
	switch o.code {
	case opFill:
		o.x.nulls.append(rep)
		return p
	case opStrings:
		return pr.strings(o, b, p, rep)
	case opArray:
		return pr.array(o, b, p, rep)
	case opUnion:
		return pr.union(o, b, p, rep)
	default:
		return pr.skipArray(o, b, p)
	}
}

// blockStart reads the head of a block of list items: how many, and where it ends if its size is given, otherwise -1.
// No items means the end of the list.
func blockStart(b []byte, p int) (items int64, end, at int) {
	u, p := varint(b, p)
	if p < 0 {
		return 0, 0, p
	}
	items = zigzag(u)
	if items >= 0 {
		return items, -1, p
	}
	if items == math.MinInt64 {
		return 0, 0, faultItems
	}
	u, p = varint(b, p)
	if p < 0 {
		return 0, 0, p
	}
	if u&1 != 0 {
		return 0, 0, faultLength
	}
	if u>>1 > uint64(len(b)-p) {
		return 0, 0, faultShort
	}
	return -items, p + int(u>>1), p
}

// array runs the block of an array or a map for each item. The first item goes on at the repetition level that the
// list was entered with, the others at the list's own.
func (pr *Program) array(o *op, b []byte, p int, rep byte) int {
	x, level := o.x, rep
	for {
		items, end, at := blockStart(b, p)
		if p = at; p < 0 {
			return p
		}
		if items == 0 {
			break
		}
		if items > int64(pr.budget/x.cost) {
			return faultItems
		}
		pr.budget -= int(items) * x.cost
		for ; items > 0; items-- {
			if p = pr.run(&x.subs[0], b, p, level); p < 0 {
				return p
			}
			level = byte(o.n)
		}
		if end >= 0 && p != end {
			return faultBlock
		}
	}
	if level == rep {
		x.nulls.append(rep)
	}
	return p
}

// strings is array for the most common list of all, without a block per item.
func (pr *Program) strings(o *op, b []byte, p int, rep byte) int {
	var n int
	c, level := o.col, rep
	for {
		items, end, at := blockStart(b, p)
		if p = at; p < 0 {
			return p
		}
		if items == 0 {
			break
		}
		for ; items > 0; items-- {
			if n, p = length(b, p); p < 0 {
				return p
			}
			c.AppendFrom(b, p, n)
			c.AppendLevels(c.Leaf.MaxDef, level)
			p += n
			level = byte(o.n)
		}
		if end >= 0 && p != end {
			return faultBlock
		}
	}
	if level == rep {
		c.AppendLevels(o.def, rep)
	}
	return p
}

func (pr *Program) union(o *op, b []byte, p int, rep byte) int {
	u, p := varint(b, p)
	if p < 0 {
		return p
	}
	if u&1 != 0 || u>>1 >= uint64(len(o.x.subs)) {
		return faultBranch
	}
	return pr.run(&o.x.subs[u>>1], b, p, rep)
}

// skipArray jumps over blocks whose size is given and walks through the items of the others. A list whose items have
// no bytes counts like one that is stored: its length is the only number in a record that nothing else bounds.
func (pr *Program) skipArray(o *op, b []byte, p int) int {
	sub := &o.x.subs[0]
	for {
		items, end, at := blockStart(b, p)
		if p = at; p < 0 {
			return p
		}
		if items == 0 {
			return p
		}
		switch {
		case len(sub.ops) == 0:
			if items > int64(pr.budget) {
				return faultItems
			}
			pr.budget -= int(items)
			items = 0
		case end >= 0 && items > int64(end-p):
			return faultBlock // an item has at least one byte
		case end >= 0 && !pr.walk:
			p, items = end, 0
		}
		for ; items > 0; items-- {
			if p = pr.run(sub, b, p, 0); p < 0 {
				return p
			}
		}
		if end >= 0 && p != end {
			return faultBlock
		}
	}
}
