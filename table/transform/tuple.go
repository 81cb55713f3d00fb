package transform

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/iceberg-go"
	"github.com/google/uuid"

	"github.com/ingestd/ingestd/table/column"
)

// Tuple is a partition: one value per field of the spec. The zero Tuple is that of an unpartitioned table.
type Tuple struct {
	ids    []int
	values []any
	key    string
	path   string
}

// Key is equal for equal tuples and for no others, also between Partitioners of one spec.
func (t Tuple) Key() string { return t.key }

// Path is the directory of the partition below a table's data directory, "" when it has none. It is for people:
// readers take the values from metadata, so that whatever a file system or a reader's path handling could stumble
// over is replaced and long values are cut.
func (t Tuple) Path() string { return t.path }

// Values gives the partition values by partition field id, in the types iceberg-go's data files have them; a null
// is an explicit nil.
func (t Tuple) Values() map[int]any {
	if len(t.ids) == 0 {
		return nil
	}
	m := make(map[int]any, len(t.ids))
	for i, id := range t.ids {
		m[id] = t.values[i]
	}
	return m
}

// value is the partition value of a code.
func (f *field) value(code uint32) any {
	e := &f.values[code]
	if e.form == isNull {
		return nil
	}
	switch f.term.Kind {
	case Bucket, Year, Month, Hour:
		return int32(e.n)
	case Day:
		return iceberg.Date(e.n)
	default:
		return f.sourceValue(e)
	}
}

// sourceValue is a value of the source's own type, for identity and truncate.
func (f *field) sourceValue(e *entry) any {
	switch f.typ.Kind {
	case column.Boolean:
		return e.n != 0
	case column.Int:
		return int32(e.n)
	case column.Long:
		return e.n
	case column.Float:
		return math.Float32frombits(uint32(e.n))
	case column.Double:
		return math.Float64frombits(uint64(e.n))
	case column.Date:
		return iceberg.Date(e.n)
	case column.Time:
		return iceberg.Time(e.n)
	case column.Timestamp, column.TimestampTZ:
		return iceberg.Timestamp(e.n)
	case column.TimestampNs, column.TimestampTZNs:
		return iceberg.TimestampNano(e.n)
	case column.Decimal:
		return iceberg.Decimal{Val: f.decimal(e), Scale: f.typ.Scale}
	case column.String:
		return e.s
	case column.UUID:
		return uuid.UUID([]byte(e.s))
	default:
		return []byte(e.s)
	}
}

func (f *field) decimal(e *entry) decimal128.Num {
	w := wideOf(e.n)
	if e.form == isText {
		w = wideFrom([]byte(e.s))
	}
	return decimal128.New(w.hi, w.lo)
}

// key is an encoding of a value that no other value of the field has and that ends where it ends.
func (f *field) key(code uint32) string {
	e := &f.values[code]
	b := []byte{byte(e.form)}
	switch e.form {
	case isInt:
		b = binary.BigEndian.AppendUint64(b, uint64(e.n))
	case isText:
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e.s))), e.s...)
	case isNull:
	}
	return string(b)
}

// result is the type of the field's values, for people.
func (f *field) result() iceberg.Type {
	switch f.typ.Kind {
	case column.Timestamp:
		return iceberg.PrimitiveTypes.Timestamp
	case column.TimestampTZ:
		return iceberg.PrimitiveTypes.TimestampTz
	case column.TimestampNs:
		return iceberg.PrimitiveTypes.TimestampNs
	case column.TimestampTZNs:
		return iceberg.PrimitiveTypes.TimestampTzNs
	default:
		return nil
	}
}

const maxSegment = 96 // of a file name's 255; a path has several

// segment is name=value with everything replaced that is not a letter, a digit or one of -_. in ASCII: percent
// signs and spaces are read differently by different readers of file: paths, slashes and dots have meanings.
func segment(name, value string) string {
	return clean(name) + "=" + clean(value)
}

func clean(s string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, s)
	return out[:min(len(out), maxSegment)]
}
