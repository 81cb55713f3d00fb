package rewrite

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// maxEntries bounds a dictionary beside its bytes: the hash table is 32 bytes an entry, and references of more bits hardly
// save anything.
const maxEntries = 1 << 18

// dict is the dictionary of an output chunk: values in PLAIN layout, of a fixed width or behind their length.
type dict struct {
	width  int // 0: byte strings
	buf    []byte
	starts []uint32 // of byte strings in buf
	n      int
	table  []slot
	spare  []slot // room for the table of another size
	mask   uint32
	seed   uint64
	hashes [block]uint64
	places [block]uint32
	sink   uint32 // keeps the touches of add
}

// slot of the hash table, which is probed one by one.
type slot struct {
	hash  uint32
	entry int32 // + 1; 0 is free
	at    uint32
	size  uint32
}

// block is the number of values whose table slots are fetched together.
const block = 64

// reset begins a dictionary for values of a width.
func (d *dict) reset(width int) {
	d.width, d.buf, d.starts, d.n = width, d.buf[:0], d.starts[:0], 0
	d.resize(block)
}

// Odd constants of the hash.
const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db

func mix(a, b uint64) uint64 {
	h, l := bits.Mul64(a, b)
	return h ^ l
}

func (d *dict) hash(v []byte) uint64 {
	n := len(v)
	s := d.seed ^ uint64(n)*k1
	if n < 8 {
		var t [8]byte
		copy(t[:], v)
		return mix(binary.LittleEndian.Uint64(t[:])^k0, s|1)
	}
	e := v[n-8:]
	for len(v) > 16 {
		s = mix(binary.LittleEndian.Uint64(v)^k0, binary.LittleEndian.Uint64(v[8:])^s)
		v = v[16:]
	}
	if len(v) >= 8 {
		s = mix(binary.LittleEndian.Uint64(v)^k1, s|1)
	}
	return mix(binary.LittleEndian.Uint64(e)^k0, s|1)
}

// prefix is the length of what stands before a value.
func (d *dict) prefix() uint32 {
	if d.width > 0 {
		return 0
	}
	return 4
}

// value is an entry, without its length.
func (d *dict) value(i int32) []byte {
	if d.width > 0 {
		return d.buf[int(i)*d.width : (int(i)+1)*d.width]
	}
	at := d.starts[i]
	return d.buf[at+4 : at+4+binary.LittleEndian.Uint32(d.buf[at:])]
}

// inputDict is the dictionary of an input chunk: values in PLAIN layout and where they begin and end.
type inputDict struct {
	plain []byte
	off   []uint32 // one more than there are values
}

// reset leaves a dictionary without values.
func (in *inputDict) reset() { in.plain, in.off = nil, append(in.off[:0], 0) }

// load finds the values of a dictionary page.
func (in *inputDict) load(plain []byte, n, width int) error {
	in.plain, in.off = plain, in.off[:0]
	if n < 0 || n > len(plain)+1 {
		return errValues
	}
	if width > 0 {
		if n*width != len(plain) {
			return errValues
		}
		for i := range n + 1 {
			in.off = append(in.off, uint32(i*width))
		}
		return nil
	}
	if !wholeBytes(plain, n) {
		return errValues
	}
	at := uint32(0)
	for range n {
		in.off = append(in.off, at)
		at += 4 + binary.LittleEndian.Uint32(plain[at:])
	}
	in.off = append(in.off, at)
	return nil
}

func (in *inputDict) len() int { return len(in.off) - 1 }

// add maps the values of an input dictionary to entries. It is false when they do not fit; then no page of the input may
// refer to the dictionary.
func (d *dict) add(remap []int32, in *inputDict, most int) ([]int32, bool) {
	n := in.len()
	remap = grow(remap[:0], n)
	d.makeRoom(min(n, maxEntries-d.n))
	pre := d.prefix()
	for i := 0; i < n; i += block {
		m := min(block, n-i)
		for j := range m {
			d.hashes[j] = d.hash(in.plain[in.off[i+j]+pre : in.off[i+j+1]])
		}
		d.touch(m)
		for j := range m {
			k, ok := d.find(d.hashes[j], in.plain[in.off[i+j]:in.off[i+j+1]], most)
			if !ok {
				return remap, false
			}
			remap[i+j] = k
		}
	}
	return remap, true
}

// touch reads the slots of a block and then their values, so that the misses of the cache overlap.
func (d *dict) touch(m int) {
	t := uint32(0)
	for j, h := range d.hashes[:m] {
		e := &d.table[uint32(h>>32)&d.mask]
		d.places[j] = e.at
		t |= e.hash
	}
	if len(d.buf) > 0 {
		for _, at := range d.places[:m] {
			t |= uint32(d.buf[min(int(at), len(d.buf)-1)])
		}
	}
	d.sink = t
}

// find gives the entry of a value, which stands behind its length, and makes one if there is room.
func (d *dict) find(hash uint64, plain []byte, most int) (int32, bool) {
	pre := d.prefix()
	v := plain[pre:]
	h := uint32(hash >> 32)
	for k := h & d.mask; ; k = (k + 1) & d.mask {
		e := &d.table[k]
		if e.entry == 0 {
			if len(d.buf)+len(plain) > most || d.n == maxEntries {
				return 0, false
			}
			at := uint32(len(d.buf))
			d.buf = append(d.buf, plain...)
			if d.width == 0 {
				d.starts = append(d.starts, at)
			}
			d.n++
			*e = slot{hash: h, entry: int32(d.n), at: at + pre, size: uint32(len(v))}
			return int32(d.n - 1), true
		}
		if e.hash == h && e.size == uint32(len(v)) && bytes.Equal(d.buf[e.at:e.at+e.size], v) {
			return e.entry - 1, true
		}
	}
}

// makeRoom keeps the table at most half full with n more entries.
func (d *dict) makeRoom(n int) {
	want := 1 << bits.Len(uint(2*(d.n+n)))
	if want <= len(d.table) {
		return
	}
	old := d.resize(want)
	for _, e := range old {
		if e.entry == 0 {
			continue
		}
		k := e.hash & d.mask
		for d.table[k].entry != 0 {
			k = (k + 1) & d.mask
		}
		d.table[k] = e
	}
}

// resize makes the table an empty one of a size, and gives the one before, which is good until the next call.
func (d *dict) resize(size int) (old []slot) {
	old = d.table
	if cap(d.spare) < size {
		d.spare = make([]slot, size)
	}
	d.table, d.spare = d.spare[:size], old
	clear(d.table)
	d.mask = uint32(size - 1)
	return old
}

// same tells whether references mean the same before and after.
func same(remap []int32) bool {
	for i, x := range remap {
		if int(x) != i {
			return false
		}
	}
	return true
}
