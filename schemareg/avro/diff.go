package avro

import (
	"fmt"
	"strings"

	"github.com/ingestd/ingestd/table/column"
)

// AddColumn is a column that a table lacks. Path is the field it goes below, in Iceberg's spelling with "element",
// "key" and "value", empty for a top-level column. The field is optional, whatever the schema says: rows written
// before have none.
type AddColumn struct {
	Path  []string
	Field column.Field
}

// Mismatch is a difference that adding columns does not settle.
type Mismatch struct {
	Field  string // in the schema
	Column string // dotted name and type in the table
	Writer string // type in the schema
	Reason string
}

// String is one line for people.
func (m Mismatch) String() string {
	return fmt.Sprintf("field %s is %s, column %s: %s", m.Field, m.Writer, m.Column, m.Reason)
}

// Changes are the differences between a writer schema and a table. Fields that became fewer are none.
type Changes struct {
	Add     []AddColumn
	Illegal []Mismatch
}

// Empty says that Compile would neither skip a field nor fail.
func (c Changes) Empty() bool { return len(c.Add) == 0 && len(c.Illegal) == 0 }

// Diff says what the table lacks for records of s. If nothing is Illegal, Compile succeeds; otherwise it may still, as
// it skips fields that have no column instead of asking whether they could have one.
func Diff(s *Schema, l *column.Layout, opts CompileOptions) (Changes, error) {
	c := newCompiler(l, opts)
	var unused block
	if err := c.compile(&unused, s); err != nil {
		return Changes{}, err
	}
	return c.changes, nil
}

// lacks notes a field without a column. siblings are the columns beside which it would stand, by lower-case name.
func (c *compiler) lacks(f *avroField, name string, siblings map[string]*column.Node, at place) {
	if c.columns != nil {
		return
	}
	p, err := propose(f.typ, join(at.path, f.name))
	if err != nil {
		c.err = err
		return
	}
	if !p.ok {
		return
	}
	below := at.below(f.name, name)
	if n := siblings[strings.ToLower(name)]; n != nil {
		c.mismatch(below, n, f.typ.String(), "the column has the same name, but for case or for what fills it")
		return
	}
	key := strings.ToLower(strings.Join(below.column, "."))
	if other, known := c.added[key]; known {
		if other != name {
			c.err = caseCollision(at.path, other, name)
		}
		return // the second use of a union's member
	}
	c.added[key] = name
	field := column.Field{Name: name, Doc: f.docs(), Type: p.typ}
	c.changes.Add = append(c.changes.Add, AddColumn{Path: at.column, Field: field})
}

// byLower indexes columns for lacks.
func (c *compiler) byLower(nodes []*column.Node) map[string]*column.Node {
	if c.columns != nil {
		return nil
	}
	out := make(map[string]*column.Node, len(nodes))
	for _, n := range nodes {
		out[strings.ToLower(n.Field.Name)] = n
	}
	return out
}

func (c *compiler) mismatch(at place, n *column.Node, writer, reason string) {
	m := Mismatch{
		Field:  at.path,
		Column: strings.Join(at.column, ".") + " " + n.Field.Type.String(),
		Writer: writer,
		Reason: reason,
	}
	for _, known := range c.changes.Illegal {
		if known == m {
			return
		}
	}
	c.changes.Illegal = append(c.changes.Illegal, m)
}
