package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// Bloom asks for a Bloom filter of one leaf in every row group.
type Bloom struct {
	Leaf     int     // in the layout
	FPP      float64 // wanted share of absent values that the filter cannot deny, between 0 and 1
	MaxBytes int     // bound of the filter, and of the hashes that wait for it
}

// Bounds of a filter: what the readers accept, and one block.
const (
	MaxBloomBytes = 128 << 20
	MinBloomBytes = bloom.BlockSize
)

// uselessBloom is the share of wrong answers from which a filter is not written: it is read for nothing.
const uselessBloom = 0.5

// Check refuses a filter that cannot be written.
func (b *Bloom) Check(l *column.Layout) error {
	if b.Leaf < 0 || b.Leaf >= len(l.Leaves) || l.Leaves[b.Leaf].Physical == column.PhysBool {
		return fmt.Errorf("leaf %d cannot have a bloom filter", b.Leaf)
	}
	if !(b.FPP > 0 && b.FPP < 1) || b.MaxBytes < MinBloomBytes || b.MaxBytes > MaxBloomBytes {
		return fmt.Errorf("a bloom filter of at most %d bytes with a share of %g false answers is out of range", b.MaxBytes, b.FPP)
	}
	return nil
}

// Filtered makes the row group write Bloom filters, which Check has passed. It is called before the first row.
func (g *RowGroup) Filtered(blooms []Bloom) {
	for _, b := range blooms {
		g.writers[b.Leaf].bloom = &bloomBuilder{fpp: b.FPP, most: 1 << (bits.Len(uint(b.MaxBytes)) - 1)}
	}
}

// Filtered tells whether the row group has a Bloom filter of a leaf.
func (c *Chunk) Filtered(leaf int) bool { return c.columns[leaf].bloom != nil }

// bloomBuilder collects the values of one column of the open row group. Values in a dictionary cost nothing until the
// end; the others wait as hashes, until those would take more than the largest filter: then they go into one of that
// size, and later ones after them. At the end the filter is folded to the size that the wanted share needs, so nobody
// has to know the number of distinct values beforehand.
type bloomBuilder struct {
	fpp    float64
	most   int // bytes, a power of two
	hashes []uint64
	filter bloom.SplitBlockFilter // once the hashes were too many
}

func (b *bloomBuilder) begin() { b.hashes, b.filter = nil, nil }

// bytes is the memory held.
func (b *bloomBuilder) bytes() int64 {
	if b == nil {
		return 0
	}
	return 8*int64(cap(b.hashes)) + int64(len(b.filter))*bloom.BlockSize
}

// add takes one more hash.
func (b *bloomBuilder) add(h uint64) {
	if b.filter != nil {
		b.filter.Insert(h)
		return
	}
	if 8*len(b.hashes) >= b.most {
		b.thin()
	}
	if b.filter == nil {
		b.hashes = append(b.hashes, h)
		return
	}
	b.filter.Insert(h)
}

// thin drops repeated hashes; if hardly any repeat, a filter takes over.
func (b *bloomBuilder) thin() {
	slices.Sort(b.hashes)
	b.hashes = slices.Compact(b.hashes)
	if 16*len(b.hashes) < b.most {
		return
	}
	b.filter = make(bloom.SplitBlockFilter, b.most/bloom.BlockSize)
	b.filter.InsertBulk(b.hashes)
	b.hashes = nil
}

// page takes the values of a page that has no dictionary.
func (b *bloomBuilder) page(c *column.Column) { b.values(c, c.Plain()) }

// dictionary takes the values of the chunk's dictionary.
func (b *bloomBuilder) dictionary(c *column.Column) { b.values(c, c.DictPlain()) }

