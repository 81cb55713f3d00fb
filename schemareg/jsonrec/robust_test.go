package jsonrec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

// complete is a record with a value for every field of everything().
const complete = `{"b":true,"i":-12,"l":1234567890123,"f":1.5,"d":-0.125e3,"dec":"12.3","day":"2024-02-29","clock":"23:59:59.5",` +
	`"ts":"2024-01-01T10:00:00","tz":"2024-01-01 10:00:00.123456789+02:00","ms":1700000000123,"s":"a \"text\" with \u00e4 and ü",` +
	`"u":"123e4567-e89b-12d3-a456-426614174000","fix":"AQIDBA==","bin":"AQI","st":{"x":1,"y":null},"li":[{"z":1},null,{}],` +
	`"ma":{"k":1,"l":2},"ticks":0}`

func TestEveryTruncationIsRefused(t *testing.T) {
	x := compile(t, everything())
	want, err := x.last(t, []byte(complete))
	require.NoError(t, err)
	for n := range len(complete) {
		part := bytes.Clone([]byte(complete[:n])) // its own array: reading behind the end would be seen by the race detector
		_, err := x.last(t, part[:n:n])
		require.Error(t, err, "%d bytes", n)
		got, err := x.last(t, []byte(complete))
		require.NoError(t, err)
		require.Equal(t, want, got, "a refused record leaves no trace")
	}
}

func TestEveryByteFlipAgreesWithTheOracle(t *testing.T) {
	x := compile(t, Config{Fields: everything().Fields, Hints: everything().Hints, Unknown: Rest, Text: ReplaceInvalid})
	for i := range complete {
		for _, c := range []byte{0, ' ', '"', '\\', ',', '}', ']', '{', '0', 'e', '-', 'n', 0x80, 0xff, complete[i] ^ 1, complete[i] ^ 0x20} {
			record := []byte(complete)
			record[i] = c
			x.agrees(t, record)
		}
	}
}

func TestGoodRowsStayWhenABadOneIsTruncated(t *testing.T) {
	x := compile(t, everything())
	for n := range len(complete) {
		require.NoError(t, x.program.Decode([]byte(complete)))
		require.Error(t, x.program.Decode([]byte(complete[:n])))
		x.set.Truncate(1)
		require.NoError(t, x.set.Check(1))
		require.Len(t, columntest.Rows(x.set), 1)
		x.set.Truncate(0)
	}
}

// TestSpellingDoesNotMatter: order of keys, white space and escapes change nothing but what is kept verbatim.
func TestSpellingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{Fields: drawFields(t, 0), Unknown: Rest}
		x := compile(t, c)
		tree := drawRecord(t, x.schema.root, 0)
		want, err := x.last(t, spell(nil, tree))
		require.NoError(t, err)
		delete(want, RestColumn)
		for range 3 {
			got, err := x.last(t, spell(t, reordered(t, tree)))
			require.NoError(t, err)
			delete(got, RestColumn)
			require.Equal(t, want, got)
		}
	})
}

// reordered shuffles the keys of all objects.
func reordered(t *rapid.T, v any) any {
	switch v := v.(type) {
	case []member:
		out := make([]member, len(v))
		for i, m := range rapid.Permutation(v).Draw(t, "order") {
			out[i] = member{m.key, reordered(t, m.value)}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = reordered(t, v[i])
		}
		return out
	}
	return v
}

func TestMoreThan64Fields(t *testing.T) {
	var c Config
	record := map[string]int{}
	for i := range 300 {
		name := fmt.Sprintf("f%03d", i)
		c.Fields = append(c.Fields, col(name, column.Long))
		if i%7 != 0 {
			record[name] = i
		}
	}
	x := compile(t, c)
	text, err := json.Marshal(record)
	require.NoError(t, err)
	row, err := x.last(t, text)
	require.NoError(t, err)
	require.Equal(t, int64(299), row["f299"])
	require.Nil(t, row["f294"])
	_, err = x.last(t, bytes.Replace(text, []byte(`"f298"`), []byte(`"f297"`), 1))
	require.ErrorContains(t, err, "field f297: the key appears twice")
}

// FuzzJSON compares the program with the oracle on any bytes.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		complete, `{}`, ` { "l" : 1e3 , "x" : [ 1 , { } , "\ud83d\ude00" ] } `, `{"st":{"x":1,"z":{}},"li":[{"q":1}]}`,
		`{"dec":1e-2,"d":1e-400,"f":16777217,"l":-9223372036854775808,"i":2147483648}`, `{"ma":{"a":1,"a":2}}`,
		`{"tz":"2024-12-31T23:59Z","ts":"0000-01-01t00:00:00,5","day":"1900-02-29","clock":"00:00"}`,
		"{\"s\":\"\xff\\ud800\\u0000\",\"\xc3\":\"\xa4\"}", `{"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
		`{"ms":1.0005,"ticks":86399999999.9,"u":"00000000-0000-0000-0000-000000000000","fix":"AAAAAA","bin":"AB=="}`,
	} {
		f.Add([]byte(seed))
	}
	c := everything()
	c.Unknown, c.Text = Rest, ReplaceInvalid
	x := compile(f, c)
	c.Text = RefuseInvalid
	strict := compile(f, c)
	f.Fuzz(func(t *testing.T, record []byte) {
		x.agrees(t, record)
		if _, err := strict.last(t, record); err == nil {
			_, err = x.last(t, record)
			require.NoError(t, err, "strict accepts less, not more")
		}
	})
}
