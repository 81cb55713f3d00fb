package parquet

import (
	"fmt"

	"github.com/ingestd/ingestd/table/column"
)

// RowGroup is the columns and the compressed pages of one open row group. It belongs to one goroutine at a time.
type RowGroup struct {
	layout  *column.Layout
	enc     *Encoder
	set     *column.Set
	writers []columnWriter
	rows    int64
	run     *run // nil: rows become pages in the order in which they come
}

// NewRowGroup prepares an empty row group; it holds next to no memory before the first row.
func NewRowGroup(l *column.Layout, e *Encoder) *RowGroup {
	g := &RowGroup{layout: l, enc: e, set: column.NewSet(l), writers: make([]columnWriter, len(l.Leaves))}
	for i := range g.writers {
		g.writers[i].col = g.set.Columns[i]
		g.writers[i].begin()
	}
	return g
}

// Set is where rows are appended.
func (g *RowGroup) Set() *column.Set { return g.set }

// Rows is the number of absorbed rows.
func (g *RowGroup) Rows() int64 { return g.rows }

// Absorb ends a small batch of rows (about 500): the values that wait go into dictionaries, full pages are encoded.
// An error means that the rows were not whole or that a page is beyond the format's limits; the row group must be
// Reset then.
func (g *RowGroup) Absorb() error {
	n := g.set.Pending()
	if err := g.set.Check(n); err != nil {
		return fmt.Errorf("absorbing rows: %w", err)
	}
	g.rows += int64(n)
	if g.run != nil {
		g.run.absorb(g.set)
		return nil
	}
	for i := range g.writers {
		if err := g.writers[i].absorb(g.enc); err != nil {
			return fmt.Errorf("writing column %s: %w", g.layout.Leaves[i].Name(), err)
		}
	}
	return nil
}

// Finish ends the row group and returns it as a chunk. The row group is empty afterwards and keeps its buffers and
// what it has learned about the columns.
func (g *RowGroup) Finish() (*Chunk, error) {
	if err := g.Absorb(); err != nil {
		return nil, err
	}
	c := &Chunk{Rows: g.rows, codec: g.enc.opts.Codec, index: !g.enc.opts.NoPageIndex, columns: make([]columnChunk, len(g.writers))}
	if g.run != nil && g.rows > 0 {
		c.Order = g.run.sort(g.set)
	}
	for i := range g.writers {
		if err := g.move(i); err != nil {
			return nil, fmt.Errorf("writing column %s: %w", g.layout.Leaves[i].Name(), err)
		}
		var err error
		if c.columns[i], err = g.writers[i].close(g.enc); err != nil {
			return nil, fmt.Errorf("writing column %s: %w", g.layout.Leaves[i].Name(), err)
		}
		c.Bytes += c.columns[i].totals.compressed + int64(len(c.columns[i].bloom))
	}
	if g.run != nil {
		g.run.end(g.set, c)
	}
	g.rows = 0
	return c, nil
}

// Reset drops everything buffered.
func (g *RowGroup) Reset() {
	for i := range g.writers {
		g.writers[i].begin()
	}
	if g.run != nil {
		g.run.reset(g.set)
	}
	g.rows = 0
}

// Release gives the buffers of an empty row group back; what it has learned about the columns stays.
func (g *RowGroup) Release() {
	g.set.Release()
	if g.run != nil {
		g.run.paged.Release()
	}
}

// Bytes is the memory held: buffers, dictionaries, encoded pages.
func (g *RowGroup) Bytes() int64 {
	n := g.set.Bytes()
	if g.run != nil {
		n += g.run.bytes(g.set)
	}
	for i := range g.writers {
		n += g.writers[i].chunk.bytes() + g.writers[i].bloom.bytes()
	}
	return n
}

// Estimate is the encoded size so far: finished pages as they are, open ones and dictionaries at the rate at which
// the column was compressed up to now.
func (g *RowGroup) Estimate() int64 {
	if g.run != nil {
		return g.run.estimate(g.set)
	}
	var n int64
	for i := range g.writers {
		n += g.writers[i].estimate()
	}
	return n
}
