package jsonrec

import (
	"slices"
	"strings"

	"github.com/ingestd/ingestd/table/column"
)

// AddColumn is a column that a table lacks. Path is the field it goes below, in Iceberg's spelling with "element",
// "key" and "value", empty for a top-level column.
type AddColumn struct {
	Path  []string
	Field column.Field
}

// DiffOptions say what of a table is looked at, and what may be added.
type DiffOptions struct {
	// Nodes are the top-level columns the records fill; nil stands for all of the layout's.
	Nodes []*column.Node
	// Optional makes optional columns of required fields: the record may be missing as a whole, as a key may.
	Optional bool
}

// Diff lists the columns a table lacks for records of s, RestColumn among them. Only optional ones can be added, as the
// rows before have no value; a required one is a failure of class Config, and so is every column that Compile would
// refuse. If there is none, Compile succeeds once the columns are there.
func Diff(s *Schema, l *column.Layout, opts DiffOptions) ([]AddColumn, error) {
	nodes := opts.Nodes
	if nodes == nil {
		nodes = l.Nodes
	}
	d := differ{optional: opts.Optional}
	rest := func(n *column.Node) bool { return n.Field.Name == RestColumn }
	if s.config.Unknown == Rest {
		if at := slices.IndexFunc(nodes, rest); at < 0 {
			d.rest = true
		} else if err := fitsRest(nodes[at]); err != nil {
			return nil, err
		} else {
			nodes = slices.Delete(slices.Clone(nodes), at, at+1)
		}
	}
	if err := d.members(s.root, nodes, nil); err != nil {
		return nil, err
	}
	if d.rest {
		d.add = append(d.add, AddColumn{Field: restField()})
	}
	return d.add, nil
}

// differ collects what is lacking.
type differ struct {
	add            []AddColumn
	optional, rest bool
}

// members compares the members of a struct, or of the record, with the columns there. at is their place in the table.
func (d *differ) members(members []declared, nodes []*column.Node, at []string) error {
	known := map[string]bool{}
	for i := range members {
		m := &members[i]
		known[m.Name] = true
		n := slices.IndexFunc(nodes, func(n *column.Node) bool { return n.Field.Name == m.Name })
		if n >= 0 {
			if err := d.field(m, nodes[n], append(slices.Clone(at), m.Name)); err != nil {
				return err
			}
			continue
		}
		if n := slices.IndexFunc(nodes, func(n *column.Node) bool { return strings.EqualFold(n.Field.Name, m.Name) }); n >= 0 {
			return schemaFailure("rename the column; from keeps the name in the JSON object",
				"the table has no column %s, but one that differs in case only: %s", joinPath(m.path), nodes[n].Field.Name)
		}
		f := m.Field
		if f.Required && !(d.optional && len(at) == 0) {
			return schemaFailure("declare it without required, or write to a new table",
				"the table has no column %s, and a column that is added cannot be required: the rows before have no value", joinPath(m.path))
		}
		f.Required = false
		d.add = append(d.add, AddColumn{Path: at, Field: f})
	}
	return allOptional(nodes, func(n *column.Node) bool { return known[n.Field.Name] })
}

// field compares a declared field with its column.
func (d *differ) field(m *declared, n *column.Node, at []string) error {
	if err := m.fits(n); err != nil {
		return err
	}
	switch m.Type.Kind {
	case column.Struct:
		return d.members(m.members, n.Children, at)
	case column.List, column.Map:
		for i, c := range n.Children {
			if err := d.field(&m.members[i], c, append(slices.Clone(at), c.Field.Name)); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

// allOptional refuses required columns that nobody declared.
func allOptional(nodes []*column.Node, declared func(*column.Node) bool) error {
	for _, n := range nodes {
		if n.Field.Required && !declared(n) {
			return schemaFailure("declare the field", "the table's column %s is required and not declared", n.Field.Name)
		}
	}
	return nil
}
