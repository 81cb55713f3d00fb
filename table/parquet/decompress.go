package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// Decompressor undoes what the codecs do. It belongs to one goroutine.
type Decompressor struct {
	zstd *zstd.Decoder
	gzip *gzip.Reader
}

// With a block and a bit of room behind the page the zstd decoder takes its faster copies for every block.
const (
	zstdBlock   = 128 << 10
	zstdOverrun = 16
)

var errSize = errors.New("the page does not have the size that its header tells")

// NewDecompressor prepares to read pages of at most so many bytes.
func NewDecompressor(most int) (*Decompressor, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(most)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("preparing to decompress: %w", err)
	}
	return &Decompressor{zstd: d, gzip: new(gzip.Reader)}, nil
}

// Close ends it.
func (d *Decompressor) Close() { d.zstd.Close() }

// Codec is the codec of a number in a footer. It is false for those that are not written here.
func CodecOf(f format.CompressionCodec) (Codec, bool) {
	for c := range Codec(codecs) {
		if c.format() == f {
			return c, true
		}
	}
	return None, false
}

// Append appends what src is the compressed form of, which is size bytes, to dst.
func (d *Decompressor) Append(dst, src []byte, c Codec, size int) ([]byte, error) {
	at := len(dst)
	slack := min(size, zstdBlock) + zstdOverrun
	if cap(dst)-at < size+slack {
		dst = append(make([]byte, 0, at+size+size/4+slack), dst...)
	}
	room := dst[at : at+size]
	switch c {
	case None:
		if len(src) != size {
			return dst, errSize
		}
		return append(dst, src...), nil
	case Zstd:
		out, err := d.zstd.DecodeAll(src, dst[at:at:at+size+slack])
		return sized(dst, out, size, err)
	case Snappy:
		if n, err := s2.DecodedLen(src); err != nil || n != size {
			return dst, errors.Join(errSize, err)
		}
		out, err := s2.Decode(room, src)
		return sized(dst, out, size, err)
	case LZ4:
		n, err := lz4.UncompressBlock(src, room)
		return sized(dst, room[:max(0, n)], size, err)
	default:
		if err := d.gzip.Reset(bytes.NewReader(src)); err != nil {
			return dst, err
		}
		if _, err := io.ReadFull(d.gzip, room); err != nil {
			return dst, err
		}
		if n, _ := d.gzip.Read(make([]byte, 1)); n > 0 {
			return dst, errSize
		}
		return dst[:at+size], nil
	}
}

// sized takes what a codec has put into the room behind dst.
func sized(dst, out []byte, size int, err error) ([]byte, error) {
	if err != nil {
		return dst, err
	}
	if len(out) != size {
		return dst, errSize
	}
	if size > 0 && &out[0] != &dst[:len(dst)+1][len(dst)] {
		return append(dst, out...), nil
	}
	return dst[:len(dst)+size], nil
}
