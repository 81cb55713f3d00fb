package rewrite

import (
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// FuzzInput puts arbitrary bytes into a file and mends the checksums of its pages, so that the decoders get to see them:
// there is an output, or the file is refused; nothing else happens.
func FuzzInput(f *testing.F) {
	l := layoutOf(
		field("id", true, column.Type{Kind: column.Long}), field("name", false, column.Type{Kind: column.String}),
		field("flag", false, column.Type{Kind: column.Boolean}), nested("list", false, column.List, field("element", false, column.Type{Kind: column.Int})),
	)
	files := [][]byte{}
	for _, o := range []parquet.Options{{Codec: parquet.None, Encoding: parquet.Delta}, {Codec: parquet.Snappy, PageRows: 50}, {Codec: parquet.Zstd, NoCRC: true}} {
		m := &maker{r: rand.New(rand.NewPCG(1, 1)), layout: l, pool: 20, nulls: 0.2}
		files = append(files, m.write(f, o, 130).bytes)
	}
	for i := range files {
		f.Add(uint8(i), uint16(100), []byte{1})
		f.Add(uint8(i), uint16(len(files[i])-100), []byte{0xff, 0xff, 0xff, 0xff, 0x7f})
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, patch []byte) {
		b := slices.Clone(files[int(which)%len(files)])
		copy(b[int(at)%len(b):], patch)
		in := input("f", b, []int64{0, 64, 65, 129})
		mend(t, &in, b, l)
		var mem memory
		o := mem.options(l, parquet.Options{PageRows: 60})
		o.Workers = 1
		res, err := Rewrite(t.Context(), []Input{in}, o)
		if err == nil {
			require.EqualValues(t, 126, res.Rows)
			return
		}
		var d *Damaged
		var u ErrUnsupported
		require.True(t, errors.As(err, &d) || errors.As(err, &u), err)
	})
}

// mend sets the checksums of pages whose headers can be read.
func mend(t *testing.T, in *Input, b []byte, l *column.Layout) {
	f, err := open(t.Context(), in, 0, l, nil)
	if err != nil {
		return
	}
	for g := range f.meta.RowGroups {
		for _, col := range f.source {
			if col < 0 {
				continue
			}
			md := &f.meta.RowGroups[g].Columns[col].MetaData
			for at, end := chunkStart(md), chunkStart(md)+md.TotalCompressedSize; at < end; {
				h, ok := parseHeader(b[at:end])
				if !ok || !h.sane() || at+int64(h.size+h.compressed) > end {
					break
				}
				body := b[at+int64(h.size):][:h.compressed]
				if h.hasCRC {
					mendHeader(b[at:at+int64(h.size)], h.crc, crc32.ChecksumIEEE(body))
				}
				at += int64(h.size + h.compressed)
			}
		}
	}
}

// mendHeader replaces a checksum by one whose varint is as long, if it is.
func mendHeader(head []byte, old, crc uint32) {
	varint := func(v uint32) (b []byte) {
		for u := uint32(int32(v)<<1 ^ int32(v)>>31); ; u >>= 7 {
			if u < 0x80 {
				return append(b, byte(u))
			}
			b = append(b, byte(u)|0x80)
		}
	}
	from, to := varint(old), varint(crc)
	for i := 0; i+len(from) <= len(head) && len(from) == len(to); i++ {
		if slices.Equal(head[i:i+len(from)], from) {
			copy(head[i:], to)
			return
		}
	}
}
