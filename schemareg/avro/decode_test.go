package avro

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/rowtest"
	"github.com/ingestd/ingestd/table/column"
)

// decodeOne decodes one record of one field f into a column of the given type, the proposed one if nil.
func decodeOne(t *testing.T, typ string, to *column.Type, b []byte) (any, error) {
	t.Helper()
	fields := mustFields(t, recordOf(typ))
	if to != nil {
		fields[0].Type = *to
	}
	pr, set := compileFor(t, recordOf(typ), fields)
	if err := pr.Decode(b); err != nil {
		set.Truncate(0)
		require.NoError(t, set.Check(0))
		return nil, err
	}
	require.NoError(t, set.Check(1))
	rows, err := rowtest.Rows(set)
	require.NoError(t, err)
	return rows[0]["f"], nil
}

func longs(v ...int64) (b []byte) {
	for _, n := range v {
		b = appendLong(b, n)
	}
	return b
}

func TestFaults(t *testing.T) {
	bad := func(code, want, typ string, b []byte) {
		t.Helper()
		_, err := decodeOne(t, typ, nil, b)
		require.EqualError(t, err, fmt.Sprintf("decoding Avro record of %d bytes: %s", len(b), want))
		require.Equal(t, failure.Poison, failure.ClassOf(err))
		require.Equal(t, code, failure.CodeOf(err))
		require.NotEmpty(t, failure.HintOf(err))
	}
	logical := func(base, name string) string { return fmt.Sprintf(`{"type":%q,"logicalType":%q}`, base, name) }
	ints := `{"type":"array","items":"int"}`

	bad(CodeDecode, "field f: the record ends within it", `"long"`, nil)
	bad(CodeDecode, "field f: the record ends within it", `"double"`, make([]byte, 7))
	bad(CodeDecode, "field f: the record ends within it", `"float"`, make([]byte, 3))
	bad(CodeDecode, "field f: the record ends within it", `"string"`, []byte{8, 'a', 'b', 'c'})
	bad(CodeDecode, "field f: the record ends within it", `"string"`, appendLong(nil, math.MaxInt64))
	bad(CodeDecode, "record: there are bytes behind the end of the record", `"long"`, []byte{2, 0})
	bad(CodeDecode, "field f: its number has more than 64 bits", `"long"`, []byte(strings.Repeat("\xff", 9)+"\x02"))
	bad(CodeDecode, "field f: its number has more than 64 bits", `"long"`, []byte(strings.Repeat("\x80", 10)+"\x00"))
	bad(CodeDecode, "field f: its number has more than 32 bits", `"int"`, longs(1<<31))
	bad(CodeDecode, "field f: its number has more than 32 bits", `"int"`, longs(-1<<31-1))
	bad(CodeDecode, "field f: its length is negative", `"bytes"`, longs(-1))
	bad(CodeDecode, "field f: its union has no such branch", `["null","int"]`, longs(2, 0))
	bad(CodeDecode, "field f: its union has no such branch", `["null","int"]`, longs(-1, 0))
	bad(CodeDecode, "field f: its union has no such branch", `["null","int","long"]`, longs(3, 0))
	bad(CodeDecode, "field f: its enum has no such symbol", `{"type":"enum","name":"E","symbols":["A","B"]}`, longs(2))
	bad(CodeDecode, "field f: its enum has no such symbol", `{"type":"enum","name":"E","symbols":["A","B"]}`, longs(-1))
	bad(CodeDecode, "field f: a boolean is neither 0 nor 1", `"boolean"`, []byte{2})
	bad(CodeDecode, "field f.element: the record ends within it", ints, longs(3, 1, 2))
	bad(CodeDecode, "field f: the size of a block does not match its items", ints, longs(-1, 2, 1, 0))
	bad(CodeDecode, "field f: its length is negative", ints, longs(-1, -1, 1, 0))
	bad(CodeDecode, "field f: the record ends within it", ints, longs(-1, 9, 1, 0))
	bad(CodeDecode, "field f: its lists have more items than the record's length allows", ints, longs(math.MinInt64, 0, 0))
	bad(CodeDecode, "field f.value.b: the record ends within it",
		`{"type":"map","values":{"type":"record","name":"S","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","int"]}]}}`,
		append(appendText(longs(1), "k"), 2, 2))

	bad(CodeConvert, "field f: its time is not within a day", logical("int", "time-millis"), longs(86400000))
	bad(CodeConvert, "field f: its time is not within a day", logical("long", "time-micros"), longs(-1))
	bad(CodeDecode, "field f: its number has more than 32 bits", logical("int", "time-millis"), longs(1<<31))
	bad(CodeConvert, "field f: its timestamp does not fit 64 bits of its column's unit", logical("long", "timestamp-millis"), longs(math.MaxInt64/1000+1))
	bad(CodeConvert, "field f: its timestamp does not fit 64 bits of its column's unit", logical("long", "timestamp-millis"), longs(math.MinInt64/1000-1))
	for _, u := range []string{"", "0123", "01234567-0123-0123-0123-0123456789a", "01234567x0123-0123-0123-0123456789ab", "0123456g-0123-0123-0123-0123456789ab"} {
		bad(CodeConvert, "field f: its text is not a UUID", logical("string", "uuid"), appendText(nil, u))
	}
}

