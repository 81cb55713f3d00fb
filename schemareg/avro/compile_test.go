package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/rowtest"
	"github.com/ingestd/ingestd/table/column"
)

// typ parses the few column types the tests below need.
func typ(t *testing.T, s string) column.Type {
	t.Helper()
	for k := column.Boolean; k <= column.Binary; k++ {
		if k.String() == s {
			return column.Type{Kind: k}
		}
	}
	inner, _ := strings.CutSuffix(s[strings.IndexByte(s, '<')+1:], ">")
	switch {
	case strings.HasPrefix(s, "list<"):
		return column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: typ(t, inner)}}}
	case strings.HasPrefix(s, "map<"):
		return column.Type{Kind: column.Map, Fields: []column.Field{
			{Name: "key", Required: true, Type: typ(t, "string")}, {Name: "value", Type: typ(t, inner)},
		}}
	case strings.HasPrefix(s, "struct<"):
		out := column.Type{Kind: column.Struct}
		for part := range strings.SplitSeq(inner, ", ") {
			name, kind, _ := strings.Cut(part, ": ")
			kind, required := strings.CutSuffix(kind, "!")
			out.Fields = append(out.Fields, column.Field{Name: name, Required: required, Type: typ(t, kind)})
		}
		return out
	}
	var d column.Type
	switch n, _ := fmt.Sscanf(s, "decimal(%d,%d)", &d.Precision, &d.Scale); n {
	case 2:
		d.Kind = column.Decimal
	default:
		_, err := fmt.Sscanf(s, "fixed[%d]", &d.Length)
		require.NoError(t, err, s)
		d.Kind = column.Fixed
	}
	return d
}

// requireMismatch holds Diff and Compile to the same answer for a field f of type avro and a column f.
func requireMismatch(t *testing.T, avro, to, want string) {
	t.Helper()
	kind, required := strings.CutSuffix(to, "!")
	fields := []column.Field{{Name: "f", Required: required, Type: typ(t, kind)}}
	set := newSet(t, fields)
	s := mustParse(t, recordOf(avro))
	changes, err := Diff(s, set.Layout, CompileOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, changes.Illegal)
	require.Equal(t, want, changes.Illegal[0].String())
	require.False(t, changes.Empty())
	_, err = Compile(s, set, CompileOptions{})
	require.EqualError(t, err, "compiling Avro schema record R for the table: "+want)
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	require.Equal(t, CodeMismatch, failure.CodeOf(err))
}

func TestTypesThatDoNotFit(t *testing.T) {
	different := func(avro, to, name string) {
		t.Helper()
		requireMismatch(t, avro, to, "field f is "+name+", column f "+to+": the types are different")
	}
	logical := func(base, name, more string) string {
		return fmt.Sprintf(`{"type":%q,"logicalType":%q%s}`, base, name, more)
	}
	// What Iceberg cannot promote, the other way round included.
	for from, tos := range map[string][]string{
		"boolean": {"int", "string"},
		"int":     {"boolean", "float", "double", "string", "date", "time", "decimal(9,0)", "timestamptz"},
		"long":    {"int", "double", "string", "timestamptz", "timestamp", "time", "date"},
		"float":   {"int", "long", "decimal(9,2)"},
		"double":  {"float", "long", "string"},
		"string":  {"binary", "int", "uuid", "timestamptz", "fixed[3]"},
		"bytes":   {"string", "fixed[3]", "decimal(9,0)", "uuid"},
	} {
		for _, to := range tos {
			different(`"`+from+`"`, to, from)
		}
	}
	different(logical("long", "timestamp-micros", ""), "timestamp", "timestamp-micros")
	different(logical("long", "timestamp-micros", ""), "long", "timestamp-micros")
	different(logical("long", "local-timestamp-millis", ""), "timestamptz", "local-timestamp-millis")
	different(logical("int", "date", ""), "int", "date")
	different(logical("int", "time-millis", ""), "int", "time-millis")
	different(logical("string", "uuid", ""), "binary", "uuid")
	decimal := logical("bytes", "decimal", `,"precision":9,"scale":2`)
	different(decimal, "decimal(8,2)", "decimal(9,2)")
	different(decimal, "decimal(12,3)", "decimal(9,2)")
	different(decimal, "binary", "decimal(9,2)")
	different(logical("bytes", "decimal", `,"precision":40,"scale":2`), "decimal(38,2)", "decimal(40,2)")
	different(`{"type":"fixed","name":"F","size":4}`, "fixed[5]", "fixed F")
	different(`{"type":"fixed","name":"F","size":70000,"logicalType":"decimal","precision":9}`, "decimal(9,0)", "decimal(9,0)")
	different(`{"type":"enum","name":"E","symbols":["A"]}`, "int", "enum E")
	different(`{"type":"array","items":"int"}`, "int", "array<int>")
	different(`{"type":"array","items":"int"}`, "struct<a: int>", "array<int>")
	requireMismatch(t, `{"type":"array","items":"int"}`, "map<int>", "field f is array<int>, column f map<string, int>: the types are different")
	different(`"int"`, "list<int>", "int")
	different(`{"type":"record","name":"S","fields":[]}`, "string", "record S")
	requireMismatch(t, `{"type":"array","items":"string"}`, "list<int>", "field f.element is string, column f.element int: the types are different")
	requireMismatch(t, `{"type":"map","values":"string"}`, "map<int>", "field f.value is string, column f.value int: the types are different")
}

