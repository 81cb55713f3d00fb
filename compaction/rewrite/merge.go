package rewrite

import (
	"context"
	"errors"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// minShared is how many values a dictionary must have before it may turn out that inputs share none.
const minShared = 1 << 12

// columnJob is one column of a row group.
type columnJob struct {
	leaf  *column.Leaf
	at    int // of the leaf in the layout
	group *group

	out            *parquet.ColumnBuilder
	full           bool // the dictionary takes no further input
	copied, merged int64
	read           int64 // bytes
}

// chunk is the column chunk of an input that is being read.
type chunk struct {
	*piece
	md    *format.ColumnMetaData
	codec parquet.Codec
	facts *facts
	row   int64 // position in the file of the page's first row
	// usable tells that references may go into the output's dictionary, kept that they mean the same there.
	usable, kept bool
	entries      int64
	pages        int   // data pages so far
	size         int64 // of all pages, uncompressed
	copied       bool
}

// make merges a column of all inputs.
func (w *worker) make(ctx context.Context, j *columnJob) error {
	j.out = parquet.NewColumnBuilder(j.leaf, w.enc)
	w.open.reset()
	w.hull = hull{known: true}
	w.dict.reset(width(j.leaf))
	for i := range j.group.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.piece(j, &j.group.parts[i]); err != nil {
			return err
		}
	}
	if err := w.flush(j); err != nil {
		return err
	}
	if !j.out.Referred() {
		return nil
	}
	return j.out.Dictionary(w.dict.buf, w.dict.n)
}

// width is the length of a value in a dictionary, 0 for byte strings.
func width(leaf *column.Leaf) int {
	switch leaf.Physical {
	case column.PhysInt32, column.PhysFloat:
		return 4
	case column.PhysInt64, column.PhysDouble:
		return 8
	case column.PhysFixed:
		return leaf.FixedLen
	default:
		return 0
	}
}

// piece merges the column chunk of one input.
func (w *worker) piece(j *columnJob, p *piece) error {
	col := p.file.source[j.at]
	if col < 0 {
		return w.nulls(j, p)
	}
	cc := &p.file.meta.RowGroups[p.group].Columns[col]
	c := &chunk{piece: p, md: &cc.MetaData, row: p.first}
	c.codec, _ = parquet.CodecOf(c.md.Codec)
	j.read += c.md.TotalCompressedSize
	at := chunkStart(c.md)
	w.source.reset() // references of this chunk must not find the dictionary of the one before
	err := guard(func() (err error) {
		if c.facts, err = p.file.facts(cc, j.leaf, p.rows); err != nil {
			return err
		}
		for w.pages.start(p.file, c.md); w.pages.more(); {
			at = w.pages.at
			if err := w.page(j, c); err != nil {
				return err
			}
		}
		if c.entries != c.md.NumValues || c.row != p.first+p.rows {
			return errRows
		}
		if c.copied && c.size != c.md.TotalUncompressedSize {
			return errHeader // headers have no checksum; this is what is known of the sizes in them
		}
		return nil
	})
	return p.file.blame(err, j.leaf, at)
}

// blame says where something went wrong, unless it was not the file's fault.
func (f *file) blame(err error, leaf *column.Leaf, at int64) error {
	var unsupported ErrUnsupported
	var read *readError
	if err == nil || errors.As(err, &unsupported) || errors.As(err, &read) {
		return err
	}
	return &Damaged{Path: f.in.Path, Column: leaf.Name(), Offset: at, Err: err}
}

// nulls stands for a column that the input does not have.
func (w *worker) nulls(j *columnJob, p *piece) error {
	n := p.rows - int64(len(p.file.in.deleted(p.first, p.first+p.rows)))
	for n > 0 {
		if w.open.rows >= w.opts.Parquet.PageRows {
			if err := w.flush(j); err != nil {
				return err
			}
		}
		k := min(n, int64(w.opts.Parquet.PageRows-w.open.rows))
		w.open.appendNulls(j.leaf, int(k))
		n -= k
	}
	return nil
}

// page takes the next page of a chunk.
func (w *worker) page(j *columnJob, c *chunk) error {
	at := w.pages.at
	h, b, err := w.pages.next()
	if err != nil {
		return err
	}
	c.size += int64(h.size + h.uncompressed)
	switch h.kind {
	case format.DictionaryPage:
		return w.dictionary(j, c, &h, b)
	case format.DataPage:
	default:
		return c.file.unsupported("column %s has a page of type %v", j.leaf.Name(), h.kind)
	}
	if !known(h.encoding) || h.encoding == format.RLE {
		return c.file.unsupported("column %s has a page of encoding %v", j.leaf.Name(), h.encoding)
	}
	c.entries += int64(h.entries)
	info, ok := c.facts.page(c.pages, at, &h, j.leaf)
	c.pages++
	if ok && w.stays(j, c, &h, &info) {
		c.row += int64(info.Rows)
		return w.copy(j, c, &h, b, &info)
	}
	if !ok || w.opts.NoCopy || !c.told(j.leaf) {
		return w.merge(j, c, &h, b, nil)
	}
	return w.merge(j, c, &h, b, &info)
}

