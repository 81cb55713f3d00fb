package avro

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/rowtest"
	"github.com/ingestd/ingestd/table/column"
)

// everything is a schema with every construct.
const everything = `{"type":"record","name":"Every","namespace":"a.b","fields":[
	{"name":"bool","type":"boolean"},{"name":"int","type":["null","int"]},{"name":"long","type":"long"},
	{"name":"float","type":"float"},{"name":"double","type":["double","null"]},{"name":"bytes","type":"bytes"},{"name":"string","type":["null","string"]},
	{"name":"date","type":{"type":"int","logicalType":"date"}},{"name":"tod","type":["null",{"type":"int","logicalType":"time-millis"}]},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"ns","type":{"type":"long","logicalType":"local-timestamp-nanos"}},
	{"name":"d9","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"d18","type":["null",{"type":"fixed","name":"F8","size":8,"logicalType":"decimal","precision":18}]},
	{"name":"d38","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":9}},
	{"name":"d99","type":{"type":"bytes","logicalType":"decimal","precision":99,"scale":-3}},
	{"name":"uuid","type":["null",{"type":"string","logicalType":"uuid"}]},{"name":"dur","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}},
	{"name":"enum","type":{"type":"enum","name":"E","symbols":["A","B","C"]}},
	{"name":"tags","type":{"type":"array","items":"string"}},{"name":"maybe","type":["null",{"type":"array","items":["null","long"]}]},
	{"name":"grid","type":{"type":"array","items":{"type":"array","items":"int"}}},
	{"name":"map","type":{"type":"map","values":{"type":"map","values":["null","boolean"]}}},
	{"name":"rec","type":["null",{"type":"record","name":"R","fields":[{"name":"x","type":"E"},{"name":"y","type":{"type":"array","items":"F8"}}]}]},
	{"name":"recs","type":{"type":"array","items":["null","R"]}},
	{"name":"any","type":["null","int",{"type":"map","values":"R"},"R",{"type":"array","items":"null"},"string"]},
	{"name":"one","type":["long"]},{"name":"none","type":"null"},{"name":"nulls","type":{"type":"array","items":"null"}}
]}`

// everyRecord is a record of it with something in each field.
func everyRecord(t testing.TB) []byte {
	t.Helper()
	codec, err := goavro.NewCodec(stripped(t, everything))
	require.NoError(t, err)
	type m = map[string]any
	r := m{"x": "B", "y": []any{[]byte("\x00\x00345678")}}
	b, err := codec.BinaryFromNative(nil, m{
		"bool": true, "int": m{"int": -7}, "long": int64(1) << 40, "float": float32(1.5), "double": m{"double": 2.5}, "bytes": []byte{1, 2}, "string": m{"string": "text"},
		"date": 20000, "tod": m{"int": 86399999}, "ts": 1790000000000, "ns": -1,
		"d9": []byte{0x7f}, "d18": m{"a.b.F8": make([]byte, 8)}, "d38": []byte{0x80, 1}, "d99": []byte{5},
		"uuid": m{"string": "00112233-4455-6677-8899-aabbccddeeff"}, "dur": []byte("123456789abc"), "enum": "C",
		"tags": []any{"a", "", "ccc"}, "maybe": m{"array": []any{nil, m{"long": 5}}}, "grid": []any{[]any{1, 2}, []any{}, []any{3}},
		"map": m{"k": m{"l": m{"boolean": true}, "n": nil}}, "rec": m{"a.b.R": r}, "recs": []any{nil, m{"a.b.R": r}},
		"any": m{"map": m{"k": r}}, "one": m{"long": 9}, "none": nil, "nulls": []any{nil, nil},
	})
	require.NoError(t, err)
	return b
}

// stripped takes the logical types out of a schema.
func stripped(t testing.TB, text string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "logicalType")
			for _, inner := range v {
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(v)
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// TestSeedDecodes: a fuzzer whose seeds are all refused would test refusals only.
func TestSeedDecodes(t *testing.T) {
	pr, set := compileFor(t, everything, mustFields(t, everything))
	require.NoError(t, pr.Decode(everyRecord(t)))
	require.NoError(t, set.Check(1))
}

// FuzzProgram: no bytes hurt. A record is taken whole or not at all, and every program for the schema agrees.
func FuzzProgram(f *testing.F) {
	b := everyRecord(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(append(b[:len(b):len(b)], 0))
	f.Add([]byte{})
	fields := mustFields(f, everything)
	few := slices.DeleteFunc(slices.Clone(fields), func(c column.Field) bool { return c.Name != "long" && c.Name != "one" })
	require.Len(f, few, 2)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:len(b):len(b)]
		pr, set := compileFor(t, everything, fields)
		err := pr.Decode(b)
		if err != nil {
			require.Equal(t, failure.Poison, failure.ClassOf(err))
			set.Truncate(0)
			require.NoError(t, set.Check(0))
			return
		}
		require.NoError(t, set.Check(1))
		full, err := rowtest.Rows(set)
		require.NoError(t, err)

		// What can be stored can be skipped, and shown.
		pr, set = compileFor(t, everything, few)
		require.NoError(t, pr.Decode(b))
		some, err := rowtest.Rows(set)
		require.NoError(t, err)
		require.Equal(t, full[0]["long"], some[0]["long"])
		require.Equal(t, full[0]["one"], some[0]["one"])
	})
}

// FuzzPreview: what goes before goavro keeps it from harm.
func FuzzPreview(f *testing.F) {
	f.Add(everyRecord(f))
	s := mustParse(f, everything)
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := mustPreview(t, s).JSON(b)
		if err != nil {
			require.Equal(t, failure.Poison, failure.ClassOf(err))
			return
		}
		require.True(t, json.Valid(text))
	})
}

// FuzzParse: any text is refused or becomes a schema that the rest of the package can work with.
func FuzzParse(f *testing.F) {
	f.Add(everything)
	f.Add(eventText)
	f.Add(readFile(f, "testdata/kinds.avsc"))
	f.Add(readFile(f, "testdata/customers-2.avsc"))
	f.Add(`["null",{"type":"error","name":"x.Y","aliases":["z"],"fields":[]},"Y"]`)
	f.Add(`{"type":{"type":"bytes","logicalType":"decimal","precision":3,"scale":-7}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			require.Equal(t, failure.Halt, failure.ClassOf(err))
			require.Contains(t, []string{CodeInvalid, CodeUnsupported}, failure.CodeOf(err))
			return
		}
		_, err = NewPreview(s)
		require.NoError(t, err)
		fields, err := s.Fields()
		if err != nil {
			require.Equal(t, CodeUnsupported, failure.CodeOf(err))
			return
		}
		set := newSet(t, fields)
		changes, err := Diff(s, set.Layout, CompileOptions{})
		require.NoError(t, err)
		require.True(t, changes.Empty(), "%v", changes)
		pr, err := Compile(s, set, CompileOptions{})
		require.NoError(t, err)
		if pr.Decode(make([]byte, 64)) != nil {
			set.Truncate(0)
			require.NoError(t, set.Check(0))
		}
	})
}
