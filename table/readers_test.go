package table_test

import (
	"slices"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/transform"
)

func TestChoices(t *testing.T) {
	f := func(encoding parquet.Encoding, timeRefusedBy, vectorsRefusedBy string, readers ...string) {
		t.Helper()
		c, err := table.Choose(readers)
		require.NoError(t, err)
		require.Equal(t, 2, c.FormatVersion())
		require.Equal(t, encoding, c.Encoding())
		require.Equal(t, timeRefusedBy, c.Refuses(table.TimeType))
		require.Equal(t, vectorsRefusedBy, c.Refuses(table.DeletionVectors))
		require.Empty(t, c.Refuses(table.PositionDeletes))
		again, err := table.ParseChoice(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
	f(parquet.Compat, "clickhouse (held to clickhouse@26.9)", "clickhouse (held to clickhouse@26.9)")
	f(parquet.Compat, "spark (held to spark@1.9)", "", "spark")
	f(parquet.Compat, "spark@1.9.2", "", "spark@1.9.2")
	f(parquet.Delta, "spark@1.10", "", "spark@1.10")
	f(parquet.Delta, "Spark@1.12.0", "", "duckdb", "Spark@1.12.0")
	f(parquet.Delta, "", "", "duckdb", "pyiceberg")
	f(parquet.Delta, "", "trino@480", "trino@480")
	f(parquet.Delta, "clickhouse (held to clickhouse@26.9)", "clickhouse (held to clickhouse@26.9)", "clickhouse")
}

func TestReadersThatAreNotKnown(t *testing.T) {
	f := func(reader, want string) {
		t.Helper()
		_, err := table.Choose([]string{"duckdb", reader})
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.Equal(t, want, failure.Describe(err))
	}
	f("presto", `reading readers: unknown reader "presto" [E_READERS] — the readers are clickhouse, duckdb, pyiceberg, spark, trino; leave readers out for all of them`)
	f("spark@4.1", `reading readers: "spark@4.1" is a version of Spark [E_READERS] — name the version of iceberg-spark-runtime, as in spark@1.10`)
	f("duckdb@1.4", `reading readers: nothing is known about "duckdb@1.4" [E_READERS] — the oldest that was tried is duckdb@1.5`)
	f("trino@new", `reading readers: "new" is no version [E_READERS] — write trino@476`)
	f("trino@1.2.3.4", `reading readers: "1.2.3.4" is no version [E_READERS] — write trino@476`)
}

func TestRefusalsNameTheReader(t *testing.T) {
	c, err := table.Choose(nil)
	require.NoError(t, err)
	require.NoError(t, c.CheckEncoding(parquet.Compat))
	require.Equal(t, "choosing parquet.encoding delta: spark (held to spark@1.9) cannot read delta encoding [E_READERS] — set parquet.encoding to compat, or name a newer version of that reader",
		failure.Describe(c.CheckEncoding(parquet.Delta)))
	require.NoError(t, c.CheckCodec(parquet.Zstd))
	require.Error(t, c.CheckCodec(parquet.LZ4))
	require.Equal(t, "choosing parquet.compression lz4: trino (held to trino@476) cannot read lz4 pages [E_READERS] — set parquet.compression to zstd or snappy, or take that reader out of readers",
		failure.Describe(c.CheckCodec(parquet.LZ4)))
	fields := []column.Field{{Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "at", Type: column.Type{Kind: column.Time}}}}}}
	require.Equal(t, "reading table a.b for its readers: clickhouse (held to clickhouse@26.9) cannot read columns of type time (s.at), and a column of type time never becomes a long [E_READERS]"+
		" — ingestd explain a.b says what a change of readers means; take that reader out of readers, or write to a new table",
		failure.Describe(c.Check(table.Contents{Name: "a.b", Fields: fields})))
	require.Equal(t, column.Time, fields[0].Type.Fields[0].Type.Kind)
	adapted := c.Fields(fields)
	require.Equal(t, column.Field{Name: "at", Doc: "(microseconds of the day)", Type: column.Type{Kind: column.Long}}, adapted[0].Type.Fields[0])
	require.Equal(t, column.Time, fields[0].Type.Fields[0].Type.Kind, "the proposal is left as it was")
	require.NoError(t, c.Check(table.Contents{Fields: adapted}))

	duck, err := table.Choose([]string{"duckdb"})
	require.NoError(t, err)
	require.Equal(t, fields, duck.Fields(fields))
	require.NoError(t, duck.Check(table.Contents{Fields: fields}))
	require.NoError(t, duck.CheckEncoding(parquet.Delta))
	require.NoError(t, duck.CheckCodec(parquet.LZ4))
}

