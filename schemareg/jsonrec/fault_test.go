package jsonrec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

func col(name string, kind column.Kind, members ...column.Field) column.Field {
	return column.Field{Name: name, Type: column.Type{Kind: kind, Fields: members}}
}

func need(f column.Field) column.Field {
	f.Required = true
	return f
}

// everything declares one field of each kind.
func everything() Config {
	decimal, fixed := col("dec", column.Decimal), col("fix", column.Fixed)
	decimal.Type.Precision, decimal.Type.Scale, fixed.Type.Length = 5, 2, 4
	return Config{
		Fields: []column.Field{
			col("b", column.Boolean), col("i", column.Int), col("l", column.Long), col("f", column.Float),
			col("d", column.Double), decimal, col("day", column.Date), col("clock", column.Time),
			col("ts", column.Timestamp), col("tz", column.TimestampTZ), col("ms", column.TimestampTZ),
			col("s", column.String), col("u", column.UUID), fixed, col("bin", column.Binary),
			col("st", column.Struct, need(col("x", column.Long)), col("y", column.String)),
			col("li", column.List, col("element", column.Struct, col("z", column.Long))),
			col("ma", column.Map, need(col("key", column.String)), need(col("value", column.Long))),
			col("ticks", column.Time),
		},
		Hints: []Hint{{Path: []string{"ms"}, Unit: Millis}, {Path: []string{"ticks"}, Unit: Micros}},
	}
}

// refuser expects records to be refused with a code and a message.
func refuser(t *testing.T) func(record, code, message string) {
	x := compile(t, everything())
	return func(record, code, message string) {
		t.Helper()
		_, err := x.last(t, []byte(record))
		require.EqualError(t, err, message, record)
		require.Equal(t, code, failure.CodeOf(err))
	}
}

// TestFaults names, for each way a record can be wrong, the code and the message people get.
func TestFaults(t *testing.T) {
	f := refuser(t)
	f(``, CodeDecode, `reading JSON: the value is not a JSON object at byte 0`)
	f(` [1]`, CodeDecode, `reading JSON: the value is not a JSON object at byte 1`)
	f(`null`, CodeDecode, `reading JSON: the value is not a JSON object at byte 0`)
	f(`{`, CodeDecode, `reading JSON: malformed JSON at byte 1`)
	f(`{"i":1,}`, CodeDecode, `reading JSON: malformed JSON at byte 7`)
	f(`{"i":1 "l":2}`, CodeDecode, `reading JSON: malformed JSON at byte 7`)
	f(`{"i" 1}`, CodeDecode, `reading JSON: malformed JSON at byte 5`)
	f(`{i:1}`, CodeDecode, `reading JSON: malformed JSON at byte 1`)
	f(`{"i":`, CodeDecode, `reading JSON field i: malformed JSON at byte 5`)
	f(`{"i":1} x`, CodeDecode, `reading JSON: bytes after the object at byte 8`)
	f(`{"i":1}{}`, CodeDecode, `reading JSON: bytes after the object at byte 7`)
	f(`{"i":1,"i":1}`, CodeDecode, `reading JSON field i: the key appears twice in its object at byte 11`)
	f(`{"st":{"x":1,"y":null,"x":2}}`, CodeDecode, `reading JSON field st.x: the key appears twice in its object at byte 26`)
	f(`{"ma":{"a":1,"\u0061":2}}`, CodeDecode, `reading JSON field ma: the key appears twice in its object at byte 13`)
	f(`{"nope":1}`, CodeDecode, `reading JSON field "nope": the key is not declared in the schema at byte 1`)
	f(`{"st":{"x":1,"no\npe":1}}`, CodeDecode, `reading JSON field st."no\npe": the key is not declared in the schema at byte 13`)
	f(`{"`+strings.Repeat("k", 100)+`":1}`, CodeDecode,
		`reading JSON field "`+strings.Repeat("k", 64)+`": the key is not declared in the schema at byte 1`)
	f(`{"s":"a`, CodeDecode, `reading JSON field s: unterminated string at byte 7`)
	f(`{"s":"a\"`, CodeDecode, `reading JSON field s: unterminated string at byte 9`)
	f(`{"s":"a\q"}`, CodeDecode, `reading JSON field s: bad escape in a string at byte 7`)
	f(`{"s":"a\u12g4"}`, CodeDecode, `reading JSON field s: bad escape in a string at byte 7`)
	f(`{"s":"\u12"}`, CodeDecode, `reading JSON field s: bad escape in a string at byte 6`)
	f("{\"s\":\"a\tb\"}", CodeDecode, `reading JSON field s: control character in a string at byte 7`)
	f("{\"s\":\"a much longer one\x00\"}", CodeDecode, `reading JSON field s: control character in a string at byte 23`)
	f("{\"s\":\"a\xffb\"}", CodeDecode, `reading JSON field s: text is not valid UTF-8 at byte 5`)
	f(`{"s":"\ud800"}`, CodeDecode, `reading JSON field s: text is not valid UTF-8 at byte 6`)
	f(`{"s":"\udc00\ud800"}`, CodeDecode, `reading JSON field s: text is not valid UTF-8 at byte 6`)
}

