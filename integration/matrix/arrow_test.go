package matrix

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/ingestd/ingestd/table/column"
)

// arrowText is the text of value i of an Arrow array.
func arrowText(t column.Type, a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch t.Kind {
	case column.Struct:
		s, m := a.(*array.Struct), map[string]any{}
		for k, f := range s.DataType().(*arrow.StructType).Fields() {
			m[f.Name] = arrowText(t.Fields[k].Type, s.Field(k), i)
		}
		return m
	case column.List:
		l := a.(array.ListLike)
		out := []any{}
		for k, to := l.ValueOffsets(i); k < to; k++ {
			out = append(out, arrowText(t.Fields[0].Type, l.ListValues(), int(k)))
		}
		return out
	case column.Map:
		m := a.(*array.Map)
		out := []any{}
		for k, to := m.ValueOffsets(i); k < to; k++ {
			out = append(out, []any{arrowText(t.Fields[0].Type, m.Keys(), int(k)), arrowText(t.Fields[1].Type, m.Items(), int(k))})
		}
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(a.([]any)[0].(string), b.([]any)[0].(string)) })
		return out
	}
	return canon(t, arrowPrimitive(a, i))
}

func arrowPrimitive(a arrow.Array, i int) any {
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
	case *array.Decimal32:
		return big.NewInt(int64(a.Value(i)))
	case *array.Decimal64:
		return big.NewInt(int64(a.Value(i)))
	case *array.Decimal128:
		return a.Value(i).BigInt()
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
	}
	panic(fmt.Sprintf("array %T", a))
}
