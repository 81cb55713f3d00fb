package table

import (
	"bytes"
	"slices"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

const codeSort = "E_SORT" // an order that the table cannot have

// SortTerm is one entry of sort_by.
type SortTerm struct {
	Column     string
	Descending bool
	NullsFirst bool
}

// String writes the term as it may stand in sort_by, with nothing left out.
func (t SortTerm) String() string {
	s := t.Column + " asc"
	if t.Descending {
		s = t.Column + " desc"
	}
	if t.NullsFirst {
		return s + " nulls first"
	}
	return s + " nulls last"
}

// SortKeys finds the columns of an order. One that is not there, or that has no order, is refused: a table that says it
// is sorted by something else than its files are would be worse than one that does not run.
func SortKeys(terms []SortTerm, l *column.Layout) ([]column.SortKey, error) {
	var keys []column.SortKey
	for _, t := range terms {
		n := l.Node(t.Column)
		if n == nil {
			return nil, failure.New(failure.Config, codeSort, "name a column of the table in sort_by, or put the column back; a column that files are sorted by cannot go",
				"sorting by %s: the table has no such column", t.Column)
		}
		k := column.SortKey{Leaf: n.Leaf, Descending: t.Descending, NullsFirst: t.NullsFirst}
		if n.Leaf < 0 || column.CheckSortKey(l, k) != nil {
			return nil, failure.New(failure.Config, codeSort, "sort by a column with a single value", "sorting by %s: a %s has no order", t.Column, n.Field.Type.Kind)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// CheckSort is SortKeys for a table that is to be created.
func CheckSort(terms []SortTerm, fields []column.Field) error {
	l, err := column.NewLayout(fields)
	if err != nil {
		return failure.Wrap(err, failure.Config, codeSchema, "", "reading the columns of a new table")
	}
	_, err = SortKeys(terms, l)
	return err
}

// byFirst puts sorted parts into the order of their first rows, so that those which do not overlap can follow each
// other in one file.
func byFirst(parts []Part) []Part {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b Part) int { return bytes.Compare(a.Chunk.Order.First, b.Chunk.Order.First) })
	return parts
}

// takes says whether a row group may come behind those of a file. In a sorted file none begins before the last one has
// ended.
func (a *Assembler) takes(f *plannedFile, c *parquet.Chunk) bool {
	if f.bytes+c.Bytes > a.limit {
		return false
	}
	return a.opts.SortOrderID == 0 || f.chunks[len(f.chunks)-1].Order.Before(c.Order)
}
