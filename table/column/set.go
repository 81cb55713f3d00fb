package column

// Set is one column per leaf of a layout: where a decode program appends its rows.
type Set struct {
	Layout  *Layout
	Columns []*Column
}

// NewSet makes empty columns. They hold no memory before the first append.
func NewSet(l *Layout) *Set {
	cols := make([]Column, len(l.Leaves))
	s := &Set{Layout: l, Columns: make([]*Column, len(cols))}
	for i := range cols {
		cols[i].Leaf = l.Leaves[i]
		s.Columns[i] = &cols[i]
	}
	return s
}

// Pending is the number of rows appended since the last Absorb, when they are whole.
func (s *Set) Pending() int { return s.Columns[0].Pending() }

// Check compares all columns with the number of rows that the caller has appended since the last Absorb.
func (s *Set) Check(rows int) error {
	for _, c := range s.Columns {
		if err := c.Check(rows); err != nil {
			return err
		}
	}
	return nil
}

// Truncate keeps the first rows of those appended since the last Absorb, in every column.
func (s *Set) Truncate(rows int) {
	for _, c := range s.Columns {
		c.Truncate(rows)
	}
}

// AppendNulls appends one row of null for an optional top-level node. For a required list or map that is an empty
// one; a required primitive cannot be null, so its columns stay as they are and Check will tell.
func (s *Set) AppendNulls(n *Node) {
	for _, c := range s.Columns[n.Lo:n.Hi] {
		if c.Leaf.MaxDef > 0 {
			c.appendNull()
		}
	}
}

// Bytes is the memory the columns hold, used or not, with their dictionaries.
func (s *Set) Bytes() int64 {
	var n int64
	for _, c := range s.Columns {
		n += c.Bytes()
	}
	return n
}

// Release gives the memory of empty columns back.
func (s *Set) Release() {
	for _, c := range s.Columns {
		c.Release()
	}
}

// Reset empties the pages and forgets the dictionaries; buffers are kept.
func (s *Set) Reset() {
	for _, c := range s.Columns {
		c.ResetPage()
		c.ResetChunk()
	}
}
