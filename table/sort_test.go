package table_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/rowread"
	"github.com/ingestd/ingestd/table/store"
)

// kept is a store that gives files back.
type kept struct {
	store.Store
	sync.Mutex
	files map[string][]byte
}

func (k *kept) Put(_ context.Context, path string, _ int64, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	k.Lock()
	defer k.Unlock()
	k.files[path] = b.Bytes()
	return err
}

// sortedLanes fills writers that sort by terms and assembles what they cut.
type sortedLanes struct {
	terms []table.SortTerm
	lanes []*bare
	store *kept
}

func newSortedLanes(t *testing.T, lanes int, most int64, terms []table.SortTerm, transforms ...iceberg.Transform) *sortedLanes {
	s := &sortedLanes{terms: terms, store: &kept{files: map[string][]byte{}}}
	for range lanes {
		s.lanes = append(s.lanes, newBare(t, func(o *table.WriterOptions) {
			var err error
			o.Order, err = table.SortKeys(terms, o.Layout)
			require.NoError(t, err)
			o.MaxOpenBytes = most
		}, transforms...))
	}
	return s
}

func (s *sortedLanes) assemble(t *testing.T) table.Files {
	var parts []table.Part
	for _, b := range s.lanes {
		parts = append(parts, cut(t, b.w)...)
	}
	b := s.lanes[0]
	sc, err := table.Schema(1, b.layout.Fields)
	require.NoError(t, err)
	a, err := table.NewAssembler(table.AssemblerOptions{Layout: b.layout, Schema: sc, Spec: b.spec, Location: "s3://lake/db/t", Store: s.store, SortOrderID: 7})
	require.NoError(t, err)
	files, err := a.Assemble(t.Context(), "id", parts)
	require.NoError(t, err)
	return files
}

// check reads every file: in order from its first row to its last, and all rows once.
func (s *sortedLanes) check(t *testing.T, files table.Files) {
	seen := map[int64]int{}
	for _, f := range files.Data {
		require.Equal(t, 7, *f.SortOrderID())
		b := s.store.files[f.FilePath()]
		in, err := rowread.New(f.FilePath(), bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		var rids, keys []int64
		require.NoError(t, in.Read(t.Context(), []int{1, 2}, func(b *rowread.Batch) error {
			rids, keys = append(rids, b.Columns[0].Ints[:b.Rows]...), append(keys, b.Columns[1].Ints[:b.Rows]...)
			return nil
		}))
		for i, id := range rids {
			seen[id]++
			if i == 0 {
				continue
			}
			a, b := keys[i-1], keys[i]
			if s.terms[0].Descending {
				a, b = b, a
			}
			require.LessOrEqual(t, a, b, "%s says it is sorted", f.FilePath())
		}
	}
	for _, b := range s.lanes {
		for id := range b.next {
			seen[id]--
		}
	}
	for id, n := range seen {
		require.Zero(t, n, "row %d", id)
	}
}

func TestFilesClaimTheirOrderOnlyWhenItHolds(t *testing.T) {
	for _, terms := range [][]table.SortTerm{{{Column: "key"}}, {{Column: "key", Descending: true}, {Column: "text"}}} {
		for _, by := range [][]iceberg.Transform{nil, {iceberg.BucketTransform{NumBuckets: 3}}} {
			s := newSortedLanes(t, 3, 100<<10, terms, by...)
			for lane, b := range s.lanes {
				b.add(t, 4000, func(i int64) int64 { return (i*7919 + int64(lane)) % 500 })
			}
			files := s.assemble(t)
			require.EqualValues(t, 12_000, files.Rows)
			s.check(t, files)
			// Bounds of the files are those of their first and last rows, so they are no wider than they must be.
			require.GreaterOrEqual(t, len(files.Data), 3)
		}
	}
}

// Runs that follow each other share a file, however many there are; with a single lane that is the usual case for what
// comes nearly in order anyway.
func TestRunsThatDoNotOverlapShareAFile(t *testing.T) {
	for _, desc := range []bool{false, true} {
		s := newSortedLanes(t, 2, 100<<10, []table.SortTerm{{Column: "key", Descending: desc}})
		for lane, b := range s.lanes {
			b.add(t, 4000, func(i int64) int64 { return int64(lane)*1_000_000 + i/3 })
		}
		files := s.assemble(t)
		s.check(t, files)
		require.Len(t, files.Data, 1)
		require.Greater(t, len(files.Data[0].SplitOffsets()), 4, "row groups")
	}
}

// However much comes before a cut, the rows that wait to be sorted stay within their share.
func TestRunsStayBounded(t *testing.T) {
	const limit = 1 << 20
	r := rand.New(rand.NewPCG(1, 2))
	for _, by := range [][]iceberg.Transform{nil, {iceberg.BucketTransform{NumBuckets: 20}}} {
		s := newSortedLanes(t, 1, limit, []table.SortTerm{{Column: "text"}, {Column: "key"}}, by...)
		for range 10 {
			s.lanes[0].add(t, 4000, func(int64) int64 { return r.Int64N(1000) })
			require.Less(t, s.lanes[0].w.Bytes()-s.lanes[0].w.Estimate(), int64(3*limit))
		}
		parts := cut(t, s.lanes[0].w)
		require.Greater(t, len(parts), 2)
		require.Equal(t, []int{1, 20}[len(by)], len(slices.CompactFunc(tuples(parts), func(a, b string) bool { return a == b })))
	}
}

func tuples(parts []table.Part) []string {
	var keys []string
	for _, p := range parts {
		keys = append(keys, p.Tuple.Key())
	}
	slices.Sort(keys)
	return keys
}

func TestOrdersThatATableCannotHave(t *testing.T) {
	fields := []column.Field{
		{Name: "id", Type: column.Type{Kind: column.Long}},
		{Name: "tags", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: column.Type{Kind: column.String}}}}},
		{Name: "who", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "name", Type: column.Type{Kind: column.String}}}}},
	}
	require.NoError(t, table.CheckSort(nil, fields))
	require.NoError(t, table.CheckSort([]table.SortTerm{{Column: "id"}}, fields))
	for name, text := range map[string]string{"ids": "no such column", "tags": "a list has no order", "who": "a struct has no order", "who.name": "no such column"} {
		err := table.CheckSort([]table.SortTerm{{Column: "id"}, {Column: name}}, fields)
		require.ErrorContains(t, err, text)
		require.Equal(t, "E_SORT", failure.CodeOf(err))
		require.NotEmpty(t, failure.HintOf(err))
	}
	require.Equal(t, "id desc nulls last", table.SortTerm{Column: "id", Descending: true}.String())
	require.Equal(t, "id asc nulls first", table.SortTerm{Column: "id", NullsFirst: true}.String())
}
