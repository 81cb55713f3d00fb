package commit

import (
	"context"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
	ours "github.com/ingestd/ingestd/table"
)

func TestSortOrders(t *testing.T) { onFormats(t, sortOrders) }

// An order is set once, found again, replaced and taken up again under its old id.
func sortOrders(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	require.Zero(t, w.Metadata().DefaultSortOrder())
	b.commit(w, step(0, 0, 10))
	name := w.Schema().Field(0).Name
	first := []ours.SortTerm{{Column: name}}
	second := []ours.SortTerm{{Column: name, Descending: true, NullsFirst: true}}
	require.Zero(t, w.SortOrderID(first))
	require.NoError(t, w.Sort(b.ctx, first))
	require.Equal(t, 1, w.SortOrderID(first))
	require.Equal(t, 1, w.Metadata().DefaultSortOrder())
	require.NoError(t, w.Sort(b.ctx, second))
	require.Equal(t, 2, w.Metadata().DefaultSortOrder())
	require.Equal(t, 1, w.SortOrderID(first), "files of before go on naming it")
	order := w.Metadata().SortOrder()
	require.Equal(t, table.SortField{SourceIDs: []int{w.Schema().Field(0).ID}, Transform: order.Field(0).Transform, Direction: table.SortDESC, NullOrder: table.NullsFirst}, order.Field(0))
	require.Equal(t, "identity", order.Field(0).Transform.String())

	calls := 0
	b.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
		calls++
		return apply()
	}
	require.NoError(t, w.Sort(b.ctx, second))
	require.Zero(t, calls, "nothing to do")
	require.NoError(t, w.Sort(b.ctx, first))
	require.Equal(t, 1, w.Metadata().DefaultSortOrder())
	require.Len(t, w.Metadata().SortOrders(), 3, "unsorted and two orders")
	b.cat.OnCommit = nil
	b.commit(w, step(0, 10, 20))
	require.Equal(t, map[string]int{"0": 20}, b.exact("main"))

	err := w.Sort(b.ctx, []ours.SortTerm{{Column: "nobody"}})
	require.Equal(t, "E_SORT", failure.CodeOf(err))
}

// Two processes set the same order: it is there once, whoever comes first and whatever answer is lost.
func TestSortConverges(t *testing.T) {
	for name, f := range map[string]fault{"lost": lost, "dropped": dropped, "conflict": nil} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w1, w2 := b.create("w1", 1), b.open("w2")
			by := []ours.SortTerm{{Column: w1.Schema().Field(0).Name}}
			if f == nil {
				f = func(_ committest.Call, apply func() committest.Answer) committest.Answer {
					b.cat.OnCommit = nil
					require.NoError(t, w2.Sort(b.ctx, by))
					return apply()
				}
			}
			b.on(map[int]fault{1: f})
			require.NoError(t, w1.Sort(b.ctx, by))
			require.NoError(t, w2.Sort(b.ctx, by))
			require.NoError(t, w1.Refresh(b.ctx))
			require.Len(t, w1.Metadata().SortOrders(), 2)
			require.Equal(t, w1.Metadata().DefaultSortOrder(), w1.SortOrderID(by))
		})
	}
}
