package avro

import (
	"slices"

	"github.com/ingestd/ingestd/table/column"
)

// union compiles a union against a column: the null and one other branch as an optional column, more branches as a
// struct with a member for each.
func (c *compiler) union(b *builder, t *avroType, n *column.Node, at place) {
	others, null := t.nullable()
	if null >= 0 && n.Field.Required {
		c.mismatch(at, n, t.String(), "the column is required and the field may be null")
		return
	}
	if len(others) == 1 && null >= 0 {
		c.nullable(b, others[0], n, null, at)
		return
	}
	if len(others) > 1 && n.Field.Type.Kind != column.Struct {
		c.mismatch(at, n, t.String(), "a union of several types needs a struct with a member for each")
		return
	}
	names, err := t.memberNames(at.path)
	if err != nil {
		c.err = err
		return
	}
	if len(others) > 1 && !anyMember(n, names) {
		c.mismatch(at, n, t.String(), "the struct has a member for none of the union's types")
		return
	}
	o := op{code: opUnion, x: &extra{subs: make([]block, len(t.branches))}}
	for i, branch := range t.branches {
		sub := &builder{block: &o.x.subs[i]}
		switch {
		case branch.kind == kNull:
			c.fill(sub, n, at)
		case len(others) == 1:
			c.value(sub, branch, n, at)
		default:
			c.member(sub, t, n, i, at)
		}
	}
	b.add(o, at)
}

// nullable compiles a branch that is read in place unless the null branch comes, which jumps over it.
func (c *compiler) nullable(b *builder, t *avroType, n *column.Node, null int, at place) {
	o := op{code: opNull, n: int32(null)}
	if c.columns != nil {
		if col := c.columns[n.Lo]; n.Hi == n.Lo+1 && col.Flat() {
			o.code, o.col = opNullFlat, col
		} else {
			o.x = &extra{nulls: c.nulls(n, nullLevel(n))}
		}
	}
	i := b.add(o, at)
	c.value(b, t, n, at)
	c.land(b, i)
}

// member compiles branch i of a union into the member of the struct n that has its name; the others become null.
func (c *compiler) member(b *builder, t *avroType, n *column.Node, i int, at place) {
	name := t.branchNames()[i]
	below := at.below(name, name)
	var target *column.Node
	for _, m := range n.Children {
		switch {
		case m.Field.Name == name:
			target = m
		case m.Field.Required:
			c.mismatch(at.below(m.Field.Name, m.Field.Name), m, t.String(), "the member of a union's struct is required")
			return
		default:
			c.fill(b, m, at)
		}
	}
	if target == nil {
		c.lacks(&avroField{name: name, doc: t.branches[i].doc, typ: t.branches[i]}, name, c.byLower(n.Children), at)
		c.skip(b, t.branches[i], below)
		return
	}
	c.value(b, t.branches[i], target, below)
}

// anyMember tells a struct that was made for a union from one that was made for a record.
func anyMember(n *column.Node, names []string) bool {
	for _, m := range n.Children {
		if slices.Contains(names, m.Field.Name) {
			return true
		}
	}
	return false
}

// memberOf finds the member for a type that was once one branch of several, as the column still shows: the other
// branches need not come back for this one to stay readable. A record is taken for such a branch only if it could not
// be the struct itself.
func memberOf(t *avroType, n *column.Node) *column.Node {
	if n.Field.Type.Kind != column.Struct {
		return nil
	}
	name := t.shortName()
	var found *column.Node
	for _, m := range n.Children {
		if m.Field.Name == name && (t.kind != kRecord || m.Field.Type.Kind == column.Struct) {
			found = m
		}
	}
	for i := range t.fields {
		if t.fields[i].name == name {
			return nil
		}
	}
	return found
}
