package column

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"unicode/utf8"
	"unsafe"
)

// bytesDict is the dictionary of one chunk of byte arrays or fixed-length values. It works on a column at a time.
//
// Values of up to 16 bytes live in short, keyed by their zero-masked 16 bytes and the length: hash and equality need
// no branch on the length and no second memory access. Longer values live in long (hash, reference, offset, length)
// and are probed in blocks, so that the cache misses of the table and of the stored bytes overlap. A value is always
// compared in full.
//
// buf is the body of the dictionary page: the values in order of their references, in PLAIN layout.
type bytesDict struct {
	prefix int  // bytes of length before each value: 4, or 0 for fixed values
	width  int  // length of a fixed value
	text   bool // values must be UTF-8

	buf      []byte
	offs     []uint32 // offset of each value (behind its prefix) in buf
	short    []shortEntry
	long     []longEntry
	shorts   int
	longs    int
	seed     [2]uint64 // secret, so that nobody can send colliding values
	block    [blockLen]probe
	repaired int64  // values that were not UTF-8
	touched  uint32 // keeps the loads of touchShort alive
}

type shortEntry struct {
	a, b uint64 // the value, zero padded
	ref  int32
	tag  uint32 // length + 1; 0 is a free slot
}

type longEntry struct {
	hash uint32
	ref  int32 // reference + 1; 0 is a free slot
	off  uint32
	n    uint32
}

func newBytesDict(leaf *Leaf) *bytesDict {
	d := &bytesDict{prefix: 4, text: leaf.Type.Kind == String, seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
	if leaf.Physical == PhysFixed {
		d.prefix, d.width = 0, leaf.FixedLen
	}
	return d
}

// reset forgets the values; tables and buffers are kept.
func (d *bytesDict) reset() {
	if d.shorts > 0 {
		clear(d.short)
	}
	if d.longs > 0 {
		clear(d.long)
	}
	d.buf, d.offs = d.buf[:0], d.offs[:0]
	d.shorts, d.longs = 0, 0
}

func (d *bytesDict) len() int { return len(d.offs) }

func (d *bytesDict) bytes() int64 {
	return int64(cap(d.buf)) + 4*int64(cap(d.offs)) + int64(unsafe.Sizeof(*d)) +
		int64(len(d.short))*int64(unsafe.Sizeof(shortEntry{})) + int64(len(d.long))*int64(unsafe.Sizeof(longEntry{}))
}

// value returns the stored bytes of a reference.
func (d *bytesDict) value(ref int32) []byte {
	off := int(d.offs[ref])
	n := d.width
	if d.prefix > 0 {
		n = int(binary.LittleEndian.Uint32(d.buf[off-4:]))
	}
	return d.buf[off : off+n : off+n]
}

// add stores n bytes and returns their reference.
func (d *bytesDict) add(v unsafe.Pointer, n int) int32 {
	if d.prefix > 0 {
		d.buf = binary.LittleEndian.AppendUint32(d.buf, uint32(n))
	}
	d.offs = append(d.offs, uint32(len(d.buf)))
	d.buf = append(d.buf, unsafe.Slice((*byte)(v), n)...)
	return int32(len(d.offs) - 1)
}

// accepts tells whether n new bytes may be stored as they are.
func (d *bytesDict) accepts(v unsafe.Pointer, n int) bool {
	return !d.text || utf8.Valid(unsafe.Slice((*byte)(v), n))
}

// addRepaired stores a value that is not UTF-8 with U+FFFD in place of what is not. The raw bytes are not
// remembered: each occurrence comes here again, is counted, and finds the repaired value.
func (d *bytesDict) addRepaired(v unsafe.Pointer, n int) int32 {
	d.repaired++
	good := bytes.ToValidUTF8(unsafe.Slice((*byte)(v), n), []byte(string(utf8.RuneError)))
	plain := binary.LittleEndian.AppendUint32(make([]byte, 0, len(good)+4+slack), uint32(len(good)))
	plain = append(plain, good...)
	p := unsafe.Pointer(unsafe.SliceData(plain))
	if len(good) > maxShort {
		v := unsafe.Add(p, 4)
		return d.probeLong(d.hashLong(v, len(good)), v, len(good))
	}
	var ref [1]int32
	d.encodeShort(p, ref[:])
	return ref[0]
}

func (d *bytesDict) growShort() {
	old := d.short
	d.short = make([]shortEntry, max(16, 2*len(old)))
	mask := uint64(len(d.short) - 1)
	for _, e := range old {
		if e.tag == 0 {
			continue
		}
		i := d.hashShort(e.a, e.b, uint64(e.tag-1))
		for d.short[i&mask].tag != 0 {
			i++
		}
		d.short[i&mask] = e
	}
}

func (d *bytesDict) growLong() {
	old := d.long
	d.long = make([]longEntry, max(16, 2*len(old)))
	mask := uint32(len(d.long) - 1)
	for _, e := range old {
		if e.ref == 0 {
			continue
		}
		i := e.hash & mask
		for d.long[i].ref != 0 {
			i = (i + 1) & mask
		}
		d.long[i] = e
	}
}
