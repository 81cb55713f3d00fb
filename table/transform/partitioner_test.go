package transform_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/iceberg-go"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// source is a column type with a generator of values: what goes into the column, and iceberg-go's literal of it.
type source struct {
	typ column.Type
	ice iceberg.Type
	gen func(*rapid.T) (add func(*column.Column), lit iceberg.Literal)
}

func int64s(ice iceberg.Type, kind column.Kind, lo, hi int64, lit func(int64) iceberg.Literal) source {
	return source{column.Type{Kind: kind}, ice, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
		v := rapid.OneOf(rapid.Int64Range(lo, hi), rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{lo, hi, -86_400_000_000, -1, 0})).Draw(t, "v")
		return func(c *column.Column) { c.AppendInt64(v) }, lit(v)
	}}
}

func int32s(ice iceberg.Type, kind column.Kind, lo, hi int32, lit func(int32) iceberg.Literal) source {
	return source{column.Type{Kind: kind}, ice, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
		v := rapid.OneOf(rapid.Int32Range(lo, hi), rapid.Int32Range(-5, 5)).Draw(t, "v")
		return func(c *column.Column) { c.AppendInt32(v) }, lit(v)
	}}
}

func bytesOf(typ column.Type, ice iceberg.Type, lo, hi int, lit func([]byte) iceberg.Literal) source {
	return source{typ, ice, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
		v := rapid.SliceOfN(rapid.Byte(), lo, hi).Draw(t, "v")
		return func(c *column.Column) {
			if typ.Kind == column.Binary {
				c.AppendBytes(v)
			} else {
				c.AppendFixed(v)
			}
		}, lit(v)
	}}
}

func decimals(precision, scale int) source {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return source{column.Type{Kind: column.Decimal, Precision: precision, Scale: scale}, iceberg.DecimalTypeOf(precision, scale),
		func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
			v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "v"))
			v.Mod(v, limit)
			if rapid.Bool().Draw(t, "negative") {
				v.Neg(v)
			}
			return func(c *column.Column) {
				switch c.Leaf.Physical {
				case column.PhysInt32:
					c.AppendInt32(int32(v.Int64()))
				case column.PhysInt64:
					c.AppendInt64(v.Int64())
				default:
					c.AppendFixed(fixed(v, c.Leaf.FixedLen))
				}
			}, iceberg.DecimalLiteral{Val: decimal128.FromBigInt(v), Scale: scale}
		}}
}

