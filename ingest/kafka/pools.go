package kafka

import (
	"math/bits"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pools recycles what a fetch allocates: decompression buffers and record slices. Buffers go back when the last
// record of a batch is recycled.
//
// They are kept by size. Whoever waits in a queue holds whole buffers, so a small batch must not get a large one: with
// many partitions nearly every batch is small, and each would sooner or later pin what the largest has needed.
type pools struct {
	bytes   [classes]sync.Pool
	records [classes]sync.Pool
}

// classes is the number of size classes, each twice the one before.
const classes = 32

func newPools() *pools { return &pools{} }

const (
	// expansion is the usual ratio of a decompressed batch; the client grows a buffer that is too small and returns
	// the grown one.
	expansion = 4
	// leastPooled is the smallest buffer.
	leastPooled = 4 << 10
	// maxPooled keeps one giant batch from pinning its buffer for ever.
	maxPooled = 16 << 20
)

// GetDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	class := fitting(max(leastPooled, expansion*len(compressed)))
	if b, ok := p.bytes[class].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<class)
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) PutDecompressBytes(b []byte) {
	if n := cap(b); n >= leastPooled && n <= maxPooled {
		p.bytes[filled(n)].Put(&b)
	}
}

// GetRecords implements kgo.PoolRecords.
func (p *pools) GetRecords(n int) []kgo.Record {
	class := fitting(n)
	if r, ok := p.records[class].Get().(*[]kgo.Record); ok {
		return (*r)[:0]
	}
	return make([]kgo.Record, 0, 1<<class)
}

// PutRecords implements kgo.PoolRecords.
func (p *pools) PutRecords(r []kgo.Record) {
	if n := cap(r); n > 0 {
		p.records[filled(n)].Put(&r)
	}
}

// fitting is the class whose buffers hold n, filled the one that a buffer of n belongs to.
func fitting(n int) int { return min(classes-1, bits.Len(uint(max(1, n)-1))) }

func filled(n int) int { return min(classes-1, bits.Len(uint(n))-1) }
