package columntest

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

func field(name string, required bool, kind column.Kind, members ...column.Field) column.Field {
	return column.Field{Name: name, Required: required, Type: column.Type{Kind: kind, Fields: members}}
}

func newSet(t *testing.T, fields ...column.Field) *column.Set {
	layout, err := column.NewLayout(fields)
	require.NoError(t, err)
	return column.NewSet(layout)
}

func TestFlatColumns(t *testing.T) {
	decimal := column.Field{Name: "d", Type: column.Type{Kind: column.Decimal, Precision: 20}}
	set := newSet(t, field("i", true, column.Int), field("s", false, column.String), field("b", true, column.Boolean), decimal)
	i, s, b, d := set.Columns[0], set.Columns[1], set.Columns[2], set.Columns[3]
	i.AppendInt32(-7)
	s.AppendBytes([]byte("ä"))
	s.SetValid()
	b.AppendBool(1)
	d.AppendFixed([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe})
	d.SetValid()
	i.AppendInt32(8)
	s.SetNull()
	b.AppendBool(0)
	d.SetNull()
	require.Equal(t, [][]any{{int32(-7), "ä", true, big.NewInt(-2)}, {int32(8), nil, false, nil}}, Rows(set))
}

// TestListsOfStructs is the example of the Dremel paper, bent to Iceberg: a map and a list in a list of structs.
func TestListsOfStructs(t *testing.T) {
	set := newSet(t, field("names", false, column.List, field("element", false, column.Struct,
		field("languages", true, column.List, field("element", true, column.String)),
		field("tags", false, column.Map, field("key", true, column.String), field("value", false, column.Long)))))
	language, key, value := set.Columns[0], set.Columns[1], set.Columns[2]

	// Row 0: [{[en, de], {a: 1, b: null}}, null, {[], {}}]
	language.AppendBytes([]byte("en"))
	language.AppendLevels(4, 0)
	language.AppendBytes([]byte("de"))
	language.AppendLevels(4, 2)
	language.AppendLevels(2, 1)
	language.AppendLevels(3, 1)
	key.AppendBytes([]byte("a"))
	key.AppendLevels(5, 0)
	key.AppendBytes([]byte("b"))
	key.AppendLevels(5, 2)
	key.AppendLevels(2, 1)
	key.AppendLevels(4, 1)
	value.AppendInt64(1)
	value.AppendLevels(6, 0)
	value.AppendLevels(5, 2)
	value.AppendLevels(2, 1)
	value.AppendLevels(4, 1)
	// Row 1: null. Row 2: [].
	for _, c := range set.Columns {
		c.AppendLevels(0, 0)
		c.AppendLevels(1, 0)
	}
	require.NoError(t, set.Check(3))
	require.Equal(t, [][]any{
		{[]any{
			map[string]any{"languages": []any{"en", "de"}, "tags": []Entry{{"a", int64(1)}, {"b", nil}}},
			nil,
			map[string]any{"languages": []any{}, "tags": []Entry{}},
		}},
		{nil},
		{[]any{}},
	}, Rows(set))
}

func TestDictionariesAreResolved(t *testing.T) {
	set := newSet(t, field("s", true, column.String))
	c := set.Columns[0]
	c.UseDict(true)
	for _, s := range []string{"x", "y", "x"} {
		c.AppendBytes([]byte(s))
	}
	c.Absorb()
	c.AppendBytes([]byte("z"))
	require.Equal(t, [][]any{{"x"}, {"y"}, {"x"}, {"z"}}, Rows(set))
}

func TestContradictionsPanic(t *testing.T) {
	set := newSet(t, field("s", false, column.Struct, field("a", false, column.Int), field("b", false, column.Int)))
	set.Columns[0].AppendLevels(0, 0)
	set.Columns[1].AppendLevels(1, 0)
	require.Panics(t, func() { Rows(set) })
	set = newSet(t, field("a", true, column.Int), field("b", true, column.Int))
	set.Columns[0].AppendInt32(1)
	require.Panics(t, func() { Rows(set) })
}
