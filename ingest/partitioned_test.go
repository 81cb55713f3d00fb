package ingest

import (
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

func withFilter(e iceberg.BooleanExpression) icetable.ScanOption { return icetable.WithRowFilter(e) }

func (w *world) placedTable(name string, topics ...string) TableOptions {
	w.t.Helper()
	schema, err := jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "at", Type: column.Type{Kind: column.TimestampTZ}},
		{Name: "place", Type: column.Type{Kind: column.String}},
	}})
	require.NoError(w.t, err)
	t := w.jsonTable(name, topics...)
	t.Value.Schema = schema
	t.Create.PartitionBy = []string{"day(at)", "bucket(4, id)", "place"}
	return t
}

// TestPartitionedTable: every tuple has files of its own, nulls and the empty string are tuples like others, and a
// reader that prunes by partition finds what a full read finds.
func TestPartitionedTable(t *testing.T) {
	w := newWorld(t, 2, "a")
	places := []string{`"x"`, `""`, `null`, `"a b/c"`}
	for round := range 3 {
		for p := range int32(2) {
			w.produceEach("a", p, 40, func(at int64) *kgo.Record {
				day := `"2026-01-0` + fmt.Sprint(1+at%3) + `T12:00:00Z"`
				if at%7 == 0 {
					day = "null"
				}
				return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"at":%s,"place":%s}`, at, day, places[(at+int64(round))%4])}
			})
		}
		require.NoError(t, w.catchUp(w.options(w.placedTable("t", "a"))))
	}
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	tbl := w.load("t")
	tasks, err := tbl.Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	tuples := map[string]int64{}
	for _, task := range tasks {
		tuples[fmt.Sprint(task.File.Partition())] += task.File.Count()
	}
	require.Greater(t, len(tuples), 16)
	all := w.column("t", "place")
	for value, filter := range map[string]iceberg.BooleanExpression{
		"x":      iceberg.EqualTo(iceberg.Reference("place"), "x"),
		"":       iceberg.EqualTo(iceberg.Reference("place"), ""),
		"(null)": iceberg.IsNull(iceberg.Reference("place")), "a b/c": iceberg.EqualTo(iceberg.Reference("place"), "a b/c"),
	} {
		want := 0
		for _, v := range all {
			if v == value {
				want++
			}
		}
		require.NotZero(t, want)
		found, err := tbl.Scan(withFilter(filter)).PlanFiles(t.Context())
		require.NoError(t, err)
		var rows int64
		for _, f := range found {
			rows += f.File.Count()
		}
		require.EqualValues(t, want, rows, "place = %q", value)
	}
	w.proven("t")
}

// TestEmptyTextAsPartition: a batch whose only value is the empty string is found by a reader that prunes.
func TestEmptyTextAsPartition(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produceEach("a", 0, 3, func(at int64) *kgo.Record {
		return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"place":""}`, at)}
	})
	table := w.placedTable("t", "a")
	table.Create.PartitionBy = []string{"place"}
	require.NoError(t, w.catchUp(w.options(table)))
	found, err := w.load("t").Scan(withFilter(iceberg.EqualTo(iceberg.Reference("place"), ""))).PlanFiles(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
}

// TestBucketsOfUUIDsNeedReadersThatFindThem: a partition in which a named reader would not look is refused at birth.
func TestBucketsOfUUIDsNeedReadersThatFindThem(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.sendUncounted("a", &kgo.Record{Value: []byte(`{"u":"f79c3e09-677c-4bbd-a479-3f349cb785e7"}`)})
	schema, err := jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: []column.Field{{Name: "u", Type: column.Type{Kind: column.UUID}}}})
	require.NoError(t, err)
	options := w.jsonTable("t", "a")
	options.Value.Schema = schema
	options.Create.PartitionBy = []string{"bucket(4, u)"}
	options.Create.Readers, err = table.Choose([]string{"pyiceberg", "duckdb"})
	require.NoError(t, err)
	require.Equal(t, "E_READERS", failure.CodeOf(w.catchUp(w.options(options))))
	_, err = w.catalog.LoadTable(t.Context(), []string{"db", "t"})
	require.Error(t, err, "nothing was created")
	options.Create.Readers, err = table.Choose([]string{"pyiceberg"})
	require.NoError(t, err)
	require.NoError(t, w.catchUp(w.options(options)))
	options.Create.Readers, err = table.Choose([]string{"pyiceberg", "duckdb"})
	require.NoError(t, err)
	err = w.catchUp(w.options(options))
	require.Equal(t, "E_READERS", failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "cannot read buckets of a uuid")
	require.Contains(t, failure.HintOf(err), "ingestd explain db.t")
}