// values takes values in PLAIN layout.
func (b *bloomBuilder) values(c *column.Column, plain []byte) {
	switch c.Leaf.Physical {
	case column.PhysInt64:
		for ; len(plain) >= 8; plain = plain[8:] {
			b.add(xxhash.Sum64Uint64(binary.LittleEndian.Uint64(plain)))
		}
	case column.PhysInt32:
		for ; len(plain) >= 4; plain = plain[4:] {
			b.add(xxhash.Sum64Uint32(binary.LittleEndian.Uint32(plain)))
		}
	case column.PhysDouble:
		for ; len(plain) >= 8; plain = plain[8:] {
			b.double(binary.LittleEndian.Uint64(plain))
		}
	case column.PhysFloat:
		for ; len(plain) >= 4; plain = plain[4:] {
			b.single(binary.LittleEndian.Uint32(plain))
		}
	case column.PhysFixed:
		for n := c.Leaf.FixedLen; len(plain) >= n && n > 0; plain = plain[n:] {
			b.add(xxhash.Sum64(plain[:n]))
		}
	case column.PhysBytes:
		for len(plain) >= 4 {
			n := 4 + int(binary.LittleEndian.Uint32(plain))
			b.add(xxhash.Sum64(plain[4:n]))
			plain = plain[n:]
		}
	default: // Check
	}
}

// double adds a double by its bits. Readers look for a zero or a NaN by the bits of their own: both zeros go in, and
// with any NaN the common ones.
func (b *bloomBuilder) double(v uint64) {
	b.add(xxhash.Sum64Uint64(v))
	switch f := math.Float64frombits(v); {
	case f == 0:
		b.add(xxhash.Sum64Uint64(v ^ 1<<63))
	case f != f:
		b.add(xxhash.Sum64Uint64(0x7ff8 << 48))
		b.add(xxhash.Sum64Uint64(math.Float64bits(math.NaN())))
	}
}

// single is double for floats.
func (b *bloomBuilder) single(v uint32) {
	b.add(xxhash.Sum64Uint32(v))
	switch f := math.Float32frombits(v); {
	case f == 0:
		b.add(xxhash.Sum64Uint32(v ^ 1<<31))
	case f != f:
		b.add(xxhash.Sum64Uint32(0x7fc0 << 16))
	}
}

// finish gives the filter with its header; nil where it would answer little, or the column has no value.
func (b *bloomBuilder) finish() ([]byte, error) {
	if b.filter == nil {
		slices.Sort(b.hashes)
		b.hashes = slices.Compact(b.hashes)
		if len(b.hashes) == 0 {
			return nil, nil
		}
		// Two bytes per value are more than shares above 0.001 need; for smaller ones, as much as it takes.
		size := min(b.most, max(MinBloomBytes, 1<<bits.Len(uint(len(b.hashes)*b.perValue()))))
		b.filter = make(bloom.SplitBlockFilter, size/bloom.BlockSize)
		b.filter.InsertBulk(b.hashes)
	}
	f := b.filter
	for len(f) > 1 {
		half := fold(f)
		if missed(half) > b.fpp {
			break
		}
		f = half
	}
	if missed(f) > uselessBloom {
		return nil, nil
	}
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &format.BloomFilterHeader{
		NumBytes:    int32(len(f) * bloom.BlockSize),
		Algorithm:   format.BloomFilterAlgorithm{Value: &format.SplitBlockAlgorithm{}},
		Hash:        format.BloomFilterHash{Value: &format.XxHash{}},
		Compression: format.BloomFilterCompression{Value: &format.BloomFilterUncompressed{}},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the header of a bloom filter: %w", err)
	}
	return slices.Concat(head, f.Bytes()), nil
}

// perValue is a size that serves the wanted share for sure, in bytes per value. The share falls by at least a factor
// of ten with each byte and a half.
func (b *bloomBuilder) perValue() int {
	return max(2, int(math.Ceil(-1.5*math.Log10(b.fpp))))
}

// fold halves a filter. A value's block is found by the upper bits of its hash, so those of two neighbours meet in the
// one that both become.
func fold(f bloom.SplitBlockFilter) bloom.SplitBlockFilter {
	half := make(bloom.SplitBlockFilter, len(f)/2)
	for i := range half {
		for k := range half[i] {
			half[i][k] = f[2*i][k] | f[2*i+1][k]
		}
	}
	return half
}

// missed is the expected share of absent values that the filter does not deny, by the bits that are set: a value is
// looked for by one bit in each of its block's words.
func missed(f bloom.SplitBlockFilter) float64 {
	var sum float64
	for i := range f {
		p := 1.0
		for _, w := range f[i] {
			p *= float64(bits.OnesCount32(uint32(w))) / 32
		}
		sum += p
	}
	return sum / float64(len(f))
}
