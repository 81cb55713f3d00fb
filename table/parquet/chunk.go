package parquet

import "unsafe"

// Chunk is a finished row group: encoded pages, statistics and page index of all columns. It is immutable and knows
// nothing of its place in a file, so chunks of several goroutines become one file.
type Chunk struct {
	Rows  int64
	Bytes int64 // encoded
	// Order is the order of the rows; nil when they are in none.
	Order *Order

	codec   Codec
	index   bool
	columns []columnChunk
}

// bytes is the memory of the finished pages.
func (c *columnChunk) bytes() int64 {
	return c.totals.compressed + int64(cap(c.pages))*int64(unsafe.Sizeof(dataPage{}))
}

// freshRatio is the guess for the compression of a column that has no finished page.
const freshRatio = 0.5

// estimate is the encoded size of the column so far.
func (w *columnWriter) estimate() int64 {
	t := &w.chunk.totals
	ratio := freshRatio
	if t.uncompressed > 0 {
		ratio = float64(t.compressed) / float64(t.uncompressed)
	}
	open := w.col.PageBytes()
	if w.col.DictOn() || w.chunk.counts.dictionary > 0 {
		open += len(w.col.DictPlain())
	}
	return t.compressed + int64(ratio*float64(open))
}
