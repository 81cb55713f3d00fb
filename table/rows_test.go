package table_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

// The tests in this package speak of rows as columntest does: nil, bool, int32, int64, float32, float64, *big.Int,
// string, []byte, map[string]any, []any, []columntest.Entry. This file generates such rows, appends them to sets,
// and takes them out of Arrow records.

func primitives() []column.Type {
	return []column.Type{
		{Kind: column.Boolean}, {Kind: column.Int}, {Kind: column.Long}, {Kind: column.Float}, {Kind: column.Double},
		{Kind: column.Decimal, Precision: 9, Scale: 2}, {Kind: column.Decimal, Precision: 18, Scale: 4}, {Kind: column.Decimal, Precision: 38, Scale: 10},
		{Kind: column.Date}, {Kind: column.Time}, {Kind: column.Timestamp}, {Kind: column.TimestampTZ}, {Kind: column.TimestampNs}, {Kind: column.TimestampTZNs}, {Kind: column.String},
		{Kind: column.UUID}, {Kind: column.Fixed, Length: 7}, {Kind: column.Binary},
	}
}

// genType draws a type nested at most depth levels.
func genType(t *rapid.T, depth int) column.Type {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "flat") > 0 {
		return rapid.SampledFrom(primitives()).Draw(t, "type")
	}
	switch rapid.SampledFrom([]column.Kind{column.Struct, column.List, column.Map}).Draw(t, "kind") {
	case column.Struct:
		return column.Type{Kind: column.Struct, Fields: genFields(t, depth-1, rapid.IntRange(1, 3).Draw(t, "members"))}
	case column.List:
		return column.Type{Kind: column.List, Fields: []column.Field{
			{Name: "element", Required: rapid.Bool().Draw(t, "required"), Type: genType(t, depth-1)}}}
	default:
		key := column.Type{Kind: rapid.SampledFrom([]column.Kind{column.String, column.Int, column.Long}).Draw(t, "key")}
		return column.Type{Kind: column.Map, Fields: []column.Field{
			{Name: "key", Required: true, Type: key},
			{Name: "value", Required: rapid.Bool().Draw(t, "required"), Type: genType(t, depth-1)}}}
	}
}

func genFields(t *rapid.T, depth, n int) []column.Field {
	out := make([]column.Field, n)
	for i := range out {
		out[i] = column.Field{Name: fmt.Sprintf("f%d", i), Required: rapid.IntRange(0, 2).Draw(t, "required") == 0, Type: genType(t, depth)}
	}
	return out
}

func genValue(t *rapid.T, f *column.Field) any {
	if !f.Required && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return nil
	}
	return genPresent(t, f.Type)
}

func genPresent(t *rapid.T, typ column.Type) any {
	switch typ.Kind {
	case column.Struct:
		m := map[string]any{}
		for i := range typ.Fields {
			m[typ.Fields[i].Name] = genValue(t, &typ.Fields[i])
		}
		return m
	case column.List:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, genValue(t, &typ.Fields[0]))
		}
		return list
	case column.Map:
		entries := []columntest.Entry{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			entries = append(entries, columntest.Entry{Key: genValue(t, &typ.Fields[0]), Value: genValue(t, &typ.Fields[1])})
		}
		return entries
	}
	return genPrimitive(t, typ)
}

const (
	day      = int64(86_400_000_000)
	sometime = 1_750_000_000_000_000 // in June 2025
)

func genPrimitive(t *rapid.T, typ column.Type) any {
	switch typ.Kind {
	case column.Boolean:
		return rapid.Bool().Draw(t, "v")
	case column.Int:
		return rapid.OneOf(rapid.Int32Range(math.MinInt32+1000, math.MaxInt32), rapid.Int32Range(-3, 3)).Draw(t, "v")
	case column.Long:
		return rapid.OneOf(rapid.Int64Range(math.MinInt64+1000, math.MaxInt64), rapid.Int64Range(-3, 3)).Draw(t, "v")
	case column.Float:
		return rapid.OneOf(rapid.Float32Range(-1e30, 1e30), rapid.Just(float32(math.NaN())), rapid.SampledFrom([]float32{0, 1})).Draw(t, "v")
	case column.Double:
		return rapid.OneOf(rapid.Float64Range(-1e300, 1e300), rapid.Just(math.Inf(1)), rapid.SampledFrom([]float64{0, 1})).Draw(t, "v")
	case column.Decimal:
		v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "v"))
		v.Mod(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Precision-1)), nil))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		return v
	case column.Date:
		return rapid.OneOf(rapid.Int32Range(-30_000, 30_000), rapid.Int32Range(20_000, 20_003)).Draw(t, "v")
	case column.Time:
		return rapid.Int64Range(0, day-1).Draw(t, "v")
	case column.Timestamp, column.TimestampTZ:
		return rapid.OneOf(rapid.Int64Range(-day*30_000, day*30_000), rapid.Int64Range(sometime, sometime+2*day)).Draw(t, "v")
	case column.TimestampNs, column.TimestampTZNs:
		return rapid.OneOf(rapid.Int64(), rapid.Int64Range(1000*sometime, 1000*sometime+3)).Draw(t, "v")
	case column.String:
		return rapid.OneOf(rapid.SampledFrom([]string{"", "a", "ä/%=: b", "aaaaaaaaaaaaaaaaaaaaaaaaa", "日本語"}), rapid.StringN(0, 30, 90)).Draw(t, "v")
	case column.UUID:
		return rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v")
	case column.Fixed:
		return rapid.SliceOfN(rapid.Byte(), typ.Length, typ.Length).Draw(t, "v")
	default:
		return rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "v")
	}
}

