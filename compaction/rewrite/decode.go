package rewrite

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// readable says in words what this package does not read of a chunk; nothing when it reads all of it.
func readable(md *format.ColumnMetaData) string {
	if _, ok := parquet.CodecOf(md.Codec); !ok {
		return "codec " + md.Codec.String()
	}
	for _, e := range md.Encoding {
		if !known(e) && e != format.BitPacked { // what some writers list for the levels they do not have
			return "encoding " + e.String()
		}
	}
	for i := range md.EncodingStats {
		if k := md.EncodingStats[i].PageType; k != format.DataPage && k != format.DictionaryPage {
			return "pages of type " + k.String()
		}
	}
	return ""
}

func known(e format.Encoding) bool {
	switch e {
	case format.Plain, format.RLE, format.RLEDictionary, format.PlainDictionary, format.DeltaBinaryPacked:
		return true
	default:
		return false
	}
}

// byReference tells whether a page refers to the dictionary of its chunk.
func (h *header) byReference() bool {
	return h.encoding == format.RLEDictionary || h.encoding == format.PlainDictionary
}

// decode reads the levels and values of an uncompressed page.
func (p *page) decode(leaf *column.Leaf, h *header, b []byte) (err error) {
	p.reset()
	p.entries, p.values, p.rows = h.entries, h.entries, h.entries
	if leaf.MaxRep > 0 {
		if p.rep, b, err = readLevels(p.rep, b, h.entries, leaf.MaxRep); err != nil {
			return err
		}
		if h.entries > 0 && p.rep[0] != 0 {
			return errLevels
		}
		p.rows = bytes.Count(p.rep, []byte{0})
	}
	if leaf.MaxDef > 0 {
		if p.def, b, err = readLevels(p.def, b, h.entries, leaf.MaxDef); err != nil {
			return err
		}
		p.values = bytes.Count(p.def, []byte{leaf.MaxDef})
	}
	switch h.encoding {
	case format.RLEDictionary, format.PlainDictionary:
		return p.readIndex(b)
	case format.DeltaBinaryPacked:
		return p.readDelta(leaf, b)
	default:
		return p.setPlain(leaf, b)
	}
}

// readLevels reads n levels of a version 1 page and gives what follows them.
func readLevels(dst, b []byte, n int, highest uint8) (levels, rest []byte, err error) {
	if len(b) < 4 {
		return dst, nil, errLevels
	}
	size := binary.LittleEndian.Uint32(b)
	if uint64(size) > uint64(len(b)-4) {
		return dst, nil, errLevels
	}
	b, rest = b[4:4+size], b[4+size:]
	width := bits.Len8(highest)
	if !runsHold(b, width, n) {
		return dst, nil, errLevels
	}
	e := rle.Encoding{BitWidth: width}
	levels, err = e.DecodeLevels(dst[:0], b)
	if err != nil || len(levels) < n {
		return dst, nil, errLevels
	}
	levels = levels[:n]
	for _, v := range levels {
		if v > highest {
			return dst, nil, errLevels
		}
	}
	return levels, rest, nil
}

// runsHold tells whether runs of values of that width are about n values, before a decoder allocates what a damaged
// length asks for. A bit packed run may end with padding.
func runsHold(b []byte, width, n int) bool {
	const padding = 8 * 64
	bytesPerValue := (width + 7) / 8
	total := 0
	for len(b) > 0 {
		u, k := binary.Uvarint(b)
		if k <= 0 {
			return false
		}
		b = b[k:]
		count, size := u>>1, uint64(bytesPerValue)
		if u&1 != 0 {
			if count > uint64(n/8+64) {
				return false
			}
			size = count * uint64(width)
			count *= 8
		} else if count > uint64(n) {
			return false
		}
		total += int(count)
		if total > n+padding {
			return false
		}
		if size > uint64(len(b)) {
			size = uint64(len(b)) // the decoders allow a short last run
		}
		b = b[size:]
	}
	return total >= n
}

// readIndex reads references.
func (p *page) readIndex(b []byte) error {
	p.mode = indexed
	if p.values == 0 {
		return nil
	}
	if len(b) == 0 || b[0] > 32 {
		return errValues
	}
	width := int(b[0])
	if width == 0 { // a dictionary of one value
		p.index = grow(p.index[:0], p.values)
		clear(p.index)
		return nil
	}
	if !runsHold(b[1:], width, p.values) {
		return errValues
	}
	if cap(p.index) < p.values+64 {
		p.index = make([]int32, 0, p.values+p.values/4+64)
	}
	e := rle.Encoding{BitWidth: width}
	v, err := e.DecodeInt32(p.index[:cap(p.index)], b[1:])
	if err != nil || len(v) < p.values {
		return errValues
	}
	p.index = v[:p.values]
	return nil
}

// readDelta reads packed integers.
func (p *page) readDelta(leaf *column.Leaf, b []byte) (err error) {
	p.mode = plain
	if !deltaHolds(b, p.values) {
		return errValues
	}
	var e delta.BinaryPackedEncoding
	switch leaf.Physical {
	case column.PhysInt64:
		p.i64, err = e.DecodeInt64(p.i64[:0], b)
	case column.PhysInt32:
		p.i32, err = e.DecodeInt32(p.i32[:0], b)
	default:
		return errValues
	}
	if err != nil || len(p.i64)+len(p.i32) != p.values {
		return errValues
	}
	return nil
}

// deltaHolds tells whether packed integers say that they are n.
func deltaHolds(b []byte, n int) bool {
	var u uint64
	for range 3 { // block size, number of small blocks, number of values
		var k int
		if u, k = binary.Uvarint(b); k <= 0 {
			return false
		}
		b = b[k:]
	}
	return u == uint64(n)
}
