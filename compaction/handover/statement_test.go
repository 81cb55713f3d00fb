package handover

import (
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func schema() *iceberg.Schema {
	return iceberg.NewSchema(0,
		iceberg.NestedField{ID: 1, Name: "at", Type: iceberg.PrimitiveTypes.TimestampTz},
		iceberg.NestedField{ID: 2, Name: `the "shop`, Type: iceberg.PrimitiveTypes.String},
		iceberg.NestedField{ID: 3, Name: "day", Type: iceberg.PrimitiveTypes.Date},
		iceberg.NestedField{ID: 4, Name: "n", Type: iceberg.PrimitiveTypes.Int64},
		iceberg.NestedField{ID: 5, Name: "local", Type: iceberg.PrimitiveTypes.Timestamp},
		iceberg.NestedField{ID: 6, Name: "ok", Type: iceberg.PrimitiveTypes.Bool},
		iceberg.NestedField{ID: 7, Name: "half", Type: iceberg.PrimitiveTypes.Float64},
		iceberg.NestedField{ID: 8, Name: "nest", Type: &iceberg.StructType{FieldList: []iceberg.NestedField{
			{ID: 9, Name: "n", Type: iceberg.PrimitiveTypes.Int64},
		}}},
	)
}

func by(source int, transform iceberg.Transform) iceberg.PartitionSpec {
	return iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{source}, FieldID: 1000, Name: "p", Transform: transform})
}

func request(spec iceberg.PartitionSpec, values ...any) Request {
	r := Request{Table: []string{"shop", "eu", "clicks"}, Schema: schema(), Spec: spec, TargetBytes: 512 << 20, SmallBytes: 384 << 20, MinFiles: 5}
	for _, v := range values {
		r.Partitions = append(r.Partitions, map[int]any{1000: v})
	}
	return r
}

func TestStatements(t *testing.T) {
	r := request(by(2, iceberg.IdentityTransform{}), "it's", nil)
	require.Equal(t, `ALTER TABLE "lake"."shop"."eu"."clicks" EXECUTE optimize(file_size_threshold => '402653184B')`+
		` WHERE ("the ""shop" = 'it''s') OR ("the ""shop" IS NULL)`, Trino{Catalog: "lake"}.statement(r))
	require.Equal(t, "CALL `lake`.system.rewrite_data_files(table => '`shop`.`eu`.`clicks`',"+
		` where => '(`+"`the \"shop`"+` = \'it\\\'s\') OR (`+"`the \"shop`"+` IS NULL)',`+
		" options => map('target-file-size-bytes', '536870912', 'min-file-size-bytes', '402653184', 'min-input-files', '5', 'use-starting-sequence-number', 'true'))",
		Spark{Catalog: "lake"}.statement(r))
	r.Partitions = nil
	require.NotContains(t, Trino{Catalog: "lake"}.statement(r), "WHERE")
	require.NotContains(t, Spark{Catalog: "lake"}.statement(r), "where")
}

