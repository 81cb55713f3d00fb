package table_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/rowread"
)

// bare is a writer without a table: rid, key and some text, partitioned by the terms given as transforms of key.
type bare struct {
	layout *column.Layout
	spec   *iceberg.PartitionSpec
	w      *table.Writer
	next   int64
}

func newBare(t testing.TB, tune func(*table.WriterOptions), transforms ...iceberg.Transform) *bare {
	layout, err := column.NewLayout([]column.Field{
		{ID: 1, Name: "rid", Required: true, Type: column.Type{Kind: column.Long}},
		{ID: 2, Name: "key", Type: column.Type{Kind: column.Long}},
		{ID: 3, Name: "text", Type: column.Type{Kind: column.String}},
	})
	require.NoError(t, err)
	b := &bare{layout: layout, spec: iceberg.UnpartitionedSpec}
	var parts []iceberg.PartitionField
	for i, tr := range transforms {
		parts = append(parts, iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1000 + i, Name: fmt.Sprintf("p%d", i), Transform: tr})
	}
	if len(parts) > 0 {
		spec := iceberg.NewPartitionSpec(parts...)
		b.spec = &spec
	}
	enc, err := parquet.NewEncoder(parquet.Options{})
	require.NoError(t, err)
	opts := table.WriterOptions{Layout: layout, Spec: b.spec, Encoder: enc}
	if tune != nil {
		tune(&opts)
	}
	b.w, err = table.NewWriter(opts)
	require.NoError(t, err)
	return b
}

// add appends rows whose keys are given by key, 500 to a batch.
func (b *bare) add(t testing.TB, rows int, key func(i int64) int64) {
	set := b.w.Set()
	for i := range rows {
		set.Columns[0].AppendInt64(b.next)
		set.Columns[1].AppendInt64(key(b.next))
		set.Columns[1].SetValid()
		set.Columns[2].AppendBytes(fmt.Appendf(nil, "some text number %d", b.next*7919%1000))
		set.Columns[2].SetValid()
		b.next++
		if i%500 == 499 || i == rows-1 {
			require.NoError(t, b.w.Absorb())
		}
	}
}

