package rewrite

import (
	"slices"
	"sort"
)

// Moves tells where the rows of the inputs went. Rows keep their order, so it takes a number per file and the deleted
// positions.
type Moves struct {
	inputs []source
	starts []int64 // rows before each output
	total  int64
}

// source is an input as Moves knows it.
type source struct {
	before  int64 // rows that stay, of the inputs before
	rows    int64
	deleted []int64
}

func newMoves(inputs []Input, rows []int64, outputs []Output) *Moves {
	m := &Moves{}
	for i := range inputs {
		m.inputs = append(m.inputs, source{before: m.total, rows: rows[i], deleted: inputs[i].Deleted})
		m.total += rows[i] - int64(len(inputs[i].Deleted))
	}
	var at int64
	for i := range outputs {
		m.starts = append(m.starts, at)
		at += outputs[i].Metrics.Rows
	}
	return m
}

// Find gives the output and the position in it of a row of an input. ok is false for a row that is gone or never was.
func (m *Moves) Find(input int, position int64) (output int, at int64, ok bool) {
	if input < 0 || input >= len(m.inputs) {
		return 0, 0, false
	}
	s := &m.inputs[input]
	if position < 0 || position >= s.rows {
		return 0, 0, false
	}
	gone, dead := slices.BinarySearch(s.deleted, position)
	if dead {
		return 0, 0, false
	}
	rank := s.before + position - int64(gone)
	output = sort.Search(len(m.starts), func(i int) bool { return m.starts[i] > rank }) - 1
	return output, rank - m.starts[output], true
}
