package parquet

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// checkSchema compares field ids and footer metadata as both libraries see them.
func (w *written) checkSchema(t testing.TB) {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(w.bytes), int64(len(w.bytes)))
	require.NoError(t, err)
	v, ok := f.Lookup("k")
	require.Equal(t, []any{"v", true}, []any{v, ok})
	ids := map[int32]string{}
	for _, el := range f.Metadata().Schema {
		if el.FieldID != 0 {
			require.NotContains(t, ids, el.FieldID)
			ids[el.FieldID] = el.Name
		}
	}
	want := map[int32]string{}
	var walk func(n *column.Node, name string)
	walk = func(n *column.Node, name string) {
		want[int32(n.Field.ID)] = name
		for i, c := range n.Children {
			name := c.Field.Name
			switch n.Field.Type.Kind {
			case column.List:
				name = "element"
			case column.Map:
				name = []string{"key", "value"}[i]
			default:
			}
			walk(c, name)
		}
	}
	for _, n := range w.layout.Nodes {
		walk(n, n.Field.Name)
	}
	require.Equal(t, want, ids)

	r, err := file.NewParquetReader(bytes.NewReader(w.bytes))
	require.NoError(t, err)
	require.Equal(t, w.metrics.Rows, r.NumRows())
	for i := range w.layout.Leaves {
		leaf, c := &w.layout.Leaves[i], r.MetaData().Schema.Column(i)
		require.Equal(t, leaf.Name(), c.Path())
		require.EqualValues(t, leaf.FieldID, c.SchemaNode().FieldID())
		require.EqualValues(t, leaf.MaxDef, c.MaxDefinitionLevel())
		require.EqualValues(t, leaf.MaxRep, c.MaxRepetitionLevel())
	}
}

// checkPages walks the pages by the offset index and holds headers, checksums, page index and statistics against the
// entries that lie in them.
func (w *written) checkPages(t testing.TB) {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(w.bytes), int64(len(w.bytes)))
	require.NoError(t, err)
	used := make([]int, len(w.layout.Leaves))
	for g := range f.Metadata().RowGroups {
		rg := &f.Metadata().RowGroups[g]
		require.EqualValues(t, g, rg.Ordinal)
		require.Equal(t, w.metrics.SplitOffsets[g], rg.FileOffset)
		var total int64
		for i := range rg.Columns {
			col := &rg.Columns[i]
			n := int(col.MetaData.NumValues)
			es := w.entries[i][used[i] : used[i]+n]
			used[i] += n
			c := chunkCheck{t: t, file: w.bytes, leaf: &w.layout.Leaves[i], col: col, entries: es, crc: !w.opts.NoCRC}
			c.run(rg.NumRows, !w.opts.NoPageIndex)
			total += col.MetaData.TotalCompressedSize
		}
		require.Equal(t, total, rg.TotalCompressedSize)
	}
}

// chunkCheck is the check of one column chunk.
type chunkCheck struct {
	t       testing.TB
	file    []byte
	leaf    *column.Leaf
	col     *format.ColumnChunk
	entries []entry
	crc     bool
}

func (c *chunkCheck) run(rows int64, indexed bool) {
	c.t.Helper()
	md := &c.col.MetaData
	start := md.DataPageOffset
	if md.DictionaryPageOffset != 0 {
		start = md.DictionaryPageOffset
	}
	headers := c.headers(start, start+md.TotalCompressedSize)
	if md.DictionaryPageOffset != 0 {
		require.Equal(c.t, format.DictionaryPage, headers[0].Type)
		require.Equal(c.t, md.DataPageOffset, headers[0].end)
		headers = headers[1:]
	}
	require.Contains(c.t, md.Encoding, format.RLE)
	c.encodings(headers)
	st := oracleStats(c.leaf, c.entries)
	require.Equal(c.t, st.Nulls, md.Statistics.NullCount)
	c.bounds(&st, md.Statistics.MinValue, md.Statistics.MaxValue)
	if !indexed {
		require.Zero(c.t, c.col.OffsetIndexOffset)
		require.Zero(c.t, c.col.ColumnIndexOffset)
		return
	}
	c.index(headers, rows)
}

// header is a page header with its place.
type header struct {
	format.PageHeader
	start, end int64
}

// headers reads the chain of pages, checksums included.
func (c *chunkCheck) headers(at, end int64) []header {
	c.t.Helper()
	var hs []header
	uncompressed := int64(0)
	for at < end {
		h := header{start: at}
		r := bytes.NewReader(c.file[at:end])
		d := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(r))
		require.NoError(c.t, d.Decode(&h.PageHeader))
		size := end - at - int64(r.Len())
		body := c.file[at+size : at+size+int64(h.CompressedPageSize)]
		if c.crc {
			require.Equal(c.t, crc32.ChecksumIEEE(body), uint32(h.CRC))
		} else {
			require.Zero(c.t, h.CRC)
		}
		uncompressed += size + int64(h.UncompressedPageSize)
		at += size + int64(h.CompressedPageSize)
		h.end = at
		hs = append(hs, h)
	}
	require.Equal(c.t, end, at)
	require.Equal(c.t, c.col.MetaData.TotalUncompressedSize, uncompressed)
	return hs
}