// appendRow appends one row, by the rules a decode program follows.
func appendRow(set *column.Set, row []any) {
	for i, n := range set.Layout.Nodes {
		appendNode(set, n, row[i], 0)
	}
}

func appendNode(set *column.Set, n *column.Node, v any, rep byte) {
	switch n.Field.Type.Kind {
	case column.Struct:
		if v == nil {
			absent(set, n, n.Def-1, rep)
			return
		}
		for _, c := range n.Children {
			appendNode(set, c, v.(map[string]any)[c.Field.Name], rep)
		}
	case column.List:
		list, _ := v.([]any)
		repeat(set, n, v == nil, len(list), rep, func(i int, rep byte) { appendNode(set, n.Children[0], list[i], rep) })
	case column.Map:
		entries, _ := v.([]columntest.Entry)
		repeat(set, n, v == nil, len(entries), rep, func(i int, rep byte) {
			appendNode(set, n.Children[0], entries[i].Key, rep)
			appendNode(set, n.Children[1], entries[i].Value, rep)
		})
	default:
		c := set.Columns[n.Leaf]
		switch {
		case v == nil && c.Flat():
			c.SetNull()
		case v == nil:
			c.AppendLevels(n.Def-1, rep)
		default:
			appendValue(c, v)
			if c.Optional() {
				c.SetValid()
			} else if !c.Flat() {
				c.AppendLevels(n.Def, rep)
			}
		}
	}
}

func repeat(set *column.Set, n *column.Node, null bool, length int, rep byte, element func(i int, rep byte)) {
	switch {
	case null:
		absent(set, n, n.Def-2, rep)
	case length == 0:
		absent(set, n, n.Def-1, rep)
	}
	for i := range length {
		element(i, rep)
		rep = n.Rep
	}
}

func absent(set *column.Set, n *column.Node, def, rep byte) {
	for _, c := range set.Columns[n.Lo:n.Hi] {
		if c.Flat() {
			c.SetNull()
			continue
		}
		c.AppendLevels(def, rep)
	}
}

func appendValue(c *column.Column, v any) {
	switch v := v.(type) {
	case bool:
		b := byte(0)
		if v {
			b = 1
		}
		c.AppendBool(b)
	case int32:
		c.AppendInt32(v)
	case int64:
		c.AppendInt64(v)
	case float32:
		c.AppendFloat(math.Float32bits(v))
	case float64:
		c.AppendDouble(math.Float64bits(v))
	case string:
		c.AppendBytes([]byte(v))
	case []byte:
		if c.Leaf.Physical == column.PhysFixed {
			c.AppendFixed(v)
		} else {
			c.AppendBytes(v)
		}
	case *big.Int:
		appendDecimal(c, v)
	default:
		panic(fmt.Sprintf("value %T", v))
	}
}

func appendDecimal(c *column.Column, v *big.Int) {
	switch c.Leaf.Physical {
	case column.PhysInt32:
		c.AppendInt32(int32(v.Int64()))
	case column.PhysInt64:
		c.AppendInt64(v.Int64())
	default:
		u := new(big.Int).Set(v)
		if u.Sign() < 0 {
			u.Add(u, new(big.Int).Lsh(big.NewInt(1), uint(8*c.Leaf.FixedLen)))
		}
		c.AppendFixed(u.FillBytes(make([]byte, c.Leaf.FixedLen)))
	}
}

// arrowValue takes value i out of an array.
func arrowValue(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.Int32:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float32:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Date32:
		return int32(a.Value(i))
	case *array.Time64:
		return int64(a.Value(i))
	case *array.Timestamp:
		return int64(a.Value(i))
	case *array.String:
		return strings.Clone(a.Value(i))
	case *array.LargeString:
		return strings.Clone(a.Value(i))
	case *array.Binary:
		return append([]byte{}, a.Value(i)...)
	case *array.LargeBinary:
		return append([]byte{}, a.Value(i)...)
	case *array.FixedSizeBinary:
		return append([]byte{}, a.Value(i)...)
	case *extensions.UUIDArray:
		return append([]byte{}, a.Storage().(*array.FixedSizeBinary).Value(i)...)
	case *array.Decimal128:
		return a.Value(i).BigInt()
	}
	return arrowNested(a, i)
}

func arrowNested(a arrow.Array, i int) any {
	switch a := a.(type) {
	case *array.Struct:
		m := map[string]any{}
		for k, f := range a.DataType().(*arrow.StructType).Fields() {
			m[f.Name] = arrowValue(a.Field(k), i)
		}
		return m
	case *array.Map:
		from, to := a.ValueOffsets(i)
		entries := []columntest.Entry{}
		for k := from; k < to; k++ {
			entries = append(entries, columntest.Entry{Key: arrowValue(a.Keys(), int(k)), Value: arrowValue(a.Items(), int(k))})
		}
		return entries
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		list := []any{}
		for k := from; k < to; k++ {
			list = append(list, arrowValue(a.ListValues(), int(k)))
		}
		return list
	}
	panic(fmt.Sprintf("array %T", a))
}

// text makes rows comparable: NaN equals NaN, numbers are told apart by type.
func text(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return fmt.Sprintf("%v", mapText(v))
	case []any:
		s := make([]string, len(v))
		for i := range v {
			s[i] = text(v[i])
		}
		return "[" + strings.Join(s, ", ") + "]"
	case []columntest.Entry:
		s := make([]string, len(v))
		for i := range v {
			s[i] = text(v[i].Key) + ": " + text(v[i].Value)
		}
		return "{" + strings.Join(s, ", ") + "}"
	case nil, bool:
		return fmt.Sprint(v)
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("%x", v)
	}
	return fmt.Sprintf("%T(%v)", v, v)
}

func mapText(m map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = text(v)
	}
	return out
}
