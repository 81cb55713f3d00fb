package avro

import (
	"math"

	"github.com/ingestd/ingestd/table/column"
)

// leaf compiles a value that goes to one column.
func (c *compiler) leaf(b *builder, t *avroType, n *column.Node, at place) {
	o, ok := convertTo(t, n.Field.Type)
	if !ok {
		c.mismatch(at, n, t.String(), "the types are different")
		return
	}
	if c.columns == nil {
		return
	}
	col := c.columns[n.Leaf]
	o.col = col
	switch {
	case col.Leaf.MaxDef == 0:
		b.add(o, at)
	case !col.Flat():
		b.add(o, at)
		b.add(op{code: opLevels, def: col.Leaf.MaxDef, col: col}, at)
	case o.code == opLong || o.code == opInt || o.code == opBytes:
		o.code++ // the op that has SetValid built in
		b.add(o, at)
	default:
		b.add(o, at)
		b.add(op{code: opValid, col: col}, at)
	}
}

// convertTo finds the op that brings a value of type t into a column, if there is one: the proposed column, what
// Iceberg's promotions allow, and what the package comment lists.
func convertTo(t *avroType, to column.Type) (op, bool) {
	switch to.Kind {
	case column.Decimal:
		return toDecimal(t, to)
	case column.String:
		return toText(t)
	case column.Fixed:
		return op{code: opFixed, n: int32(t.size)}, t.kind == kFixed && t.size == to.Length && t.logical != lDecimal
	case column.UUID:
		if t.kind == kFixed {
			return op{code: opFixed, n: 16}, t.logical == lUUID
		}
		return op{code: opUUID}, t.logical == lUUID
	case column.Time:
		o, ok := toTime(t)
		o.def = 1
		return o, ok
	case column.TimestampTZ:
		return toTimestamp(t, lTimestampMillis)
	case column.Timestamp:
		return toTimestamp(t, lLocalMillis)
	case column.TimestampTZNs:
		return toNanos(t, lTimestampMillis)
	case column.TimestampNs:
		return toNanos(t, lLocalMillis)
	case column.Date:
		return op{code: opInt}, t.logical == lDate
	default:
		return toPrimitive(t, to.Kind)
	}
}

func toPrimitive(t *avroType, to column.Kind) (op, bool) {
	if t.logical != lNone {
		if to == column.Long {
			return toTime(t)
		}
		return op{}, false
	}
	for _, r := range [...]struct {
		from kind
		to   column.Kind
		code opcode
	}{
		{kBoolean, column.Boolean, opBool},
		{kInt, column.Int, opInt},
		{kInt, column.Long, opIntLong},
		{kLong, column.Long, opLong},
		{kFloat, column.Float, opFloat},
		{kFloat, column.Double, opFloatDouble},
		{kDouble, column.Double, opDouble},
		{kBytes, column.Binary, opBytes},
	} {
		if r.from == t.kind && r.to == to {
			return op{code: r.code}, true
		}
	}
	return op{}, false
}

func toDecimal(t *avroType, to column.Type) (op, bool) {
	if t.logical != lDecimal || t.asText() || t.scale != to.Scale || t.precision > to.Precision || t.size > math.MaxUint16 {
		return op{}, false
	}
	o := op{code: opDecWide, n: int32(to.Precision), jump: uint16(t.size)}
	switch {
	case to.Precision <= 9:
		o.code = opDec32
	case to.Precision <= 18:
		o.code = opDec64
	}
	return o, true
}

func toText(t *avroType) (op, bool) {
	switch {
	case t.kind == kString:
		return op{code: opBytes}, true
	case t.kind == kEnum:
		x := &extra{symbols: make([][]byte, len(t.symbols))}
		for i, s := range t.symbols {
			x.symbols[i] = []byte(s)
		}
		return op{code: opEnum, x: x}, true
	case t.logical == lDecimal:
		return op{code: opDecText, n: int32(t.scale), jump: uint16(t.size)}, t.size <= math.MaxUint16
	case t.logical == lUUID:
		return op{code: opUUIDText, n: 16}, true
	case t.logical == lDuration:
		return op{code: opDuration, n: 12}, true
	}
	return op{}, false
}

func toTime(t *avroType) (op, bool) {
	switch t.logical {
	case lTimeMillis:
		return op{code: opTime, n: 1000}, true
	case lTimeMicros:
		return op{code: opTime, n: 1}, true
	default:
		return op{}, false
	}
}

// toTimestamp brings the three units that begin with the logical type millis into microseconds.
func toTimestamp(t *avroType, millis logical) (op, bool) {
	switch t.logical {
	case millis:
		return op{code: opMillis}, true
	case millis + 1:
		return op{code: opLong}, true
	case millis + 2:
		return op{code: opNanos}, true
	default:
		return op{}, false
	}
}

// toNanos brings the same units into nanoseconds.
func toNanos(t *avroType, millis logical) (op, bool) {
	switch t.logical {
	case millis:
		return op{code: opTimes, n: 1_000_000}, true
	case millis + 1:
		return op{code: opTimes, n: 1000}, true
	case millis + 2:
		return op{code: opLong}, true
	default:
		return op{}, false
	}
}
