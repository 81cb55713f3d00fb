package jsonrec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

func TestRestKeepsKeysAndValuesVerbatim(t *testing.T) {
	x := compile(t, Config{Unknown: Rest, Fields: []column.Field{
		col("id", column.Long),
		col("user", column.Struct, col("name", column.String), col("home", column.Struct, col("zip", column.String))),
		col("items", column.List, col("element", column.Struct, col("sku", column.String))),
		col("by", column.Map, need(col("key", column.String)), col("value", column.Struct, col("n", column.Long))),
	}})
	f := func(record string, want any) {
		t.Helper()
		row, err := x.last(t, []byte(record))
		require.NoError(t, err)
		require.Equal(t, want, row[RestColumn])
		x.agrees(t, []byte(record))
	}
	f(`{"id":1}`, nil)
	f(`{}`, nil)
	f(`{"id":1,"x": 1.50 ,"\u0079" : [1, {"a" : null}] }`, `{"x":1.50,"\u0079":[1, {"a" : null}]}`)
	f(`{"user":{"name":"n","age":3,"home":{"zip":"1"},"tall":true}}`, `{"user":{"age":3,"tall":true}}`)
	f(`{"user":{"home":{"floor":2,"zip":""},"age":3},"y":{}}`, `{"user":{"home":{"floor":2},"age":3},"y":{}}`)
	f(`{"x":0,"user":{"home":{"floor":2}},"y":1}`, `{"x":0,"user":{"home":{"floor":2}},"y":1}`)
	f(`{"items":[{"sku":"a"},{"sku":"b","color":"red"},null,{"color":"blue","size":1}]}`,
		`{"items":{"1":{"color":"red"},"3":{"color":"blue","size":1}}}`)
	f(`{"by":{"ä":{"n":1},"\u00fc":{"m":2}}}`, `{"by":{"\u00fc":{"m":2}}}`)
}

func TestUndeclaredKeysAreKeptOnce(t *testing.T) {
	x := compile(t, Config{Unknown: Rest, Fields: []column.Field{
		col("a", column.List, col("element", column.Struct, col("b", column.Long))),
	}})
	_, err := x.last(t, []byte(`{"x":1,"\u0078":2}`))
	require.EqualError(t, err, `reading JSON field "x": the key appears twice in its object at byte 7`)
	_, err = x.last(t, []byte(`{"x":1,"a":[{"x":1},{"x":1}]}`))
	require.NoError(t, err, "each object has its own keys")
}

func TestManyKeys(t *testing.T) {
	x := compile(t, Config{Unknown: Rest, Fields: []column.Field{
		col("m", column.Map, need(col("key", column.String)), col("value", column.Long)),
	}})
	var b strings.Builder
	for i := range keptSlots {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	many := b.String()[1:]
	f := func(record string, bad bool) {
		t.Helper()
		_, err := x.last(t, []byte(record))
		require.Equal(t, bad, err != nil)
	}
	f(`{"m":{`+many+`},`+many+`}`, false)
	require.Greater(t, len(x.program.keys.slots), keptSlots)
	f(`{"m":{"a":1}}`, false)
	require.LessOrEqual(t, len(x.program.keys.slots), keptSlots, "a monster's table is given back")
	f(`{`+many+`,"k77":1}`, true)
	f(`{"m":{`+many+`,"k77":1}}`, true)
	f(`{"m":{`+many+`}}`, false)
}

func TestKeysetEpochWrapsAround(t *testing.T) {
	k := newKeyset()
	require.True(t, k.add(1, []byte("a")))
	k.epoch = 1<<32 - 1
	k.reset()
	require.True(t, k.add(1, []byte("a")))
	require.False(t, k.add(1, []byte("a")))
	require.True(t, k.add(2, []byte("a")))
}
