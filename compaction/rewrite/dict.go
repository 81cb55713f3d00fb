package rewrite

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// maxEntries bounds a dictionary beside its bytes: references of more bits hardly save anything.
const maxEntries = 1 << 18

// A slot of the hash table is the number of an entry, from 1 on, below bits of its hash; 0 is free. So small, the table stays
// in the processor's cache.
const (
	slotEntry = 2*maxEntries - 1
	slotHash  = ^uint32(slotEntry)
)

// dict is the dictionary of an output chunk: values in PLAIN layout, of a fixed width or behind their length.
type dict struct {
	width  int // 0: byte strings
	buf    []byte
	starts []uint32 // of byte strings in buf
	codes  []uint32 // the hash of each entry
	n      int
	table  []uint32 // slots, which are probed one by one
	mask   uint32
	seed   uint64
	batch  [block]uint32 // hashes
	places [block]uint32
	sink   uint32 // keeps the touches of add
}

// block is the number of values whose table slots are fetched together.
const block = 64

// reset begins a dictionary for values of a width.
func (d *dict) reset(width int) {
	d.width, d.buf, d.starts, d.codes, d.n = width, d.buf[:0], d.starts[:0], d.codes[:0], 0
	d.resize(4 * block)
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

// value is an entry, without its length.
func (d *dict) value(i int32) []byte {
	if d.width > 0 {
		return d.buf[int(i)*d.width : (int(i)+1)*d.width]
	}
	at := d.starts[i]
	return d.buf[at+4 : at+4+binary.LittleEndian.Uint32(d.buf[at:])]
}

// add maps the values of an input dictionary to entries. It is false when they do not fit; then no page of the input may
// refer to the dictionary.
func (d *dict) add(remap []int32, in *inputDict, most int) ([]int32, bool) {
	n := in.len()
	remap = grow(remap[:0], n)
	for i := 0; i < n; i += block {
		to := remap[i:min(n, i+block)]
		d.makeRoom(len(to))
		ok := false
		switch d.width {
		case 8:
			ok = addNumbers(d, to, view[uint64](in.plain)[i:], most)
		case 4:
			ok = addNumbers(d, to, view[uint32](in.plain)[i:], most)
		default:
			ok = d.addBytes(to, in, i, most)
		}
		if !ok {
			return remap, false
		}
	}
	return remap, true
}

// addBytes maps a block of values, from the i-th of the input on.
func (d *dict) addBytes(to []int32, in *inputDict, i, most int) (ok bool) {
	for j := range to {
		d.batch[j] = uint32(d.hash(in.value(i+j)) >> 32)
	}
	d.touch(len(to))
	for j := range to {
		if to[j], ok = d.find(d.batch[j], in.value(i+j), most); !ok {
			return false
		}
	}
	return true
}

// addNumbers is addBytes for values that are compared as a whole.
func addNumbers[T uint32 | uint64](d *dict, to []int32, values []T, most int) bool {
	values = values[:len(to)]
	for j, v := range values {
		d.batch[j] = uint32(mix(uint64(v)^k0, d.seed) >> 32)
	}
	d.touch(len(to))
	entries := view[T](d.buf)
	for j, v := range values {
		h := d.batch[j]
		k := h & d.mask
		e := d.table[k]
		for e != 0 && ((e^h)&slotHash != 0 || entries[e&slotEntry-1] != v) {
			k = (k + 1) & d.mask
			e = d.table[k]
		}
		if e != 0 {
			to[j] = int32(e&slotEntry) - 1
			continue
		}
		var ok bool
		if to[j], ok = d.insert(k, h, view[byte](values[j:j+1]), most); !ok {
			return false
		}
		entries = view[T](d.buf)
	}
	return true
}

// touch reads the slots of a block and then their values, so that the misses of the cache overlap.
func (d *dict) touch(m int) {
	for j, h := range d.batch[:m] {
		d.places[j] = d.table[h&d.mask] & slotEntry
	}
	if d.n == 0 {
		return
	}
	width := uint32(d.width)
	for j, k := range d.places[:m] {
		k -= min(k, 1)
		if width > 0 {
			d.places[j] = k * width
		} else {
			d.places[j] = d.starts[k]
		}
	}
	t := byte(0)
	for _, at := range d.places[:m] {
		t |= d.buf[at]
	}
	d.sink = uint32(t)
}

// find gives the entry of a value, and makes one if there is room.
func (d *dict) find(h uint32, v []byte, most int) (int32, bool) {
	for k := h & d.mask; ; k = (k + 1) & d.mask {
		e := d.table[k]
		if e == 0 {
			return d.insert(k, h, v, most)
		}
		if (e^h)&slotHash == 0 && bytes.Equal(d.value(int32(e&slotEntry)-1), v) {
			return int32(e&slotEntry) - 1, true
		}
	}
}

// insert makes an entry in a free slot, if there is room.
func (d *dict) insert(slot, h uint32, v []byte, most int) (int32, bool) {
	at := len(d.buf)
	size := len(v)
	if d.width == 0 {
		size += 4
	}
	if at+size > most || d.n == maxEntries {
		return 0, false
	}
	if d.width == 0 {
		d.buf = binary.LittleEndian.AppendUint32(d.buf, uint32(len(v)))
		d.starts = append(d.starts, uint32(at))
	}
	d.buf = append(d.buf, v...)
	d.codes = append(d.codes, h)
	d.n++
	d.table[slot] = h&slotHash | uint32(d.n)
	return int32(d.n - 1), true
}

// makeRoom keeps the table at most half full with n more entries.
func (d *dict) makeRoom(n int) {
	if size := len(d.table); 2*(d.n+n) > size {
		d.resize(2 * size)
	}
}

// resize makes a table of a size of the entries.
func (d *dict) resize(size int) {
	if cap(d.table) < size {
		d.table = make([]uint32, size)
	}
	d.table = d.table[:size]
	clear(d.table)
	d.mask = uint32(size - 1)
	for i, h := range d.codes {
		k := h & d.mask
		for d.table[k] != 0 {
			k = (k + 1) & d.mask
		}
		d.table[k] = h&slotHash | uint32(i+1)
	}
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
