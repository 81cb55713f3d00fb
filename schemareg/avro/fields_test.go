package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// spell writes fields one a line: name, "required" or not, type.
func spell(fields []column.Field) string {
	var b strings.Builder
	for _, f := range fields {
		need := ""
		if f.Required {
			need = "required "
		}
		fmt.Fprintf(&b, "%s %s%s\n", f.Name, need, f.Type)
	}
	return b.String()
}

func TestTypeMap(t *testing.T) {
	column := func(want, avro string) {
		t.Helper()
		require.Equal(t, "f "+want+"\n", spell(mustFields(t, recordOf(avro))), avro)
	}
	logical := func(want, base, name string) {
		t.Helper()
		column(want, fmt.Sprintf(`{"type":%q,"logicalType":%q}`, base, name))
	}
	fixed := func(want string, size int, more string) {
		t.Helper()
		column(want, fmt.Sprintf(`{"type":"fixed","name":"F","size":%d%s}`, size, more))
	}
	for _, same := range []string{"boolean", "int", "long", "float", "double", "string"} {
		column("required "+same, `"`+same+`"`)
	}
	column("required binary", `"bytes"`)
	column("required int", `{"type":"int","connect.type":"int16"}`)
	column("required string", `{"type":"enum","name":"E","symbols":["A"]}`)
	fixed("required fixed[7]", 7, "")
	fixed("required uuid", 16, `,"logicalType":"uuid"`)
	fixed("required string", 12, `,"logicalType":"duration"`)
	fixed("required decimal(5,0)", 4, `,"logicalType":"decimal","precision":5`)
	logical("required date", "int", "date")
	logical("required time", "int", "time-millis")
	logical("required time", "long", "time-micros")
	for _, unit := range []string{"millis", "micros"} {
		logical("required timestamptz", "long", "timestamp-"+unit)
		logical("required timestamp", "long", "local-timestamp-"+unit)
	}
	logical("required timestamptz_ns", "long", "timestamp-nanos")
	logical("required timestamp_ns", "long", "local-timestamp-nanos")
	logical("required uuid", "string", "uuid")
	logical("required long", "long", "no-such")
	decimal := func(want string, p, s int) {
		t.Helper()
		column("required "+want, fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, p, s))
	}
	decimal("decimal(38,38)", 38, 38)
	decimal("string", 39, 2)
	decimal("string", 5, -2)
	decimal("string", 5, 6)

	column("long", `["null","long"]`)
	column("long", `["long","null"]`)
	column("required long", `["long"]`)
	column("required list<long>", `{"type":"array","items":"long"}`)
	column("list<long>", `["null",{"type":"array","items":["null","long"]}]`)
	column("required map<string, date>", `{"type":"map","values":{"type":"int","logicalType":"date"}}`)
	column("required struct<a: int, b: string>", `{"type":"record","name":"S","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]}]}`)
	column("struct<int: int, string: string>", `["null","int","string"]`)
	column("required struct<int: int, array: list<int>, map: map<string, int>, S: struct<a: int>>",
		`["int",{"type":"array","items":"int"},{"type":"map","values":"int"},{"type":"record","name":"n.m.S","fields":[{"name":"a","type":"int"}]}]`)
	column("required struct<n_S: struct<a: int>, m_s: fixed[3]>",
		`[{"type":"record","name":"n.S","fields":[{"name":"a","type":"int"}]},{"type":"fixed","name":"m.s","size":3}]`)
}