func TestDecimals(t *testing.T) {
	decimal := func(p int) string {
		return fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":0}`, p)
	}
	for _, p := range []int{1, 4, 9, 10, 18, 19, 20, 27, 28, 37, 38} {
		limit := pow(10, p)
		for _, delta := range []int64{-1, 0, 1} {
			for _, sign := range []int64{1, -1} {
				x := pow(10, p)
				x.Add(x, pow(1, 1).SetInt64(delta)).Mul(x, pow(1, 1).SetInt64(sign))
				for _, pad := range []int{0, 1, 9} {
					raw := asTwosComplement(x, x.BitLen()/8+1+pad)
					got, err := decodeOne(t, decimal(p), nil, appendText(nil, string(raw)))
					if x.CmpAbs(limit) < 0 {
						require.NoError(t, err)
						require.Equal(t, (&model{precision: p}).expectDecimal(x), got, "%d digits: %s", p, x)
					} else {
						require.ErrorContains(t, err, "its decimal has more digits than the column", "%d digits: %s", p, x)
						require.Equal(t, CodeConvert, failure.CodeOf(err))
					}
				}
			}
		}
	}
	got, err := decodeOne(t, decimal(5), nil, appendText(nil, "")) // Java's BigInteger never writes this, others might
	require.NoError(t, err)
	require.EqualValues(t, 0, got)
	for _, p := range []int{9, 18, 30} { // long, and not only because the sign is repeated
		for _, raw := range []string{"\x00\x80", "\x01\x00", "\x00\xff", "\xff\x00", "\xff\x7f"} {
			for _, n := range []int{7, 15} {
				raw := raw + strings.Repeat(raw[1:], n)
				if x := twosComplement([]byte(raw)); x.CmpAbs(pow(10, p)) >= 0 {
					_, err = decodeOne(t, decimal(p), nil, appendText(nil, raw))
					require.ErrorContains(t, err, "more digits", "%d digits: %s", p, x)
				}
			}
		}
	}
}

