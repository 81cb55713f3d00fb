package columntest

import (
	"fmt"

	"github.com/ingestd/ingestd/table/column"
)

// Entry is one entry of a map value.
type Entry struct{ Key, Value any }

// Rows assembles the open page of set: one slice per row with one value per top-level column.
//
// A null is nil. Values are bool, int32 (int, date), int64 (long, time, timestamps), float32, float64, *big.Int
// (unscaled decimals), string, []byte (uuid, fixed, binary), map[string]any (structs), []any (lists) and []Entry
// (maps, in order).
func Rows(set *column.Set) [][]any {
	leaves := make([]*leaf, len(set.Columns))
	for i, c := range set.Columns {
		leaves[i] = newLeaf(c)
	}
	a := assembler{leaves}
	rows := make([][]any, set.Columns[0].Rows())
	for i := range rows {
		rows[i] = make([]any, len(set.Layout.Nodes))
		for j, n := range set.Layout.Nodes {
			rows[i][j] = a.read(n)
		}
	}
	for _, l := range leaves {
		l.finish()
	}
	return rows
}

// assembler reads rows off the leaves, by Dremel's rules.
type assembler struct{ leaves []*leaf }

// read takes the entries of one value of n.
func (a assembler) read(n *column.Node) any {
	first := a.leaves[n.Lo]
	switch n.Field.Type.Kind {
	case column.Struct:
		if first.def() < n.Def {
			return a.absent(n, first.def())
		}
		members := make(map[string]any, len(n.Children))
		for _, m := range n.Children {
			members[m.Field.Name] = a.read(m)
		}
		return members
	case column.List:
		if elements, ok := a.elements(n); ok {
			return elements
		}
		return nil
	case column.Map:
		return a.entries(n)
	default:
		return first.take()
	}
}

// absent takes one entry of every leaf at and below n; all must say that the value ends at the same level.
func (a assembler) absent(n *column.Node, def uint8) any {
	for _, l := range a.leaves[n.Lo:n.Hi] {
		if got := l.def(); got != def {
			panic(fmt.Sprintf("column %s is absent at level %d, its neighbour at %d", l.name(), got, def))
		}
		l.take()
	}
	return nil
}

// elements reads a list; not ok is null. For a map an element is an entry.
func (a assembler) elements(n *column.Node) (out []any, ok bool) {
	first := a.leaves[n.Lo]
	def := first.def()
	if def < n.Def {
		a.absent(n, def)
		return []any{}, def == n.Def-1
	}
	for {
		if n.Field.Type.Kind == column.Map {
			out = append(out, Entry{a.read(n.Children[0]), a.read(n.Children[1])})
		} else {
			out = append(out, a.read(n.Children[0]))
		}
		if !first.more() || first.rep() < n.Rep {
			return out, true
		}
	}
}

// entries reads a map.
func (a assembler) entries(n *column.Node) any {
	elements, ok := a.elements(n)
	if !ok {
		return nil
	}
	entries := make([]Entry, len(elements))
	for i, e := range elements {
		entries[i] = e.(Entry)
	}
	return entries
}
