package avro

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// appendLong writes a number as Avro does.
func appendLong(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v<<1)^uint64(v>>63))
}

func appendText(dst []byte, s string) []byte { return append(appendLong(dst, int64(len(s))), s...) }

// varied writes values in all the ways that the specification allows and goavro does not use: lists in several blocks
// with and without their size, numbers with more bytes than they need.
type varied struct{ t *rapid.T }

func (e varied) long(dst []byte, v int64) []byte {
	at := len(dst)
	dst = appendLong(dst, v)
	if n := len(dst) - at; n < 9 && even(e.t, 0, 9, "pad") == 0 {
		dst[len(dst)-1] |= 0x80
		for range even(e.t, 0, 9-n-1, "zeros") {
			dst = append(dst, 0x80)
		}
		dst = append(dst, 0)
	}
	return dst
}

func (e varied) value(dst []byte, m *model, v any) []byte {
	switch m.kind {
	case "record":
		for _, f := range m.fields {
			dst = e.value(dst, f.typ, v.(map[string]any)[f.name])
		}
		return dst
	case "array":
		var items [][]byte
		for _, item := range v.([]any) {
			items = append(items, e.value(nil, m.items, item))
		}
		return e.blocks(dst, items)
	case "map":
		var items [][]byte
		for k, item := range v.(map[string]any) {
			items = append(items, e.value(append(e.long(nil, int64(len(k))), k...), m.items, item))
		}
		return e.blocks(dst, items)
	case "union":
		return e.union(dst, m, v)
	}
	return e.leaf(dst, m, v)
}

func (e varied) blocks(dst []byte, items [][]byte) []byte {
	for len(items) > 0 {
		n := even(e.t, 1, len(items), "block")
		var body []byte
		for _, item := range items[:n] {
			body = append(body, item...)
		}
		items = items[n:]
		if rapid.Bool().Draw(e.t, "sized") {
			dst = e.long(e.long(dst, int64(-n)), int64(len(body)))
		} else {
			dst = e.long(dst, int64(n))
		}
		dst = append(dst, body...)
	}
	return e.long(dst, 0)
}

func (e varied) union(dst []byte, m *model, v any) []byte {
	for i, b := range m.branches {
		if v == nil && b.kind == "null" {
			return e.long(dst, int64(i))
		}
		if in, ok := v.(map[string]any); ok && b.kind != "null" {
			if inner, ok := in[b.unionName()]; ok {
				return e.value(e.long(dst, int64(i)), b, inner)
			}
		}
	}
	panic("no such branch")
}

func (e varied) leaf(dst []byte, m *model, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, 1)
		}
		return append(dst, 0)
	case int32:
		return e.long(dst, int64(v))
	case int64:
		return e.long(dst, v)
	case float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	case string:
		for i, s := range m.symbols {
			if s == v {
				return e.long(dst, int64(i))
			}
		}
		return append(e.long(dst, int64(len(v))), v...)
	case []byte:
		if m.kind == "fixed" {
			return append(dst, v...)
		}
		return append(e.long(dst, int64(len(v))), v...)
	}
	return dst // null
}

// TestOtherEncodings: what goavro does not write but reads, we read the same; whether it is stored or skipped.
func TestOtherEncodings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		b := varied{t}.value(nil, s.model, drawValue(t, s.model, 0))
		native, rest, err := s.codec.NativeFromBinary(b)
		require.NoError(t, err)
		require.Empty(t, rest)
		require.NoError(t, s.program.Decode(b))
		want := s.model.expect(native).(map[string]any)
		sameRows(t, []any{want}, s.set)

		fields := mutate(t, s.fields)
		set := newSet(t, fields)
		pr, err := Compile(s.schema, set, CompileOptions{})
		require.NoError(t, err)
		require.NoError(t, pr.Decode(b))
		sameRows(t, []any{projectRow(want, s.fields, fields)}, set)
	})
}
