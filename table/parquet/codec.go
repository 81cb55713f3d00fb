package parquet

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// window bounds the memory of a zstd encoder and of those who decode its frames.
const window = 1 << 20

// format is the codec's number in the footer.
func (c Codec) format() format.CompressionCodec {
	return [codecs]format.CompressionCodec{format.Zstd, format.Snappy, format.Lz4Raw, format.Gzip, format.Uncompressed}[c]
}

// compressor is the codec with its state; it belongs to one goroutine.
type compressor struct {
	codec   Codec
	zstd    *zstd.Encoder
	literal *zstd.Encoder // the same with entropy coding of literals that have no matches
	gzip    *gzip.Writer
	lz4     lz4.Compressor
	out     []byte
}

func newCompressor(o Options) (*compressor, error) {
	c := &compressor{codec: o.Codec}
	var err error
	switch o.Codec {
	case Zstd:
		level := zstd.SpeedFastest
		if o.Level > 0 {
			level = zstd.EncoderLevelFromZstd(o.Level)
		}
		c.zstd, err = newZstd(level, false)
		if err == nil {
			c.literal, err = newZstd(level, true)
		}
	case Gzip:
		level := gzip.DefaultCompression
		if o.Level > 0 {
			level = o.Level
		}
		c.gzip, err = gzip.NewWriterLevel(nil, level)
	default: // no state
	}
	return c, err
}

func newZstd(level zstd.EncoderLevel, literals bool) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithZeroFrames(true), zstd.WithWindowSize(window), zstd.WithAllLitEntropyCompression(literals))
}

// compress returns the compressed form of raw, good until the next call. literals asks zstd to entropy code
// literals even where it finds no matches.
func (c *compressor) compress(raw []byte, literals bool) ([]byte, error) {
	switch c.codec {
	case Zstd:
		if literals {
			c.out = c.literal.EncodeAll(raw, c.out[:0])
		} else {
			c.out = c.zstd.EncodeAll(raw, c.out[:0])
		}
	case Snappy:
		if len(raw) > 0xffff_ffff {
			return nil, fmt.Errorf("page of %d bytes is too large for snappy", len(raw))
		}
		c.out = s2.EncodeSnappy(c.out[:cap(c.out)], raw)
	case LZ4:
		if need := lz4.CompressBlockBound(len(raw)); cap(c.out) < need {
			c.out = make([]byte, need)
		}
		n, err := c.lz4.CompressBlock(raw, c.out[:cap(c.out)])
		if err != nil {
			return nil, err
		}
		c.out = c.out[:n]
	case Gzip:
		buf := bytes.NewBuffer(c.out[:0])
		c.gzip.Reset(buf)
		if _, err := c.gzip.Write(raw); err != nil {
			return nil, err
		}
		if err := c.gzip.Close(); err != nil {
			return nil, err
		}
		c.out = buf.Bytes()
	default:
		return raw, nil
	}
	return c.out, nil
}
