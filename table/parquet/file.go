package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

const (
	magic = "PAR1"
	// createdBy follows the pattern that parquet-java parses.
	createdBy = "ingestd version 1.0.0 (build 0)"
	// writeBuffer collects small pages; larger ones pass it by.
	writeBuffer = 64 << 10
)

// fileWriter is the state of one file.
type fileWriter struct {
	out    *bufio.Writer
	off    int64
	layout *column.Layout
	groups []format.RowGroup
	chunks []*Chunk // of groups
	totals []columnTotals
	rows   int64
	splits []int64
}

// WriteFile writes the chunks, in order, as the row groups of one file with the footer metadata given. Chunks without
// rows are left out. The metrics cover the whole file.
func WriteFile(w io.Writer, l *column.Layout, chunks []*Chunk, meta map[string]string) (Metrics, error) {
	f := newFileWriter(w, l)
	if err := f.writeAll(chunks, meta); err != nil {
		return Metrics{}, fmt.Errorf("writing a parquet file: %w", err)
	}
	return f.metrics(), nil
}

// metrics are those of what has been written.
func (f *fileWriter) metrics() Metrics {
	m := newMetrics(f.layout)
	m.Rows, m.FileSize, m.SplitOffsets = f.rows, f.off, f.splits
	for i := range f.layout.Leaves {
		m.addColumn(&f.layout.Leaves[i], &f.totals[i])
	}
	return m
}

func (f *fileWriter) writeAll(chunks []*Chunk, meta map[string]string) error {
	if err := f.write([]byte(magic)); err != nil {
		return err
	}
	for _, c := range chunks {
		if c.Rows == 0 {
			continue
		}
		if err := f.rowGroup(c); err != nil {
			return err
		}
	}
	return f.finish(meta)
}

// finish writes what follows the row groups.
func (f *fileWriter) finish(meta map[string]string) error {
	if err := f.bloomFilters(); err != nil {
		return err
	}
	if err := f.pageIndex(); err != nil {
		return err
	}
	if err := f.footer(meta); err != nil {
		return err
	}
	return f.out.Flush()
}

func (f *fileWriter) write(b []byte) error {
	n, err := f.out.Write(b)
	f.off += int64(n)
	return err
}

func (f *fileWriter) rowGroup(c *Chunk) error {
	if len(c.columns) != len(f.layout.Leaves) {
		return fmt.Errorf("row group has %d columns, the schema %d", len(c.columns), len(f.layout.Leaves))
	}
	if err := f.beginGroup(c); err != nil {
		return err
	}
	for i := range c.columns {
		if err := f.column(c, i); err != nil {
			return err
		}
	}
	return nil
}

// beginGroup starts a row group.
func (f *fileWriter) beginGroup(c *Chunk) error {
	if len(f.groups) > math.MaxInt16 {
		return errors.New("too many row groups")
	}
	f.groups = append(f.groups, format.RowGroup{NumRows: c.Rows, FileOffset: f.off, Ordinal: int16(len(f.groups)), SortingColumns: c.Order.columns()})
	f.splits = append(f.splits, f.off)
	f.chunks = append(f.chunks, c)
	f.rows += c.Rows
	return nil
}

// column writes the next column of the last row group.
func (f *fileWriter) column(c *Chunk, i int) error {
	md, err := f.columnChunk(c, i)
	if err != nil {
		return err
	}
	rg := &f.groups[len(f.groups)-1]
	rg.TotalByteSize += md.TotalUncompressedSize
	rg.TotalCompressedSize += md.TotalCompressedSize
	rg.Columns = append(rg.Columns, format.ColumnChunk{MetaData: md})
	f.totals[i].add(&c.columns[i].totals, &f.layout.Leaves[i])
	return nil
}