func fixed(v *big.Int, n int) []byte {
	u := new(big.Int).Set(v)
	if u.Sign() < 0 {
		u.Add(u, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	return u.FillBytes(make([]byte, n))
}

func sources() []source {
	p := iceberg.PrimitiveTypes
	long := int64(math.MaxInt64)
	// Hours and years of times beyond these do not fit into the 32 bits of the results.
	micros := int64(math.MaxInt32) * 3600 * 1_000_000
	text := source{column.Type{Kind: column.String}, p.String, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
		v := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z]{0,9}`), rapid.Just("\xff\xfeab\xe4"), rapid.Just("日本語テキスト")).Draw(t, "v")
		return func(c *column.Column) { c.AppendBytes([]byte(v)) }, iceberg.StringLiteral(strings.ToValidUTF8(v, "\uFFFD"))
	}}
	return []source{
		{column.Type{Kind: column.Boolean}, p.Bool, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
			v := rapid.Bool().Draw(t, "v")
			return func(c *column.Column) {
				if v {
					c.AppendBool(1)
				} else {
					c.AppendBool(0)
				}
			}, iceberg.BoolLiteral(v)
		}},
		int32s(p.Int32, column.Int, math.MinInt32+10_000, math.MaxInt32, func(v int32) iceberg.Literal { return iceberg.Int32Literal(v) }),
		int64s(p.Int64, column.Long, -long+10_000, long, func(v int64) iceberg.Literal { return iceberg.Int64Literal(v) }),
		int32s(p.Date, column.Date, -3_000_000, 3_000_000, func(v int32) iceberg.Literal { return iceberg.DateLiteral(v) }),
		int64s(p.Time, column.Time, 0, 86_399_999_999, func(v int64) iceberg.Literal { return iceberg.TimeLiteral(v) }),
		int64s(p.Timestamp, column.Timestamp, -micros, micros, func(v int64) iceberg.Literal { return iceberg.TimestampLiteral(v) }),
		int64s(p.TimestampTz, column.TimestampTZ, -micros, micros, func(v int64) iceberg.Literal { return iceberg.TimestampLiteral(v) }),
		int64s(p.TimestampNs, column.TimestampNs, -long, long, func(v int64) iceberg.Literal { return iceberg.TimestampNsLiteral(v) }),
		int64s(p.TimestampTzNs, column.TimestampTZNs, -long, long, func(v int64) iceberg.Literal { return iceberg.TimestampNsLiteral(v) }),
		{column.Type{Kind: column.Float}, p.Float32, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
			v := rapid.Float32().Draw(t, "v")
			return func(c *column.Column) { c.AppendFloat(math.Float32bits(v)) }, iceberg.Float32Literal(v)
		}},
		{column.Type{Kind: column.Double}, p.Float64, func(t *rapid.T) (func(*column.Column), iceberg.Literal) {
			v := rapid.Float64().Draw(t, "v")
			return func(c *column.Column) { c.AppendDouble(math.Float64bits(v)) }, iceberg.Float64Literal(v)
		}},
		text,
		bytesOf(column.Type{Kind: column.Binary}, p.Binary, 0, 12, func(b []byte) iceberg.Literal { return iceberg.BinaryLiteral(b) }),
		bytesOf(column.Type{Kind: column.Fixed, Length: 5}, iceberg.FixedTypeOf(5), 5, 5, func(b []byte) iceberg.Literal { return iceberg.FixedLiteral(b) }),
		bytesOf(column.Type{Kind: column.UUID}, p.UUID, 16, 16, func(b []byte) iceberg.Literal { return iceberg.UUIDLiteral(b) }),
		decimals(9, 2), decimals(18, 0), decimals(19, 3), decimals(38, 10),
	}
}

// plain takes iceberg-go's literal apart to the value a data file has.
func plain(lit iceberg.Optional[iceberg.Literal]) any {
	if !lit.Valid {
		return nil
	}
	switch v := lit.Val.(type) {
	case iceberg.BoolLiteral:
		return bool(v)
	case iceberg.Int32Literal:
		return int32(v)
	case iceberg.Int64Literal:
		return int64(v)
	case iceberg.Float32Literal:
		return float32(v)
	case iceberg.Float64Literal:
		return float64(v)
	case iceberg.DateLiteral:
		return iceberg.Date(v)
	case iceberg.TimeLiteral:
		return iceberg.Time(v)
	case iceberg.TimestampLiteral:
		return iceberg.Timestamp(v)
	case iceberg.TimestampNsLiteral:
		return iceberg.TimestampNano(v)
	case iceberg.StringLiteral:
		return string(v)
	case iceberg.BinaryLiteral:
		return []byte(v)
	case iceberg.FixedLiteral:
		return []byte(v)
	case iceberg.UUIDLiteral:
		return uuid.UUID(v)
	case iceberg.DecimalLiteral:
		return iceberg.Decimal(v)
	}
	panic(fmt.Sprintf("literal %T", lit.Val))
}

// Random rows of one to three random columns, each under a random transform, against iceberg-go's Apply.
func TestPartitionerAgreesWithIceberg(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fields []column.Field
		var srcs []source
		var parts []iceberg.PartitionField
		for i := range rapid.IntRange(1, 3).Draw(t, "columns") {
			src := rapid.SampledFrom(sources()).Draw(t, "source")
			name := fmt.Sprintf("c%d", i)
			fields = append(fields, column.Field{ID: 10 + i, Name: name, Required: rapid.Bool().Draw(t, "required"), Type: src.typ})
			srcs = append(srcs, src)
			var terms []transform.Term
			for k := transform.Identity; k <= transform.Void; k++ {
				term := transform.Term{Kind: k, Column: name}
				if k == transform.Bucket || k == transform.Truncate {
					term.Width = rapid.SampledFrom([]int{1, 3, 16, 1000}).Draw(t, "width")
				}
				if term.Check(fields) == nil {
					terms = append(terms, term)
				}
			}
			tr := rapid.SampledFrom(terms).Draw(t, "term").Iceberg()
			parts = append(parts, iceberg.PartitionField{SourceIDs: []int{10 + i}, FieldID: 1000 + i, Name: "p" + name, Transform: tr})
		}
		spec := iceberg.NewPartitionSpec(parts...)
		layout, err := column.NewLayout(fields)
		require.NoError(t, err)
		p, err := transform.Compile(&spec, layout)
		if err != nil {
			require.ErrorContains(t, err, "decimals")
			return
		}

		want := map[uint32]string{}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			checkBatch(t, p, layout, srcs, parts, want)
		}
		require.Len(t, want, p.Len(), "every ordinal is in use")
	})
}

func checkBatch(t *rapid.T, p *transform.Partitioner, layout *column.Layout, srcs []source, parts []iceberg.PartitionField, seen map[uint32]string) {
	set := column.NewSet(layout)
	rows := rapid.IntRange(0, 12).Draw(t, "rows")
	want := make([]map[int]any, rows)
	for r := range rows {
		want[r] = map[int]any{}
		for i, src := range srcs {
			c := set.Columns[i]
			lit := iceberg.Optional[iceberg.Literal]{}
			if !c.Optional() || rapid.IntRange(0, 3).Draw(t, "null") > 0 {
				add, l := src.gen(t)
				add(c)
				if c.Optional() {
					c.SetValid()
				}
				lit = iceberg.Optional[iceberg.Literal]{Valid: true, Val: l}
			} else {
				c.SetNull()
			}
			want[r][1000+i] = plain(parts[i].Transform.Apply(lit))
		}
	}
	require.NoError(t, set.Check(rows))
	got := p.Assign(set, rows)
	require.Len(t, got, rows)
	for r, o := range got {
		tuple := p.Tuple(o)
		require.Equal(t, fmt.Sprintf("%#v", want[r]), fmt.Sprintf("%#v", tuple.Values()), "row %d", r)
		if key, ok := seen[o]; ok {
			require.Equal(t, key, tuple.Key())
		}
		seen[o] = tuple.Key()
		for other, key := range seen {
			require.Equal(t, other == o, key == tuple.Key())
		}
		checkPath(t, tuple.Path(), len(srcs))
	}
}

func checkPath(t *rapid.T, path string, fields int) {
	segments := strings.Split(path, "/")
	require.Len(t, segments, fields)
	for _, s := range segments {
		require.Regexp(t, `^[-A-Za-z0-9_.]+=[-A-Za-z0-9_.]*$`, s)
		require.True(t, utf8.ValidString(s))
		require.LessOrEqual(t, len(s), 200)
	}
}

// The test values of the specification's appendix B: bucket[2^31-1] shows the hash without its sign.
func TestHashesOfTheSpecification(t *testing.T) {
	f := func(typ column.Type, add func(*column.Column), hash int64) {
		t.Helper()
		layout, err := column.NewLayout([]column.Field{{ID: 1, Name: "x", Required: true, Type: typ}})
		require.NoError(t, err)
		spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "p", Transform: iceberg.BucketTransform{NumBuckets: math.MaxInt32}})
		p, err := transform.Compile(&spec, layout)
		require.NoError(t, err)
		set := column.NewSet(layout)
		add(set.Columns[0])
		require.EqualValues(t, (hash&math.MaxInt32)%math.MaxInt32, p.Tuple(p.Assign(set, 1)[0]).Values()[1000])
	}
	micros := func(s string) int64 {
		v, err := time.Parse("2006-01-02T15:04:05.999999Z07:00", s)
		require.NoError(t, err)
		return v.UnixMicro()
	}
	i64 := func(v int64) func(*column.Column) { return func(c *column.Column) { c.AppendInt64(v) } }
	i32 := func(v int32) func(*column.Column) { return func(c *column.Column) { c.AppendInt32(v) } }
	f(column.Type{Kind: column.Int}, i32(34), 2017239379)
	f(column.Type{Kind: column.Long}, i64(34), 2017239379)
	f(column.Type{Kind: column.Decimal, Precision: 9, Scale: 2}, i32(1420), -500754589)
	f(column.Type{Kind: column.Decimal, Precision: 18, Scale: 2}, i64(1420), -500754589)
	f(column.Type{Kind: column.Decimal, Precision: 38, Scale: 2}, func(c *column.Column) { c.AppendFixed(binary.BigEndian.AppendUint64(make([]byte, 8), 1420)) }, -500754589)
	f(column.Type{Kind: column.Date}, i32(17486), -653330422)
	f(column.Type{Kind: column.Time}, i64((22*3600+31*60+8)*1_000_000), -662762989)
	f(column.Type{Kind: column.Timestamp}, i64(micros("2017-11-16T22:31:08Z")), -2047944441)
	f(column.Type{Kind: column.Timestamp}, i64(micros("2017-11-16T22:31:08.000001Z")), -1207196810)
	f(column.Type{Kind: column.TimestampTZ}, i64(micros("2017-11-16T14:31:08-08:00")), -2047944441)
	f(column.Type{Kind: column.TimestampNs}, i64(1000*micros("2017-11-16T22:31:08Z")), -2047944441)
	f(column.Type{Kind: column.TimestampNs}, i64(1000*micros("2017-11-16T22:31:08.000001Z")+1), -1207196810)
	f(column.Type{Kind: column.TimestampTZNs}, i64(1000*micros("2017-11-16T14:31:08.000001-08:00")+1), -1207196810)
	f(column.Type{Kind: column.String}, func(c *column.Column) { c.AppendBytes([]byte("iceberg")) }, 1210000089)
	id := uuid.MustParse("f79c3e09-677c-4bbd-a479-3f349cb785e7")
	f(column.Type{Kind: column.UUID}, func(c *column.Column) { c.AppendFixed(id[:]) }, 1488055340)
	f(column.Type{Kind: column.Fixed, Length: 4}, func(c *column.Column) { c.AppendFixed([]byte{0, 1, 2, 3}) }, -188683207)
	f(column.Type{Kind: column.Binary}, func(c *column.Column) { c.AppendBytes([]byte{0, 1, 2, 3}) }, -188683207)
}

func TestNegativeTimesRoundDown(t *testing.T) {
	layout, err := column.NewLayout([]column.Field{{ID: 1, Name: "ts", Required: true, Type: column.Type{Kind: column.TimestampTZ}}})
	require.NoError(t, err)
	f := func(tr iceberg.Transform, path string, want any) {
		t.Helper()
		spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "p", Transform: tr})
		p, err := transform.Compile(&spec, layout)
		require.NoError(t, err)
		set := column.NewSet(layout)
		set.Columns[0].AppendInt64(-1)
		tuple := p.Tuple(p.Assign(set, 1)[0])
		require.Equal(t, map[int]any{1000: want}, tuple.Values())
		require.Equal(t, path, tuple.Path())
	}
	f(iceberg.YearTransform{}, "p=1969", int32(-1))
	f(iceberg.MonthTransform{}, "p=1969-12", int32(-1))
	f(iceberg.DayTransform{}, "p=1969-12-31", iceberg.Date(-1))
	f(iceberg.HourTransform{}, "p=1969-12-31-23", int32(-1))
	f(iceberg.IdentityTransform{}, "p=1969-12-31T23_59_59.999999_00_00", iceberg.Timestamp(-1))
	f(iceberg.VoidTransform{}, "p=null", nil)
}

func TestSpecsThatCannotBeWritten(t *testing.T) {
	layout, err := column.NewLayout([]column.Field{
		{ID: 1, Name: "s", Type: column.Type{Kind: column.Struct, Fields: []column.Field{{ID: 2, Name: "a", Type: column.Type{Kind: column.Int}}}}},
		{ID: 3, Name: "b", Type: column.Type{Kind: column.Boolean}},
	})
	require.NoError(t, err)
	unknown, err := iceberg.ParseTransform("zorder[3]")
	require.NoError(t, err)
	f := func(source int, tr iceberg.Transform, want string) {
		t.Helper()
		spec := iceberg.NewPartitionSpec(iceberg.PartitionField{SourceIDs: []int{source}, FieldID: 1000, Name: "p", Transform: tr})
		_, err := transform.Compile(&spec, layout)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.ErrorContains(t, err, want)
	}
	f(2, iceberg.IdentityTransform{}, "reading partition field p: field 2 is no top-level column")
	f(3, unknown, "reading partition field p: transform zorder[3] cannot be written")
	f(3, iceberg.DayTransform{}, `day cannot take column "b" of type boolean`)
}

func TestResetForgets(t *testing.T) {
	p, set := events(t)
	first := append([]uint32(nil), p.Assign(set, 500)...)
	require.Positive(t, p.Bytes())
	n := p.Len()
	require.Greater(t, n, 16)
	p.Reset()
	require.Zero(t, p.Len())
	require.Zero(t, p.Bytes())
	require.Equal(t, first, p.Assign(set, 500))
	require.Equal(t, n, p.Len())
}

func TestAssignDoesNotAllocateForKnownTuples(t *testing.T) {
	p, set := events(t)
	p.Assign(set, 500)
	require.Zero(t, testing.AllocsPerRun(20, func() { p.Assign(set, 500) }))
}

// events is a staging set of 500 rows partitioned by day and by bucket of a text.
func events(t testing.TB) (*transform.Partitioner, *column.Set) {
	layout, err := column.NewLayout([]column.Field{
		{ID: 1, Name: "ts", Required: true, Type: column.Type{Kind: column.TimestampTZ}},
		{ID: 2, Name: "user", Type: column.Type{Kind: column.String}},
	})
	require.NoError(t, err)
	spec := iceberg.NewPartitionSpec(
		iceberg.PartitionField{SourceIDs: []int{1}, FieldID: 1000, Name: "d", Transform: iceberg.DayTransform{}},
		iceberg.PartitionField{SourceIDs: []int{2}, FieldID: 1001, Name: "b", Transform: iceberg.BucketTransform{NumBuckets: 16}},
	)
	p, err := transform.Compile(&spec, layout)
	require.NoError(t, err)
	set := column.NewSet(layout)
	for i := range 500 {
		set.Columns[0].AppendInt64(1_750_000_000_000_000 + int64(i)*400_000_000)
		set.Columns[1].AppendBytes(fmt.Appendf(nil, "user-%d", i*7919%300))
		set.Columns[1].SetValid()
	}
	return p, set
}

func BenchmarkAssign(b *testing.B) {
	p, set := events(b)
	b.ReportAllocs()
	for b.Loop() {
		p.Assign(set, 500)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
}
