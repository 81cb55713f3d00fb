package table_test

import (
	"testing"

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
	fields := []column.Field{{Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "at", Type: column.Type{Kind: column.Time}}}}}}
	require.Equal(t, "reading column at: clickhouse (held to clickhouse@26.9) cannot read columns of type time [E_READERS] — take that reader out of readers, or keep the column as a long",
		failure.Describe(c.CheckFields(fields)))
	require.Equal(t, column.Time, fields[0].Type.Fields[0].Type.Kind)
	adapted := c.Fields(fields)
	require.Equal(t, column.Field{Name: "at", Doc: "(microseconds of the day)", Type: column.Type{Kind: column.Long}}, adapted[0].Type.Fields[0])
	require.Equal(t, column.Time, fields[0].Type.Fields[0].Type.Kind, "the proposal is left as it was")
	require.NoError(t, c.CheckFields(adapted))

	duck, err := table.Choose([]string{"duckdb"})
	require.NoError(t, err)
	require.Equal(t, fields, duck.Fields(fields))
	require.NoError(t, duck.CheckFields(fields))
	require.NoError(t, duck.CheckEncoding(parquet.Delta))
}

func TestRefusesBucketsOfUUIDs(t *testing.T) {
	fields := []column.Field{{Name: "u", Type: column.Type{Kind: column.UUID}}, {Name: "s", Type: column.Type{Kind: column.String}}}
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
	f("", "bucket(4, s)", "duckdb")
	f("", "u", "duckdb")
}

func TestExplain(t *testing.T) {
	c, err := table.Choose([]string{"spark@1.9", "duckdb"})
	require.NoError(t, err)
	require.Equal(t, []table.Reason{
		{Setting: "format-version", Value: "2"},
		{Setting: "parquet.encoding", Value: "compat", Reader: "spark@1.9", Why: "cannot read delta encoding"},
		{Setting: "time", Value: "long, microseconds of the day", Reader: "spark@1.9", Why: "cannot read columns of type time"},
		{Setting: "timestamp precision", Value: "microseconds", Reader: "spark@1.9", Why: "cannot read nanosecond timestamps"},
	}, c.Explain())
}

func TestUnknownCountsAsNo(t *testing.T) {
	require.False(t, table.Unknown.Yes())
	require.False(t, table.Fails.Yes())
	require.True(t, table.Declared.Yes())
	require.True(t, table.Tested.Yes())
}
