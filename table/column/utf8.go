package column

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// RepairText replaces what is not UTF-8 in the PLAIN strings of the open page by U+FFFD and counts the values it
// changed (TakeRepaired). Dictionary values are repaired when they enter the dictionary. Avro and Kafka do not enforce
// UTF-8, readers of Parquet strings rely on it.
func (c *Column) RepairText() {
	if c.Leaf.Type.Kind != String || isASCII(c.buf) || c.textValid() {
		return
	}
	old := c.buf
	c.buf = make([]byte, 0, len(old)+len(old)/8+slack)
	c.count = 0
	for at := 0; at < len(old); {
		n := int(binary.LittleEndian.Uint32(old[at:]))
		v := old[at+4 : at+4+n]
		at += 4 + n
		if !utf8.Valid(v) {
			c.repaired++
			v = bytes.ToValidUTF8(v, []byte(string(utf8.RuneError)))
		}
		c.AppendBytes(v)
	}
	c.setMark()
}

// textValid checks value by value.
func (c *Column) textValid() bool {
	for at := 0; at < len(c.buf); {
		n := int(binary.LittleEndian.Uint32(c.buf[at:]))
		if !utf8.Valid(c.buf[at+4 : at+4+n]) {
			return false
		}
		at += 4 + n
	}
	return true
}

// isASCII is the quick answer for a whole page: lengths below 128 do not disturb it, longer ones only make the answer
// less often yes.
func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	var x uint64
	for len(b) >= 32 {
		x |= binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if x&high != 0 {
			return false
		}
		b = b[32:]
	}
	for _, v := range b {
		if v >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// TakeRepaired returns how many strings were changed since the last call because they were not UTF-8.
func (c *Column) TakeRepaired() int64 {
	n := c.repaired
	c.repaired = 0
	if d := c.absorber.bytes; d != nil {
		n += d.repaired
		d.repaired = 0
	}
	return n
}
