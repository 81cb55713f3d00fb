package avro

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// recordOf is a record with one field f.
func recordOf(typ string) string {
	return `{"type":"record","name":"R","fields":[{"name":"f","type":` + typ + `}]}`
}

func TestParseRefuses(t *testing.T) {
	bad := func(text, code, want string) {
		t.Helper()
		_, err := Parse(text)
		require.EqualError(t, err, "parsing Avro schema: "+want)
		require.Equal(t, failure.Halt, failure.ClassOf(err))
		require.Equal(t, code, failure.CodeOf(err))
	}
	bad(``, CodeInvalid, "it is not JSON: EOF")
	bad(`{`, CodeInvalid, "it is not JSON: EOF")
	bad(`{"type"`, CodeInvalid, "it is not JSON: EOF")
	bad(`"int" 1`, CodeInvalid, "there is something behind its end")
	bad("\"in\xfft\"", CodeInvalid, "it is not UTF-8")
	bad(`1`, CodeInvalid, "a type is neither a name, a list nor an object")
	bad(`null`, CodeInvalid, "a type is neither a name, a list nor an object")
	bad(`{}`, CodeInvalid, `a type has no attribute "type"`)
	bad(`{"type":"int","type":"long"}`, CodeInvalid, `attribute "type" stands twice in one object`)
	bad(`"Nope"`, CodeInvalid, `type "Nope" is not defined before it is used`)
	bad(`[]`, CodeInvalid, "a union has no branches")
	bad(`["int",["null"]]`, CodeInvalid, "a union is directly within a union")
	bad(`["int","int"]`, CodeInvalid, "a union has two branches of type int")
	bad(`[{"type":"int","logicalType":"date"},"int"]`, CodeInvalid, "a union has two branches of type int")
	bad(`{"type":"array"}`, CodeInvalid, `array has no attribute "items"`)
	bad(`{"type":"map"}`, CodeInvalid, `map has no attribute "values"`)
	bad(`{"type":"record","name":"R"}`, CodeInvalid, "record R has no list of fields")
	bad(`{"type":"record","fields":[]}`, CodeInvalid, `record "": not a valid name`)
	bad(`{"type":"record","name":"1R","fields":[]}`, CodeInvalid, `record "1R": not a valid name`)
	bad(`{"type":"record","name":"R","namespace":"a..b","fields":[]}`, CodeInvalid, `record "R": not a valid name`)
	bad(`{"type":"record","name":"string","fields":[]}`, CodeInvalid, `record "string": the name of a primitive type`)
	bad(`{"type":"record","name":"R","aliases":["a b"],"fields":[]}`, CodeInvalid, `record R: alias "a b": not a valid name`)
	bad(`{"type":"record","name":"R","fields":[{"name":"a"}]}`, CodeInvalid, `record R: field "a" has no type or no valid name`)
	bad(`{"type":"record","name":"R","fields":[1]}`, CodeInvalid, `record R: field "" has no type or no valid name`)
	bad(`{"type":"record","name":"R","fields":[{"name":"a-b","type":"int"}]}`, CodeInvalid, `record R: field "a-b" has no type or no valid name`)
	bad(`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}`, CodeInvalid, `record R has two fields "a"`)
	bad(recordOf(`"nix"`), CodeInvalid, `record R, field f: type "nix" is not defined before it is used`)
	bad(recordOf(`{"type":"record","name":"R","fields":[]}`), CodeInvalid, "record R, field f: record R is defined twice")
	bad(`{"type":"enum","name":"E"}`, CodeInvalid, "enum E has no symbols")
	bad(`{"type":"enum","name":"E","symbols":["A","A"]}`, CodeInvalid, `enum E: symbol "A" is empty or stands there twice`)
	bad(`{"type":"enum","name":"E","symbols":[1]}`, CodeInvalid, `enum E: symbol "1" is empty or stands there twice`)
	bad(`{"type":"fixed","name":"F"}`, CodeInvalid, "fixed F: size is not in 1..1048576")
	bad(`{"type":"fixed","name":"F","size":0}`, CodeInvalid, "fixed F: size is not in 1..1048576")
	bad(`{"type":"fixed","name":"F","size":"4"}`, CodeInvalid, "fixed F: size is not in 1..1048576")
	bad(recordOf(`["null","R"]`), CodeUnsupported, "record R, field f: record R contains itself; recursive types have no columns")
	bad(recordOf(`{"type":"array","items":{"type":"record","name":"S","fields":[{"name":"g","type":"R"}]}}`), CodeUnsupported,
		"record R, field f: record S, field g: record R contains itself; recursive types have no columns")
}