// TestConversionFaults does the same for values that do not fit their columns.
func TestConversionFaults(t *testing.T) {
	f := refuser(t)
	f(`{"s":1}`, CodeConvert, `reading JSON field s: a string is expected at byte 5`)
	f(`{"b":1}`, CodeConvert, `reading JSON field b: true or false is expected at byte 5`)
	f(`{"b":trux}`, CodeConvert, `reading JSON field b: true or false is expected at byte 5`)
	f(`{"b":nul}`, CodeDecode, `reading JSON field b: not a JSON value at byte 5`)
	f(`{"i":"1"}`, CodeConvert, `reading JSON field i: a number is expected at byte 5`)
	f(`{"i":+1}`, CodeConvert, `reading JSON field i: a number is expected at byte 5`)
	f(`{"i":-}`, CodeDecode, `reading JSON field i: malformed number at byte 6`)
	f(`{"i":01}`, CodeDecode, `reading JSON field i: malformed number at byte 5`)
	f(`{"i":1.}`, CodeDecode, `reading JSON field i: malformed number at byte 7`)
	f(`{"d":1.}`, CodeDecode, `reading JSON field d: malformed number at byte 7`)
	f(`{"d":NaN}`, CodeConvert, `reading JSON field d: a number is expected at byte 5`)
	f(`{"d":Infinity}`, CodeConvert, `reading JSON field d: a number is expected at byte 5`)
	f(`{"d":-Infinity}`, CodeDecode, `reading JSON field d: malformed number at byte 6`)
	f(`{"d":1e999}`, CodeConvert, `reading JSON field d: the number does not fit the type at byte 5`)
	f(`{"f":1e39}`, CodeConvert, `reading JSON field f: the number does not fit the type at byte 5`)
	f(`{"i":2147483648}`, CodeConvert, `reading JSON field i: the number does not fit the type at byte 5`)
	f(`{"l":9223372036854775808}`, CodeConvert, `reading JSON field l: the number does not fit the type at byte 5`)
	f(`{"l":1.5}`, CodeConvert, `reading JSON field l: the number is not an integer at byte 5`)
	f(`{"dec":1.005}`, CodeConvert, `reading JSON field dec: the number has more digits than the scale of its decimal at byte 7`)
	f(`{"dec":1000}`, CodeConvert, `reading JSON field dec: the number does not fit the type at byte 7`)
	f(`{"dec":"1000"}`, CodeConvert, `reading JSON field dec: the number does not fit the type at byte 7`)
	f(`{"dec":"1x"}`, CodeDecode, `reading JSON field dec: malformed number at byte 7`)
	f(`{"dec":true}`, CodeConvert, `reading JSON field dec: a number is expected at byte 7`)
	f(`{"day":"2024-02-30"}`, CodeConvert, `reading JSON field day: not a date like 2006-01-02 at byte 7`)
	f(`{"day":19000}`, CodeConvert, `reading JSON field day: a string is expected at byte 7`)
	f(`{"clock":"24:00"}`, CodeConvert, `reading JSON field clock: not a time of day like 15:04:05.999999 at byte 9`)
	f(`{"ticks":86400000000}`, CodeConvert, `reading JSON field ticks: not a time of day like 15:04:05.999999 at byte 9`)
	f(`{"ts":"yesterday"}`, CodeConvert, `reading JSON field ts: not an ISO 8601 timestamp at byte 6`)
	f(`{"ts":"2024-01-01T00:00Z"}`, CodeConvert, `reading JSON field ts: the timestamp has an offset at byte 6`)
	f(`{"tz":"2024-01-01T00:00"}`, CodeConvert, `reading JSON field tz: the timestamp has no offset at byte 6`)
	f(`{"tz":1700000000000}`, CodeConvert, `reading JSON field tz: a string is expected at byte 6`)
	f(`{"ms":"2024-01-01T00:00Z"}`, CodeConvert, `reading JSON field ms: a number is expected at byte 6`)
	f(`{"ms":9223372036854775807}`, CodeConvert, `reading JSON field ms: the number does not fit the type at byte 6`)
	f(`{"u":"x"}`, CodeConvert, `reading JSON field u: not a UUID at byte 5`)
	f(`{"u":"zzzzzzzz-0000-0000-0000-000000000000"}`, CodeConvert, `reading JSON field u: not a UUID at byte 5`)
	f(`{"bin":"a b"}`, CodeConvert, `reading JSON field bin: not base64 at byte 7`)
	f(`{"bin":"YQ\n=="}`, CodeConvert, `reading JSON field bin: not base64 at byte 7`)
	f(`{"fix":"YQ=="}`, CodeConvert, `reading JSON field fix: the length differs from the declared one at byte 7`)
	f(`{"st":[]}`, CodeConvert, `reading JSON field st: an object is expected at byte 6`)
	f(`{"ma":[]}`, CodeConvert, `reading JSON field ma: an object is expected at byte 6`)
	f(`{"li":{}}`, CodeConvert, `reading JSON field li: an array is expected at byte 6`)
	f(`{"li":[{"z":1},{"z":""}]}`, CodeConvert, `reading JSON field li.element.z: a number is expected at byte 20`)
	f(`{"li":[{"z":1}`, CodeDecode, `reading JSON field li: malformed JSON at byte 14`)
	f(`{"st":{"y":"a"}}`, CodeConvert, `reading JSON field st.x: a required field is missing at byte 14`)
	f(`{"st":{"x":null}}`, CodeConvert, `reading JSON field st.x: a required field is null at byte 11`)
	f(`{"ma":{"k":null}}`, CodeConvert, `reading JSON field ma.value: a required field is null at byte 11`)
	f(`{"ma":{1:1}}`, CodeDecode, `reading JSON field ma: malformed JSON at byte 7`)
	f(`{"ma":{"a"1}}`, CodeDecode, `reading JSON field ma: malformed JSON at byte 10`)
	f(`{"ma":{"a":1]}`, CodeDecode, `reading JSON field ma: malformed JSON at byte 12`)
	f(`{"ma":{"\x":1}}`, CodeDecode, `reading JSON field ma.key: bad escape in a string at byte 8`)
}