func TestRefusesPartitions(t *testing.T) {
	fields := []column.Field{{Name: "u", Type: column.Type{Kind: column.UUID}}, {Name: "s", Type: column.Type{Kind: column.String}},
		{Name: "d", Type: column.Type{Kind: column.Decimal, Precision: 9, Scale: 2}}, {Name: "at", Type: column.Type{Kind: column.TimestampNs}}}
	f := func(want, by string, readers ...string) {
		t.Helper()
		c, err := table.Choose(readers)
		require.NoError(t, err)
		term, err := transform.Parse(by)
		require.NoError(t, err)
		if err = c.CheckTerm(term, fields); want == "" {
			require.NoError(t, err)
			return
		}
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.Equal(t, want, failure.Describe(err))
	}
	const refused = "partitioning by bucket(4, u): duckdb (held to duckdb@1.5) cannot read buckets of a uuid [E_READERS] — take that reader out of readers, or partition by another column"
	f(refused, "bucket(4, u)")
	f(refused, "bucket(4, u)", "pyiceberg", "duckdb")
	f("", "bucket(4, u)", "pyiceberg", "clickhouse")
	f("partitioning by truncate(5, d): duckdb (held to duckdb@1.5) cannot read partitions by truncated decimals [E_READERS] — take that reader out of readers, or partition by another column", "truncate(5, d)")
	f("", "truncate(5, d)", "spark", "trino", "pyiceberg", "clickhouse")
	f("partitioning by at: pyiceberg (held to pyiceberg@0.12) cannot read partitions by nanoseconds [E_READERS] — partition by day(at) or hour(at)", "at", "pyiceberg")
	f("", "day(at)", "pyiceberg")
	f("", "bucket(4, s)", "duckdb")
	f("", "u", "duckdb")
}

// Of a table that was created for others the plan says what happens to each aspect, and what is refused for good.
func TestPlanForOtherReaders(t *testing.T) {
	choose := func(names ...string) table.Choice {
		c, err := table.Choose(names)
		require.NoError(t, err)
		return c
	}
	fields := []column.Field{{ID: 1, Name: "u", Type: column.Type{Kind: column.UUID}}, {ID: 2, Name: "at", Type: column.Type{Kind: column.Time}}}
	spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "b", Transform: iceberg.BucketTransform{NumBuckets: 4}})
	x := table.Contents{Name: "a.b", Readers: "pyiceberg", FormatVersion: 3, Fields: fields, Spec: spec, Deletes: true}
	compat := table.Wanted{Encoding: parquet.Compat, Codec: "zstd"}
	find := func(plan []table.Change, aspect string) table.Change {
		at := slices.IndexFunc(plan, func(c table.Change) bool { return c.Aspect == aspect })
		require.GreaterOrEqual(t, at, 0, aspect)
		return plan[at]
	}

	require.Empty(t, choose("pyiceberg").Plan(x, compat), "the same readers")
	require.NoError(t, choose("pyiceberg").Check(x))

	plan := choose("pyiceberg", "trino", "duckdb", "spark@1.9").Plan(x, compat)
	for _, aspect := range []string{"readers", "format version", "encoding", "codec", "time", "delete files", "partitions"} {
		find(plan, aspect)
	}
	require.Equal(t, table.Change{Aspect: "encoding", Stored: "compat or delta", Wanted: "compat", Reader: "spark@1.9",
		Effect: "new files use compat, old files stay; those in delta spark@1.9 cannot read until an engine has rewritten them"}, find(plan, "encoding"))
	require.Equal(t, table.Change{Aspect: "time", Stored: "time: at", Wanted: "long, microseconds of the day", Reader: "spark@1.9", Refused: true,
		Effect: "spark@1.9 cannot read columns of type time (at), and a column of type time never becomes a long"}, find(plan, "time"))
	require.True(t, find(plan, "partitions").Refused)
	require.Equal(t, "bucket(4, u)", find(plan, "partitions").Stored)
	require.Contains(t, find(plan, "delete files").Effect, "trino (held to trino@476) cannot read deletion vectors")
	require.Contains(t, find(plan, "format version").Effect, "never lowered")

	err := choose("duckdb").Check(x)
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Contains(t, failure.Describe(err), "cannot read buckets of a uuid (bucket(4, u))")
	require.Contains(t, failure.HintOf(err), "ingestd explain a.b")

	plain := table.Contents{Readers: "spark@1.9,duckdb", FormatVersion: 2}
	require.Empty(t, choose("duckdb", "spark@1.9").Plan(plain, compat), "the order says nothing")
	require.NoError(t, choose("duckdb").Check(plain))
	delta := choose("duckdb").Plan(plain, table.Wanted{Encoding: parquet.Delta, Codec: "zstd"})
	require.Equal(t, "new files use delta, old files stay", find(delta, "encoding").Effect)
	require.Equal(t, "compat", find(delta, "encoding").Stored)
	require.False(t, slices.ContainsFunc(delta, func(c table.Change) bool { return c.Refused || c.Reader != "" }))

	x.Readers = ""
	require.Empty(t, choose("pyiceberg").Plan(x, compat), "nobody stored any, and nothing stands in the way")
	require.Contains(t, find(choose("duckdb").Plan(x, compat), "readers").Stored, "not created by ingestd")
}

