package parquet

import (
	"bytes"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// ColumnBuilder makes one column of a row group from pages that somebody else has put together: package
// compaction/rewrite, which moves pages from file to file. What is said of a page becomes the page index and the
// statistics, so it must be true; bounds may be wider than the values.
type ColumnBuilder struct {
	leaf     *column.Leaf
	enc      *Encoder
	chunk    columnChunk
	literals [2]literalPolicy // of data pages and of the dictionary
}

// NewColumnBuilder starts a column. Builders may share the encoder as long as one goroutine uses them.
func NewColumnBuilder(leaf *column.Leaf, e *Encoder) *ColumnBuilder {
	return &ColumnBuilder{leaf: leaf, enc: e}
}

// PageInfo describes a page.
type PageInfo struct {
	Entries  int // level entries, nulls included
	Rows     int
	Encoding format.Encoding
	Stats    column.Stats
	// Lo and Hi are the bounds as a page index has them; without them they are made of Stats.
	Lo, Hi []byte
}

// Add compresses the body of a page, levels and values, and appends it.
func (b *ColumnBuilder) Add(body []byte, p *PageInfo) error {
	page, err := b.literals[0].seal(b.enc, pageHeader{entries: p.Entries, encoding: p.Encoding}, body)
	if err != nil {
		return err
	}
	b.append(page, p)
	return nil
}

// Copy appends a whole page, header and compressed body, as it stands. uncompressed is the size of header and body before
// compression.
func (b *ColumnBuilder) Copy(page []byte, uncompressed int, p *PageInfo) {
	b.append(sealed{data: bytes.Clone(page), uncompressed: uncompressed}, p)
}

func (b *ColumnBuilder) append(page sealed, p *PageInfo) {
	d := dataPage{data: page.data, rows: p.Rows, nulls: p.Stats.Nulls, allNull: p.Stats.Nulls == int64(p.Entries)}
	t := &b.chunk.totals
	bounds := boundsOf(&p.Stats)
	if p.Lo != nil && p.Hi != nil {
		d.lo, d.hi, d.loOK, d.hiOK = bytes.Clone(p.Lo), bytes.Clone(p.Hi), true, true
	} else {
		d.lo, d.hi, d.loOK, d.hiOK = bounds.plain(b.leaf)
		d.lo, d.hi = bytes.Clone(d.lo), bytes.Clone(d.hi)
	}
	b.chunk.pages = append(b.chunk.pages, d)
	b.chunk.counts.add(p.Encoding)
	t.values += int64(p.Entries)
	t.nulls += p.Stats.Nulls
	t.nans += p.Stats.NaNs
	t.bounds.merge(&bounds, b.leaf)
	t.compressed += int64(len(page.data))
	t.uncompressed += int64(page.uncompressed)
}

// Referred tells whether a page refers to a dictionary.
func (b *ColumnBuilder) Referred() bool { return b.chunk.counts.dictionary > 0 }

// Dictionary sets the dictionary: values in PLAIN layout.
func (b *ColumnBuilder) Dictionary(plain []byte, entries int) error {
	page, err := b.literals[1].seal(b.enc, pageHeader{dictionary: true, entries: entries}, plain)
	if err != nil {
		return err
	}
	b.chunk.dict = page.data
	b.chunk.totals.compressed += int64(len(page.data))
	b.chunk.totals.uncompressed += int64(page.uncompressed)
	return nil
}

// Bytes is the encoded size so far.
func (b *ColumnBuilder) Bytes() int64 { return b.chunk.totals.compressed }

// AppendLevels appends levels as a version 1 page has them: runs behind their length.
func AppendLevels(dst, levels []byte, highest uint8) ([]byte, error) {
	return appendLevel(dst, levels, highest)
}

// AppendIndex appends references into a dictionary of so many entries.
func AppendIndex(dst []byte, index []int32, entries int) ([]byte, error) {
	return appendIndex(dst, index, entries)
}

// StatsOfBounds reads bounds as a page index or a footer has them, the inverse of what is written there. It is false
// for bounds that are none of the leaf's type.
func StatsOfBounds(leaf *column.Leaf, lo, hi []byte) (s column.Stats, ok bool) {
	s.Has = true
	width := 0
	switch leaf.Physical {
	case column.PhysBytes:
		s.Min, s.Max = lo, hi
		return s, true
	case column.PhysFixed:
		s.Min, s.Max = lo, hi
		width = leaf.FixedLen
	case column.PhysBool:
		width = 1
	case column.PhysInt32, column.PhysFloat:
		width = 4
	default:
		width = 8
	}
	if len(lo) != width || len(hi) != width {
		return column.Stats{}, false
	}
	switch leaf.Physical {
	case column.PhysBool:
		s.MinInt, s.MaxInt = int64(lo[0]), int64(hi[0])
	case column.PhysInt32:
		s.MinInt, s.MaxInt = int64(int32(le32of(lo))), int64(int32(le32of(hi)))
	case column.PhysInt64:
		s.MinInt, s.MaxInt = int64(le64of(lo)), int64(le64of(hi))
	case column.PhysFloat:
		s.MinFloat, s.MaxFloat = float64(math.Float32frombits(le32of(lo))), float64(math.Float32frombits(le32of(hi)))
	case column.PhysDouble:
		s.MinFloat, s.MaxFloat = math.Float64frombits(le64of(lo)), math.Float64frombits(le64of(hi))
	default: // fixed, above
	}
	return s, true
}

// ComparePlain orders two bounds of a leaf as a page index has them. They have passed StatsOfBounds.
func ComparePlain(leaf *column.Leaf, a, b []byte) int { return comparePlain(leaf, a, b) }

// Element is how a leaf stands in the schema of a footer.
func Element(leaf *column.Leaf) format.SchemaElement {
	el := format.SchemaElement{Name: leaf.Path[len(leaf.Path)-1], FieldID: int32(leaf.FieldID)}
	annotate(&el, leaf.Type)
	return el
}