// dictionary takes the dictionary of a chunk over into the output's, if it fits.
func (w *worker) dictionary(j *columnJob, c *chunk, h *header, b []byte) (err error) {
	if c.pages > 0 || j.leaf.Physical == column.PhysBool {
		return errHeader
	}
	if w.plain, err = w.dec.Append(w.plain[:0], b[h.size:], c.codec, h.uncompressed); err != nil {
		return err
	}
	if err := w.source.load(w.plain, h.entries, width(j.leaf)); err != nil {
		return err
	}
	if j.full {
		return nil
	}
	before := w.dict.n
	var ok bool
	w.remap, ok = w.dict.add(w.remap, &w.source, w.opts.Parquet.DictBytes)
	c.usable, c.kept = ok, ok && same(w.remap)
	j.full = !ok || alone(&w.source, c.md.NumValues, before, w.dict.n)
	return nil
}

// alone tells whether merging dictionaries gains nothing: the inputs hardly have a value in common, as with times, and
// each stands for few rows. Without a dictionary the pages are as small and cost less.
func alone(in *inputDict, entries int64, before, after int) bool {
	n := in.len()
	return before > minShared && after-before > n-n/8 && entries < 4*int64(n)
}

// stays tells whether a page may be copied.
func (w *worker) stays(j *columnJob, c *chunk, h *header, info *parquet.PageInfo) bool {
	switch {
	case w.opts.NoCopy:
		return false
	case !h.hasCRC: // it must be decoded to know that it is whole
		return false
	case h.entries < w.opts.Parquet.PageRows/4 && h.uncompressed < w.opts.Parquet.PageBytes/4:
		return false
	case len(c.file.in.deleted(c.row, c.row+int64(info.Rows))) > 0:
		return false
	case h.byReference() && !c.kept:
		return false
	case h.encoding == format.DeltaBinaryPacked && w.opts.Parquet.Encoding != parquet.Delta:
		return false
	case h.encoding == format.PlainDictionary || !slices.Contains(c.md.Encoding, h.encoding) || h.levels != [2]format.Encoding{format.RLE, format.RLE}:
		return false
	case j.leaf.MaxRep > 0 && len(c.file.in.deleted(c.first, c.first+c.rows)) > 0:
		return false // how many rows the page has is known from the index only: no reason to delete by
	}
	return c.told(j.leaf)
}

// told tells whether the index may speak for values that nobody looks at: it says nothing about NaNs.
func (c *chunk) told(leaf *column.Leaf) bool {
	if leaf.Physical != column.PhysFloat && leaf.Physical != column.PhysDouble {
		return true
	}
	n, told := c.file.in.NaNs[leaf.FieldID]
	return told && n == 0
}

// copy appends a page as it stands, or in another codec.
func (w *worker) copy(j *columnJob, c *chunk, h *header, b []byte, info *parquet.PageInfo) (err error) {
	if err := w.flush(j); err != nil {
		return err
	}
	j.copied++
	c.copied = true
	if c.codec == w.codec {
		j.out.Copy(b, h.size+h.uncompressed, info)
		return nil
	}
	if w.body, err = w.dec.Append(w.body[:0], b[h.size:], c.codec, h.uncompressed); err != nil {
		return err
	}
	return j.out.Add(w.body, info)
}

// merge decodes a page and appends what stays to the open one. info is what the index says of it, if that may be used.
func (w *worker) merge(j *columnJob, c *chunk, h *header, b []byte, info *parquet.PageInfo) (err error) {
	if w.body, err = w.dec.Append(w.body[:0], b[h.size:], c.codec, h.uncompressed); err != nil {
		return err
	}
	in := &w.in
	if err := in.decode(j.leaf, h, w.body); err != nil {
		return err
	}
	if in.mode == indexed && in.values > 0 && !c.usable {
		if err := w.unfold(j.leaf); err != nil {
			return err
		}
	}
	w.spans = append(w.spans[:0], span{0, in.entries})
	if gone := c.file.in.deleted(c.row, c.row+int64(in.rows)); len(gone) > 0 {
		w.spans = in.keep(w.spans[:0], c.row, gone)
		info = nil // whose values the bounds were is not known
	}
	c.row += int64(in.rows)
	if c.row > c.first+c.rows {
		return errRows
	}
	open := &w.open
	if open.rows > 0 && (open.values > 0 && in.values > 0 && open.mode != in.mode || open.rows+in.rows > w.opts.Parquet.PageRows || open.bytes()+in.bytes() > w.opts.Parquet.PageBytes) {
		if err := w.flush(j); err != nil {
			return err
		}
	}
	w.dense = (open.entries == 0 || w.dense) && dense(h)
	w.hull.add(j.leaf, info)
	return open.appendSpans(j.leaf, in, w.spans, w.remap)
}

// dense tells whether compression made a page no smaller. What is made of its values will not become smaller either:
// they stay packed.
func dense(h *header) bool { return h.compressed >= h.uncompressed-h.uncompressed/50 }

// unfold replaces the references of the input page by their values.
func (w *worker) unfold(leaf *column.Leaf) error {
	b, err := w.source.appendPlain(w.values[:0], w.in.index)
	if err != nil {
		return err
	}
	w.values, w.in.index = b, w.in.index[:0]
	return w.in.setPlain(leaf, b)
}
