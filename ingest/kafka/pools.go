package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pools recycles what a fetch allocates: decompression buffers and record slices. Buffers go back when the last
// record of a batch is recycled.
type pools struct {
	bytes   sync.Pool
	records sync.Pool
}

func newPools() *pools { return &pools{} }

// expansion is the usual ratio of a decompressed batch; the client grows a buffer that is too small and returns
// the grown one.
const expansion = 4

// maxPooled keeps one giant batch from pinning its buffer for ever.
const maxPooled = 16 << 20

// GetDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	if b, ok := p.bytes.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, expansion*len(compressed))
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (p *pools) PutDecompressBytes(b []byte) {
	if cap(b) <= maxPooled {
		p.bytes.Put(&b)
	}
}

// GetRecords implements kgo.PoolRecords.
func (p *pools) GetRecords(n int) []kgo.Record {
	if r, ok := p.records.Get().(*[]kgo.Record); ok && cap(*r) >= n {
		return (*r)[:0]
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords implements kgo.PoolRecords.
func (p *pools) PutRecords(r []kgo.Record) { p.records.Put(&r) }