func (c *chunkCheck) encodings(hs []header) {
	c.t.Helper()
	counts := map[format.Encoding]int32{}
	for i := range hs {
		counts[hs[i].DataPageHeader.V.Encoding]++
	}
	for _, s := range c.col.MetaData.EncodingStats {
		if s.PageType == format.DataPage {
			require.Equal(c.t, counts[s.Encoding], s.Count)
			delete(counts, s.Encoding)
		}
		require.Contains(c.t, c.col.MetaData.Encoding, s.Encoding)
	}
	require.Empty(c.t, counts)
}

// index compares offset and column index with the pages.
func (c *chunkCheck) index(hs []header, rows int64) {
	c.t.Helper()
	var offsets format.OffsetIndex
	require.NotZero(c.t, c.col.OffsetIndexOffset)
	c.decode(c.col.OffsetIndexOffset, c.col.OffsetIndexLength, &offsets)
	require.Len(c.t, offsets.PageLocations, len(hs))
	var columns *format.ColumnIndex
	if c.col.ColumnIndexOffset != 0 {
		columns = &format.ColumnIndex{}
		c.decode(c.col.ColumnIndexOffset, c.col.ColumnIndexLength, columns)
		require.Len(c.t, columns.MinValues, len(hs))
	}
	es := c.entries
	row := int64(0)
	for i := range hs {
		loc := offsets.PageLocations[i]
		require.Equal(c.t, []int64{hs[i].start, hs[i].end - hs[i].start, row},
			[]int64{loc.Offset, int64(loc.CompressedPageSize), loc.FirstRowIndex})
		n := int(hs[i].DataPageHeader.V.NumValues)
		page := es[:n]
		es = es[n:]
		require.Zero(c.t, page[0].rep, "a page begins at a row")
		for _, e := range page {
			if e.rep == 0 {
				row++
			}
		}
		if columns != nil {
			c.pageBounds(columns, i, page)
		}
	}
	require.Empty(c.t, es)
	require.Equal(c.t, rows, row)
	if columns != nil {
		c.order(columns)
	}
}

func (c *chunkCheck) pageBounds(ix *format.ColumnIndex, i int, page []entry) {
	c.t.Helper()
	st := oracleStats(c.leaf, page)
	require.Equal(c.t, st.Nulls, ix.NullCounts[i])
	require.Equal(c.t, int(st.Nulls) == len(page), ix.NullPages[i])
	if ix.NullPages[i] {
		require.Empty(c.t, ix.MinValues[i])
		return
	}
	c.bounds(&st, ix.MinValues[i], ix.MaxValues[i])
}

// order checks the claim about the order of bounds.
func (c *chunkCheck) order(ix *format.ColumnIndex) {
	c.t.Helper()
	last := -1
	for i := range ix.MinValues {
		if ix.NullPages[i] {
			continue
		}
		if last >= 0 {
			lo := comparePlain(c.leaf, ix.MinValues[last], ix.MinValues[i])
			hi := comparePlain(c.leaf, ix.MaxValues[last], ix.MaxValues[i])
			switch ix.BoundaryOrder {
			case format.Ascending:
				require.True(c.t, lo <= 0 && hi <= 0)
			case format.Descending:
				require.True(c.t, lo >= 0 && hi >= 0)
			default: // nothing is claimed
			}
		}
		last = i
	}
}

func (c *chunkCheck) decode(offset int64, length int32, v any) {
	c.t.Helper()
	require.NoError(c.t, thrift.Unmarshal(new(thrift.CompactProtocol), c.file[offset:offset+int64(length)], v))
}

// bounds compares written bounds with the exact ones: equal for values that fit, wider and short for long ones.
func (c *chunkCheck) bounds(st *oracle, lo, hi []byte) {
	c.t.Helper()
	if !st.has {
		require.Nil(c.t, lo)
		require.Nil(c.t, hi)
		return
	}
	if c.leaf.Physical == column.PhysFixed && c.leaf.FixedLen > boundBytes {
		require.Nil(c.t, lo)
		require.Nil(c.t, hi)
		return
	}
	require.NotNil(c.t, lo)
	require.LessOrEqual(c.t, len(lo), boundBytes)
	require.LessOrEqual(c.t, st.compare(c.leaf, lo, st.min), 0)
	if len(st.min) <= boundBytes {
		require.Equal(c.t, st.min, lo)
	}
	if hi == nil {
		require.Greater(c.t, len(st.max), boundBytes, "only a long value can lack a maximum")
		return
	}
	require.LessOrEqual(c.t, len(hi), boundBytes)
	require.GreaterOrEqual(c.t, st.compare(c.leaf, hi, st.max), 0)
	if len(st.max) <= boundBytes {
		require.Equal(c.t, st.max, hi)
	}
}
