package parquet

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/format"
)

// pageHeader is what a page says about itself. It is written by hand, in thrift's compact protocol: fields in the
// order of their ids, i32 as zigzag varints.
type pageHeader struct {
	dictionary   bool
	uncompressed int
	compressed   int
	hasCRC       bool
	crc          uint32
	entries      int // level entries of a data page, values of a dictionary page
	encoding     format.Encoding
}

const (
	thriftI32    = 5
	thriftStruct = 12
	thriftStop   = 0
)

// append writes the header to dst.
func (h *pageHeader) append(dst []byte) []byte {
	kind := format.DataPage
	if h.dictionary {
		kind = format.DictionaryPage
	}
	dst = appendI32(dst, 1, int32(kind))
	dst = appendI32(dst, 1, int32(h.uncompressed))
	dst = appendI32(dst, 1, int32(h.compressed))
	last := 3
	if h.hasCRC {
		dst = appendI32(dst, 1, int32(h.crc))
		last = 4
	}
	if h.dictionary {
		dst = append(dst, byte(7-last)<<4|thriftStruct)
		dst = appendI32(dst, 1, int32(h.entries))
		dst = appendI32(dst, 1, int32(format.Plain))
		return append(dst, thriftStop, thriftStop)
	}
	dst = append(dst, byte(5-last)<<4|thriftStruct)
	dst = appendI32(dst, 1, int32(h.entries))
	dst = appendI32(dst, 1, int32(h.encoding))
	dst = appendI32(dst, 1, int32(format.RLE))
	dst = appendI32(dst, 1, int32(format.RLE))
	return append(dst, thriftStop, thriftStop)
}

// appendI32 writes a field header (difference of ids, type) and the value.
func appendI32(dst []byte, delta byte, v int32) []byte {
	dst = append(dst, delta<<4|thriftI32)
	return binary.AppendUvarint(dst, uint64(uint32(v<<1)^uint32(v>>31)))
}
