package jsonrec

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

func TestDeclarationsAreChecked(t *testing.T) {
	long := col("a", column.Long)
	f := func(c Config, message string) {
		t.Helper()
		_, err := NewSchema(c)
		require.EqualError(t, err, "declaring the JSON schema: "+message)
		require.Equal(t, failure.Config, failure.ClassOf(err))
		require.Equal(t, CodeSchema, failure.CodeOf(err))
	}
	fields := func(f ...column.Field) Config { return Config{Fields: f} }
	f(fields(), "the record has no fields")
	f(fields(col("s", column.Struct)), "s has no fields")
	f(fields(col("", column.Long)), "a field of the record has no name")
	f(fields(col("s", column.Struct, col("", column.Long))), "a field of s has no name")
	f(fields(long, long), "field a is declared twice")
	f(fields(col("s", column.Struct, long, long)), "field s.a is declared twice")
	f(fields(col("l", column.List, col("element", column.Struct, long, long))), "field l.element.a is declared twice")
	f(fields(col("l", column.List)), "type list<> of field l is not whole")
	f(fields(col("l", column.List, col("", column.Map, long))), "type map<long> of field l.element is not whole")
	f(fields(col("m", column.Map, col("", column.Long), long)), "field m: the keys of a JSON object are strings")

	hint := func(h Hint, more ...column.Field) Config {
		return Config{Fields: append([]column.Field{long, col("t", column.Time), col("d", column.Date),
			col("l", column.List, col("x", column.Timestamp))}, more...), Hints: []Hint{h}}
	}
	f(hint(Hint{}), "a hint names no field")
	f(hint(Hint{Path: []string{"b"}}), "there is no field b")
	f(hint(Hint{Path: []string{"a", "b"}}), "there is no field a.b")
	f(hint(Hint{Path: []string{"a"}, Unit: Millis}), "field a of type long cannot have the unit millis")
	f(hint(Hint{Path: []string{"t"}, Unit: Days}), "field t of type time cannot have the unit days")
	f(hint(Hint{Path: []string{"d"}, Unit: Seconds}), "field d of type date cannot have the unit seconds")
	f(hint(Hint{Path: []string{"l", "element"}, From: "x"}), "l.element has no key of its own")
	f(hint(Hint{Path: []string{"a"}, From: "t"}), "field t is declared twice")

	rest := fields(col(RestColumn, column.String))
	_, err := NewSchema(rest)
	require.NoError(t, err)
	rest.Unknown = Rest
	f(rest, "column _rest is needed for undeclared fields")
}

func TestSchemaFieldsAreTheColumnsOfANewTable(t *testing.T) {
	s, err := NewSchema(Config{Fields: []column.Field{col("a", column.Long)}})
	require.NoError(t, err)
	require.Len(t, s.Fields(), 1)
	s, err = NewSchema(Config{Fields: []column.Field{col("a", column.Long)}, Unknown: Rest})
	require.NoError(t, err)
	require.Len(t, s.Fields(), 2)
	require.Equal(t, RestColumn, s.Fields()[1].Name)
	require.False(t, s.Fields()[1].Required)
}

func TestTablesMustTakeTheDeclaration(t *testing.T) {
	f := func(declared, stored column.Field, message string) {
		t.Helper()
		s, err := NewSchema(Config{Fields: []column.Field{declared}})
		require.NoError(t, err)
		layout, err := column.NewLayout([]column.Field{stored})
		require.NoError(t, err)
		_, err = Compile(s, column.NewSet(layout), Options{})
		if message == "" {
			require.NoError(t, err)
			return
		}
		require.EqualError(t, err, "declaring the JSON schema: "+message)
		require.Equal(t, failure.Config, failure.ClassOf(err))
	}
	decimal := func(precision, scale int) column.Field {
		return column.Field{Name: "a", Type: column.Type{Kind: column.Decimal, Precision: precision, Scale: scale}}
	}
	fixed := func(n int) column.Field {
		return column.Field{Name: "a", Type: column.Type{Kind: column.Fixed, Length: n}}
	}
	a := func(kind column.Kind, members ...column.Field) column.Field { return col("a", kind, members...) }
	f(a(column.Int), a(column.Long), "")
	f(a(column.Float), a(column.Double), "")
	f(a(column.Time), a(column.Long), "")
	f(decimal(5, 2), decimal(9, 2), "")
	f(need(a(column.Int)), a(column.Int), "")
	f(need(a(column.Int)), need(a(column.Int)), "")
	f(a(column.Int), col("b", column.Int), "the table has no column a")
	f(a(column.Int), need(a(column.Int)), "column a is required in the table")
	f(a(column.Long), a(column.Int), "column a is int in the table, not long")
	f(a(column.String), a(column.Binary), "column a is binary in the table, not string")
	f(a(column.Timestamp), a(column.TimestampTZ), "column a is timestamptz in the table, not timestamp")
	f(decimal(5, 2), decimal(9, 3), "column a is decimal(9,3) in the table, not decimal(5,2)")
	f(decimal(9, 2), decimal(5, 2), "column a is decimal(5,2) in the table, not decimal(9,2)")
	f(fixed(3), fixed(4), "column a is fixed[4] in the table, not fixed[3]")
	f(a(column.List, col("element", column.Int)), a(column.List, col("element", column.String)),
		"column a.element is string in the table, not int")
	f(a(column.Struct, col("x", column.Int)), a(column.Struct, col("x", column.Int), need(col("y", column.Int))),
		"the table's column y is required and not declared")
	f(a(column.Struct, col("x", column.Int)), a(column.Struct, col("y", column.Int)), "the table has no column a.x")
}

func TestRestNeedsItsColumn(t *testing.T) {
	s, err := NewSchema(Config{Fields: []column.Field{col("a", column.Long)}, Unknown: Rest})
	require.NoError(t, err)
	for _, rest := range []column.Field{col("b", column.Long), col(RestColumn, column.Long), need(col(RestColumn, column.String))} {
		layout, err := column.NewLayout([]column.Field{col("a", column.Long), rest})
		require.NoError(t, err)
		_, err = Compile(s, column.NewSet(layout), Options{})
		require.EqualError(t, err, "declaring the JSON schema: the table has no optional string column _rest")
	}
}

func TestOnlyItsOwnColumnsAreFilled(t *testing.T) {
	s, err := NewSchema(Config{Fields: []column.Field{col("a", column.Long)}})
	require.NoError(t, err)
	layout, err := column.NewLayout([]column.Field{col("key", column.Binary), col("a", column.Long), col("other", column.Long)})
	require.NoError(t, err)
	set := column.NewSet(layout)
	p, err := Compile(s, set, Options{Nodes: layout.Nodes[1:2]})
	require.NoError(t, err)
	require.NoError(t, p.Decode([]byte(`{"a":1}`)))
	require.Equal(t, []int{0, 1, 0}, []int{set.Columns[0].Pending(), set.Columns[1].Pending(), set.Columns[2].Pending()})
}

func TestUnitNames(t *testing.T) {
	require.Equal(t, "iso seconds millis micros days", fmt.Sprint(ISO, Seconds, Millis, Micros, Days))
}
