package avro

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
)

func mustPreview(t require.TestingT, s *Schema) *Preview {
	p, err := NewPreview(s)
	require.NoError(t, err)
	return p
}

func TestPreviewIsReadable(t *testing.T) {
	json := func(want, typ string, b []byte) {
		t.Helper()
		got, err := mustPreview(t, mustParse(t, recordOf(typ))).JSON(b)
		require.NoError(t, err)
		require.Equal(t, `{"f":`+want+`}`, string(got))
	}
	logical := func(base, name, more string) string {
		return `{"type":"` + base + `","logicalType":"` + name + `"` + more + `}`
	}
	json(`null`, `"null"`, nil)
	json(`true`, `"boolean"`, []byte{1})
	json(`-5`, `"long"`, longs(-5))
	json(`9223372036854775807`, `"long"`, longs(math.MaxInt64))
	json(`1.5`, `"float"`, []byte{0, 0, 0xc0, 0x3f})
	json(`"NaN"`, `"float"`, []byte{0, 0, 0xc0, 0x7f})
	json(`"a<b"`, `"string"`, appendText(nil, "a<b"))
	json(`"AQI="`, `"bytes"`, appendText(nil, "\x01\x02"))
	json(`"B"`, `{"type":"enum","name":"E","symbols":["A","B"]}`, longs(1))
	json(`"1970-01-03"`, logical("int", "date", ""), longs(2))
	json(`"00:00:01.5"`, logical("int", "time-millis", ""), longs(1500))
	json(`"00:00:00.0015"`, logical("long", "time-micros", ""), longs(1500))
	json(`"1970-01-01T00:00:01.5Z"`, logical("long", "timestamp-millis", ""), longs(1500))
	json(`"1970-01-01T00:00:00.0015Z"`, logical("long", "timestamp-micros", ""), longs(1500))
	json(`"1970-01-01T00:00:00.0000015Z"`, logical("long", "timestamp-nanos", ""), longs(1500))
	json(`"1970-01-01T00:00:01.5"`, logical("long", "local-timestamp-millis", ""), longs(1500))
	json(`"1970-01-01T00:00:00.0015"`, logical("long", "local-timestamp-micros", ""), longs(1500))
	json(`"1970-01-01T00:00:00.0000015"`, logical("long", "local-timestamp-nanos", ""), longs(1500))
	json(`"-1.50"`, logical("bytes", "decimal", `,"precision":9,"scale":2`), appendText(nil, "\xff\x6a"))
	json(`"1500"`, logical("bytes", "decimal", `,"precision":9,"scale":-2`), appendText(nil, "\x0f"))
	json(`"00112233-4455-6677-8899-aabbccddeeff"`, `{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}`,
		[]byte("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"))
	json(`"P1M0DT0.002S"`, `{"type":"fixed","name":"F","size":12,"logicalType":"duration"}`, []byte("\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00"))
	json(`[1,2]`, `{"type":"array","items":"int"}`, longs(2, 1, 2, 0))
	json(`{"a":1,"b":null}`, `{"type":"map","values":["int","null"]}`, append(append(appendText(longs(2), "b"), append(longs(1), appendText(nil, "a")...)...), longs(0, 1, 0)...))
	json(`null`, `["null","int"]`, longs(0))
	json(`3`, `["null","int"]`, longs(1, 3))
	json(`{"long":3}`, `["null","int","long"]`, longs(2, 3))
	json(`{"z":1,"a":{},"m":null}`, `{"type":"record","name":"Größe","fields":[{"name":"z","type":"int"},
		{"name":"a","type":{"type":"record","name":"Empty","fields":[]}},{"name":"m","type":["null","Empty"]}]}`, longs(1, 0))
}

func TestPreviewOfAnyTopLevelType(t *testing.T) {
	got, err := mustPreview(t, mustParse(t, `["null","string"]`)).JSON(appendText(longs(1), "x"))
	require.NoError(t, err)
	require.Equal(t, `"x"`, string(got))
}

func TestPreviewRefusesWhatProgramsRefuse(t *testing.T) {
	bad := func(typ string, b []byte) {
		t.Helper()
		_, err := mustPreview(t, mustParse(t, recordOf(typ))).JSON(b)
		require.Equal(t, failure.Poison, failure.ClassOf(err))
		require.Equal(t, CodeDecode, failure.CodeOf(err))
	}
	bad(`"int"`, nil)
	bad(`"int"`, longs(1, 1))
	bad(`{"type":"array","items":"null"}`, longs(1<<30, 0))
	bad(`{"type":"array","items":"null"}`, longs(-1<<30, 0, 0))
	bad(`{"type":"array","items":{"type":"array","items":"null"}}`, longs(-1, 6, 1<<30, 0, 0))
	bad(`{"type":"array","items":"int"}`, longs(-1<<30, 1, 1, 0))
}

// TestPreviewReadsWhatProgramsRead, and its JSON is JSON.
func TestPreviewReadsWhatProgramsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		b := varied{t}.value(nil, s.model, drawValue(t, s.model, 0))
		require.NoError(t, s.program.Decode(b))
		p := mustPreview(t, s.schema)
		text, err := p.JSON(b)
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s", text)
		again, err := mustPreview(t, s.schema).JSON(b)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(string(text), string(again)))
	})
}

// debezium are the records of one topic that a Debezium connector wrote, with all the types PostgreSQL has.
func debezium(t testing.TB) (text string, records [][]byte) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(readFile(t, "testdata/kinds.hex")))
	for lines.Scan() {
		b, err := hex.DecodeString(lines.Text())
		require.NoError(t, err)
		records = append(records, b)
	}
	return readFile(t, "testdata/kinds.avsc"), records
}

func TestPreviewOfDebezium(t *testing.T) {
	text, records := debezium(t)
	p := mustPreview(t, mustParse(t, text))
	var out strings.Builder
	for _, b := range records {
		line, err := p.JSON(b)
		require.NoError(t, err)
		out.Write(line)
		out.WriteByte('\n')
	}
	golden(t, "testdata/kinds.jsonl", out.String())
}
