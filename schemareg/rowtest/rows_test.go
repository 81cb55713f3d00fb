package rowtest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

func newSet(t *testing.T, fields ...column.Field) *column.Set {
	t.Helper()
	l, err := column.NewLayout(fields)
	require.NoError(t, err)
	return column.NewSet(l)
}

func optional(name string, t column.Type) column.Field { return column.Field{Name: name, Type: t} }
func required(name string, t column.Type) column.Field {
	return column.Field{Name: name, Required: true, Type: t}
}

var (
	long   = column.Type{Kind: column.Long}
	text   = column.Type{Kind: column.String}
	dotted = func(fields ...column.Field) column.Type { return column.Type{Kind: column.Struct, Fields: fields} }
	listOf = func(f column.Field) column.Type { return column.Type{Kind: column.List, Fields: []column.Field{f}} }
	mapOf  = func(v column.Field) column.Type {
		return column.Type{Kind: column.Map, Fields: []column.Field{required("key", text), v}}
	}
)

func TestFlat(t *testing.T) {
	s := newSet(t, required("a", long), optional("b", text), required("c", column.Type{Kind: column.Boolean}),
		required("d", column.Type{Kind: column.Fixed, Length: 2}), required("e", column.Type{Kind: column.Double}),
		required("f", column.Type{Kind: column.Float}), required("g", column.Type{Kind: column.Int}))
	for i := range 2 {
		s.Columns[0].AppendInt64(int64(i))
		if i == 0 {
			s.Columns[1].SetNull()
		} else {
			s.Columns[1].AppendBytes([]byte("x"))
			s.Columns[1].SetValid()
		}
		s.Columns[2].AppendBool(byte(i))
		s.Columns[3].AppendFixed([]byte{'f', byte('0' + i)})
		s.Columns[4].AppendDouble(0)
		s.Columns[5].AppendFloat(0)
		s.Columns[6].AppendInt32(7)
	}
	rows, err := Rows(s)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{
		{"a": int64(0), "b": nil, "c": false, "d": "f0", "e": 0.0, "f": float32(0), "g": int32(7)},
		{"a": int64(1), "b": "x", "c": true, "d": "f1", "e": 0.0, "f": float32(0), "g": int32(7)},
	}, rows)
}

// TestDremelPaper is the example everybody checks this algorithm with.
func TestDremelPaper(t *testing.T) {
	language := dotted(required("Code", text), optional("Country", text))
	name := dotted(required("Language", listOf(required("element", language))), optional("Url", text))
	links := dotted(required("Backward", listOf(required("element", long))), required("Forward", listOf(required("element", long))))
	s := newSet(t, required("DocId", long), optional("Links", links), required("Name", listOf(required("element", name))))
	add := func(c int, value any, def, rep byte) {
		switch v := value.(type) {
		case int:
			s.Columns[c].AppendInt64(int64(v))
		case string:
			s.Columns[c].AppendBytes([]byte(v))
		}
		if !s.Columns[c].Flat() {
			s.Columns[c].AppendLevels(def, rep)
		}
	}
	add(0, 10, 0, 0)
	add(0, 20, 0, 0)
	add(1, nil, 1, 0)
	add(1, 10, 2, 0)
	add(1, 30, 2, 1)
	add(2, 20, 2, 0)
	add(2, 40, 2, 1)
	add(2, 60, 2, 1)
	add(2, 80, 2, 0)
	add(3, "en-us", 2, 0)
	add(3, "en", 2, 2)
	add(3, nil, 1, 1)
	add(3, "en-gb", 2, 1)
	add(3, nil, 1, 0)
	add(4, "us", 3, 0)
	add(4, nil, 2, 2)
	add(4, nil, 1, 1)
	add(4, "gb", 3, 1)
	add(4, nil, 1, 0)
	add(5, "http://A", 2, 0)
	add(5, "http://B", 2, 1)
	add(5, nil, 1, 1)
	add(5, "http://C", 2, 0)
	rows, err := Rows(s)
	require.NoError(t, err)
	type m = map[string]any
	require.Equal(t, []m{
		{"DocId": int64(10), "Links": m{"Backward": []any{}, "Forward": []any{int64(20), int64(40), int64(60)}}, "Name": []any{
			m{"Language": []any{m{"Code": "en-us", "Country": "us"}, m{"Code": "en", "Country": nil}}, "Url": "http://A"},
			m{"Language": []any{}, "Url": "http://B"},
			m{"Language": []any{m{"Code": "en-gb", "Country": "gb"}}, "Url": nil},
		}},
		{"DocId": int64(20), "Links": m{"Backward": []any{int64(10), int64(30)}, "Forward": []any{int64(80)}}, "Name": []any{
			m{"Language": []any{}, "Url": "http://C"},
		}},
	}, rows)
}

func TestMapsAndNulls(t *testing.T) {
	s := newSet(t, optional("m", mapOf(optional("value", long))))
	levels := func(c int, def, rep byte) { s.Columns[c].AppendLevels(def, rep) }
	for c := range 2 {
		levels(c, 0, 0) // null
		levels(c, 1, 0) // empty
	}
	s.Columns[0].AppendBytes([]byte("a"))
	levels(0, 2, 0)
	levels(1, 2, 0)
	s.Columns[0].AppendBytes([]byte("b"))
	levels(0, 2, 1)
	s.Columns[1].AppendInt64(5)
	levels(1, 3, 1)
	rows, err := Rows(s)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{"m": nil}, {"m": []Pair{}}, {"m": []Pair{{"a", nil}, {"b", int64(5)}}}}, rows)
}

func TestContradictionsAreFound(t *testing.T) {
	bad := func(want string, f column.Field, fill func(cols []*column.Column)) {
		t.Helper()
		s := newSet(t, f)
		fill(s.Columns)
		_, err := Rows(s)
		require.ErrorContains(t, err, want)
	}
	pair := optional("s", dotted(optional("a", long), optional("b", long)))
	list := required("l", listOf(required("element", dotted(required("a", long), required("b", long)))))
	bad("null at level 1, the first one at 0", pair, func(c []*column.Column) {
		c[0].AppendLevels(0, 0)
		c[1].AppendLevels(1, 0)
	})
	bad("has 0 rows, the first one 1", pair, func(c []*column.Column) { c[0].AppendLevels(0, 0) })
	bad("values end early", pair, func(c []*column.Column) {
		c[0].AppendLevels(2, 0)
		c[1].AppendLevels(2, 0)
	})
	bad("above 2", pair, func(c []*column.Column) {
		c[0].AppendLevels(3, 0)
		c[1].AppendLevels(2, 0)
	})
	bad("entries left", pair, func(c []*column.Column) {
		c[0].AppendInt64(1)
		c[0].AppendLevels(0, 0)
		c[1].AppendLevels(0, 0)
	})
	bad("disagree about the number", list, func(c []*column.Column) {
		for i, n := range []int{2, 1} {
			for k := range n {
				c[i].AppendInt64(1)
				c[i].AppendLevels(1, byte(k))
			}
		}
	})
}
