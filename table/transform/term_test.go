package transform_test

import (
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

func TestParse(t *testing.T) {
	f := func(text string, want transform.Term, canonical, name string) {
		t.Helper()
		got, err := transform.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, canonical, got.String())
		require.Equal(t, name, got.Name())
		again, err := transform.Parse(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	f("day(ts)", transform.Term{Kind: transform.Day, Column: "ts"}, "day(ts)", "ts_day")
	f(" Bucket( 16 ,user_id ) ", transform.Term{Kind: transform.Bucket, Width: 16, Column: "user_id"}, "bucket(16, user_id)", "user_id_bucket_16")
	f("truncate(4, name)", transform.Term{Kind: transform.Truncate, Width: 4, Column: "name"}, "truncate(4, name)", "name_trunc_4")
	f("identity(x)", transform.Term{Kind: transform.Identity, Column: "x"}, "x", "x")
	f("country code", transform.Term{Kind: transform.Identity, Column: "country code"}, "country code", "country code")
	f("void(x)", transform.Term{Kind: transform.Void, Column: "x"}, "void(x)", "x_null")
	f("year(d)", transform.Term{Kind: transform.Year, Column: "d"}, "year(d)", "d_year")
	f("month(d)", transform.Term{Kind: transform.Month, Column: "d"}, "month(d)", "d_month")
	f("hour(t)", transform.Term{Kind: transform.Hour, Column: "t"}, "hour(t)", "t_hour")
}

func TestParseErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := transform.Parse(text)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.Equal(t, want, failure.Describe(err))
	}
	f("", `reading partition_by "": it is no column name [E_PARTITION_BY] — write a column, day(column) or bucket(16, column)`)
	f("a,b", `reading partition_by "a,b": it is no column name [E_PARTITION_BY] — write a column, day(column) or bucket(16, column)`)
	f("days(ts)", `reading partition_by "days(ts)": there is no transform "days" [E_PARTITION_BY] — write day`)
	f("lower(x)", `reading partition_by "lower(x)": there is no transform "lower" [E_PARTITION_BY] — the transforms are identity, bucket, truncate, year, month, day, hour, void`)
	f("bucket(id)", `reading partition_by "bucket(id)": bucket takes a number and a column [E_PARTITION_BY] — write bucket(16, column)`)
	f("bucket(id, 16)", `reading partition_by "bucket(id, 16)": "id" is no number [E_PARTITION_BY] — write bucket(16, column)`)
	f("bucket(0, id)", `reading partition_by "bucket(0, id)": 0 is out of range [E_PARTITION_BY] — choose a number from 1 to 2147483647`)
	f("day(a, b)", `reading partition_by "day(a, b)": day takes one column [E_PARTITION_BY] — write day(column)`)
	f("day()", `reading partition_by "day()": day takes one column [E_PARTITION_BY] — write day(column)`)
	f("day(ts", `reading partition_by "day(ts": the parentheses do not match [E_PARTITION_BY] — one transform takes one column, as in day(column)`)
	f("bucket(4, day(ts))", `reading partition_by "bucket(4, day(ts))": the parentheses do not match [E_PARTITION_BY] — one transform takes one column, as in day(column)`)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"day(ts)", "bucket(16, user_id)", "x", "truncate(4,n)", "((", ",", "void()", "bucket(99999999999999999999, a)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		term, err := transform.Parse(s)
		if err != nil {
			return
		}
		again, err := transform.Parse(term.String())
		if err != nil || again != term {
			t.Fatalf("%q -> %v -> %v, %v", s, term, again, err)
		}
	})
}

