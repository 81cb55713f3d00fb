package matrix

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/table/column"
)

// Values of the tables are plain Go: nil, bool, int32, int64, float32, float64, *big.Int (unscaled), string, []byte,
// []any, map[string]any (structs) and []pair (maps). This file draws them and gives each its one text, which the
// engines' scripts give what they read as well.

// pair is an entry of a map.
type pair struct {
	key   string
	value any
}

const dayMicros = 86_400_000_000

// Dates from 1900 to 2299 are what every engine has; the case "far" goes beyond.
const (
	firstDay = -25_567
	lastDay  = 120_529
)

// edges are the values at which readers break, for each type.
func edges(t column.Type) []any {
	switch t.Kind {
	case column.Boolean:
		return []any{true, false}
	case column.Int:
		return []any{int32(0), int32(-1), int32(math.MinInt32), int32(math.MaxInt32)}
	case column.Long:
		return []any{int64(0), int64(-1), int64(math.MinInt64), int64(math.MaxInt64)}
	case column.Float:
		return []any{float32(0), float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
			float32(math.MaxFloat32), float32(math.SmallestNonzeroFloat32)}
	case column.Double:
		return []any{0.0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	case column.Decimal:
		top := new(big.Int).Sub(power(t.Precision), big.NewInt(1))
		return []any{big.NewInt(0), big.NewInt(-1), big.NewInt(129), top, new(big.Int).Neg(top)}
	case column.Date:
		return []any{int32(0), int32(-1), int32(firstDay), int32(lastDay)}
	case column.Time:
		return []any{int64(0), int64(1), int64(dayMicros - 1)}
	case column.Timestamp, column.TimestampTZ:
		return []any{int64(0), int64(-1), int64(firstDay * dayMicros), int64(106_000*dayMicros + dayMicros - 1)}
	case column.TimestampNs, column.TimestampTZNs:
		return []any{int64(0), int64(-1), int64(1), int64(firstDay * 1000 * dayMicros), int64(106_000*1000*dayMicros + 1000*dayMicros - 1)}
	case column.String:
		return []any{"", "a", "ä/%=: b", strings.Repeat("z", 40), "日本語で書かれた文章は十六文字より長いです", strings.Repeat("\U0010ffff", 20), "line\nbreak 'q' \"qq\" \\", "😀 e\u0301"}
	case column.UUID:
		return []any{make([]byte, 16), slices.Repeat([]byte{0xff}, 16)}
	case column.Fixed:
		return []any{make([]byte, t.Length), slices.Repeat([]byte{0xff}, t.Length)}
	default:
		return []any{[]byte{}, []byte{0}, slices.Repeat([]byte{0xff}, 20), []byte("a\x00b")}
	}
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// draw gives an ordinary value.
func draw(r *rand.Rand, t column.Type) any {
	switch t.Kind {
	case column.Boolean:
		return r.IntN(2) == 0
	case column.Int:
		return int32(r.IntN(2000) - 1000)
	case column.Long:
		return r.Int64N(1<<40) - 1<<39
	case column.Float:
		return float32(r.IntN(1<<20)) / 64
	case column.Double:
		return r.NormFloat64() * 1e6
	case column.Decimal:
		n := new(big.Int).Mul(big.NewInt(r.Int64N(1<<62)-1<<61), big.NewInt(r.Int64N(1<<62)))
		return n.Rem(n, power(t.Precision))
	case column.Date:
		return int32(19_700 + r.IntN(60))
	case column.Time:
		return r.Int64N(dayMicros)
	case column.Timestamp, column.TimestampTZ:
		return 19_700*dayMicros + r.Int64N(60*dayMicros)
	case column.TimestampNs, column.TimestampTZNs:
		return 1000*19_700*dayMicros + r.Int64N(60*1000*dayMicros)
	case column.String:
		return fmt.Sprintf("text %d %s", r.IntN(500), strings.Repeat("ü", r.IntN(20)))
	case column.UUID:
		return randomBytes(r, 16)
	case column.Fixed:
		return randomBytes(r, t.Length)
	default:
		return randomBytes(r, r.IntN(30))
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// generator fills columns: first the edges, then ordinary values, with nulls in between.
type generator struct{ r *rand.Rand }

func (g *generator) value(f *column.Field, row int) any {
	if !f.Required && (g.r.IntN(6) == 0 || row == 3) {
		return nil
	}
	switch f.Type.Kind {
	case column.Struct:
		m := map[string]any{}
		for i := range f.Type.Fields {
			m[f.Type.Fields[i].Name] = g.value(&f.Type.Fields[i], row+i)
		}
		return m
	case column.List:
		list := []any{}
		for i := range g.r.IntN(4) {
			list = append(list, g.value(&f.Type.Fields[0], row+i))
		}
		return list
	case column.Map:
		entries := []pair{}
		for i := range g.r.IntN(4) {
			entries = append(entries, pair{fmt.Sprintf("k%d", i), g.value(&f.Type.Fields[1], row+i)})
		}
		return entries
	default:
		if e := edges(f.Type); row < 2*len(e) {
			return e[row%len(e)]
		}
		return draw(g.r, f.Type)
	}
}

// canon is a value's one text: numbers in decimals, times in days and microseconds, floats by their bits, bytes in hex.
func canon(t column.Type, v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return v
	case []byte:
		return hex.EncodeToString(v)
	case float32:
		return floatText(float64(v), fmt.Sprintf("%08x", math.Float32bits(v)))
	case float64:
		return floatText(v, fmt.Sprintf("%016x", math.Float64bits(v)))
	case map[string]any:
		m := map[string]any{}
		for i := range t.Fields {
			m[t.Fields[i].Name] = canon(t.Fields[i].Type, v[t.Fields[i].Name])
		}
		return m
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, canon(t.Fields[0].Type, e))
		}
		return out
	case []pair:
		out := []any{} // in order of the keys, as they were made
		for _, e := range v {
			out = append(out, []any{e.key, canon(t.Fields[1].Type, e.value)})
		}
		return out
	}
	return fmt.Sprint(v) // bool, integers, *big.Int
}

func floatText(v float64, bits string) string {
	if math.IsNaN(v) {
		return "nan"
	}
	return bits
}

// compare orders two values of a primitive type that has an order in every engine.
func compare(a, b any) int {
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case *big.Int:
		return a.Cmp(b.(*big.Int))
	}
	x, _ := strconv.ParseInt(fmt.Sprint(a), 10, 64)
	y, _ := strconv.ParseInt(fmt.Sprint(b), 10, 64)
	return big.NewInt(x).Cmp(big.NewInt(y))
}
