package matrix

import (
	"context"
	"io"
	"os"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	pages "github.com/ingestd/ingestd/compaction/rewrite"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// rewriter puts files together as compaction does.
type rewriter struct {
	layout   *column.Layout
	options  parquet.Options
	spec     iceberg.PartitionSpec
	location string
}

// rewrite gives one data file of several, which are removed. Pages of the inputs of a table without partitions are of one
// commit; those that are large enough are copied, at least one dictionary merged.
func (r *rewriter) rewrite(ctx context.Context, t testing.TB, files []iceberg.DataFile) []iceberg.DataFile {
	t.Helper()
	var inputs []pages.Input
	for _, f := range files {
		path := localPath(f.FilePath())
		inputs = append(inputs, pages.Input{Path: path, Size: f.FileSizeBytes(), Open: func(context.Context) (io.ReaderAt, io.Closer, error) {
			in, err := os.Open(path)
			return in, in, err
		}})
	}
	o := pages.Options{
		Layout: r.layout, Parquet: r.options,
		Name:   func() string { return r.location + "/data/" + uuid.NewString() + ".parquet" },
		Create: createLocal,
	}
	o.Parquet.PageRows = 100 // a quarter of it makes a page worth copying
	res, err := pages.Rewrite(ctx, inputs, o)
	require.NoError(t, err)
	require.Len(t, res.Outputs, 1)
	require.Positive(t, res.PagesCopied)
	require.Positive(t, res.PagesMerged)
	for _, in := range inputs {
		require.NoError(t, os.Remove(in.Path))
	}
	out, m := res.Outputs[0], &res.Outputs[0].Metrics
	b, err := iceberg.NewDataFileBuilder(r.spec, iceberg.EntryContentData, out.Path, iceberg.ParquetFile, nil, nil, nil, m.Rows, m.FileSize)
	require.NoError(t, err)
	b.ColumnSizes(m.ColumnSizes).ValueCounts(m.ValueCounts).NullValueCounts(m.NullCounts).NaNValueCounts(m.NaNCounts)
	b.LowerBoundValues(m.Lower).UpperBoundValues(m.Upper).SplitOffsets(m.SplitOffsets).SortOrderID(0)
	return []iceberg.DataFile{b.Build()}
}

func createLocal(_ context.Context, path string, write func(io.Writer) error) (int64, error) {
	f, err := os.Create(localPath(path))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), f.Close()
}

// twins are some cases, each also with rewritten files.
func twins(t testing.TB) (out []*theCase) {
	t.Helper()
	for _, c := range cases(t) {
		switch c.Name {
		case "flat_compat_zstd", "flat_delta_zstd", "nested_compat_zstd", "nested_delta_zstd", "flat_delta_snappy", "nested_compat_gzip":
			twin := *c
			twin.Name, twin.Rewritten = c.Name+"_rewritten", true
			out = append(out, c, &twin)
		}
	}
	return out
}

// Files that were put together are read as those they were made of, and what the manifests say of them is true.
func TestRewrittenFiles(t *testing.T) {
	l := newLake(t)
	for _, c := range twins(t) {
		if !c.Rewritten {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			tbl := l.write(t, c)
			requireRows(t, c, icebergRows(t, c, tbl))
			var arrows, plains []map[string]any
			for _, f := range dataFiles(t, tbl) {
				rows := arrowRows(t, c, localPath(f.FilePath()))
				checkStatistics(t, c, tbl, f, rows)
				arrows = append(arrows, rows...)
				plains = append(plains, plainRows(t, c, localPath(f.FilePath()))...)
			}
			requireRows(t, c, arrows)
			requireFlat(t, c, plains)
		})
	}
}