func TestNothingToStoreIsNoColumn(t *testing.T) {
	fields := mustFields(t, `{"type":"record","name":"R","fields":[
		{"name":"a","type":"null"},{"name":"b","type":["null"]},{"name":"c","type":{"type":"array","items":"null"}},
		{"name":"d","type":{"type":"record","name":"Empty","fields":[]}},{"name":"e","type":{"type":"map","values":"Empty"}},
		{"name":"f","type":["null","Empty"]},{"name":"g","type":["null","Empty",{"type":"array","items":"null"}]},
		{"name":"h","type":["Empty","int",{"type":"array","items":"null"}]},{"name":"i","type":"int"}]}`)
	require.Equal(t, "h required struct<int: int>\ni required int\n", spell(fields))

	_, err := mustParse(t, recordOf(`"null"`)).Fields()
	require.ErrorContains(t, err, "schema has no columns")
	require.Equal(t, CodeUnsupported, failure.CodeOf(err))
}

func TestDocs(t *testing.T) {
	fields := mustFields(t, `{"type":"record","name":"R","doc":"not of a column","fields":[
		{"name":"a","doc":"of the field","type":{"type":"fixed","name":"F","size":1,"doc":"of the type"}},
		{"name":"b","type":["null","F"]},{"name":"c","type":["int",{"type":"enum","name":"E","symbols":["A"],"doc":"of the branch"}]},{"name":"d","type":"int"}]}`)
	require.Equal(t, []string{"of the field", "of the type", "", ""}, []string{fields[0].Doc, fields[1].Doc, fields[2].Doc, fields[3].Doc})
	require.Equal(t, "of the branch", fields[2].Type.Fields[1].Doc)
}

func TestNaming(t *testing.T) {
	as := func(text string, n Naming) string {
		t.Helper()
		f, err := mustParse(t, text).FieldsAs(n)
		require.NoError(t, err)
		return spell(f)
	}
	require.Equal(t, "_key_f required int\n", as(recordOf(`"int"`), Naming{Prefix: "_key_"}))
	require.Equal(t, "value required string\n", as(`"string"`, Naming{}))
	require.Equal(t, "_key required long\n", as(`"long"`, Naming{Scalar: "_key"}))
	require.Equal(t, "_k_id struct<string: string, R: struct<f: int>>\n", as(`["null","string",`+recordOf(`"int"`)+`]`, Naming{Prefix: "_k_", Scalar: "id"}))
}

func TestNamesThatEnginesDoNotTellApart(t *testing.T) {
	for want, text := range map[string]string{
		"fields a and A differ only in case": `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"A","type":"int"}]}`,
		"fields f.x and f.X differ only in":  recordOf(`{"type":"record","name":"S","fields":[{"name":"x","type":"int"},{"name":"X","type":"int"}]}`),
		"fields f.a_b and f.a_B differ only": recordOf(`[{"type":"fixed","name":"a.b","size":1},{"type":"fixed","name":"a.B","size":1}]`),
	} {
		_, err := mustParse(t, text).Fields()
		require.ErrorContains(t, err, want)
		require.Equal(t, CodeUnsupported, failure.CodeOf(err))
	}
}

func TestTooManyColumns(t *testing.T) {
	fields := make([]string, column.MaxLeaves+1)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"f%d","type":"int"}`, i)
	}
	s := mustParse(t, `{"type":"record","name":"R","fields":[`+strings.Join(fields, ",")+`]}`)
	_, err := s.Fields()
	require.ErrorContains(t, err, "more than 2000 columns")
	require.Equal(t, CodeUnsupported, failure.CodeOf(err))
}

func TestFieldsOfDebezium(t *testing.T) {
	golden(t, "testdata/kinds.fields", indent(mustFields(t, readFile(t, "testdata/kinds.avsc")), ""))
}

// indent writes fields as a tree.
func indent(fields []column.Field, space string) string {
	var b strings.Builder
	for _, f := range fields {
		need := ""
		if f.Required {
			need = " required"
		}
		if !f.Type.Kind.Nested() {
			fmt.Fprintf(&b, "%s%s: %s%s\n", space, f.Name, f.Type, need)
			continue
		}
		fmt.Fprintf(&b, "%s%s: %s%s\n", space, f.Name, f.Type.Kind, need)
		b.WriteString(indent(f.Type.Fields, space+"  "))
	}
	return b.String()
}