func TestParseIsBounded(t *testing.T) {
	bad := func(code, want, text string, refs ...string) {
		t.Helper()
		_, err := Parse(text, refs...)
		require.ErrorContains(t, err, want)
		require.Equal(t, code, failure.CodeOf(err))
	}
	bad(CodeInvalid, "more than 1048576 bytes", `"int"`+strings.Repeat(" ", MaxBytes))
	bad(CodeInvalid, "more than 1048576 bytes with all", `"int"`, `"int"`+strings.Repeat(" ", MaxBytes-9))
	bad(CodeInvalid, "nested deeper than 505 levels", strings.Repeat("[", 100_000))
	nested := func(n int) string {
		return strings.Repeat(`{"type":"array","items":`, n) + `"int"` + strings.Repeat("}", n)
	}
	_, err := Parse(nested(MaxDepth))
	require.NoError(t, err)
	bad(CodeUnsupported, "nested deeper than 100 levels", nested(MaxDepth+1))

	wide := make([]string, MaxUnion+1)
	for i := range wide {
		wide[i] = fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, i)
	}
	bad(CodeUnsupported, "a union has 257 branches, more than 256", "["+strings.Join(wide, ",")+"]")
	_, err = Parse("[" + strings.Join(wide[1:], ",") + "]")
	require.NoError(t, err)

	// Each record holds the one before ten times: thirteen short texts describe 10^13 types.
	refs := []string{`{"type":"record","name":"R0","fields":[{"name":"f","type":"int"}]}`}
	for i := range 12 {
		var fields []string
		for k := range 10 {
			fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":"R%d"}`, k, i))
		}
		refs = append(refs, fmt.Sprintf(`{"type":"record","name":"R%d","fields":[%s]}`, i+1, strings.Join(fields, ",")))
	}
	bad(CodeUnsupported, "reference 5 of 13: it has more than 20000 types", `"R12"`, refs...)

	// A chain of references is as deep as what it spells out.
	chain := []string{`{"type":"record","name":"R0","fields":[{"name":"f","type":"int"}]}`}
	for i := range 2 * MaxDepth {
		chain = append(chain, fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"f","type":"R%d"}]}`, i+1, i))
	}
	bad(CodeUnsupported, "nested deeper than 100 levels", `"int"`, chain...)
}

func TestNames(t *testing.T) {
	// Each way to name a type, and to refer to it from within and from outside of its namespace.
	s := mustParse(t, `{"type":"record","name":"R","namespace":"a.b","fields":[
		{"name":"f1","type":{"type":"fixed","name":"Inherits","size":1}},
		{"name":"f2","type":{"type":"fixed","name":"x.y.Dotted","namespace":"ignored","size":2}},
		{"name":"f3","type":{"type":"record","name":"Own","namespace":"c","fields":[{"name":"g","type":{"type":"fixed","name":"Inner","size":3}}]}},
		{"name":"f4","type":{"type":"fixed","name":"Root","namespace":"","size":4}},
		{"name":"g1","type":"Inherits"},{"name":"g2","type":"x.y.Dotted"},{"name":"g3","type":"c.Inner"},{"name":"g4","type":"Root"},
		{"name":"g5","type":"a.b.Inherits"},{"name":"g6","type":{"type":"Inherits"}},
		{"name":"h1","type":{"type":"enum","name":"E","aliases":["Old","z.Older"],"symbols":["A"]}},{"name":"h2","type":"Old"},{"name":"h3","type":"z.Older"}
	]}`)
	require.Equal(t, "a.b.R", s.Name())
	var names []string
	for _, f := range s.root.fields {
		names = append(names, f.name+" "+f.typ.name)
	}
	require.Equal(t, []string{
		"f1 a.b.Inherits", "f2 x.y.Dotted", "f3 c.Own", "f4 Root", "g1 a.b.Inherits", "g2 x.y.Dotted", "g3 c.Inner", "g4 Root",
		"g5 a.b.Inherits", "g6 a.b.Inherits", "h1 a.b.E", "h2 a.b.E", "h3 a.b.E",
	}, names)

	// The nearer namespace wins.
	s = mustParse(t, `{"type":"record","name":"R","namespace":"a","fields":[
		{"name":"f1","type":{"type":"fixed","name":"F","namespace":"","size":1}},
		{"name":"f2","type":{"type":"fixed","name":"F","size":2}},{"name":"f3","type":"F"}]}`)
	require.Equal(t, 2, s.root.fields[2].typ.size)

	s = mustParse(t, recordOf(`{"type":"record","name":"Größe_2","fields":[]}`))
	require.Equal(t, "Größe_2", s.root.fields[0].typ.name)
}

func TestReferences(t *testing.T) {
	s, err := Parse(`{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"A"},{"name":"b","type":["null","n.B"]}]}`,
		`{"type":"fixed","name":"n.A","size":3}`, `{"type":"record","name":"B","namespace":"n","fields":[{"name":"a","type":"A"}]}`)
	require.NoError(t, err)
	require.Equal(t, 3, s.root.fields[1].typ.branches[1].fields[0].typ.size)

	_, err = Parse(`"int"`, `"int"`, `{"type":"x"}`)
	require.EqualError(t, err, `parsing Avro schema, reference 2 of 2: type "x" is not defined before it is used`)
}

func TestTypesAreNamedInMessages(t *testing.T) {
	name := func(want, text string) {
		t.Helper()
		require.Equal(t, want, mustParse(t, text).root.String())
	}
	name("int", `"int"`)
	name("int", `{"type":"int","connect.type":"int8"}`)
	name("long", `{"type":{"type":{"type":"long"}}}`)
	name("record n.R", `{"type":"record","name":"n.R","fields":[]}`)
	name("record R", `{"type":"error","name":"R","fields":[]}`)
	name("[null, array<map<enum E>>]", `["null",{"type":"array","items":{"type":"map","values":{"type":"enum","name":"E","symbols":["A"]}}}]`)
	name("decimal(9,2)", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`)
	name("timestamp-nanos", `{"type":"long","logicalType":"timestamp-nanos"}`)
	name("uuid", `{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}`)
}

func TestLogicalTypesThatDoNotFitAreIgnored(t *testing.T) {
	for _, text := range []string{
		`{"type":"string","logicalType":"unknown"}`,
		`{"type":"string","logicalType":"date"}`,
		`{"type":"int","logicalType":"timestamp-millis"}`,
		`{"type":"long","logicalType":"time-millis"}`,
		`{"type":"int","logicalType":"decimal","precision":4}`,
		`{"type":"int","logicalType":""}`,
		`{"type":"bytes","logicalType":"decimal"}`,
		`{"type":"bytes","logicalType":"decimal","precision":0}`,
		`{"type":"bytes","logicalType":"decimal","precision":4.5}`,
		`{"type":"bytes","logicalType":"decimal","precision":4,"scale":"2"}`,
		`{"type":"bytes","logicalType":"decimal","precision":4,"scale":99999}`,
		`{"type":"fixed","name":"F","size":15,"logicalType":"uuid"}`,
		`{"type":"fixed","name":"F","size":13,"logicalType":"duration"}`,
	} {
		require.Equal(t, lNone, mustParse(t, text).root.logical, text)
	}
}
