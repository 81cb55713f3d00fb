package table_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// shelf is a Store in memory that fails where it is told to.
type shelf struct {
	mu      sync.Mutex
	files   map[string]int64
	hints   map[string]int64
	fail    func(path string) error
	deleted []string
}

func newShelf() *shelf {
	return &shelf{files: map[string]int64{}, hints: map[string]int64{}, fail: func(string) error { return nil }}
}

func (s *shelf) Put(_ context.Context, path string, size int64, write func(io.Writer) error) error {
	var n counter
	err := errors.Join(write(&n), s.fail(path))
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.files[path], s.hints[path] = int64(n), size
	}
	return err
}

func (s *shelf) Delete(ctx context.Context, path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleted = append(s.deleted, path)
	delete(s.files, path)
	return ctx.Err()
}

func (s *shelf) Stat(_ context.Context, path string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.files[path]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func (b *bare) assembler(t *testing.T, s *shelf, props iceberg.Properties) *table.Assembler {
	sc, err := table.Schema(1, b.layout.Fields)
	require.NoError(t, err)
	a, err := table.NewAssembler(table.AssemblerOptions{
		Layout: b.layout, Schema: sc, Spec: b.spec, Location: "s3://lake/db/t/", Properties: props, Store: s,
	})
	require.NoError(t, err)
	return a
}

func TestPartsOfLanesBecomeOneFilePerPartition(t *testing.T) {
	a, b := newBare(t, nil, iceberg.IdentityTransform{}), newBare(t, nil, iceberg.IdentityTransform{})
	a.add(t, 1000, byMod(3))
	b.add(t, 700, func(i int64) int64 { return 4 - i%3 }) // 4, 3, 2
	s := newShelf()
	files, err := a.assembler(t, s, nil).Assemble(t.Context(), "id", append(cut(t, a.w), cut(t, b.w)...))
	require.NoError(t, err)
	require.Len(t, files.Data, 5)
	require.EqualValues(t, 1700, files.Rows)
	var bytes int64
	counts := map[any]int64{}
	for i, f := range files.Data {
		require.Equal(t, fmt.Sprintf("s3://lake/db/t/data/p0=%d/%05d-id.parquet", f.Partition()[1000], i), f.FilePath())
		require.Equal(t, s.files[f.FilePath()], f.FileSizeBytes())
		require.GreaterOrEqual(t, s.hints[f.FilePath()], f.FileSizeBytes(), "the store is told what to expect")
		require.Less(t, s.hints[f.FilePath()], f.FileSizeBytes()+32<<10)
		require.Equal(t, f.Count(), f.ValueCounts()[1])
		counts[f.Partition()[1000]] = f.Count()
		bytes += f.FileSizeBytes()
	}
	require.Equal(t, map[any]int64{int64(0): 334, int64(1): 333, int64(2): 333 + 233, int64(3): 233, int64(4): 234}, counts)
	require.Len(t, files.Data[2].SplitOffsets(), 2, "a row group of each lane")
	require.Equal(t, bytes, files.Bytes)
	require.Zero(t, files.Repaired)
}

func TestFilesEndAtTheTargetSize(t *testing.T) {
	b := newBare(t, func(o *table.WriterOptions) { o.RowGroupBytes = 20 << 10 })
	b.add(t, 40_000, func(i int64) int64 { return i * 7919 })
	parts := cut(t, b.w)
	require.Greater(t, len(parts), 6)
	files, err := b.assembler(t, newShelf(), iceberg.Properties{"write.target-file-size-bytes": "60000", "write.data.path": "s3://other/place/"}).
		Assemble(t.Context(), "id", parts)
	require.NoError(t, err)
	require.Greater(t, len(files.Data), 2)
	require.Less(t, len(files.Data), len(parts))
	for i, f := range files.Data {
		require.Equal(t, fmt.Sprintf("s3://other/place/%05d-id.parquet", i), f.FilePath())
		require.Less(t, f.FileSizeBytes(), int64(80_000))
	}
}

func TestAFailedFileTakesTheOthersBack(t *testing.T) {
	b := newBare(t, nil, iceberg.IdentityTransform{})
	b.add(t, 100, byMod(10))
	parts := cut(t, b.w)
	s := newShelf()
	full := failure.New(failure.Retry, "E_STORE_FULL", "make room", "no space")
	s.fail = func(path string) error {
		if strings.Contains(path, "p0=7") {
			return full
		}
		return nil
	}
	_, err := b.assembler(t, s, nil).Assemble(t.Context(), "id", parts)
	require.ErrorIs(t, err, full)
	require.Equal(t, failure.Retry, failure.ClassOf(err))
	require.Equal(t, "make room", failure.HintOf(err))
	require.Empty(t, s.files)
	require.Len(t, s.deleted, 10)

	s = newShelf()
	ctx, cancel := context.WithCancel(t.Context())
	s.fail = func(string) error { cancel(); return ctx.Err() }
	_, err = b.assembler(t, s, nil).Assemble(ctx, "id", parts)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, s.deleted, 10, "also when the caller has gone")

	s.fail = func(string) error { return nil }
	files, err := b.assembler(t, s, nil).Assemble(t.Context(), "id2", parts)
	require.NoError(t, err, "parts can be assembled again")
	require.EqualValues(t, 100, files.Rows)
}

