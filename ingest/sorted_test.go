package ingest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/rowread"
)

// sortedFiles reads each live file of a table that says it is in an order: the id of the order, and a column of bytes or
// numbers as text, in the order of the rows.
func (w *world) sortedFiles(name, column string) (orders []int, files [][]string) {
	w.t.Helper()
	tbl := w.load(name)
	field, ok := tbl.Schema().FindFieldByName(column)
	require.True(w.t, ok)
	tasks, err := tbl.Scan().PlanFiles(w.t.Context())
	require.NoError(w.t, err)
	for _, task := range tasks {
		text, err := os.ReadFile(strings.TrimPrefix(task.File.FilePath(), "file://"))
		require.NoError(w.t, err)
		f, err := rowread.New("file", bytes.NewReader(text), int64(len(text)))
		require.NoError(w.t, err)
		var values []string
		require.NoError(w.t, f.Read(w.t.Context(), []int{field.ID}, func(b *rowread.Batch) error {
			for _, v := range b.Columns[0].Ints[:b.Rows] {
				values = append(values, fmt.Sprintf("%020d", v))
			}
			return nil
		}))
		orders, files = append(orders, *task.File.SortOrderID()), append(files, values)
	}
	return orders, files
}

// shuffled gives ids that are in no order, and repeat.
func shuffled(at int64) *kgo.Record {
	return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"n%d"}`, at, at*7919%13)}
}

// A table is born with its order; each file is in it, and says so. Later starts find the order again.
func TestSortedTable(t *testing.T) {
	w := newWorld(t, 3, "a")
	for _, place := range [][]string{nil, {"bucket(3, id)"}} {
		name := fmt.Sprintf("t%d", len(place))
		sorted := w.jsonTable(name, "a")
		sorted.Create.PartitionBy = place
		sorted.SortBy = []table.SortTerm{{Column: "name"}, {Column: table.AuditOffset, Descending: true}}
		for range 2 {
			for p := range int32(3) {
				w.produceEach("a", p, 100, shuffled)
			}
			require.NoError(t, w.catchUp(w.options(sorted)))
		}
		require.Equal(t, w.expected("a"), w.rows(name, "a"))
		w.proven(name)
		meta := w.load(name).Metadata()
		require.Equal(t, 1, meta.DefaultSortOrder())
		require.Equal(t, 2, meta.SortOrder().Len())
		orders, files := w.sortedFiles(name, table.AuditOffset)
		require.Equal(t, []int{1}, slices.Compact(orders))
		rising := 0
		for _, offsets := range files {
			for i := 1; i < len(offsets); i++ {
				if offsets[i-1] < offsets[i] {
					rising++
				}
			}
		}
		// Offsets fall within each of thirteen names: they rise from one name to the next only.
		require.LessOrEqual(t, rising, 13*len(files))
	}
}

// An existing table takes an order over, changes it, and keeps the names of those of before; files are never
// relabelled. Without the setting it is written as ever.
func TestOrdersOfExistingTables(t *testing.T) {
	w := newWorld(t, 1, "a")
	plain := w.jsonTable("t", "a")
	run := func(by ...table.SortTerm) {
		t.Helper()
		w.produceEach("a", 0, 40, shuffled)
		o := plain
		o.SortBy = by
		require.NoError(t, w.catchUp(w.options(o)))
	}
	run()
	run(table.SortTerm{Column: "id", Descending: true})
	run(table.SortTerm{Column: "name"})
	run(table.SortTerm{Column: "id", Descending: true})
	run()
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	orders, files := w.sortedFiles("t", "id")
	counts := map[int]int{}
	for i, id := range orders {
		counts[id]++
		if id == 1 {
			slices.Reverse(files[i])
			require.True(t, slices.IsSorted(files[i]))
		}
	}
	require.Equal(t, map[int]int{0: 2, 1: 2, 2: 1}, counts)
	require.Equal(t, 1, w.load("t").Metadata().DefaultSortOrder())
}

// A column that files are sorted by cannot go: the table stops and says which one is missed. So does one that is to be
// sorted by what it does not have.
func TestSortColumnsThatAreGone(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	sorted := w.jsonTable("t", "a")
	sorted.SortBy = []table.SortTerm{{Column: "label"}}
	err := w.catchUp(w.options(sorted))
	require.Equal(t, "E_SORT", failure.CodeOf(err))
	require.ErrorContains(t, err, "sorting by label")
	_, err = w.catalog.LoadTable(t.Context(), []string{"db", "t"})
	require.Error(t, err, "nothing was created")

	sorted.SortBy[0].Column = table.AuditTimestamp
	require.NoError(t, w.catchUp(w.options(sorted)))
	tbl := w.load("t")
	update := tbl.NewTransaction()
	require.NoError(t, update.UpdateSchema(true, true).RenameColumn([]string{table.AuditTimestamp}, "when").Commit())
	_, err = update.Commit(t.Context())
	require.NoError(t, err)
	w.produce("a", 0, 10)
	err = w.catchUp(w.options(sorted))
	require.Equal(t, "E_SORT", failure.CodeOf(err))
	require.ErrorContains(t, err, "sorting by "+table.AuditTimestamp)
	require.NotEmpty(t, failure.HintOf(err))
}

// New columns make a new shape; what was cut before keeps its order, and so does what comes after.
func TestSortedTablesEvolve(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	sorted := w.avroTable("t", "a")
	sorted.SortBy = []table.SortTerm{{Column: "id", Descending: true}}
	old := r.schema("a-value")
	w.produceAvro("a", 0, old, 30)
	require.NoError(t, w.catchUp(w.avroOptions(r, sorted)))
	w.produceAvro("a", 0, old, 30)
	w.produceAvro("a", 0, r.schema("a-value", "city", "name"), 30, "c", "n")
	require.NoError(t, w.catchUp(w.avroOptions(r, sorted)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.evolvedFirst("t")
	orders, files := w.sortedFiles("t", "id")
	require.Equal(t, []int{1}, slices.Compact(orders))
	require.Greater(t, len(files), 1)
	for _, ids := range files {
		slices.Reverse(ids)
		require.True(t, slices.IsSorted(ids))
	}
}

// TestSmallMemoryStillFlowsSorted: rows that wait to be sorted count, and a run ends when they are its share, so much
// more than fits passes through, beside a table that is not sorted.
func TestSmallMemoryStillFlowsSorted(t *testing.T) {
	w := newWorld(t, 4, "a", "b")
	text := strings.Repeat("0123456789", 60)
	for _, topic := range []string{"a", "b"} {
		for p := range int32(4) {
			w.produceEach(topic, p, 3000, func(at int64) *kgo.Record {
				return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"%d %s"}`, at, at*7919%3001, text)}
			})
		}
	}
	sorted := w.jsonTable("a", "a")
	sorted.SortBy = []table.SortTerm{{Column: "name", Descending: true}}
	o := w.options(sorted, w.jsonTable("b", "b"))
	o.Memory = 4 << 20
	o.Trigger.Interval = time.Minute
	o.Sources[0].Fetch = kafka.Fetch{MaxBytes: 256 << 10, MaxBatchBytes: 4 << 20}
	w.bounded(o)
	for _, topic := range []string{"a", "b"} {
		require.Equal(t, w.expected(topic), w.rows(topic, topic))
	}
	orders, _ := w.sortedFiles("a", "id")
	require.Equal(t, []int{1}, slices.Compact(orders))
	require.Greater(t, len(orders), 2)
}
