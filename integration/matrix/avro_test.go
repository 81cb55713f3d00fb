package matrix

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// records encodes rows as Avro with goavro. Its codec knows no logical types: what the product makes of them is not
// checked against another implementation of the same idea, but against the numbers that went in.
type records struct {
	// schema is what the product sees, with the logical types.
	schema string
	codec  *goavro.Codec
	fields []column.Field
}

func newRecords(t testing.TB, fields []column.Field) *records {
	t.Helper()
	r := &records{fields: fields}
	full := &avroSchema{logical: true}
	r.schema = full.text(t, fields)
	plain := &avroSchema{}
	var err error
	r.codec, err = goavro.NewCodec(plain.text(t, fields))
	require.NoError(t, err)
	return r
}

func (r *records) encode(t testing.TB, row []any) []byte {
	t.Helper()
	names := &avroSchema{}
	native := map[string]any{}
	for i := range r.fields {
		native[r.fields[i].Name] = names.native(&r.fields[i], row[i])
	}
	b, err := r.codec.BinaryFromNative(nil, native)
	require.NoError(t, err)
	return b
}

// avroSchema writes types down and names the nested ones in the order in which it meets them.
type avroSchema struct {
	logical bool
}

func (s *avroSchema) text(t testing.TB, fields []column.Field) string {
	t.Helper()
	b, err := json.Marshal(s.record("row", fields))
	require.NoError(t, err)
	return string(b)
}

func (s *avroSchema) record(name string, fields []column.Field) map[string]any {
	var list []any
	for i := range fields {
		f := &fields[i]
		list = append(list, map[string]any{"name": f.Name, "type": s.optional(name+"_"+f.Name, f)})
	}
	return map[string]any{"type": "record", "name": name, "fields": list}
}

func (s *avroSchema) optional(name string, f *column.Field) any {
	if f.Required {
		return s.of(name, f)
	}
	return []any{"null", s.of(name, f)}
}

func (s *avroSchema) of(name string, f *column.Field) any {
	t := f.Type
	switch t.Kind {
	case column.Struct:
		return s.record(name, t.Fields)
	case column.List:
		return map[string]any{"type": "array", "items": s.optional(name+"_element", &t.Fields[0])}
	case column.Map:
		return map[string]any{"type": "map", "values": s.optional(name+"_value", &t.Fields[1])}
	case column.Fixed, column.UUID:
		length := t.Length
		if t.Kind == column.UUID {
			length = 16
		}
		return s.annotated(t, map[string]any{"type": "fixed", "name": name, "size": length})
	}
	return s.annotated(t, map[string]any{"type": physical(t.Kind)})
}

func (s *avroSchema) annotated(t column.Type, m map[string]any) any {
	names := map[column.Kind]string{
		column.Date: "date", column.Time: "time-micros", column.Timestamp: "local-timestamp-micros", column.TimestampTZ: "timestamp-micros",
		column.TimestampNs: "local-timestamp-nanos", column.TimestampTZNs: "timestamp-nanos",
		column.UUID: "uuid", column.Decimal: "decimal",
	}
	if name, ok := names[t.Kind]; ok && s.logical {
		m = maps.Clone(m)
		m["logicalType"] = name
		if t.Kind == column.Decimal {
			m["precision"], m["scale"] = t.Precision, t.Scale
		}
	}
	return m
}

func physical(k column.Kind) string {
	switch k {
	case column.Boolean:
		return "boolean"
	case column.Int, column.Date:
		return "int"
	case column.Long, column.Time, column.Timestamp, column.TimestampTZ, column.TimestampNs, column.TimestampTZNs:
		return "long"
	case column.Float:
		return "float"
	case column.Double:
		return "double"
	case column.String:
		return "string"
	default:
		return "bytes"
	}
}

// native is a value as goavro wants it. Nested names begin at "row", as in the schema.
func (s *avroSchema) native(f *column.Field, v any) any { return s.named("row_"+f.Name, f, v) }

func (s *avroSchema) named(name string, f *column.Field, v any) any {
	if v == nil {
		return nil
	}
	var branch string
	switch f.Type.Kind {
	case column.Struct:
		branch = name
		m := map[string]any{}
		for i := range f.Type.Fields {
			c := &f.Type.Fields[i]
			m[c.Name] = s.named(name+"_"+c.Name, c, v.(map[string]any)[c.Name])
		}
		v = m
	case column.List:
		branch = "array"
		list := []any{}
		for _, e := range v.([]any) {
			list = append(list, s.named(name+"_element", &f.Type.Fields[0], e))
		}
		v = list
	case column.Map:
		branch = "map"
		m := map[string]any{}
		for _, e := range v.([]pair) {
			m[e.key] = s.named(name+"_value", &f.Type.Fields[1], e.value)
		}
		v = m
	case column.UUID, column.Fixed:
		branch = name
	case column.Decimal:
		branch, v = "bytes", twosComplement(v.(*big.Int))
	default:
		branch = physical(f.Type.Kind)
	}
	if f.Required {
		return v
	}
	return goavro.Union(branch, v)
}

// twosComplement is the shortest big-endian form.
func twosComplement(v *big.Int) []byte {
	for n := 1; ; n++ {
		half := new(big.Int).Lsh(big.NewInt(1), uint(8*n-1))
		if v.Cmp(half) >= 0 || v.Cmp(new(big.Int).Neg(half)) < 0 {
			continue
		}
		if v.Sign() < 0 {
			v = new(big.Int).Add(v, new(big.Int).Lsh(half, 1))
		}
		return v.FillBytes(make([]byte, n))
	}
}

// The oracle's own encoder: what it writes, goavro reads back as the same numbers.
func TestDecimalsInBytes(t *testing.T) {
	for v, want := range map[int64]string{0: "00", -1: "ff", 127: "7f", 128: "0080", -128: "80", -129: "ff7f"} {
		require.Equal(t, want, fmt.Sprintf("%x", twosComplement(big.NewInt(v))))
	}
}