// TestFaultsUnderUndeclaredKeys checks what nobody reads.
func TestFaultsUnderUndeclaredKeys(t *testing.T) {
	x := compile(t, Config{Fields: []column.Field{col("a", column.Long)}, Unknown: Rest})
	f := func(record, message string) {
		t.Helper()
		_, err := x.last(t, []byte(record))
		require.EqualError(t, err, "reading JSON: "+message, record)
	}
	f(`{"x":}`, `not a JSON value at byte 5`)
	f(`{"x":`, `malformed JSON at byte 5`)
	f(`{"x":tru}`, `not a JSON value at byte 5`)
	f(`{"x":[1,]}`, `not a JSON value at byte 8`)
	f(`{"x":[1 2]}`, `malformed JSON at byte 8`)
	f(`{"x":[`, `malformed JSON at byte 6`)
	f(`{"x":{"a":1,}}`, `malformed JSON at byte 12`)
	f(`{"x":{"a"}}`, `malformed JSON at byte 9`)
	f(`{"x":{"a":01}}`, `malformed number at byte 10`)
	f(`{"x":{1:1}}`, `malformed JSON at byte 6`)
	f(`{"x":"\z"}`, `bad escape in a string at byte 6`)
	f(`{"x":"`, `unterminated string at byte 6`)
	f(`{"\z":1}`, `bad escape in a string at byte 2`)
	f(`{"x":`+strings.Repeat("[", 64)+strings.Repeat("]", 64)+`}`, `nested more than 64 levels at byte 68`)
	f(`{"x":`+strings.Repeat(`{"a":`, 64)+`1`+strings.Repeat("}", 64)+`}`, `nested more than 64 levels at byte 320`)
	_, err := x.last(t, []byte(`{"x":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+`}`))
	require.NoError(t, err)
}

func TestEachFaultHasItsReason(t *testing.T) {
	for f := badObject; f < faults; f++ {
		r := reasonOf(f)
		require.NotEmpty(t, r.text, f)
		require.Contains(t, []string{CodeDecode, CodeConvert}, r.code)
		require.NotContains(t, r.hint, "  ")
	}
}

func TestInvalidTextIsRepairedOnRequest(t *testing.T) {
	c := Config{Fields: []column.Field{col("s", column.String)}, Unknown: Rest, Text: ReplaceInvalid}
	x := compile(t, c)
	f := func(text, want string) {
		t.Helper()
		row, err := x.last(t, []byte(`{"s":"`+text+`","`+text+`":["`+text+`"]}`))
		require.NoError(t, err)
		require.Equal(t, want, row["s"])
		x.agrees(t, []byte(`{"s":"`+text+`","x`+text+`":["`+text+`"]}`))
	}
	f("a\xff\xfeb", "a\uFFFD\uFFFDb")
	f("a\xc3", "a\uFFFD")
	f("\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD")
	f(`\ud800`, "\uFFFD")
	f(`\ud800\u0041`, "\uFFFDA")
	f(`\udc00\ud800\udc00`, "\uFFFD\U00010000")
	f("\\n\xff", "\n\uFFFD")

	c.Text = RefuseInvalid
	x = compile(t, c)
	_, err := x.last(t, []byte("{\"x\":[\"\xff\"]}"))
	require.EqualError(t, err, `reading JSON: text is not valid UTF-8 at byte 1`)
	row, err := x.last(t, []byte(`{"x":"\ud800"}`))
	require.NoError(t, err, "an escape in a kept value is ASCII and stays as it is")
	require.Contains(t, row[RestColumn], `"\ud800"`)
}
