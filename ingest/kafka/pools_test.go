package kafka

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPooledBuffersFit: whatever was put back before, a batch gets a buffer of its own size, and never a smaller one
// than it asked for.
func TestPooledBuffersFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPools()
		sizes := rapid.SliceOfN(rapid.IntRange(1, 1<<20), 1, 20)
		for _, n := range sizes.Draw(t, "put back") {
			p.PutDecompressBytes(make([]byte, n))
			p.PutRecords(make([]kgo.Record, 0, 1+n%1000))
		}
		for _, n := range sizes.Draw(t, "asked for") {
			b := p.GetDecompressBytes(make([]byte, n), kgo.CodecZstd)
			require.Empty(t, b)
			require.GreaterOrEqual(t, cap(b), expansion*n)
			require.Less(t, cap(b), 4*max(leastPooled, expansion*n))
			r := p.GetRecords(n)
			require.Empty(t, r)
			require.GreaterOrEqual(t, cap(r), n)
			require.LessOrEqual(t, cap(r), 4*n)
		}
	})
}

func TestGiantBuffersAreNotKept(t *testing.T) {
	p := newPools()
	p.PutDecompressBytes(make([]byte, 2*maxPooled))
	p.PutDecompressBytes(nil)
	p.PutRecords(nil)
	require.LessOrEqual(t, cap(p.GetDecompressBytes(make([]byte, maxPooled/expansion), kgo.CodecZstd)), maxPooled)
}