func TestNullsAndUnionsThatDoNotFit(t *testing.T) {
	bad := func(avro, to, want string) {
		t.Helper()
		requireMismatch(t, avro, to, want)
	}
	bad(`["null","int"]`, "int!", "field f is [null, int], column f int: the column is required and the field may be null")
	bad(`"null"`, "int!", "field f is null, column f int: the column is required")
	bad(`{"type":"record","name":"S","fields":[{"name":"a","type":"int"}]}`, "struct<a: int, b: int!>",
		"field f.b is nothing, column f.b int: the column is required and the schema has no such field")
	bad(`{"type":"record","name":"S","fields":[{"name":"a","type":["int","null"]}]}`, "struct<a: int!>",
		"field f.a is [int, null], column f.a int: the column is required and the field may be null")

	// Unions of several types.
	bad(`["int","string"]`, "string", "field f is [int, string], column f string: a union of several types needs a struct with a member for each")
	bad(`["int","string"]`, "struct<a: int>", "field f is [int, string], column f struct<a: int>: the struct has a member for none of the union's types")
	bad(`["int","string"]`, "struct<int: int!, string: string>",
		"field f.int is [int, string], column f.int int: the member of a union's struct is required")
	bad(`["int","string"]`, "struct<int: int, string: long>", "field f.string is string, column f.string long: the types are different")
}

func TestUnionsThatLostTheirBranches(t *testing.T) {
	// The table was made for ["null","int","string",R]; younger schemas have fewer branches.
	r := `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`
	fields := mustFields(t, recordOf(`["null","int","string",`+strings.Replace(r, `"R"`, `"S"`, 1)+`]`))
	check := func(avro string, b []byte, want any) {
		t.Helper()
		pr, set := compileFor(t, recordOf(avro), fields)
		require.NoError(t, pr.Decode(b))
		rows, err := rowtest.Rows(set)
		require.NoError(t, err)
		require.Equal(t, want, rows[0]["f"])
		changes, err := Diff(mustParse(t, recordOf(avro)), set.Layout, CompileOptions{})
		require.NoError(t, err)
		require.True(t, changes.Empty())
	}
	type m = map[string]any
	check(`["null","string"]`, appendText(longs(1), "x"), m{"int": nil, "string": "x", "S": nil})
	check(`["null","string"]`, longs(0), nil)
	check(`"int"`, longs(7), m{"int": int32(7), "string": nil, "S": nil})
	check(`["null",`+strings.Replace(r, `"R"`, `"S"`, 1)+`]`, longs(1, 7), m{"int": nil, "string": nil, "S": m{"a": int32(7)}})
	check(`["string","null","int"]`, longs(2, 7), m{"int": int32(7), "string": nil, "S": nil})
}

func TestANewBranchIsANewMember(t *testing.T) {
	layout := newSet(t, mustFields(t, recordOf(`["int","string"]`))).Layout
	changes, err := Diff(mustParse(t, recordOf(`["int","string",{"type":"fixed","name":"a.F","size":2,"doc":"new"}]`)), layout, CompileOptions{})
	require.NoError(t, err)
	require.Empty(t, changes.Illegal)
	require.Equal(t, []AddColumn{{Path: []string{"f"}, Field: column.Field{Name: "F", Doc: "new", Type: column.Type{Kind: column.Fixed, Length: 2}}}}, changes.Add)
}

func TestDiffRefusesWhatEnginesCannotTellApart(t *testing.T) {
	s := mustParse(t, `{"type":"record","name":"R","fields":[{"name":"ID","type":"int"},{"name":"x","type":"int"},{"name":"X","type":"int"}]}`)
	layout := newSet(t, []column.Field{{Name: "id", Type: column.Type{Kind: column.Int}}}).Layout
	_, err := Diff(s, layout, CompileOptions{})
	require.ErrorContains(t, err, "fields x and X differ only in case")

	s = mustParse(t, `{"type":"record","name":"R","fields":[{"name":"ID","type":"int"}]}`)
	changes, err := Diff(s, layout, CompileOptions{})
	require.NoError(t, err)
	require.Empty(t, changes.Add)
	require.Equal(t, "field ID is int, column ID int: the column has the same name, but for case or for what fills it", changes.Illegal[0].String())

	// Without a wish for new columns such a field is skipped like any other.
	_, err = Compile(s, column.NewSet(layout), CompileOptions{})
	require.NoError(t, err)
}

