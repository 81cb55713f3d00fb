package parquet

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStoredFrames(t *testing.T) {
	d, err := NewDecompressor(4 << 20)
	require.NoError(t, err)
	defer d.Close()
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 255, 256, rawBlock - 1, rawBlock, rawBlock + 1, 3 * rawBlock, 1_000_000} {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		frame := appendStored([]byte("before"), raw)
		require.LessOrEqual(t, len(frame), 6+n+9+3*(n/rawBlock+1))
		got, err := d.Append([]byte("x"), frame[6:], Zstd, n)
		require.NoError(t, err)
		require.True(t, bytes.Equal(append([]byte("x"), raw...), got))
	}
}

// Every codec is undone, and a body of another size than its header tells is refused.
func TestDecompress(t *testing.T) {
	d, err := NewDecompressor(1 << 20)
	require.NoError(t, err)
	defer d.Close()
	for _, raw := range [][]byte{nil, []byte("a"), bytes.Repeat([]byte("abcdefgh"), 5000)} {
		for c := range Codec(codecs) {
			comp, err := newCompressor(Options{Codec: c})
			require.NoError(t, err)
			packed, err := comp.compress(raw, false)
			require.NoError(t, err)
			for _, room := range [][]byte{nil, make([]byte, 0, 100), append(make([]byte, 0, 100_000), "old"...)} {
				got, err := d.Append(room, packed, c, len(raw))
				require.NoError(t, err, c)
				require.True(t, bytes.Equal(append(bytes.Clone(room), raw...), got), c)
			}
			for _, size := range []int{len(raw) + 1, len(raw) - 1, 2*len(raw) + 100} {
				if size >= 0 {
					_, err = d.Append(nil, packed, c, size)
					require.Error(t, err, "%s %d", c, size)
				}
			}
			if len(packed) > 20 {
				_, err = d.Append(nil, packed[:len(packed)/2], c, len(raw))
				require.Error(t, err, c)
			}
		}
	}
}
