package column

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func prim(name string, required bool, kind Kind) Field {
	return Field{Name: name, Required: required, Type: Type{Kind: kind}}
}

func nested(name string, required bool, kind Kind, fields ...Field) Field {
	return Field{Name: name, Required: required, Type: Type{Kind: kind, Fields: fields}}
}

// describe prints leaves as path, levels and storage.
func describe(l *Layout) string {
	var b strings.Builder
	for i := range l.Leaves {
		f := &l.Leaves[i]
		fmt.Fprintf(&b, "%s d%d r%d %s", f.Name(), f.MaxDef, f.MaxRep, f.Physical)
		if f.FixedLen > 0 {
			fmt.Fprintf(&b, "(%d)", f.FixedLen)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestLevelsAndPaths(t *testing.T) {
	l, err := NewLayout([]Field{
		prim("a", true, Long),
		prim("b", false, String),
		nested("s", true, Struct, prim("x", true, Int), prim("y", false, Date)),
		nested("o", false, Struct, prim("x", true, Int), prim("y", false, UUID)),
		nested("l", false, List, prim("item", false, Double)),
		nested("m", true, Map, prim("k", true, String), nested("v", false, List, prim("e", true, Boolean))),
	})
	require.NoError(t, err)
	require.Equal(t, strings.TrimLeft(`
a d0 r0 INT64
b d1 r0 BYTE_ARRAY
s.x d0 r0 INT32
s.y d1 r0 INT32
o.x d1 r0 INT32
o.y d2 r0 FIXED_LEN_BYTE_ARRAY(16)
l.list.element d3 r1 DOUBLE
m.key_value.key d1 r1 BYTE_ARRAY
m.key_value.value.list.element d3 r2 BOOLEAN
`, "\n"), describe(l))

	list := l.Node("l")
	require.Equal(t, []uint8{2, 1}, []uint8{list.Def, list.Rep}, "0 null, 1 empty, 2 an element")
	require.Equal(t, []int{6, 7, -1}, []int{list.Lo, list.Hi, list.Leaf})
	require.Equal(t, 6, list.Children[0].Leaf)
	o := l.Node("o")
	require.Equal(t, []uint8{1, 0}, []uint8{o.Def, o.Rep})
	require.Equal(t, []int{4, 6}, []int{o.Lo, o.Hi})
	inner := l.Node("m").Children[1]
	require.Equal(t, []uint8{3, 2}, []uint8{inner.Def, inner.Rep})
	require.Nil(t, l.Node("nothing"))
}

func TestStorage(t *testing.T) {
	f := func(typ Type, want string) {
		t.Helper()
		l := LeafOf(typ)
		got := l.Physical.String()
		if l.FixedLen > 0 {
			got = fmt.Sprintf("%s(%d)", got, l.FixedLen)
		}
		require.Equal(t, want, got, typ.String())
	}
	f(Type{Kind: Boolean}, "BOOLEAN")
	f(Type{Kind: Float}, "FLOAT")
	f(Type{Kind: Time}, "INT64")
	f(Type{Kind: TimestampTZ}, "INT64")
	f(Type{Kind: TimestampNs}, "INT64")
	f(Type{Kind: Binary}, "BYTE_ARRAY")
	f(Type{Kind: Fixed, Length: 3}, "FIXED_LEN_BYTE_ARRAY(3)")
	for precision, want := range map[int]string{
		1: "INT32", 9: "INT32", 10: "INT64", 18: "INT64", 19: "FIXED_LEN_BYTE_ARRAY(9)",
		20: "FIXED_LEN_BYTE_ARRAY(9)", 21: "FIXED_LEN_BYTE_ARRAY(9)", 22: "FIXED_LEN_BYTE_ARRAY(10)", 38: "FIXED_LEN_BYTE_ARRAY(16)",
	} {
		f(Type{Kind: Decimal, Precision: precision}, want)
	}
	require.Equal(t, "physical(99)", Physical(99).String())
}

func TestLayoutRefuses(t *testing.T) {
	f := func(want string, fields ...Field) {
		t.Helper()
		_, err := NewLayout(fields)
		require.ErrorContains(t, err, want)
	}
	f("schema has no columns")
	f("field without a name", prim("", true, Int))
	f(`two fields named "a"`, prim("a", true, Int), prim("a", false, Long))
	f(`column s: two fields named "x"`, nested("s", true, Struct, prim("x", true, Int), prim("x", true, Int)))
	f("column d: decimal(39,0) is out of range", Field{Name: "d", Type: Type{Kind: Decimal, Precision: 39}})
	f("column d: decimal(5,6) is out of range", Field{Name: "d", Type: Type{Kind: Decimal, Precision: 5, Scale: 6}})
	f("column d: fixed[0] is out of range", prim("d", true, Fixed))
	f("column s: struct without members", nested("s", true, Struct))
	f("column l: list with 2 element types", nested("l", true, List, prim("a", true, Int), prim("b", true, Int)))
	f("column m: map with 1 types", nested("m", true, Map, prim("a", true, Int)))
	f("column m: map with an optional key", nested("m", true, Map, prim("a", false, Int), prim("b", true, Int)))
	f("column i: int with nested fields", nested("i", true, Int, prim("a", true, Int)))
	f("column x: unknown type kind(77)", prim("x", true, Kind(77)))

	deep := prim("x", true, Int)
	for range MaxDepth {
		deep = nested("x", true, Struct, deep)
	}
	f("nested deeper than 32 levels", deep)
	many := make([]Field, MaxLeaves+1)
	for i := range many {
		many[i] = prim(fmt.Sprint("c", i), true, Int)
	}
	f("schema has more than 2000 columns", many...)
	_, err := NewLayout(many[:MaxLeaves])
	require.NoError(t, err)
}

func TestTypeString(t *testing.T) {
	f := func(want string, typ Type) {
		t.Helper()
		require.Equal(t, want, typ.String())
	}
	f("decimal(9,2)", Type{Kind: Decimal, Precision: 9, Scale: 2})
	f("fixed[16]", Type{Kind: Fixed, Length: 16})
	f("timestamptz", Type{Kind: TimestampTZ})
	f("timestamp_ns", Type{Kind: TimestampNs})
	f("timestamptz_ns", Type{Kind: TimestampTZNs})
	f("list<string>", Type{Kind: List, Fields: []Field{prim("element", true, String)}})
	f("map<string, int>", Type{Kind: Map, Fields: []Field{prim("key", true, String), prim("value", true, Int)}})
	f("struct<a: int, b: list<uuid>>", Type{Kind: Struct, Fields: []Field{prim("a", true, Int), nested("b", false, List, prim("e", true, UUID))}})
	require.True(t, Struct.Nested())
	require.False(t, Binary.Nested())
}

func TestTypeEqual(t *testing.T) {
	list := func(f Field) Type { return Type{Kind: List, Fields: []Field{f}} }
	require.True(t, list(prim("a", true, Int)).Equal(list(prim("b", true, Int))), "element names do not count")
	require.False(t, list(prim("a", true, Int)).Equal(list(prim("a", false, Int))))
	require.False(t, list(prim("a", true, Int)).Equal(list(prim("a", true, Long))))
	require.True(t, Type{Kind: Fixed, Length: 4}.Equal(Type{Kind: Fixed, Length: 4}))
	require.False(t, Type{Kind: Fixed, Length: 4}.Equal(Type{Kind: Fixed, Length: 5}))
	require.False(t, Type{Kind: Decimal, Precision: 4}.Equal(Type{Kind: Decimal, Precision: 4, Scale: 1}))
	a, b := nested("s", true, Struct, prim("x", true, Int)).Type, nested("s", true, Struct, prim("y", true, Int)).Type
	require.False(t, a.Equal(b), "member names count")
	b.Fields = []Field{{ID: 7, Name: "x", Doc: "docs and ids do not", Required: true, Type: Type{Kind: Int}}}
	require.True(t, a.Equal(b))
}