func TestDecimalsAsText(t *testing.T) {
	text := func(want string, scale int, raw string) {
		t.Helper()
		typ := fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":64,"scale":%d}`, scale)
		got, err := decodeOne(t, typ, nil, appendText(nil, raw))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	text("0", 0, "")
	text("0.00", 2, "")
	text("0", -2, "\x00")
	text("500", -2, "\x05")
	text("-500", -2, "\xfb")
	text("0.05", 2, "\x05")
	text("-0.05", 2, "\xfb")
	text("-0.5", 1, "\xfb")
	text("1.27", 2, "\x7f")
	text("-1.28", 2, "\x80")
	text("18446744073709551616", 0, "\x01"+strings.Repeat("\x00", 8))
	text("10000000000000000000", 0, "\x00\x8a\xc7\x23\x04\x89\xe8\x00\x00")
	text("100000000000000000000000000000000000000", 0, string(asTwosComplement(pow(10, 38), 16)))
	text("-170141183460469231731687303715884105728", 0, "\x80"+strings.Repeat("\x00", 15))
	text("170141183460469231731687303715884105728", 0, "\x00\x80"+strings.Repeat("\x00", 15))
	text("-1"+strings.Repeat("0", 57)+".000", 3, string(asTwosComplement(pow(10, 60).Neg(pow(10, 60)), 26)))

	_, err := decodeOne(t, `{"type":"bytes","logicalType":"decimal","precision":64}`, nil, appendText(nil, strings.Repeat("1", maxTextBytes+1)))
	require.ErrorContains(t, err, "more digits")
}

// TestConversions are those that the proposed columns do not ask for.
func TestConversions(t *testing.T) {
	to := func(want any, k column.Type, typ string, b []byte) {
		t.Helper()
		got, err := decodeOne(t, typ, &k, b)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	long, text := column.Type{Kind: column.Long}, column.Type{Kind: column.String}
	to(int64(-5), long, `"int"`, longs(-5))
	to(-0.5, column.Type{Kind: column.Double}, `"float"`, []byte{0, 0, 0, 0xbf})
	to(int64(86400000000), long, `{"type":"int","logicalType":"time-millis"}`, longs(86400000))
	to(int64(-7), long, `{"type":"long","logicalType":"time-micros"}`, longs(-7))
	to(int64(-1), column.Type{Kind: column.TimestampTZ}, `{"type":"long","logicalType":"timestamp-nanos"}`, longs(-1))
	to(int64(1), column.Type{Kind: column.TimestampTZ}, `{"type":"long","logicalType":"timestamp-nanos"}`, longs(1999))
	to(int64(1999), column.Type{Kind: column.TimestampTZNs}, `{"type":"long","logicalType":"timestamp-nanos"}`, longs(1999))
	to(int64(-2000), column.Type{Kind: column.TimestampTZNs}, `{"type":"long","logicalType":"timestamp-micros"}`, longs(-2))
	to(int64(2e6), column.Type{Kind: column.TimestampNs}, `{"type":"long","logicalType":"local-timestamp-millis"}`, longs(2))
	for _, far := range []int64{math.MaxInt64/1000 + 1, math.MinInt64/1000 - 1} {
		_, err := decodeOne(t, `{"type":"long","logicalType":"timestamp-micros"}`, &column.Type{Kind: column.TimestampTZNs}, longs(far))
		require.ErrorContains(t, err, "does not fit 64 bits")
		require.Equal(t, CodeConvert, failure.CodeOf(err))
	}
	to("00112233-4455-6677-8899-aabbccddeeff", text, `{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}`,
		[]byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"))
	to("any text", text, `{"type":"string","logicalType":"uuid"}`, appendText(nil, "any text"))
	to("1.5", text, `{"type":"bytes","logicalType":"decimal","precision":4,"scale":1}`, appendText(nil, "\x0f"))
	to("\x00\x00\x00\x00\x00\x00\x00\x01\x02", column.Type{Kind: column.Decimal, Precision: 20, Scale: 1}, `{"type":"fixed","name":"F","size":2,"logicalType":"decimal","precision":4,"scale":1}`, []byte("\x01\x02"))
	duration := `{"type":"fixed","name":"F","size":12,"logicalType":"duration"}`
	to(strings.Repeat("x", 12), column.Type{Kind: column.Fixed, Length: 12}, duration, []byte(strings.Repeat("x", 12)))
	to("PT0S", text, duration, make([]byte, 12))
	to("P1M2DT3.004S", text, duration, []byte("\x01\x00\x00\x00\x02\x00\x00\x00\xbc\x0b\x00\x00"))
	to("P4294967295M", text, duration, []byte("\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
}

// TestSkippedBlocks: a size is believed, but not that it holds more items than bytes.
func TestSkippedBlocks(t *testing.T) {
	other := []column.Field{{Name: "other", Type: column.Type{Kind: column.Int}}}
	pr, set := compileFor(t, recordOf(`{"type":"array","items":"int"}`), other)
	require.NoError(t, pr.Decode(longs(-2, 2, 5, 6, 1, 7, 0)))
	require.NoError(t, set.Check(1))
	require.ErrorContains(t, pr.Decode(longs(-3, 2, 5, 6, 0)), "the size of a block does not match its items")
	require.ErrorContains(t, pr.Decode(longs(-2, 3, 5, 6)), "the record ends within it")
	pr, _ = compileFor(t, recordOf(`{"type":"array","items":"null"}`), other)
	require.ErrorContains(t, pr.Decode(longs(-2, 1, 0, 0)), "the size of a block does not match its items")
}

// TestBombs: a few bytes must not become much memory or time, whether the list is stored or skipped.
func TestBombs(t *testing.T) {
	const many = 1 << 60
	nulls := `{"type":"array","items":"null"}`
	both := func(typ string, stored []column.Field, b []byte) {
		t.Helper()
		for _, fields := range [][]column.Field{stored, {{Name: "other", Type: column.Type{Kind: column.Int}}}} {
			pr, set := compileFor(t, recordOf(typ), fields)
			err := pr.Decode(b)
			require.ErrorContains(t, err, "more items than the record's length allows")
			set.Truncate(0)
			require.NoError(t, set.Check(0))
		}
	}
	text := column.Type{Kind: column.String}
	list := []column.Field{{Name: "f", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: text}}}}}
	both(nulls, list, longs(many, 0))
	both(nulls, list, longs(-many, 0, 0))
	both(nulls, list, longs(1<<20, 1<<20, 1<<20, 0))

	// Each inner list is small, together they are not.
	inner := longs(1<<17, 0)
	lists := []column.Field{{Name: "f", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: list[0].Type}}}}}
	both(`{"type":"array","items":`+nulls+`}`, lists, append(longs(100), []byte(strings.Repeat(string(inner), 100)+"\x00")...))

	// Items of one byte that stand for a hundred columns.
	wide := make([]column.Field, 100)
	for i := range wide {
		wide[i] = column.Field{Name: fmt.Sprintf("c%d", i), Type: text}
	}
	row := `{"type":"array","items":{"type":"record","name":"S","fields":[{"name":"c0","type":["null","string"]}]}}`
	fields := []column.Field{{Name: "f", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: column.Type{Kind: column.Struct, Fields: wide}}}}}}
	pr, set := compileFor(t, recordOf(row), fields)
	ok := append(longs(10_000), make([]byte, 10_001)...)
	require.NoError(t, pr.Decode(ok))
	require.NoError(t, set.Check(1))
	require.ErrorContains(t, pr.Decode(append(longs(1<<19), make([]byte, 1<<19+1)...)), "more items")
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	records := events(t, 500)
	pr, set := compileFor(t, eventText, mustFields(t, eventText))
	decodeAll(t, pr, set, records)
	require.Zero(t, testing.AllocsPerRun(20, func() { decodeAll(t, pr, set, records) }))

	// Every kind of column and list, the conversions with text in between included.
	text := `{"type":"record","name":"R","fields":[
		{"name":"a","type":["null","int","string"]},{"name":"b","type":{"type":"enum","name":"E","symbols":["A","B"]}},
		{"name":"c","type":{"type":"bytes","logicalType":"decimal","precision":64,"scale":3}},
		{"name":"d","type":{"type":"map","values":["null","int"]}},
		{"name":"e","type":{"type":"array","items":{"type":"array","items":"string"}}}]}`
	b := appendText(longs(1, 7, 1), "\x7f")
	b = appendText(append(b, longs(1)...), "k")
	b = append(b, longs(1, 9, 0, 1, 1)...)
	b = append(appendText(b, "x"), longs(0, 0)...)
	pr, set = compileFor(t, text, mustFields(t, text))
	many := make([][]byte, 500)
	for i := range many {
		many[i] = b
	}
	decodeAll(t, pr, set, many)
	require.Zero(t, testing.AllocsPerRun(20, func() { decodeAll(t, pr, set, many) }))
}
