package rewrite

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// opened gives an input with its bytes.
func opened(t *testing.T, in *Input, l *column.Layout) (*file, []byte) {
	f, err := open(t.Context(), in, 0, l, nil)
	require.NoError(t, err)
	b := make([]byte, in.Size)
	_, err = f.r.ReadAt(b, 0)
	require.NoError(t, err)
	return f, b
}

// Every byte of every page is covered: one flipped bit and the rewrite is refused, with the name of the place.
func TestDamagedPages(t *testing.T) {
	ins, l, _ := big(t, parquet.Options{PageRows: 500}, 2, 1000)
	f, sound := opened(t, &ins[1], l)
	tried := 0
	for g := range f.meta.RowGroups {
		for c := range f.meta.RowGroups[g].Columns {
			md := &f.meta.RowGroups[g].Columns[c].MetaData
			var p pages
			for p.start(f, md); p.more(); {
				at := p.at
				h, _, err := p.next()
				require.NoError(t, err)
				b := bytes.Clone(sound)
				b[int(at)+h.size+h.compressed/2] ^= 4
				var mem memory
				res, err := Rewrite(t.Context(), []Input{ins[0], input("bad", b, nil)}, mem.options(l, parquet.Options{PageRows: 500}))
				var d *Damaged
				require.ErrorAs(t, err, &d)
				require.Equal(t, Damaged{Path: "bad", Column: l.Leaves[c].Name(), Offset: at, Err: errCRC}, *d)
				require.Empty(t, res.Outputs)
				require.Empty(t, mem.files)
				tried++
			}
		}
	}
	require.Greater(t, tried, 15)
}

// A header has no checksum, so what a copied page says of its size is compared with the footer.
func TestDamagedHeader(t *testing.T) {
	ins, l, _ := big(t, parquet.Options{PageRows: 500}, 1, 1000)
	f, b := opened(t, &ins[0], l)
	at := chunkStart(&f.meta.RowGroups[0].Columns[0].MetaData)
	h, ok := parseHeader(b[at:])
	require.True(t, ok)
	_, n := binary.Varint(b[at+3:]) // behind the type: the uncompressed size
	require.Equal(t, 2, n)
	b[at+3] ^= 2
	changed, _ := parseHeader(b[at:])
	require.NotEqual(t, h.uncompressed, changed.uncompressed)
	var mem memory
	_, err := Rewrite(t.Context(), []Input{input("bad", b, nil)}, mem.options(l, parquet.Options{PageRows: 500}))
	var d *Damaged
	require.ErrorAs(t, err, &d)
	require.ErrorIs(t, d, errHeader)
}

// refooted puts another footer behind the rows.
func refooted(t *testing.T, f *file, b []byte) []byte {
	foot, err := thrift.Marshal(new(thrift.CompactProtocol), &f.meta)
	require.NoError(t, err)
	b = append(b[:len(b)-8-int(binary.LittleEndian.Uint32(b[len(b)-8:]))], foot...)
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(foot))), magic...)
}

// An index whose bounds are narrower than the footer's would hide rows: the pages are decoded instead.
func TestIndexThatDisagreesIsNotUsed(t *testing.T) {
	o := parquet.Options{PageRows: 500}
	ins, l, want := big(t, o, 1, 1000)
	f, b := opened(t, &ins[0], l)
	cc := &f.meta.RowGroups[1].Columns[0]
	var ix format.ColumnIndex
	at, end := cc.ColumnIndexOffset, cc.ColumnIndexOffset+int64(cc.ColumnIndexLength)
	require.NoError(t, thrift.Unmarshal(new(thrift.CompactProtocol), b[at:end], &ix))
	ix.MaxValues[1] = bytes.Clone(ix.MinValues[1])
	changed, err := thrift.Marshal(new(thrift.CompactProtocol), &ix)
	require.NoError(t, err)
	require.Len(t, changed, int(end-at))
	copy(b[at:], changed)
	var mem memory
	res, err := Rewrite(t.Context(), []Input{input("f", b, nil)}, mem.options(l, o))
	require.NoError(t, err)
	checkResult(t, &mem, res, want, l)
}

// A chunk of which the footer has lost the end.
func TestMissingPage(t *testing.T) {
	ins, l, _ := big(t, parquet.Options{PageRows: 500, NoPageIndex: true}, 1, 1000)
	f, b := opened(t, &ins[0], l)
	md := &f.meta.RowGroups[1].Columns[3].MetaData
	var p pages
	p.start(f, md)
	_, first, err := p.next()
	require.NoError(t, err)
	md.TotalCompressedSize = int64(len(first))
	var mem memory
	res, err := Rewrite(t.Context(), []Input{input("f", refooted(t, f, b), nil)}, mem.options(l, parquet.Options{}))
	var d *Damaged
	require.ErrorAs(t, err, &d)
	require.ErrorIs(t, d, errRows)
	require.Equal(t, "code", d.Column)
	require.Empty(t, res.Outputs)
}

// References without a dictionary in their chunk are damage. They must not find that of the chunk before.
func TestMissingDictionary(t *testing.T) {
	o := parquet.Options{PageRows: 500, NoPageIndex: true}
	ins, l, _ := big(t, o, 2, 1000)
	f, b := opened(t, &ins[1], l)
	tried := 0
	for c := range f.meta.RowGroups[0].Columns {
		md := &f.meta.RowGroups[0].Columns[c].MetaData
		var p pages
		p.start(f, md)
		h, page, err := p.next()
		require.NoError(t, err)
		if h.kind != format.DictionaryPage {
			continue
		}
		sound := *md
		md.DictionaryPageOffset, md.TotalCompressedSize = 0, md.TotalCompressedSize-int64(len(page))
		require.Equal(t, p.at, md.DataPageOffset)
		// The dictionary of the other file is too large for the output's, so that references become values.
		for _, most := range []int{1, 0} {
			o.DictBytes = most
			var mem memory
			res, err := Rewrite(t.Context(), []Input{ins[0], input("bad", refooted(t, f, bytes.Clone(b)), nil)}, mem.options(l, o))
			var d *Damaged
			require.ErrorAs(t, err, &d, l.Leaves[c].Name())
			require.Equal(t, "bad", d.Path)
			require.Equal(t, l.Leaves[c].Name(), d.Column)
			require.ErrorIs(t, d, errIndex)
			require.Empty(t, res.Outputs)
		}
		*md = sound
		tried++
	}
	require.Positive(t, tried)
}

func TestFilesThatAreNone(t *testing.T) {
	ins, l, _ := big(t, parquet.Options{}, 1, 50)
	_, b := opened(t, &ins[0], l)
	for _, bad := range [][]byte{nil, b[:7], b[:len(b)-1], append(bytes.Clone(b), 0), b[len(b)-8:], append([]byte("PAR1"), b[len(b)-8:]...)} {
		var mem memory
		_, err := Rewrite(t.Context(), []Input{input("f", bad, nil)}, mem.options(l, parquet.Options{}))
		var d *Damaged
		require.ErrorAs(t, err, &d)
		require.Equal(t, "f", d.Path)
	}
}
