package avro

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
)

const dayMicros = 24 * 60 * 60 * 1_000_000

// convert runs the ops that read a value and make another one of it.
func (pr *Program) convert(o *op, b []byte, p int) int {
	switch o.code {
	case opIntLong:
		v, p := int32Of(b, p)
		if p >= 0 {
			o.col.AppendInt64(int64(v))
		}
		return p
	case opTime:
		return timeOfDay(o, b, p)
	case opNanos:
		u, p := varint(b, p)
		if p >= 0 {
			o.col.AppendInt64(floorDiv(zigzag(u), 1000))
		}
		return p
	case opTimes:
		return times(o, b, p)
	case opFloatDouble:
		if len(b)-p < 4 {
			return faultShort
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(b[p:]))
		o.col.AppendDouble(math.Float64bits(float64(f)))
		return p + 4
	case opEnum:
		u, p := varint(b, p)
		if p >= 0 {
			if u&1 != 0 || u>>1 >= uint64(len(o.x.symbols)) {
				return faultSymbol
			}
			o.col.AppendBytes(o.x.symbols[u>>1])
		}
		return p
	case opUUID:
		return pr.uuid(o, b, p)
	case opDecWide:
		return pr.decimalWide(o, b, p)
	case opDecText:
		return pr.decimalText(o, b, p)
	default:
		return pr.fixed(o, b, p)
	}
}

// fixed runs the ops on n bytes.
func (pr *Program) fixed(o *op, b []byte, p int) int {
	if len(b)-p < int(o.n) {
		return faultShort
	}
	v := b[p : p+int(o.n)]
	switch o.code {
	case opFixed:
		o.col.AppendFixed(v)
	case opUUIDText:
		pr.scratch = appendUUID(pr.scratch[:0], v)
		o.col.AppendBytes(pr.scratch)
	default: // opDuration
		pr.scratch = appendDuration(pr.scratch[:0], v)
		o.col.AppendBytes(pr.scratch)
	}
	return p + int(o.n)
}

// timeOfDay appends a number of microseconds. Readers fail on times outside of a day, so these are refused unless
// the column is a plain long.
func timeOfDay(o *op, b []byte, p int) int {
	u, p := varint(b, p)
	if p < 0 {
		return p
	}
	v, factor := zigzag(u), int64(o.n)
	if factor > 1 && u > math.MaxUint32 { // time-millis is an int
		return faultInt
	}
	v *= factor
	if o.def == 1 && (v < 0 || v >= dayMicros) {
		return faultTime
	}
	o.col.AppendInt64(v)
	return p
}

// times appends a number of n nanoseconds.
func times(o *op, b []byte, p int) int {
	u, p := varint(b, p)
	if p < 0 {
		return p
	}
	v, n := zigzag(u), int64(o.n)
	if v > math.MaxInt64/n || v < math.MinInt64/n {
		return faultTimestamp
	}
	o.col.AppendInt64(v * n)
	return p
}

func floorDiv(v, by int64) int64 {
	q := v / by
	if v%by < 0 {
		q--
	}
	return q
}

// uuid reads the text form, 8-4-4-4-12 hexadecimal digits.
func (pr *Program) uuid(o *op, b []byte, p int) int {
	n, p := length(b, p)
	if p < 0 {
		return p
	}
	s := b[p : p+n]
	if n != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return faultUUID
	}
	u := append(pr.scratch[:0], make([]byte, 16)...)
	pr.scratch = u
	at := 0
	for _, group := range [...][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}} {
		w, err := hex.Decode(u[at:], s[group[0]:group[1]])
		if err != nil {
			return faultUUID
		}
		at += w
	}
	o.col.AppendFixed(u)
	return p + n
}

func appendUUID(dst, u []byte) []byte {
	for i, v := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, "0123456789abcdef"[v>>4], "0123456789abcdef"[v&15])
	}
	return dst
}

// appendDuration writes months, days and milliseconds as ISO 8601, without the parts that are zero.
func appendDuration(dst, v []byte) []byte {
	months, days, millis := binary.LittleEndian.Uint32(v), binary.LittleEndian.Uint32(v[4:]), binary.LittleEndian.Uint32(v[8:])
	dst = append(dst, 'P')
	if months > 0 {
		dst = append(strconv.AppendUint(dst, uint64(months), 10), 'M')
	}
	if days > 0 {
		dst = append(strconv.AppendUint(dst, uint64(days), 10), 'D')
	}
	if millis > 0 || months == 0 && days == 0 {
		dst = strconv.AppendUint(append(dst, 'T'), uint64(millis/1000), 10)
		if f := millis % 1000; f > 0 {
			dst = append(dst, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
		}
		dst = append(dst, 'S')
	}
	return dst
}
