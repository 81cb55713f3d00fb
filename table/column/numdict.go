package column

import (
	"math/bits"
	"math/rand/v2"
	"unsafe"
)

// numDict is the dictionary of one chunk of 4- or 8-byte values; floats go by their bits.
type numDict[T int32 | int64] struct {
	vals  []T // by reference: the body of the dictionary page
	table []numEntry[T]
	seed  [2]uint64

	touched int32 // keeps the loads of touch alive
}

type numEntry[T int32 | int64] struct {
	val T
	ref int32 // reference + 1; 0 is a free slot
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
	var v T
	return int64(unsafe.Sizeof(*d)) + int64(cap(d.vals))*int64(unsafe.Sizeof(v)) +
		int64(len(d.table))*int64(unsafe.Sizeof(numEntry[T]{}))
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
	table, mask := d.table, uint64(len(d.table)-1)
	for k, v := range src {
		if k%blockLen == 0 && len(table) >= farTable {
			d.touch(src[k:min(k+blockLen, len(src))])
		}
		i := d.hash(v)
		for {
			e := &table[i&mask]
			if e.ref == 0 {
				d.vals = append(d.vals, v)
				e.val, e.ref = v, int32(len(d.vals))
				refs[k] = e.ref - 1
				if len(d.vals)*2 > len(table) {
					d.grow()
					table, mask = d.table, uint64(len(d.table)-1)
				}
				break
			}
			if e.val == v {
				refs[k] = e.ref - 1
				break
			}
			i++
		}
	}
}

// touch loads the first table slots of some values, all at once: each would be a cache miss of its own.
func (d *numDict[T]) touch(src []T) {
	mask := uint64(len(d.table) - 1)
	var sum int32
	for _, v := range src {
		sum += d.table[d.hash(v)&mask].ref
	}
	d.touched = sum
}

func (d *numDict[T]) grow() {
	d.table = make([]numEntry[T], max(16, 2*len(d.table)))
	mask := uint64(len(d.table) - 1)
	for j, v := range d.vals {
		i := d.hash(v)
		for d.table[i&mask].ref != 0 {
			i++
		}
		d.table[i&mask] = numEntry[T]{val: v, ref: int32(j + 1)}
	}
}
