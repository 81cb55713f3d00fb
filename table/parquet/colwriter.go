package parquet

import (
	"bytes"

	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

// columnWriter turns one column of an open row group into pages.
type columnWriter struct {
	col      *column.Column
	chunk    columnChunk
	policy   dictPolicy
	literals [2]literalPolicy // of data pages and of dictionary pages
	flushed  int              // values in finished pages
	bloom    *bloomBuilder    // nil without
}

// columnChunk is the finished part of one column in a row group.
type columnChunk struct {
	dict   []byte // dictionary page with its header; nil without
	bloom  []byte // Bloom filter with its header; nil without
	pages  []dataPage
	counts pageCounts
	totals columnTotals
}

// pageCounts is the number of data pages by encoding.
type pageCounts struct{ plain, dictionary, delta int }

// dataPage is an encoded page with its header and what the page index says about it.
type dataPage struct {
	data       []byte
	size       int // of the data once it is gone
	rows       int
	nulls      int64
	lo, hi     []byte // bounds as the page index has them
	loOK, hiOK bool
	allNull    bool
}

// length is the size of the page.
func (p *dataPage) length() int { return max(p.size, len(p.data)) }

// begin prepares for a new row group.
func (w *columnWriter) begin() {
	w.chunk = columnChunk{}
	w.flushed = 0
	if w.bloom != nil {
		w.bloom.begin()
	}
	w.col.ResetPage()
	w.col.ResetChunk()
	w.col.TakeRepaired()
	w.col.UseDict(w.col.HasDict() && w.policy.begin())
}

// mostUnfolded ends a page whose values take so many times the bytes of a page without their dictionary: a thousand
// references to a value of a megabyte are small, but weighing the dictionary and reading the page unfolds them.
const mostUnfolded = 8

// absorb ends a batch and flushes the page if it is full.
func (w *columnWriter) absorb(e *Encoder) error {
	w.col.Absorb()
	full := false
	if w.col.DictOn() {
		if !w.policy.observe(w.flushed+w.col.Values(), w.col.DictLen()) && w.chunk.counts.dictionary == 0 {
			w.policy.verdict = plain
			w.col.DropDict()
		} else {
			full = len(w.col.DictPlain()) >= e.opts.DictBytes
		}
	}
	if !full && w.col.Rows() < e.opts.PageRows && w.col.PageBytes() < e.opts.PageBytes && w.col.Unfolded() < mostUnfolded*e.opts.PageBytes {
		return nil
	}
	if err := w.flush(e, false); err != nil {
		return err
	}
	if full {
		w.col.UseDict(false)
	}
	return nil
}

// flush encodes the open page. last says that no values will follow in this row group.
func (w *columnWriter) flush(e *Encoder, last bool) error {
	c := w.col
	if c.Entries() == 0 {
		return nil
	}
	stop := false
	if len(c.Index()) > 0 && c.DictOn() {
		var err error
		if stop, err = w.judge(e, last); err != nil {
			return err
		}
	}
	if len(c.Index()) == 0 {
		c.RepairText()
		if w.bloom != nil {
			w.bloom.page(c)
		}
	}
	stats := c.PageStats()
	raw, enc, err := e.page(c)
	if err != nil {
		return err
	}
	h := pageHeader{entries: c.Entries(), encoding: enc}
	page, err := w.literals[0].seal(e, h, raw)
	if err != nil {
		return err
	}
	w.chunk.counts.add(enc)
	w.finishPage(&stats, page)
	if stop {
		c.UseDict(false)
	}
	return nil
}

// finishPage enters an encoded page and empties the column.
func (w *columnWriter) finishPage(stats *column.Stats, page sealed) {
	c := w.col
	b := boundsOf(stats)
	p := dataPage{data: page.data, rows: c.Rows(), nulls: stats.Nulls, allNull: c.Values() == 0}
	p.lo, p.hi, p.loOK, p.hiOK = b.plain(&c.Leaf)
	p.lo, p.hi = bytes.Clone(p.lo), bytes.Clone(p.hi)
	w.chunk.pages = append(w.chunk.pages, p)
	t := &w.chunk.totals
	t.values += int64(c.Entries())
	t.nulls += stats.Nulls
	t.nans += stats.NaNs
	t.bounds.merge(&b, &c.Leaf)
	t.compressed += int64(len(page.data))
	t.uncompressed += int64(page.uncompressed)
	w.flushed += c.Values()
	c.ResetPage()
}

// close ends the row group and hands over the chunk. The column is ready for the next one.
func (w *columnWriter) close(e *Encoder) (columnChunk, error) {
	if err := w.flush(e, true); err != nil {
		return columnChunk{}, err
	}
	if w.chunk.counts.dictionary > 0 {
		raw := w.col.DictPlain()
		h := pageHeader{dictionary: true, entries: w.col.DictLen()}
		page, err := w.literals[1].seal(e, h, raw)
		if err != nil {
			return columnChunk{}, err
		}
		w.chunk.dict = page.data
		w.chunk.totals.compressed += int64(len(page.data))
		w.chunk.totals.uncompressed += int64(page.uncompressed)
	}
	if err := w.closeBloom(); err != nil {
		return columnChunk{}, err
	}
	w.chunk.totals.repaired = w.col.TakeRepaired()
	w.policy.end(w.flushed)
	chunk := w.chunk
	w.begin()
	return chunk, nil
}

// closeBloom makes the Bloom filter of the chunk.
func (w *columnWriter) closeBloom() (err error) {
	if w.bloom == nil {
		return nil
	}
	if w.chunk.counts.dictionary > 0 {
		w.bloom.dictionary(w.col)
	}
	w.chunk.bloom, err = w.bloom.finish()
	return err
}

func (n *pageCounts) add(enc format.Encoding) {
	switch enc {
	case format.RLEDictionary:
		n.dictionary++
	case format.DeltaBinaryPacked:
		n.delta++
	default:
		n.plain++
	}
}