// TestPartOfATable: two programs and the audit columns of somebody else fill one row together.
func TestPartOfATable(t *testing.T) {
	value := mustParse(t, `{"type":"record","name":"V","fields":[{"name":"id","type":"int"},{"name":"offset","type":"int"},{"name":"n","type":["null","string"]}]}`)
	key := mustParse(t, `"long"`)
	keyFields, err := key.FieldsAs(Naming{Prefix: "_", Scalar: "key"})
	require.NoError(t, err)
	set := newSet(t, append([]column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Int}}, {Name: "n", Type: column.Type{Kind: column.String}},
		{Name: "offset", Required: true, Type: column.Type{Kind: column.Long}},
	}, keyFields...))
	l := set.Layout
	forValue := CompileOptions{Nodes: l.Nodes[:2]}
	forKey := CompileOptions{Nodes: l.Nodes[3:], Naming: Naming{Prefix: "_", Scalar: "key"}}
	valueProgram, err := Compile(value, set, forValue)
	require.NoError(t, err)
	keyProgram, err := Compile(key, set, forKey)
	require.NoError(t, err)
	require.NoError(t, valueProgram.Decode(appendText(longs(7, 8, 1), "x")))
	require.NoError(t, keyProgram.Decode(longs(9)))
	set.Columns[2].AppendInt64(10)
	require.NoError(t, set.Check(1))
	rows, err := rowtest.Rows(set)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"id": int32(7), "n": "x", "offset": int64(10), "_key": int64(9)}}, rows)

	// A field must not take the name of a column that belongs to somebody else.
	changes, err := Diff(value, l, forValue)
	require.NoError(t, err)
	require.Len(t, changes.Illegal, 1)
	require.Equal(t, "offset", changes.Illegal[0].Field)
	changes, err = Diff(key, l, forKey)
	require.NoError(t, err)
	require.True(t, changes.Empty())
}

func TestTooManyFields(t *testing.T) {
	fields := make([]string, MaxTypes/3)
	for i := range fields {
		fields[i] = fmt.Sprintf(`{"name":"f%d","type":["null","double"]}`, i)
	}
	s := mustParse(t, `{"type":"record","name":"R","fields":[`+strings.Join(fields, ",")+`]}`)
	set := newSet(t, []column.Field{{Name: "f0", Type: column.Type{Kind: column.Double}}})
	pr, err := Compile(s, set, CompileOptions{})
	require.NoError(t, err)
	b := make([]byte, len(fields))
	require.NoError(t, pr.Decode(b))
	require.NoError(t, set.Check(1))
	require.Error(t, pr.Decode(b[1:]))
}

// TestSkipsAreFused: fields that nobody wants cost one op as far as they are alike, never across a jump.
func TestSkipsAreFused(t *testing.T) {
	text := `{"type":"record","name":"R","fields":[
		{"name":"a","type":"int"},{"name":"b","type":"long"},{"name":"c","type":"string"},{"name":"d","type":"bytes"},
		{"name":"e","type":["null","double"]},{"name":"f","type":"double"},{"name":"g","type":"boolean"},
		{"name":"h","type":["null","string"]},{"name":"i","type":["null","int"]},{"name":"want","type":"int"}]}`
	set := newSet(t, []column.Field{{Name: "want", Required: true, Type: column.Type{Kind: column.Int}}})
	pr, err := Compile(mustParse(t, text), set, CompileOptions{})
	require.NoError(t, err)
	var got []string
	for i, o := range pr.root.ops {
		got = append(got, fmt.Sprint(pr.root.paths[i], " ", o.code, " ", o.n))
	}
	require.Equal(t, []string{
		fmt.Sprint("a ", opSkipVar, " 2"), fmt.Sprint("c ", opSkipBytes, " 2"),
		fmt.Sprint("e ", opNullSkip, " 0"), fmt.Sprint("e ", opSkipFixed, " 8"), fmt.Sprint("f ", opSkipFixed, " 9"),
		fmt.Sprint("h ", opSkipNullBytes, " 0"), fmt.Sprint("i ", opSkipNullVar, " 0"), fmt.Sprint("want ", opInt, " 0"),
	}, got)
}

// TestFillsStayWhereTheyAre: a column without a field is null also when the optional struct before it is.
func TestFillsStayWhereTheyAre(t *testing.T) {
	fields := []column.Field{{Name: "f", Type: typ(t, "struct<a: int, b: int>")}, {Name: "z", Type: typ(t, "string")}}
	pr, set := compileFor(t, recordOf(`["null",{"type":"record","name":"S","fields":[{"name":"a","type":"int"}]}]`), fields)
	require.NoError(t, pr.Decode(longs(1, 7)))
	require.NoError(t, pr.Decode(longs(0)))
	rows, err := rowtest.Rows(set)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"f": map[string]any{"a": int32(7), "b": nil}, "z": nil}, {"f": nil, "z": nil}}, rows)
}