func TestPartsOfAnotherSpecAreRefused(t *testing.T) {
	b, other := newBare(t, nil), newBare(t, nil, iceberg.IdentityTransform{})
	b.add(t, 5, byMod(2))
	parts := cut(t, b.w)
	s := newShelf()
	_, err := other.assembler(t, s, nil).Assemble(t.Context(), "id", parts)
	require.ErrorContains(t, err, "0 partition values for a spec of 1 fields")
	require.Empty(t, s.files)
}

func TestNothingToAssemble(t *testing.T) {
	files, err := newBare(t, nil).assembler(t, newShelf(), nil).Assemble(t.Context(), "id", nil)
	require.NoError(t, err)
	require.Empty(t, files.Data)
}

func TestRepairedTextIsCounted(t *testing.T) {
	b := newBare(t, nil)
	set := b.w.Set()
	set.Columns[0].AppendInt64(1)
	set.Columns[1].SetNull()
	set.Columns[2].AppendBytes([]byte("\xff"))
	set.Columns[2].SetValid()
	files, err := b.assembler(t, newShelf(), nil).Assemble(t.Context(), "id", cut(t, b.w))
	require.NoError(t, err)
	require.EqualValues(t, 1, files.Repaired)
	require.Equal(t, "\uFFFD", string(files.Data[0].LowerBoundValues()[3]))
}

func TestMetricsModes(t *testing.T) {
	b := newBare(t, nil)
	b.add(t, 10, byMod(2))
	parts := cut(t, b.w)
	f := func(props iceberg.Properties, counts, bounds []int) {
		t.Helper()
		files, err := b.assembler(t, newShelf(), props).Assemble(t.Context(), "id", parts)
		require.NoError(t, err)
		d := files.Data[0]
		require.Equal(t, counts, slices.Sorted(maps.Keys(d.ValueCounts())))
		require.Equal(t, counts, slices.Sorted(maps.Keys(d.ColumnSizes())))
		require.Equal(t, counts, slices.Sorted(maps.Keys(d.NullValueCounts())))
		require.Equal(t, bounds, slices.Sorted(maps.Keys(d.LowerBoundValues())))
		require.Equal(t, bounds, slices.Sorted(maps.Keys(d.UpperBoundValues())))
	}
	all := []int{1, 2, 3}
	f(nil, all, all)
	f(iceberg.Properties{"write.metadata.metrics.default": "counts"}, all, nil)
	f(iceberg.Properties{"write.metadata.metrics.default": "none", "write.metadata.metrics.column.key": "full"}, []int{2}, []int{2})
	f(iceberg.Properties{"write.metadata.metrics.column.text": "counts"}, all, []int{1, 2})
	f(iceberg.Properties{"write.metadata.metrics.max-inferred-column-defaults": "2"}, []int{1, 2}, []int{1, 2})
	f(iceberg.Properties{"write.metadata.metrics.max-inferred-column-defaults": "1", "write.metadata.metrics.default": "truncate(16)"}, all, all)
}

func TestMetricsModesOfNestedColumns(t *testing.T) {
	long := column.Type{Kind: column.Long}
	l := newLake(t)
	lt := l.create(t, []column.Field{
		{Name: "rid", Required: true, Type: long},
		{Name: "l", Required: true, Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: column.Type{
			Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: long}, {Name: "list", Type: long}}}}}}},
	}, iceberg.Properties{"write.metadata.metrics.column.l.element.list": "none"})
	w := lt.writer(t, nil)
	appendRow(w.Set(), []any{int64(1), []any{map[string]any{"a": int64(2), "list": int64(3)}}})
	f := lt.assemble(t, cut(t, w)).Data[0]
	a, _ := lt.tbl.Schema().FindFieldByName("l.element.a")
	list, _ := lt.tbl.Schema().FindFieldByName("l.element.list")
	require.Contains(t, f.ValueCounts(), a.ID)
	require.NotContains(t, f.ValueCounts(), list.ID)
}
