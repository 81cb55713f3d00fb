package column

import (
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// numDict is the dictionary of one chunk of 4- or 8-byte values; floats go by their bits.
//
// The table holds references only, so that it and the values stay in cache longer; blocks of values are looked up
// together, so that their cache misses overlap.
type numDict[T int32 | int64] struct {
	vals  []T     // by reference: the body of the dictionary page
	table []int32 // reference + 1; 0 is a free slot
	seed  [2]uint64
}

func newNumDict[T int32 | int64]() *numDict[T] {
	return &numDict[T]{seed: [2]uint64{rand.Uint64(), rand.Uint64() | 1}}
}

func (d *numDict[T]) reset() {
	if len(d.vals) > 0 {
		clear(d.table)
	}
	d.vals = d.vals[:0]
}

func (d *numDict[T]) bytes() int64 {
	return int64(unsafe.Sizeof(*d)) + int64(cap(d.vals))*int64(unsafe.Sizeof(*new(T))) + 4*int64(len(d.table))
}

func (d *numDict[T]) hash(v T) uint64 {
	h, l := bits.Mul64(uint64(v)^d.seed[0], d.seed[1])
	return h ^ l
}

// encode writes the reference of each value of src.
func (d *numDict[T]) encode(src []T, refs []int32) {
	if len(d.table) == 0 {
		d.grow()
	}
	for len(src) > 0 {
		n := min(blockLen, len(src))
		d.encodeBlock(src[:n], refs[:n])
		src, refs = src[n:], refs[n:]
	}
}

func (d *numDict[T]) encodeBlock(src []T, refs []int32) {
	table, mask := d.table, uint64(len(d.table)-1)
	for k, v := range src {
		refs[k] = table[d.hash(v)&mask]
	}
	vals := d.vals
	for k, v := range src {
		ref := refs[k] - 1
		if uint32(ref) < uint32(len(vals)) && vals[ref] == v {
			refs[k] = ref
			continue
		}
		refs[k] = d.find(v)
	}
}

// find looks for one value along its probes, or stores it.
func (d *numDict[T]) find(v T) int32 {
	mask := uint64(len(d.table) - 1)
	i := d.hash(v) & mask
	for ; d.table[i] != 0; i = (i + 1) & mask {
		if ref := d.table[i] - 1; d.vals[ref] == v {
			return ref
		}
	}
	d.vals = append(d.vals, v)
	d.table[i] = int32(len(d.vals))
	if 2*len(d.vals) > len(d.table) {
		d.grow()
	}
	return int32(len(d.vals) - 1)
}

func (d *numDict[T]) grow() {
	d.table = make([]int32, max(16, 2*len(d.table)))
	mask := uint64(len(d.table) - 1)
	for ref, v := range d.vals {
		i := d.hash(v) & mask
		for d.table[i] != 0 {
			i = (i + 1) & mask
		}
		d.table[i] = int32(ref + 1)
	}
}