// A partition is the range of values that it holds; what cannot be written so is left to the engine.
func TestPartitionsBecomeConditions(t *testing.T) {
	f := func(spec iceberg.PartitionSpec, value any, trino, spark string) {
		t.Helper()
		require.Equal(t, trino, trinoSQL().where(request(spec, value)))
		require.Equal(t, spark, sparkSQL().where(request(spec, value)))
	}
	f(by(1, iceberg.DayTransform{}), iceberg.Date(20000),
		`("at" >= TIMESTAMP '2024-10-04 00:00:00.000000 UTC' AND "at" < TIMESTAMP '2024-10-05 00:00:00.000000 UTC')`,
		"(`at` >= TIMESTAMP_LTZ '2024-10-04 00:00:00.000000Z' AND `at` < TIMESTAMP_LTZ '2024-10-05 00:00:00.000000Z')")
	f(by(5, iceberg.HourTransform{}), int32(-1),
		`("local" >= TIMESTAMP '1969-12-31 23:00:00.000000' AND "local" < TIMESTAMP '1970-01-01 00:00:00.000000')`,
		"(`local` >= TIMESTAMP_NTZ '1969-12-31 23:00:00.000000' AND `local` < TIMESTAMP_NTZ '1970-01-01 00:00:00.000000')")
	f(by(3, iceberg.MonthTransform{}), int32(-1), `("day" >= DATE '1969-12-01' AND "day" < DATE '1970-01-01')`, "(`day` >= DATE '1969-12-01' AND `day` < DATE '1970-01-01')")
	f(by(3, iceberg.YearTransform{}), int32(54), `("day" >= DATE '2024-01-01' AND "day" < DATE '2025-01-01')`, "(`day` >= DATE '2024-01-01' AND `day` < DATE '2025-01-01')")
	f(by(3, iceberg.IdentityTransform{}), iceberg.Date(0), `("day" = DATE '1970-01-01')`, "(`day` = DATE '1970-01-01')")
	f(by(4, iceberg.IdentityTransform{}), int64(-7), `("n" = -7)`, "(`n` = -7)")
	f(by(6, iceberg.IdentityTransform{}), true, `("ok" = true)`, "(`ok` = true)")
	for _, spec := range []struct {
		by    iceberg.PartitionSpec
		value any
	}{
		{by(4, iceberg.BucketTransform{NumBuckets: 4}), int32(3)},
		{by(2, iceberg.TruncateTransform{Width: 2}), "ab"},
		{by(7, iceberg.IdentityTransform{}), 0.5},
		{by(9, iceberg.IdentityTransform{}), int64(1)},
		{by(2, iceberg.IdentityTransform{}), "nul\x00"},
		{by(3, iceberg.IdentityTransform{}), iceberg.Date(1 << 30)},
		{by(3, iceberg.DayTransform{}), "not a day"},
		{by(2, iceberg.VoidTransform{}), nil},
	} {
		f(spec.by, spec.value, "", "")
	}
	many := request(by(4, iceberg.IdentityTransform{}))
	for i := range MostPartitions + 1 {
		many.Partitions = append(many.Partitions, map[int]any{1000: int64(i)})
	}
	require.Empty(t, trinoSQL().where(many))
	require.Empty(t, trinoSQL().where(Request{Schema: schema(), Spec: by(4, iceberg.IdentityTransform{}), Partitions: []map[int]any{{}}}))
}

// No name and no value gets out of its quotes: read back as the engine reads them, they are what they were.
func TestQuotesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab'\"`\\ \n;-é"))).Draw(t, "text")
		require.Equal(t, s, unquoted(t, doubled(s), '\'', 0))
		require.Equal(t, s, unquoted(t, escaped(s), 0, '\\'))
		require.Equal(t, s, unquoted(t, escaped(unquoted(t, escaped(s), 0, '\\')), 0, '\\'))
		require.Equal(t, s, unquoted(t, trinoSQL().name(s), '"', 0))
		require.Equal(t, s, unquoted(t, sparkSQL().name(s), '`', 0))
	})
}

// unquoted reads a quoted text: twin doubles within it, escape escapes.
func unquoted(t *rapid.T, quoted string, twin, escape byte) string {
	require.GreaterOrEqual(t, len(quoted), 2)
	mark := quoted[0]
	require.Equal(t, mark, quoted[len(quoted)-1])
	var out strings.Builder
	body := quoted[1 : len(quoted)-1]
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case escape != 0 && c == escape:
			i++
			require.Less(t, i, len(body), "an escape before the end")
			out.WriteByte(body[i])
		case c == mark:
			require.Equal(t, mark, twin)
			i++
			require.Less(t, i, len(body), "the text ends early")
			require.Equal(t, mark, body[i], "the text ends early")
			out.WriteByte(mark)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
