package avro

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"
)

// readable turns what goavro decodes with a plain schema into what the schema means.
func (s *plainSchema) readable(t *avroType, v any) any {
	switch t.kind {
	case kRecord:
		in, _ := v.(map[string]any)
		out := make(map[string]any, len(t.fields))
		for i, f := range t.fields {
			out[f.name] = s.readable(f.typ, in[plainField(i)])
		}
		return out
	case kArray:
		in, _ := v.([]any)
		out := make([]any, len(in))
		for i := range in {
			out[i] = s.readable(t.items, in[i])
		}
		return out
	case kMap:
		in, _ := v.(map[string]any)
		out := make(map[string]any, len(in))
		for k := range in {
			out[k] = s.readable(t.items, in[k])
		}
		return out
	case kUnion:
		return s.readableUnion(t, v)
	case kEnum:
		symbol, _ := v.(string)
		for i := range t.symbols {
			if plainSymbol(i) == symbol {
				return t.symbols[i]
			}
		}
		return nil
	default:
		return readableLeaf(t, v)
	}
}

func (s *plainSchema) readableUnion(t *avroType, v any) any {
	in, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	others, _ := t.nullable()
	names := t.branchNames()
	for i, b := range t.branches {
		inner, ok := in[s.branchKey(b)]
		switch {
		case !ok:
		case len(others) == 1:
			return s.readable(b, inner)
		default:
			return map[string]any{names[i]: s.readable(b, inner)}
		}
	}
	return nil
}

func readableLeaf(t *avroType, v any) any {
	switch v := v.(type) {
	case int32:
		return readableNumber(t, int64(v))
	case int64:
		return readableNumber(t, v)
	case float32:
		return readableFloat(float64(v), v)
	case float64:
		return readableFloat(v, v)
	case []byte:
		return readableBytes(t, v)
	}
	return v
}

// readableFloat keeps what JSON has a number for.
func readableFloat(f float64, v any) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Sprint(f)
	}
	return v
}

func readableNumber(t *avroType, v int64) any {
	const clock, dateTime = "15:04:05.999999", "2006-01-02T15:04:05.999999999"
	switch t.logical {
	case lDate:
		return time.Unix(v*86400, 0).UTC().Format(time.DateOnly)
	case lTimeMillis:
		return time.UnixMilli(v).UTC().Format(clock)
	case lTimeMicros:
		return time.UnixMicro(v).UTC().Format(clock)
	case lTimestampMillis:
		return time.UnixMilli(v).UTC().Format(time.RFC3339Nano)
	case lTimestampMicros:
		return time.UnixMicro(v).UTC().Format(time.RFC3339Nano)
	case lTimestampNanos:
		return time.Unix(0, v).UTC().Format(time.RFC3339Nano)
	case lLocalMillis:
		return time.UnixMilli(v).UTC().Format(dateTime)
	case lLocalMicros:
		return time.UnixMicro(v).UTC().Format(dateTime)
	case lLocalNanos:
		return time.Unix(0, v).UTC().Format(dateTime)
	default:
		return v
	}
}

func readableBytes(t *avroType, v []byte) any {
	switch t.logical {
	case lDecimal:
		return decimalString(v, t.scale)
	case lUUID:
		return fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:])
	case lDuration:
		le := binary.LittleEndian
		millis := le.Uint32(v[8:])
		return fmt.Sprintf("P%dM%dDT%d.%03dS", le.Uint32(v), le.Uint32(v[4:]), millis/1000, millis%1000)
	default:
		return base64.StdEncoding.EncodeToString(v)
	}
}

func decimalString(v []byte, scale int) string {
	x := new(big.Int).SetBytes(v)
	if len(v) > 0 && v[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil)
	if scale <= 0 {
		return x.Mul(x, ten).String()
	}
	return new(big.Rat).SetFrac(x, ten).FloatString(scale)
}

// appendJSON writes a readable value with the fields of records in their order.
func appendJSON(dst []byte, t *avroType, v any) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	switch t.kind {
	case kRecord:
		keys := make([]string, len(t.fields))
		types := make([]*avroType, len(t.fields))
		for i, f := range t.fields {
			keys[i], types[i] = f.name, f.typ
		}
		return appendObject(dst, keys, types, v)
	case kMap:
		in, _ := v.(map[string]any)
		keys := make([]string, 0, len(in))
		for k := range in {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		types := slices.Repeat([]*avroType{t.items}, len(keys))
		return appendObject(dst, keys, types, v)
	case kArray:
		return appendArray(dst, t, v)
	case kUnion:
		return appendUnion(dst, t, v)
	default:
		return appendLeaf(dst, v)
	}
}

func appendUnion(dst []byte, t *avroType, v any) ([]byte, error) {
	others, _ := t.nullable()
	if len(others) == 1 {
		return appendJSON(dst, others[0], v)
	}
	in, _ := v.(map[string]any)
	for i, name := range t.branchNames() {
		if _, ok := in[name]; ok {
			return appendObject(dst, []string{name}, t.branches[i:i+1], v)
		}
	}
	return append(dst, "{}"...), nil
}

// appendLeaf writes text as it is, where json.Marshal would hide < and > from browsers.
func appendLeaf(dst []byte, v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), nil
}

func appendObject(dst []byte, keys []string, types []*avroType, v any) ([]byte, error) {
	in, _ := v.(map[string]any)
	dst = append(dst, '{')
	for i, k := range keys {
		var err error
		if dst, err = appendLeaf(comma(dst, i), k); err != nil {
			return nil, err
		}
		if dst, err = appendJSON(append(dst, ':'), types[i], in[k]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendArray(dst []byte, t *avroType, v any) ([]byte, error) {
	in, _ := v.([]any)
	dst = append(dst, '[')
	for i := range in {
		var err error
		if dst, err = appendJSON(comma(dst, i), t.items, in[i]); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}
