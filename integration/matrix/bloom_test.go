package matrix

import (
	"os"
	"testing"

	apq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// Tables that ask for Bloom filters by their properties have them in every row group; no value of a row group is
// denied, by parquet-go or arrow-go, and a value that is in no row is.
func TestBloomFiltersOfTables(t *testing.T) {
	l := newLake(t)
	for _, c := range filtered() {
		c.fill()
		for _, f := range dataFiles(t, l.write(t, c)) {
			checkBlooms(t, localPath(f.FilePath()))
		}
	}
}

func checkBlooms(t testing.TB, path string) {
	t.Helper()
	in, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	stat, err := in.Stat()
	require.NoError(t, err)
	f, err := pq.OpenFile(in, stat.Size())
	require.NoError(t, err)
	arrow, err := file.OpenParquetFile(path, false)
	require.NoError(t, err)
	defer func() { require.NoError(t, arrow.Close()) }()
	text, ok := f.Schema().Lookup("s")
	require.True(t, ok)
	for n, rg := range f.RowGroups() {
		rows := make([]pq.Row, rg.NumRows())
		reader := rg.Rows()
		_, _ = reader.ReadRows(rows)
		require.NoError(t, reader.Close())
		for _, row := range rows {
			for _, v := range row {
				filter := rg.ColumnChunks()[v.Column()].BloomFilter()
				require.NotNil(t, filter, "column %d", v.Column())
				if v.IsNull() {
					continue
				}
				found, err := filter.Check(v)
				require.NoError(t, err)
				require.True(t, found, "column %d denies %v", v.Column(), v)
			}
		}
		filters, err := arrow.GetBloomFilterReader().RowGroup(n)
		require.NoError(t, err)
		filter, err := filters.GetColumnBloomFilter(text.ColumnIndex)
		require.NoError(t, err)
		texts := metadata.TypedBloomFilter[apq.ByteArray]{BloomFilter: filter}
		for _, row := range rows {
			for _, v := range row {
				if v.Column() == text.ColumnIndex && !v.IsNull() {
					require.True(t, texts.Check(apq.ByteArray(v.ByteArray())))
				}
			}
		}
		require.False(t, texts.Check(apq.ByteArray("in no row")))
	}
}
