package column

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

const (
	maxShort = 16      // longest value that is its own key
	blockLen = 32      // values probed together
	farTable = 1 << 14 // slots from which a table does not stay in cache
)

// probe is one long value of a block.
type probe struct {
	p    unsafe.Pointer
	hash uint32
	n    uint32
	off  uint32
	ref  int32 // as in longEntry; 0 when the first slot did not match
}

// shortMasks[n] keeps the first n bytes of 16.
var shortMasks = func() (m [maxShort + 1][2]uint64) {
	for n := range m {
		for i := range n {
			m[n][i/8] |= 0xff << (8 * (i % 8))
		}
	}
	return m
}()

func load64(p unsafe.Pointer) uint64 { return binary.LittleEndian.Uint64((*[8]byte)(p)[:]) }
func load32(p unsafe.Pointer) uint32 { return binary.LittleEndian.Uint32((*[4]byte)(p)[:]) }

func (d *bytesDict) hashShort(a, b, n uint64) uint64 {
	h, l := bits.Mul64(a^d.seed[0], b^d.seed[1]^n)
	return h ^ l
}

// hashLong hashes n > 16 bytes.
func (d *bytesDict) hashLong(p unsafe.Pointer, n int) uint32 {
	const k = 0x8ebc6af09c88c6e3
	s := uint64(n) * k
	q := p
	for m := n; m > 16; m -= 16 {
		h, l := bits.Mul64(load64(q)^d.seed[0], load64(unsafe.Add(q, 8))^d.seed[1]^s)
		s = h ^ l
		q = unsafe.Add(q, 16)
	}
	e := unsafe.Add(p, n-16)
	h, l := bits.Mul64(load64(e)^d.seed[1], load64(unsafe.Add(e, 8))^k^s)
	return uint32(h ^ l)
}

// equalLong compares n > 16 bytes without reading behind either end.
func equalLong(a, b unsafe.Pointer, n int) bool {
	var x uint64
	for i := 0; i+16 <= n; i += 16 {
		x |= load64(unsafe.Add(a, i)) ^ load64(unsafe.Add(b, i)) | load64(unsafe.Add(a, i+8)) ^ load64(unsafe.Add(b, i+8))
	}
	i := n - 16
	x |= load64(unsafe.Add(a, i)) ^ load64(unsafe.Add(b, i)) | load64(unsafe.Add(a, i+8)) ^ load64(unsafe.Add(b, i+8))
	return x == 0
}

// encode writes the reference of each of the len(refs) PLAIN values of src. src has slack behind its end.
func (d *bytesDict) encode(src []byte, refs []int32) {
	p := unsafe.Pointer(unsafe.SliceData(src))
	for len(refs) > 0 {
		var k int
		if d.length(p) <= maxShort {
			p, k = d.encodeShort(p, refs)
		} else {
			p, k = d.encodeLong(p, refs)
		}
		refs = refs[k:]
	}
}

func (d *bytesDict) length(p unsafe.Pointer) int {
	if d.prefix > 0 {
		return int(load32(p))
	}
	return d.width
}

// encodeShort takes values while they are short. It returns the next value and the number of those done.
func (d *bytesDict) encodeShort(p unsafe.Pointer, refs []int32) (unsafe.Pointer, int) {
	if len(d.short) == 0 {
		d.growShort()
	}
	table, mask := d.short, uint64(len(d.short)-1)
	for k := range refs {
		if k%blockLen == 0 && len(table) >= farTable {
			d.touchShort(p, min(blockLen, len(refs)-k))
		}
		n := d.length(p)
		if n > maxShort {
			return p, k
		}
		v := unsafe.Add(p, d.prefix)
		a := load64(v) & shortMasks[n][0]
		b := load64(unsafe.Add(v, 8)) & shortMasks[n][1]
		i := d.hashShort(a, b, uint64(n))
		for {
			e := &table[i&mask]
			if e.a == a && e.b == b && e.tag == uint32(n)+1 {
				refs[k] = e.ref
				break
			}
			if e.tag == 0 {
				refs[k] = d.addShort(e, shortEntry{a: a, b: b, tag: uint32(n) + 1}, v)
				table, mask = d.short, uint64(len(d.short)-1)
				break
			}
			i++
		}
		p = unsafe.Add(v, n)
	}
	return p, len(refs)
}

