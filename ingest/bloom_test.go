package ingest

import (
	"os"
	"strings"
	"testing"

	icetable "github.com/apache/iceberg-go/table"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// leavesWithBloom are the columns that have a Bloom filter in every file of a table.
func (w *world) leavesWithBloom(name string) []string {
	w.t.Helper()
	tbl, err := w.catalog.LoadTable(w.t.Context(), icetable.Identifier{"db", name})
	require.NoError(w.t, err)
	tasks, err := tbl.Scan().PlanFiles(w.t.Context())
	require.NoError(w.t, err)
	require.NotEmpty(w.t, tasks)
	var names []string
	for i, task := range tasks {
		in, err := os.Open(strings.TrimPrefix(task.File.FilePath(), "file://"))
		require.NoError(w.t, err)
		stat, err := in.Stat()
		require.NoError(w.t, err)
		f, err := pq.OpenFile(in, stat.Size())
		require.NoError(w.t, err)
		var have []string
		for _, rg := range f.RowGroups() {
			for k, c := range rg.ColumnChunks() {
				if c.BloomFilter() != nil {
					have = append(have, strings.Join(f.Schema().Columns()[k], "."))
				}
			}
		}
		require.NoError(w.t, in.Close())
		if i > 0 {
			require.Equal(w.t, names, have)
		}
		names = have
	}
	return names
}

func TestBloomFiltersOfNewTables(t *testing.T) {
	w := newWorld(t, 1, "events")
	w.produce("events", 0, 100)
	with := w.jsonTable("with", "events")
	with.Create.Properties = map[string]string{"write.parquet.bloom-filter-enabled.column.name": "true"}
	require.NoError(t, w.catchUp(w.options(with, w.jsonTable("without", "events"))))
	require.Equal(t, []string{"name"}, w.leavesWithBloom("with"))
	require.Empty(t, w.leavesWithBloom("without"))
	require.Equal(t, w.expected("events"), w.rows("with", "events"))

	wrong := w.jsonTable("wrong", "events")
	wrong.Create.Properties = map[string]string{"write.parquet.bloom-filter-enabled.column.nme": "true"}
	err := w.catchUp(w.options(wrong))
	require.ErrorContains(t, err, "no column nme")
	require.NotEmpty(t, failure.HintOf(err))
}
