package rewrite

import (
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// facts is what the page index of an input says about the pages of a chunk.
type facts struct {
	column format.ColumnIndex
	offset format.OffsetIndex
	rows   int64
}

// maxIndex is the most bytes of an index.
const maxIndex = 16 << 20

// facts reads the page index of a chunk. It is nil where there is none, or one that does not agree with the footer: the
// index has no checksum, and rows that a reader skips for a wrong bound are as good as lost.
func (f *file) facts(c *format.ColumnChunk, leaf *column.Leaf, rows int64) (*facts, error) {
	if c.ColumnIndexLength <= 0 || c.OffsetIndexLength <= 0 || c.ColumnIndexLength > maxIndex || c.OffsetIndexLength > maxIndex {
		return nil, nil
	}
	out := &facts{rows: rows}
	for _, part := range []struct {
		at   int64
		size int32
		into any
	}{{c.ColumnIndexOffset, c.ColumnIndexLength, &out.column}, {c.OffsetIndexOffset, c.OffsetIndexLength, &out.offset}} {
		b, err := f.slice(part.at, int64(part.size))
		if err != nil {
			return nil, err
		}
		if thrift.Unmarshal(new(thrift.CompactProtocol), b, part.into) != nil {
			return nil, nil
		}
	}
	if !out.agrees(&c.MetaData, leaf) {
		return nil, nil
	}
	return out, nil
}

// agrees compares the index with the footer: the pages' bounds and null counts are together those of the chunk.
func (f *facts) agrees(md *format.ColumnMetaData, leaf *column.Leaf) bool {
	ix := &f.column
	n := len(f.offset.PageLocations)
	if n == 0 || len(ix.NullPages) != n || len(ix.MinValues) != n || len(ix.MaxValues) != n || len(ix.NullCounts) != n {
		return false
	}
	var nulls, row int64
	lo, hi := -1, -1
	for i := range n {
		nulls += ix.NullCounts[i]
		loc := &f.offset.PageLocations[i]
		if i == 0 && loc.FirstRowIndex != 0 || loc.FirstRowIndex < row || loc.FirstRowIndex > f.rows {
			return false
		}
		row = loc.FirstRowIndex
		if ix.NullPages[i] {
			continue
		}
		if _, ok := parquet.StatsOfBounds(leaf, ix.MinValues[i], ix.MaxValues[i]); !ok {
			return false
		}
		if lo < 0 || parquet.ComparePlain(leaf, ix.MinValues[i], ix.MinValues[lo]) < 0 {
			lo = i
		}
		if hi < 0 || parquet.ComparePlain(leaf, ix.MaxValues[i], ix.MaxValues[hi]) > 0 {
			hi = i
		}
	}
	st := &md.Statistics
	if nulls != st.NullCount {
		return false
	}
	if lo < 0 {
		return true
	}
	if _, ok := parquet.StatsOfBounds(leaf, st.MinValue, st.MaxValue); !ok || st.MinValue == nil || st.MaxValue == nil {
		return false
	}
	return parquet.ComparePlain(leaf, ix.MinValues[lo], st.MinValue) == 0 && parquet.ComparePlain(leaf, ix.MaxValues[hi], st.MaxValue) == 0
}

// page tells about the i-th data page of the chunk, which begins at a file offset. ok is false when the index means
// another page.
func (f *facts) page(i int, at int64, h *header, leaf *column.Leaf) (info parquet.PageInfo, ok bool) {
	if f == nil || i >= len(f.offset.PageLocations) || f.offset.PageLocations[i].Offset != at {
		return info, false
	}
	end := f.rows
	if i+1 < len(f.offset.PageLocations) {
		end = f.offset.PageLocations[i+1].FirstRowIndex
	}
	info = parquet.PageInfo{Entries: h.entries, Rows: int(end - f.offset.PageLocations[i].FirstRowIndex), Encoding: h.encoding}
	nulls := f.column.NullCounts[i]
	if nulls < 0 || nulls > int64(h.entries) || leaf.MaxRep == 0 && info.Rows != h.entries {
		return info, false
	}
	if f.column.NullPages[i] {
		info.Stats.Nulls = nulls
		return info, nulls == int64(h.entries)
	}
	info.Lo, info.Hi = f.column.MinValues[i], f.column.MaxValues[i]
	info.Stats, ok = parquet.StatsOfBounds(leaf, info.Lo, info.Hi)
	info.Stats.Nulls = nulls
	return info, ok
}

// hull is the bounds of the open page, as far as the indexes of the pages that went into it tell them.
type hull struct {
	known  bool
	lo, hi []byte // nothing while all values are null
}

// add widens the hull by a page, of which nothing is known without info.
func (b *hull) add(leaf *column.Leaf, info *parquet.PageInfo) {
	switch {
	case info == nil:
		*b = hull{}
	case !b.known || info.Stats.Nulls == int64(info.Entries):
	case info.Lo == nil || info.Hi == nil:
		*b = hull{}
	default:
		if b.lo == nil || parquet.ComparePlain(leaf, info.Lo, b.lo) < 0 {
			b.lo = info.Lo
		}
		if b.hi == nil || parquet.ComparePlain(leaf, info.Hi, b.hi) > 0 {
			b.hi = info.Hi
		}
	}
}
