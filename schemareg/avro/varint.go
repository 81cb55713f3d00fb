package avro

import (
	"encoding/binary"
	"math/bits"
)

// varint reads the variable-length number at p and gives the position behind it, or a fault. Numbers of up to eight
// bytes are taken from one load: find the byte without the high bit, then push the seven-bit groups together.
func varint(b []byte, p int) (uint64, int) {
	if len(b)-p >= 8 {
		x := binary.LittleEndian.Uint64(b[p:])
		if stop := ^x & 0x8080808080808080; stop != 0 {
			x &= stop ^ (stop - 1)
			x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
			x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
			x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
			return x, p + bits.TrailingZeros64(stop)>>3 + 1
		}
	}
	return varintSlow(b, p)
}

// varintSlow reads what is near the end of the record or longer than eight bytes.
func varintSlow(b []byte, p int) (uint64, int) {
	var x uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if p >= len(b) {
			return 0, faultShort
		}
		c := b[p]
		p++
		if c < 0x80 {
			if shift == 63 && c > 1 {
				return 0, faultVarint
			}
			return x | uint64(c)<<shift, p
		}
		x |= uint64(c&0x7f) << shift
	}
	return 0, faultVarint
}

// skipVarint gives the position behind the variable-length number at p, or a fault.
func skipVarint(b []byte, p int) int {
	if len(b)-p >= 8 {
		x := binary.LittleEndian.Uint64(b[p:])
		if stop := ^x & 0x8080808080808080; stop != 0 {
			return p + bits.TrailingZeros64(stop)>>3 + 1
		}
	}
	_, p = varintSlow(b, p)
	return p
}

// length reads the length of bytes or a string and checks that as many follow.
func length(b []byte, p int) (n, at int) {
	var u uint64
	if p < len(b) && b[p] < 0x80 {
		u = uint64(b[p])
		p++
	} else if u, p = varint(b, p); p < 0 {
		return 0, p
	}
	if u&1 != 0 {
		return 0, faultLength
	}
	if u>>1 > uint64(len(b)-p) {
		return 0, faultShort
	}
	return int(u >> 1), p
}

// zigzag undoes the mapping of signed numbers to unsigned ones.
func zigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// int32Of reads a number that must fit 32 bits.
func int32Of(b []byte, p int) (int32, int) {
	u, p := varint(b, p)
	if p >= 0 && u > 1<<32-1 {
		return 0, faultInt
	}
	return int32(zigzag(u)), p
}