// touchShort loads the first table slots of the next values, all at once: each would be a cache miss of its own.
func (d *bytesDict) touchShort(p unsafe.Pointer, values int) {
	mask := uint64(len(d.short) - 1)
	var sum uint32
	for range values {
		n := d.length(p)
		if n > maxShort {
			break
		}
		v := unsafe.Add(p, d.prefix)
		a := load64(v) & shortMasks[n][0]
		b := load64(unsafe.Add(v, 8)) & shortMasks[n][1]
		sum += d.short[d.hashShort(a, b, uint64(n))&mask].tag
		p = unsafe.Add(v, n)
	}
	d.touched = sum
}

// addShort stores a new value in a free slot.
func (d *bytesDict) addShort(slot *shortEntry, e shortEntry, v unsafe.Pointer) int32 {
	n := int(e.tag - 1)
	if !d.accepts(v, n) {
		return d.addRepaired(v, n)
	}
	e.ref = d.add(v, n)
	*slot = e
	d.shorts++
	if d.shorts*2 > len(d.short) {
		d.growShort()
	}
	return e.ref
}

// encodeLong takes up to a block of long values.
func (d *bytesDict) encodeLong(p unsafe.Pointer, refs []int32) (unsafe.Pointer, int) {
	if len(d.long) == 0 {
		d.growLong()
	}
	m := 0
	for m < blockLen && m < len(refs) {
		n := d.length(p)
		if n <= maxShort {
			break
		}
		v := unsafe.Add(p, d.prefix)
		d.block[m] = probe{p: v, hash: d.hashLong(v, n), n: uint32(n)}
		p = unsafe.Add(v, n)
		m++
	}
	mask := uint32(len(d.long) - 1)
	for j := range d.block[:m] {
		pr := &d.block[j]
		e := &d.long[pr.hash&mask]
		if e.hash == pr.hash && e.n == pr.n {
			pr.off, pr.ref = e.off, e.ref
		}
	}
	for j := range d.block[:m] {
		pr := &d.block[j]
		stored := unsafe.Add(unsafe.Pointer(unsafe.SliceData(d.buf)), int(pr.off))
		if pr.ref != 0 && equalLong(stored, pr.p, int(pr.n)) {
			refs[j] = pr.ref - 1
			continue
		}
		refs[j] = d.probeLong(pr.hash, pr.p, int(pr.n))
	}
	return p, m
}

// probeLong finds one long value or stores it.
func (d *bytesDict) probeLong(hash uint32, v unsafe.Pointer, n int) int32 {
	if len(d.long) == 0 {
		d.growLong()
	}
	mask := uint32(len(d.long) - 1)
	stored := unsafe.Pointer(unsafe.SliceData(d.buf))
	for i := hash & mask; ; i = (i + 1) & mask {
		e := &d.long[i]
		if e.ref == 0 {
			break
		}
		if e.hash == hash && e.n == uint32(n) && equalLong(unsafe.Add(stored, int(e.off)), v, n) {
			return e.ref - 1
		}
	}
	if !d.accepts(v, n) {
		return d.addRepaired(v, n)
	}
	ref := d.add(v, n)
	i := hash & mask
	for d.long[i].ref != 0 {
		i = (i + 1) & mask
	}
	d.long[i] = longEntry{hash: hash, ref: ref + 1, off: d.offs[ref], n: uint32(n)}
	d.longs++
	if d.longs*2 > len(d.long) {
		d.growLong()
	}
	return ref
}
