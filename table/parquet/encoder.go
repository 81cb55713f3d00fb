package parquet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// Encoder is what one goroutine needs to turn columns into pages: a compressor and scratch space. Any number of
// row groups share it.
type Encoder struct {
	opts   Options
	comp   *compressor
	raw    []byte // levels and values of a page
	packed []byte // delta packed integers
	head   []byte
	plain  []byte // the trials' values without a dictionary
	ints   []int64
	shorts []int32
}

// NewEncoder checks the options and prepares the codec.
func NewEncoder(o Options) (*Encoder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("preparing the parquet encoder: %w", err)
	}
	c, err := newCompressor(o)
	if err != nil {
		return nil, fmt.Errorf("preparing the parquet encoder: %w", err)
	}
	return &Encoder{opts: o, comp: c}, nil
}

// zstdHeld is what the two zstd encoders keep: windows, tables, blocks.
const zstdHeld = 5 << 20

// Bytes is the memory the encoder keeps.
func (e *Encoder) Bytes() int64 {
	var codec int64
	if e.opts.Codec == Zstd {
		codec = zstdHeld
	}
	return codec + int64(cap(e.raw)+cap(e.packed)+cap(e.head)+cap(e.plain)+8*cap(e.ints)+4*cap(e.shorts)+cap(e.comp.out))
}

// page builds the uncompressed body of the column's open page. The result aliases the encoder or the column.
func (e *Encoder) page(c *column.Column) ([]byte, format.Encoding, error) {
	var err error
	e.raw, err = appendLevels(e.raw[:0], c)
	if err != nil {
		return nil, 0, err
	}
	values, enc, err := e.values(c)
	if err != nil {
		return nil, 0, err
	}
	if len(e.raw) == 0 {
		return values, enc, nil
	}
	e.raw = append(e.raw, values...)
	return e.raw, enc, nil
}

// values encodes what the page holds, as it stands: references as a dictionary page, integers packed if allowed.
func (e *Encoder) values(c *column.Column) ([]byte, format.Encoding, error) {
	var err error
	if index := c.Index(); len(index) > 0 {
		e.packed, err = appendIndex(e.packed[:0], index, c.DictLen())
		return e.packed, format.RLEDictionary, err
	}
	if e.packs(c) {
		var d delta.BinaryPackedEncoding
		if c.Leaf.Physical == column.PhysInt64 {
			e.packed, err = d.EncodeInt64(e.packed, c.Int64s())
		} else {
			e.packed, err = d.EncodeInt32(e.packed, c.Int32s())
		}
		return e.packed, format.DeltaBinaryPacked, err
	}
	return c.Plain(), format.Plain, nil
}

// packs tells whether the column's values are delta packed when they have no dictionary.
func (e *Encoder) packs(c *column.Column) bool {
	return e.opts.Encoding == Delta && (c.Leaf.Physical == column.PhysInt64 || c.Leaf.Physical == column.PhysInt32)
}

// sealed is a finished page.
type sealed struct {
	data         []byte // header and compressed body
	uncompressed int    // size of header and uncompressed body
}

// seal compresses a page body and puts the header before it, in a slice of their own.
func (e *Encoder) seal(h pageHeader, raw []byte, literals bool) (sealed, error) {
	body, err := e.comp.compress(raw, literals)
	if err != nil {
		return sealed{}, fmt.Errorf("compressing a page: %w", err)
	}
	return e.wrap(h, raw, body)
}

// wrap puts the header before a compressed body.
func (e *Encoder) wrap(h pageHeader, raw, body []byte) (sealed, error) {
	if len(raw) > math.MaxInt32 || len(body) > math.MaxInt32 {
		return sealed{}, fmt.Errorf("page of %d bytes is above the limit of the format", len(raw))
	}
	h.uncompressed, h.compressed = len(raw), len(body)
	if h.hasCRC = !e.opts.NoCRC; h.hasCRC {
		h.crc = crc32.ChecksumIEEE(body)
	}
	e.head = h.append(e.head[:0])
	return sealed{data: slices.Concat(e.head, body), uncompressed: len(e.head) + len(raw)}, nil
}

// appendLevels writes repetition and definition levels as a version 1 page has them: each a run of RLE and bit
// packed groups behind its length.
func appendLevels(dst []byte, c *column.Column) ([]byte, error) {
	switch {
	case c.Leaf.MaxDef == 0:
		return dst, nil
	case c.Flat():
		return appendValidity(dst, c.Validity(), c.Rows(), c.Values()), nil
	}
	def, rep := c.Levels()
	var err error
	if c.Leaf.MaxRep > 0 {
		if dst, err = appendLevel(dst, rep, c.Leaf.MaxRep); err != nil {
			return dst, err
		}
	}
	return appendLevel(dst, def, c.Leaf.MaxDef)
}

func appendLevel(dst, levels []byte, highest uint8) ([]byte, error) {
	at := len(dst)
	dst = slices.Grow(append(dst, 0, 0, 0, 0), len(levels)+64)
	e := rle.Encoding{BitWidth: bits.Len8(highest)}
	run, err := e.EncodeLevels(dst[len(dst):], levels)
	if err != nil {
		return dst, err
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(run)))
	return append(dst, run...), nil
}

// appendValidity writes definition levels of width one: the bitmap is a bit packed run as it stands.
func appendValidity(dst, bitmap []byte, rows, valid int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch valid {
	case 0:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 0)
	case rows:
		dst = append(binary.AppendUvarint(dst, uint64(rows)<<1), 1)
	default:
		dst = binary.AppendUvarint(dst, uint64(len(bitmap))<<1|1)
		dst = append(dst, bitmap...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendIndex writes dictionary references: their width, then RLE and bit packed runs. A dictionary of one value has
// width one, as other writers do it; some readers stumble over zero.
func appendIndex(dst []byte, index []int32, entries int) ([]byte, error) {
	width := max(1, bits.Len32(uint32(entries-1)))
	dst = slices.Grow(append(dst, byte(width)), 4*len(index)+64)
	e := rle.Encoding{BitWidth: width}
	run, err := e.EncodeInt32(dst[len(dst):], index)
	if err != nil {
		return dst, err
	}
	return append(dst, run...), nil
}
