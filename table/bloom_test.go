package table_test

import (
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

func bloomFields() []column.Field {
	element := column.Field{ID: 4, Name: "element", Type: column.Type{Kind: column.String}}
	return []column.Field{
		{ID: 1, Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{ID: 2, Name: "flag", Type: column.Type{Kind: column.Boolean}},
		{ID: 3, Name: "tags", Type: column.Type{Kind: column.List, Fields: []column.Field{element}}},
	}
}

// The properties of a table say which leaves get filters; what cannot be meant is passed over, since the table may be
// somebody else's.
func TestBloomFiltersByProperties(t *testing.T) {
	layout, err := column.NewLayout(bloomFields())
	require.NoError(t, err)
	f := func(props iceberg.Properties, want ...parquet.Bloom) {
		t.Helper()
		require.Equal(t, want, table.BloomFilters(layout, props))
		for _, b := range want {
			require.NoError(t, b.Check(layout))
		}
	}
	const enabled, fpp, most = "write.parquet.bloom-filter-enabled.column.", "write.parquet.bloom-filter-fpp.column.", "write.parquet.bloom-filter-max-bytes"
	f(nil)
	f(iceberg.Properties{enabled + "id": "false", fpp + "id": "0.1"})
	f(iceberg.Properties{enabled + "id": "true"}, parquet.Bloom{Leaf: 0, FPP: 0.01, MaxBytes: 1 << 20})
	f(iceberg.Properties{enabled + "id": "true", fpp + "id": "0.2", enabled + "tags.element": "TRUE", most: "4096"},
		parquet.Bloom{Leaf: 0, FPP: 0.2, MaxBytes: 4096}, parquet.Bloom{Leaf: 2, FPP: 0.01, MaxBytes: 4096})
	f(iceberg.Properties{enabled + "flag": "true", enabled + "gone": "true", enabled + "id": "yes"})
	f(iceberg.Properties{enabled + "id": "true", fpp + "id": "NaN", most: "31"}, parquet.Bloom{Leaf: 0, FPP: 0.01, MaxBytes: 1 << 20})
	f(iceberg.Properties{enabled + "id": "true", fpp + "id": "1", most: "1073741824"}, parquet.Bloom{Leaf: 0, FPP: 0.01, MaxBytes: 1 << 20})
}

// For a table of ours they have to have an effect.
func TestBloomFiltersWithoutEffectAreRefused(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		err := table.CheckBloomFilters(bloomFields(), map[string]string{key: "true"})
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.NotEmpty(t, failure.HintOf(err))
	}
	f("write.parquet.bloom-filter-enabled.column.id", "")
	f("write.parquet.bloom-filter-enabled.column.tags.element", "")
	f("some.other", "")
	f("write.parquet.bloom-filter-enabled.column.tags", "no column tags")
	f("write.parquet.bloom-filter-enabled.column.flag", "boolean")
	f("write.parquet.bloom-filter-fpp.column.gone", "no column gone")
	f("write.parquet.bloom-filter-fpp.column.id", "no effect")
}

// Row groups of partitions have the filters too, those that are used again among them.
func TestBloomFiltersInPartitions(t *testing.T) {
	for _, transforms := range [][]iceberg.Transform{nil, {iceberg.IdentityTransform{}}} {
		b := newBare(t, func(o *table.WriterOptions) { o.Blooms = []parquet.Bloom{{Leaf: 1, FPP: 0.01, MaxBytes: 1 << 16}} }, transforms...)
		for range 2 {
			b.add(t, 2000, func(i int64) int64 { return i % 3 })
			parts, err := b.w.Cut()
			require.NoError(t, err)
			require.NotEmpty(t, parts)
			for _, p := range parts {
				require.True(t, p.Chunk.Filtered(1))
				require.False(t, p.Chunk.Filtered(0))
			}
		}
	}
}