// rids reads the row ids of a part back.
func (b *bare) rids(t *testing.T, p table.Part) (ids []int64) {
	var buf bytes.Buffer
	_, err := parquet.WriteFile(&buf, b.layout, []*parquet.Chunk{p.Chunk}, nil)
	require.NoError(t, err)
	f, err := rowread.New("part", bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	require.NoError(t, err)
	require.NoError(t, f.Read(t.Context(), []int{1}, func(b *rowread.Batch) error {
		ids = append(ids, b.Columns[0].Ints[:b.Rows]...)
		return nil
	}))
	return ids
}

// check compares parts with the rows 0..next: none lost, none doubled, in order within a partition.
func (b *bare) check(t *testing.T, parts []table.Part) (partitions int) {
	last := map[string]int64{}
	seen := map[int64]bool{}
	for _, p := range parts {
		key := p.Tuple.Key()
		for _, id := range b.rids(t, p) {
			require.False(t, seen[id], "row %d twice", id)
			seen[id] = true
			if l, ok := last[key]; ok {
				require.Less(t, l, id, "order in partition %s", p.Tuple.Path())
			}
			last[key] = id
		}
	}
	require.Len(t, seen, int(b.next))
	return len(last)
}

func byMod(n int64) func(int64) int64 { return func(i int64) int64 { return i % n } }

func TestUnpartitionedRowsGoStraightIn(t *testing.T) {
	b := newBare(t, nil)
	set := b.w.Set()
	b.add(t, 2000, byMod(3))
	require.Same(t, set, b.w.Set())
	require.EqualValues(t, 2000, b.w.Rows())
	require.Positive(t, b.w.Estimate())
	parts := cut(t, b.w)
	require.Len(t, parts, 1)
	require.Empty(t, parts[0].Tuple.Path())
	require.Same(t, set, b.w.Set(), "programs stay compiled for it")
	require.Equal(t, 1, b.check(t, parts))
	require.Empty(t, cut(t, b.w), "nothing new, no part")
}

func TestRowGroupsEndAtTheirSize(t *testing.T) {
	for name, transforms := range map[string][]iceberg.Transform{"direct": nil, "partitioned": {iceberg.BucketTransform{NumBuckets: 2}}} {
		t.Run(name, func(t *testing.T) {
			b := newBare(t, func(o *table.WriterOptions) { o.RowGroupBytes = 40 << 10 }, transforms...)
			b.add(t, 20_000, func(i int64) int64 { return i * 7919 })
			parts := cut(t, b.w)
			require.Greater(t, len(parts), 3)
			for _, p := range parts {
				require.Less(t, p.Chunk.Bytes, int64(80<<10))
			}
			b.check(t, parts)
		})
	}
}

func TestManyPartitionsStayBounded(t *testing.T) {
	b := newBare(t, func(o *table.WriterOptions) { o.MaxOpen = 20 }, iceberg.IdentityTransform{})
	b.add(t, 10_000, byMod(300))
	parts := cut(t, b.w)
	require.Greater(t, len(parts), 300, "some were finished early")
	require.Equal(t, 300, b.check(t, parts))
}

// Late rows for old partitions must not keep the current one from growing.
func TestColdPartitionsAreFinishedFirst(t *testing.T) {
	b := newBare(t, func(o *table.WriterOptions) { o.MaxOpen = 8 }, iceberg.IdentityTransform{})
	b.add(t, 50_000, func(i int64) int64 {
		if i%100 == 0 {
			return i
		}
		return -1
	})
	parts := cut(t, b.w)
	b.check(t, parts)
	hot := 0
	for _, p := range parts {
		if p.Tuple.Values()[1000] == int64(-1) {
			hot++
		}
	}
	require.Equal(t, 1, hot, "the hot partition was never cut")
}

func TestOpenMemoryStaysBounded(t *testing.T) {
	const limit = 2 << 20
	b := newBare(t, func(o *table.WriterOptions) { o.MaxOpenBytes = limit }, iceberg.BucketTransform{NumBuckets: 50})
	idle := b.w.Bytes()
	for range 20 {
		b.add(t, 5000, func(i int64) int64 { return i })
		require.Less(t, b.w.Bytes()-b.w.Estimate(), int64(2*limit), "what is open, beside what is encoded")
	}
	grown := b.w.Bytes()
	parts := cut(t, b.w)
	require.Greater(t, len(parts), 50)
	require.Less(t, b.w.Bytes(), idle+limit)
	require.Less(t, b.w.Bytes(), grown)
	require.Equal(t, 50, b.check(t, parts))
}

func TestEstimateIsNearTheTruth(t *testing.T) {
	for name, transforms := range map[string][]iceberg.Transform{"direct": nil, "partitioned": {iceberg.BucketTransform{NumBuckets: 8}}} {
		b := newBare(t, nil, transforms...)
		b.add(t, 60_000, func(i int64) int64 { return i * 31 })
		estimate := b.w.Estimate()
		var bytes int64
		for _, p := range cut(t, b.w) {
			bytes += p.Chunk.Bytes
		}
		// Open pages are guessed at, so it is a bound for triggers, not a measure.
		require.InDelta(t, 1.5, float64(estimate)/float64(bytes), 1.2, name)
	}
}

func TestResetDropsEverything(t *testing.T) {
	for name, transforms := range map[string][]iceberg.Transform{"direct": nil, "partitioned": {iceberg.IdentityTransform{}}} {
		t.Run(name, func(t *testing.T) {
			b := newBare(t, func(o *table.WriterOptions) { o.MaxOpen = 4 }, transforms...)
			b.add(t, 3000, byMod(10))
			b.w.Set().Columns[0].AppendInt64(1) // half a row
			b.w.Reset()
			require.Zero(t, b.w.Rows())
			require.Zero(t, b.w.Set().Pending())
			require.Empty(t, cut(t, b.w))
			b.next = 0
			b.add(t, 1000, byMod(10))
			b.check(t, cut(t, b.w))
		})
	}
}

func TestHalfARowIsAnError(t *testing.T) {
	for _, transforms := range [][]iceberg.Transform{nil, {iceberg.IdentityTransform{}}} {
		b := newBare(t, nil, transforms...)
		b.add(t, 10, byMod(2))
		b.w.Set().Columns[1].SetNull()
		require.ErrorContains(t, b.w.Absorb(), "absorbing a batch")
		_, err := b.w.Cut()
		require.Error(t, err)
		b.w.Reset()
		b.next = 0
		b.add(t, 10, byMod(2))
		b.check(t, cut(t, b.w))
	}
}

func TestManyTuplesAreForgotten(t *testing.T) {
	b := newBare(t, nil, iceberg.IdentityTransform{})
	b.add(t, 12_000, func(i int64) int64 { return i })
	before := b.w.Bytes()
	parts := cut(t, b.w)
	require.Equal(t, 12_000, b.check(t, parts))
	require.Less(t, b.w.Bytes(), before/4)
	b.next = 0
	b.add(t, 100, byMod(2))
	require.Equal(t, 2, b.check(t, cut(t, b.w)))
}

func TestSpecsThatDoNotFit(t *testing.T) {
	layout, err := column.NewLayout([]column.Field{{ID: 1, Name: "b", Type: column.Type{Kind: column.Boolean}}})
	require.NoError(t, err)
	enc, err := parquet.NewEncoder(parquet.Options{})
	require.NoError(t, err)
	spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "p", Transform: iceberg.DayTransform{}})
	_, err = table.NewWriter(table.WriterOptions{Layout: layout, Spec: &spec, Encoder: enc})
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

func BenchmarkWriter(b *testing.B) {
	for _, c := range []struct {
		name       string
		transforms []iceberg.Transform
		key        func(int64) int64
	}{
		{"direct", nil, byMod(100)},
		{"one partition", []iceberg.Transform{iceberg.TruncateTransform{Width: 1000}}, byMod(100)},
		{"16 partitions", []iceberg.Transform{iceberg.BucketTransform{NumBuckets: 16}}, func(i int64) int64 { return i }},
		{"256 partitions", []iceberg.Transform{iceberg.BucketTransform{NumBuckets: 256}}, func(i int64) int64 { return i }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBare(b, nil, c.transforms...)
			b.ReportAllocs()
			text := []byte("some text")
			for b.Loop() {
				set := w.w.Set()
				for range 500 {
					set.Columns[0].AppendInt64(w.next)
					set.Columns[1].AppendInt64(c.key(w.next))
					set.Columns[1].SetValid()
					set.Columns[2].AppendBytes(text)
					set.Columns[2].SetValid()
					w.next++
				}
				if err := w.w.Absorb(); err != nil {
					b.Fatal(err)
				}
				if w.w.Rows() >= 200_000 {
					if _, err := w.w.Cut(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
		})
	}
}
