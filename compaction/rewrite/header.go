package rewrite

import (
	"encoding/binary"
	"math"

	"github.com/parquet-go/parquet-go/format"
)

// maxPage is the most bytes of a page, compressed or not, that is read into memory.
const maxPage = 128 << 20

// maxPageEntries is the most entries of a page. A run of a damaged page says in a few bytes that it is billions.
const maxPageEntries = 1 << 24

// header is a page header.
type header struct {
	kind         format.PageType
	uncompressed int
	compressed   int
	entries      int
	encoding     format.Encoding
	crc          uint32
	hasCRC       bool
	size         int // of the header itself
	levels       [2]format.Encoding
}

// thriftReader reads thrift's compact protocol as far as page headers need it.
type thriftReader struct {
	b   []byte
	at  int
	bad bool
}

// Types of the compact protocol.
const (
	tStop   = 0
	tTrue   = 1
	tFalse  = 2
	tByte   = 3
	tI16    = 4
	tI64    = 6
	tDouble = 7
	tBinary = 8
	tStruct = 12
)

// deepest is how far structs in headers nest (statistics, no further), with room.
const deepest = 8

func (t *thriftReader) byte() byte {
	if t.at >= len(t.b) {
		t.bad = true
		return 0
	}
	t.at++
	return t.b[t.at-1]
}

func (t *thriftReader) varint() uint64 {
	u, n := binary.Uvarint(t.b[min(t.at, len(t.b)):])
	if n <= 0 {
		t.bad = true
		return 0
	}
	t.at += n
	return u
}

func (t *thriftReader) int() int {
	u := t.varint()
	return int(int64(u>>1) ^ -int64(u&1))
}

func (t *thriftReader) skip(kind byte, depth int) {
	if depth > deepest {
		t.bad = true
		return
	}
	switch kind {
	case tTrue, tFalse:
	case tByte:
		t.at++
	case tI16, thriftI32, tI64:
		t.varint()
	case tDouble:
		t.at += 8
	case tBinary:
		t.at += int(t.varint() & math.MaxInt32)
	case tStruct:
		t.fields(depth+1, func(int, byte) bool { return false })
	default:
		t.bad = true
	}
}

const thriftI32 = 5

// fields walks a struct. take reads a field, or returns false to have it skipped.
func (t *thriftReader) fields(depth int, take func(id int, kind byte) bool) {
	id := 0
	for !t.bad {
		b := t.byte()
		if b == tStop {
			return
		}
		if d := int(b >> 4); d > 0 {
			id += d
		} else {
			id = t.int()
		}
		if !take(id, b&15) {
			t.skip(b&15, depth)
		}
	}
}

// parseHeader reads the header at the beginning of b, which may end too early: ok is false then.
func parseHeader(b []byte) (h header, ok bool) {
	t := thriftReader{b: b}
	page := func(id int, kind byte) bool {
		if kind != thriftI32 || id < 1 || id > 4 {
			return false
		}
		v := t.int()
		switch id {
		case 1:
			h.entries = v
		case 2:
			h.encoding = format.Encoding(v)
		default:
			h.levels[id-3] = format.Encoding(v)
		}
		return true
	}
	t.fields(0, func(id int, kind byte) bool {
		switch {
		case kind == thriftI32 && id == 1:
			h.kind = format.PageType(t.int())
		case kind == thriftI32 && id == 2:
			h.uncompressed = t.int()
		case kind == thriftI32 && id == 3:
			h.compressed = t.int()
		case kind == thriftI32 && id == 4:
			h.crc, h.hasCRC = uint32(t.int()), true
		case kind == tStruct && (id == 5 || id == 7):
			t.fields(1, page)
		default:
			return false
		}
		return true
	})
	h.size = t.at
	return h, !t.bad && t.at <= len(b)
}

// sane tells whether the numbers of the header are possible.
func (h *header) sane() bool {
	return h.compressed >= 0 && h.compressed <= maxPage && h.uncompressed >= 0 && h.uncompressed <= maxPage && h.entries >= 0 && h.entries <= maxPageEntries
}