// columnChunk writes the pages of one column and describes them.
func (f *fileWriter) columnChunk(c *Chunk, i int) (format.ColumnMetaData, error) {
	leaf, cc := &f.layout.Leaves[i], &c.columns[i]
	md := format.ColumnMetaData{
		Type: physicalTypes[leaf.Physical], PathInSchema: leaf.Path, Codec: c.codec.format(), NumValues: cc.totals.values,
		TotalCompressedSize: cc.totals.compressed, TotalUncompressedSize: cc.totals.uncompressed,
	}
	md.Encoding, md.EncodingStats = cc.encodings()
	if cc.dict != nil {
		md.DictionaryPageOffset = f.off
		if err := f.write(cc.dict); err != nil {
			return md, err
		}
	}
	md.DataPageOffset = f.off
	for k := range cc.pages {
		if err := f.write(cc.pages[k].data); err != nil {
			return md, err
		}
	}
	md.Statistics.NullCount = cc.totals.nulls
	lo, hi, loOK, hiOK := cc.totals.bounds.plain(leaf)
	if loOK {
		md.Statistics.MinValue = notNil(lo)
	}
	if hiOK {
		md.Statistics.MaxValue = notNil(hi)
	}
	return md, nil
}

// encodings lists what a reader of the column must know, and how many pages use it.
func (c *columnChunk) encodings() (list []format.Encoding, stats []format.PageEncodingStats) {
	list = append(list, format.RLE) // levels
	add := func(enc format.Encoding, kind format.PageType, n int) {
		if n > 0 {
			if !slices.Contains(list, enc) {
				list = append(list, enc)
			}
			stats = append(stats, format.PageEncodingStats{PageType: kind, Encoding: enc, Count: int32(n)})
		}
	}
	if c.dict != nil {
		add(format.Plain, format.DictionaryPage, 1)
	}
	add(format.RLEDictionary, format.DataPage, c.counts.dictionary)
	add(format.Plain, format.DataPage, c.counts.plain)
	add(format.DeltaBinaryPacked, format.DataPage, c.counts.delta)
	return list, stats
}

// bloomFilters writes them behind the row groups, where reading rows does not meet them.
func (f *fileWriter) bloomFilters() error {
	for g := range f.groups {
		for i := range f.groups[g].Columns {
			b := f.chunks[g].columns[i].bloom
			if b == nil {
				continue
			}
			md := &f.groups[g].Columns[i].MetaData
			md.BloomFilterOffset, md.BloomFilterLength = f.off, int32(len(b))
			if err := f.write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageIndex writes all column indexes, then all offset indexes, as the format recommends.
func (f *fileWriter) pageIndex() error {
	for g := range f.groups {
		if !f.chunks[g].index {
			continue
		}
		for i := range f.groups[g].Columns {
			ix := columnIndex(&f.layout.Leaves[i], f.chunks[g].columns[i].pages)
			if ix == nil {
				continue
			}
			col := &f.groups[g].Columns[i]
			if err := f.marshal(ix, &col.ColumnIndexOffset, &col.ColumnIndexLength); err != nil {
				return err
			}
		}
	}
	for g := range f.groups {
		if !f.chunks[g].index {
			continue
		}
		for i := range f.groups[g].Columns {
			col := &f.groups[g].Columns[i]
			ix := offsetIndex(f.chunks[g].columns[i].pages, col.MetaData.DataPageOffset)
			if err := f.marshal(ix, &col.OffsetIndexOffset, &col.OffsetIndexLength); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fileWriter) marshal(v any, offset *int64, length *int32) error {
	b, err := thrift.Marshal(new(thrift.CompactProtocol), v)
	if err != nil {
		return err
	}
	*offset, *length = f.off, int32(len(b))
	return f.write(b)
}

func (f *fileWriter) footer(meta map[string]string) error {
	md := format.FileMetaData{Version: 1, Schema: schemaElements(f.layout), NumRows: f.rows, RowGroups: f.groups, CreatedBy: createdBy}
	for range f.layout.Leaves {
		md.ColumnOrders = append(md.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		md.KeyValueMetadata = append(md.KeyValueMetadata, format.KeyValue{Key: k, Value: meta[k]})
	}
	b, err := thrift.Marshal(new(thrift.CompactProtocol), &md)
	if err != nil {
		return err
	}
	if len(b) > math.MaxInt32 {
		return fmt.Errorf("footer of %d bytes is above the limit of the format", len(b))
	}
	if err := f.write(b); err != nil {
		return err
	}
	return f.write(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), magic...))
}