func TestCheckColumn(t *testing.T) {
	fields := []column.Field{
		{Name: "d", Type: column.Type{Kind: column.Double}},
		{Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{Name: "a", Type: column.Type{Kind: column.Int}}}}},
	}
	f := func(text, want string) {
		t.Helper()
		term, err := transform.Parse(text)
		require.NoError(t, err)
		require.Equal(t, want, failure.Describe(term.Check(fields)))
	}
	f("day(d)", `partitioning by day(d): day cannot take column "d" of type double [E_PARTITION_BY] — a column of type double takes identity, void`)
	f("s", `partitioning by s: column "s" is a struct [E_PARTITION_BY] — partition by a top-level column of a primitive type`)
	f("s.a", `partitioning by s.a: there is no column "s.a" [E_PARTITION_BY] — name a top-level column of the table; members of structs and lists cannot be partition sources here`)
}

func TestCheckTermsTogether(t *testing.T) {
	fields := []column.Field{
		{Name: "a", Type: column.Type{Kind: column.Decimal, Precision: 9}},
		{Name: "b", Type: column.Type{Kind: column.Decimal, Precision: 20}},
		{Name: "ts", Type: column.Type{Kind: column.Timestamp}},
	}
	f := func(want string, texts ...string) {
		t.Helper()
		var terms []transform.Term
		for _, s := range texts {
			term, err := transform.Parse(s)
			require.NoError(t, err)
			terms = append(terms, term)
		}
		err := transform.CheckAll(terms, fields)
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.Equal(t, want, failure.Describe(err))
	}
	f("", "a", "bucket(3, b)", "day(ts)")
	f("partitioning by day(ts) and by hour(ts): one is enough [E_PARTITION_BY] — keep the finer one: it implies the other", "day(ts)", "hour(ts)")
	f("partitioning by day(ts) twice [E_PARTITION_BY] — leave one of them out", "day(ts)", "day(ts)")
	f("partitioning by 2 decimals: manifests cannot be written for more than one [E_PARTITION_BY] — keep one of them, or use bucket", "a", "truncate(3, b)")
	f(`partitioning by c: there is no column "c" [E_PARTITION_BY] — name a top-level column of the table; members of structs and lists cannot be partition sources here`, "c")
}

// The table of source types is iceberg-go's, and the names are its names.
func TestTermsAgreeWithIceberg(t *testing.T) {
	types := map[column.Kind]iceberg.Type{
		column.Boolean: iceberg.PrimitiveTypes.Bool, column.Int: iceberg.PrimitiveTypes.Int32, column.Long: iceberg.PrimitiveTypes.Int64,
		column.Float: iceberg.PrimitiveTypes.Float32, column.Double: iceberg.PrimitiveTypes.Float64, column.Date: iceberg.PrimitiveTypes.Date,
		column.Time: iceberg.PrimitiveTypes.Time, column.Timestamp: iceberg.PrimitiveTypes.Timestamp, column.TimestampTZ: iceberg.PrimitiveTypes.TimestampTz,
		column.String: iceberg.PrimitiveTypes.String, column.UUID: iceberg.PrimitiveTypes.UUID, column.Binary: iceberg.PrimitiveTypes.Binary,
		column.Fixed: iceberg.FixedTypeOf(4), column.Decimal: iceberg.DecimalTypeOf(9, 2),
	}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]column.Kind{
			column.Boolean, column.Int, column.Long, column.Float, column.Double, column.Date, column.Time, column.Timestamp,
			column.TimestampTZ, column.String, column.UUID, column.Binary, column.Fixed, column.Decimal,
		}).Draw(t, "type")
		term := transform.Term{Kind: transform.Kind(rapid.IntRange(0, 7).Draw(t, "transform")), Column: "x"}
		if term.Kind == transform.Bucket || term.Kind == transform.Truncate {
			term.Width = 7
		}
		col := column.Field{Name: "x", Type: column.Type{Kind: kind, Precision: 9, Scale: 2, Length: 4}}
		err := term.Check([]column.Field{col})
		require.Equal(t, term.Iceberg().CanTransform(types[kind]), err == nil, "%s of %s: %v", term, kind, err)

		sc := iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "x", Type: types[kind]})
		name, err := iceberg.GeneratePartitionFieldName(sc, iceberg.PartitionField{SourceIDs: []int{1}, Transform: term.Iceberg()})
		require.NoError(t, err)
		require.Equal(t, name, term.Name())
	})
}