func TestExplain(t *testing.T) {
	c, err := table.Choose([]string{"spark@1.9", "duckdb"})
	require.NoError(t, err)
	require.Equal(t, []table.Reason{
		{Setting: "format_version", Value: "2", Why: "3 is possible: every reader knows it"},
		{Setting: "parquet.encoding", Value: "compat", Reader: "spark@1.9", Why: "cannot read delta encoding"},
		{Setting: "time", Value: "long, microseconds of the day", Reader: "spark@1.9", Why: "cannot read columns of type time"},
		{Setting: "timestamp precision", Value: "microseconds", Reader: "spark@1.9", Why: "cannot read nanosecond timestamps"},
	}, c.Explain())
}

// Format version 3 is asked for, and refused by the reader that cannot read it; nanoseconds come with it where every
// reader knows them.
func TestFormatVersionThree(t *testing.T) {
	fields := []column.Field{{Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{
		{Name: "at", Type: column.Type{Kind: column.TimestampNs}}, {Name: "tz", Type: column.Type{Kind: column.TimestampTZNs}}}}}}
	micros := []column.Field{{Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{
		{Name: "at", Type: column.Type{Kind: column.Timestamp}}, {Name: "tz", Type: column.Type{Kind: column.TimestampTZ}}}}}}
	f := func(format int, nanos bool, formatRefused, declaredRefused string, readers ...string) {
		t.Helper()
		c, err := table.Choose(readers)
		require.NoError(t, err)
		c = c.At(format)
		require.Equal(t, format, c.FormatVersion())
		refused := func(want string, err error) {
			t.Helper()
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, failure.Config, failure.ClassOf(err))
			require.Equal(t, want, failure.Describe(err))
		}
		refused(formatRefused, c.CheckFormat())
		refused(declaredRefused, c.CheckDeclared(fields))
		require.NoError(t, c.CheckDeclared(micros))
		want, precision := micros, "microseconds"
		if nanos {
			want, precision = fields, "nanoseconds"
		}
		require.Equal(t, want, c.Fields(fields))
		require.Equal(t, precision, c.Explain()[3].Value)
	}
	f(2, false, "", "declaring s.at with nanoseconds: tables of format version 2 have none [E_READERS] — set format_version: 3 of a new table, or declare it as timestamp or timestamptz", "pyiceberg")
	f(3, true, "", "", "pyiceberg")
	f(3, false, "", "declaring s.at with nanoseconds: duckdb (held to duckdb@1.5) cannot read nanosecond timestamps [E_READERS] — declare it as timestamp or timestamptz, or take that reader out of readers",
		"pyiceberg", "duckdb")
}

// A table of format version 3, or with nanoseconds, stays so.
func TestPlanOfFormatVersionThree(t *testing.T) {
	fields := []column.Field{{ID: 1, Name: "at", Type: column.Type{Kind: column.TimestampTZNs}}}
	x := table.Contents{Name: "a.b", Readers: "pyiceberg", FormatVersion: 3, Fields: fields}
	f := func(want string, readers ...string) {
		t.Helper()
		c, err := table.Choose(readers)
		require.NoError(t, err)
		if err = c.Check(x); want == "" {
			require.NoError(t, err)
			return
		}
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.Contains(t, failure.Describe(err), want)
	}
	f("", "pyiceberg", "clickhouse")
	f("duckdb@1.5 cannot read nanosecond timestamps (at), and such a column never becomes a coarser one", "pyiceberg", "duckdb@1.5")

	c, err := table.Choose([]string{"pyiceberg", "duckdb"})
	require.NoError(t, err)
	plan := c.At(3).Plan(table.Contents{Readers: "pyiceberg", FormatVersion: 2}, table.Wanted{Codec: "zstd"})
	require.Equal(t, table.Change{Aspect: "format version", Stored: "2", Wanted: "3", Effect: "stays: ingestd writes on in the format that the table has; other engines can raise it"}, plan[1])
}

func TestUnknownCountsAsNo(t *testing.T) {
	require.False(t, table.Unknown.Yes())
	require.False(t, table.Fails.Yes())
	require.True(t, table.Declared.Yes())
	require.True(t, table.Tested.Yes())
}
