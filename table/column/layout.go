package column

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of what a table may look like; they keep every walk over a schema finite and cheap.
const (
	MaxLeaves = 2000
	MaxDepth  = 32
)

// Leaf is one primitive column as Parquet sees it.
type Leaf struct {
	Path     []string // Parquet path, with list.element, key_value.key and key_value.value
	FieldID  int
	Type     Type
	Physical Physical
	FixedLen int // bytes of a PhysFixed value
	MaxDef   uint8
	MaxRep   uint8
}

// Name is the dotted path, for messages.
func (l *Leaf) Name() string { return strings.Join(l.Path, ".") }

// Node is a field of the layout with the levels that a program writes for it.
//
// Def is the definition level when the node is present. For a List or a Map it is the level when there is an
// element: Def-1 is the empty list and, when the field is optional, Def-2 the null list. Rep is the repetition
// level of a further element of the innermost list at or above the node; the first element of a list repeats the
// level its parent was entered with.
type Node struct {
	Field    Field
	Def      uint8
	Rep      uint8
	Children []*Node // Struct: members; List: the element; Map: key, value
	Leaf     int     // index in Layout.Leaves, -1 for nested types
	Lo, Hi   int     // leaves at or below this node: [Lo,Hi)
}

// Layout is a table's type tree with its leaves, immutable after NewLayout.
type Layout struct {
	Fields []Field
	Nodes  []*Node // one per top-level field
	Leaves []Leaf
}

// Node returns the top-level node of that name, nil when there is none.
func (l *Layout) Node(name string) *Node {
	for _, n := range l.Nodes {
		if n.Field.Name == name {
			return n
		}
	}
	return nil
}

// NewLayout checks the fields and computes leaves, paths and levels.
func NewLayout(fields []Field) (*Layout, error) {
	l := &Layout{Fields: fields}
	if err := checkNames(fields); err != nil {
		return nil, err
	}
	for i := range fields {
		n, err := l.build(&fields[i], place{path: []string{fields[i].Name}, depth: 1})
		if err != nil {
			return nil, err
		}
		l.Nodes = append(l.Nodes, n)
	}
	if len(l.Leaves) == 0 {
		return nil, errors.New("schema has no columns")
	}
	return l, nil
}

// place is where in the tree a field stands.
type place struct {
	path     []string
	def, rep uint8
	depth    int
}

func (p place) below(names ...string) place {
	path := make([]string, 0, len(p.path)+len(names))
	p.path = append(append(path, p.path...), names...)
	p.depth++
	return p
}

func (l *Layout) build(f *Field, at place) (*Node, error) {
	if at.depth > MaxDepth {
		return nil, fmt.Errorf("column %s: nested deeper than %d levels", strings.Join(at.path, "."), MaxDepth)
	}
	if err := checkType(f.Type); err != nil {
		return nil, fmt.Errorf("column %s: %w", strings.Join(at.path, "."), err)
	}
	if !f.Required {
		at.def++
	}
	n := &Node{Field: *f, Leaf: -1, Lo: len(l.Leaves)}
	var err error
	switch f.Type.Kind {
	case Struct:
		err = l.buildStruct(n, at)
	case List:
		at.def, at.rep = at.def+1, at.rep+1
		err = l.buildChildren(n, []place{at.below("list", "element")})
	case Map:
		at.def, at.rep = at.def+1, at.rep+1
		err = l.buildChildren(n, []place{at.below("key_value", "key"), at.below("key_value", "value")})
	default:
		err = l.addLeaf(n, at)
	}
	if err != nil {
		return nil, err
	}
	n.Def, n.Rep, n.Hi = at.def, at.rep, len(l.Leaves)
	return n, nil
}

func (l *Layout) buildStruct(n *Node, at place) error {
	fields := n.Field.Type.Fields
	if err := checkNames(fields); err != nil {
		return fmt.Errorf("column %s: %w", strings.Join(at.path, "."), err)
	}
	places := make([]place, len(fields))
	for i := range fields {
		places[i] = at.below(fields[i].Name)
	}
	return l.buildChildren(n, places)
}

func (l *Layout) buildChildren(n *Node, places []place) error {
	for i := range n.Field.Type.Fields {
		c, err := l.build(&n.Field.Type.Fields[i], places[i])
		if err != nil {
			return err
		}
		n.Children = append(n.Children, c)
	}
	return nil
}

func (l *Layout) addLeaf(n *Node, at place) error {
	if len(l.Leaves) == MaxLeaves {
		return fmt.Errorf("schema has more than %d columns", MaxLeaves)
	}
	phys, length := n.Field.Type.physical()
	n.Leaf = len(l.Leaves)
	l.Leaves = append(l.Leaves, Leaf{
		Path: at.path, FieldID: n.Field.ID, Type: n.Field.Type,
		Physical: phys, FixedLen: length, MaxDef: at.def, MaxRep: at.rep,
	})
	return nil
}

func checkNames(fields []Field) error {
	seen := make(map[string]bool, len(fields))
	for i := range fields {
		name := fields[i].Name
		if name == "" {
			return errors.New("field without a name")
		}
		if seen[name] {
			return fmt.Errorf("two fields named %q", name)
		}
		seen[name] = true
	}
	return nil
}

func checkType(t Type) error {
	switch t.Kind {
	case Decimal:
		if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
			return fmt.Errorf("%s is out of range", t)
		}
	case Fixed:
		if t.Length < 1 || t.Length > 1<<20 {
			return fmt.Errorf("%s is out of range", t)
		}
	case Struct, List, Map:
		return checkNested(t)
	default:
		if int(t.Kind) >= kinds {
			return fmt.Errorf("unknown type %s", t.Kind)
		}
	}
	if len(t.Fields) > 0 {
		return fmt.Errorf("%s with nested fields", t.Kind)
	}
	return nil
}

func checkNested(t Type) error {
	n := len(t.Fields)
	switch {
	case t.Kind == Struct && n == 0:
		return errors.New("struct without members")
	case t.Kind == List && n != 1:
		return fmt.Errorf("list with %d element types", n)
	case t.Kind == Map && n != 2:
		return fmt.Errorf("map with %d types", n)
	case t.Kind == Map && !t.Fields[0].Required:
		return errors.New("map with an optional key")
	}
	return nil
}

// LeafOf is the storage of a primitive type, without a place in a layout.
func LeafOf(t Type) Leaf {
	phys, length := t.physical()
	return Leaf{Type: t, Physical: phys, FixedLen: length}
}
