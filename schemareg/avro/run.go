package avro

import (
	"encoding/binary"
	"math"
)

// run works a block off from position p and gives the position behind it, or recorded. It is one of the few long
// functions of the product: the switch is a jump table, and a call per value would cost as much as the value.
//
//nolint:revive // length and branches: see above
func (pr *Program) run(blk *block, b []byte, p int, rep byte) int {
	var u uint64
	var n int
	var isNull bool
	ops := blk.ops
	for pc := 0; pc < len(ops); pc++ {
		o := &ops[pc]
		c := o.col
		switch o.code {
		case opLong, opLongOpt:
			if u, p = varint(b, p); p < 0 {
				return pr.fail(blk, pc, p)
			}
			c.AppendInt64(zigzag(u))
			if o.code == opLongOpt {
				c.SetValid()
			}
		case opInt, opIntOpt:
			if u, p = varint(b, p); p < 0 {
				return pr.fail(blk, pc, p)
			}
			if u > math.MaxUint32 {
				return pr.fail(blk, pc, faultInt)
			}
			c.AppendInt32(int32(zigzag(u)))
			if o.code == opIntOpt {
				c.SetValid()
			}
		case opMillis:
			if u, p = varint(b, p); p < 0 {
				return pr.fail(blk, pc, p)
			}
			v := zigzag(u)
			if v > math.MaxInt64/1000 || v < math.MinInt64/1000 {
				return pr.fail(blk, pc, faultTimestamp)
			}
			c.AppendInt64(v * 1000)
		case opFloat:
			if len(b)-p < 4 {
				return pr.fail(blk, pc, faultShort)
			}
			c.AppendFloat(binary.LittleEndian.Uint32(b[p:]))
			p += 4
		case opDouble:
			if len(b)-p < 8 {
				return pr.fail(blk, pc, faultShort)
			}
			c.AppendDouble(binary.LittleEndian.Uint64(b[p:]))
			p += 8
		case opBool:
			if p >= len(b) {
				return pr.fail(blk, pc, faultShort)
			}
			if b[p] > 1 {
				return pr.fail(blk, pc, faultBool)
			}
			c.AppendBool(b[p])
			p++
		case opBytes, opBytesOpt:
			if n, p = length(b, p); p < 0 {
				return pr.fail(blk, pc, p)
			}
			c.AppendFrom(b, p, n)
			p += n
			if o.code == opBytesOpt {
				c.SetValid()
			}
		case opDec32, opDec64:
			var v int64
			if v, p = decimal64(b, p, o); p < 0 {
				return pr.fail(blk, pc, p)
			}
			if o.code == opDec64 {
				c.AppendInt64(v)
			} else {
				c.AppendInt32(int32(v))
			}
		case opValid:
			c.SetValid()
		case opLevels:
			c.AppendLevels(o.def, rep)
		case opNullFlat, opNull, opNullSkip:
			if isNull, p = branch(b, p, o.n); p < 0 {
				return pr.fail(blk, pc, p)
			}
			if !isNull {
				continue
			}
			switch o.code {
			case opNullFlat:
				c.SetNull()
			case opNull:
				o.x.nulls.append(rep)
			default: // opNullSkip
			}
			pc = int(o.jump) - 1
		case opSkipVar:
			for k := o.n; k > 0; k-- {
				if p = skipVarint(b, p); p < 0 {
					return pr.fail(blk, pc, p)
				}
			}
		case opSkipBytes:
			for k := o.n; k > 0; k-- {
				if n, p = length(b, p); p < 0 {
					return pr.fail(blk, pc, p)
				}
				p += n
			}
		case opSkipFixed:
			if len(b)-p < int(o.n) {
				return pr.fail(blk, pc, faultShort)
			}
			p += int(o.n)
		case opSkipNullVar, opSkipNullBytes:
			if isNull, p = branch(b, p, o.n); p < 0 {
				return pr.fail(blk, pc, p)
			}
			if isNull {
				continue
			}
			if o.code == opSkipNullVar {
				p = skipVarint(b, p)
			} else if n, p = length(b, p); p >= 0 {
				p += n
			}
			if p < 0 {
				return pr.fail(blk, pc, p)
			}
		default:
			if o.code < nestedOps {
				p = pr.nested(o, b, p, rep)
			} else {
				p = pr.convert(o, b, p)
			}
			if p < 0 {
				return pr.fail(blk, pc, p)
			}
		}
	}
	return p
}

// branch reads the index of a union of two branches and tells whether it is the null one, which has index null.
func branch(b []byte, p int, null int32) (bool, int) {
	if p < len(b) && b[p] <= 2 && b[p]&1 == 0 {
		return int32(b[p]>>1) == null, p + 1
	}
	// The same numbers may be written in more bytes than they need.
	u, p := varint(b, p)
	if p >= 0 && (u > 2 || u&1 != 0) {
		return false, faultBranch
	}
	return int32(u>>1) == null, p
}
