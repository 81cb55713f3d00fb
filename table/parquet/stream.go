package parquet

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/ingestd/ingestd/table/column"
)

// FileWriter writes a file column by column: only what stands in the footer stays in memory.
type FileWriter struct {
	f    *fileWriter
	open *Chunk // the open row group
	at   int    // its next column
	opts Options
}

// NewFileWriter starts a file.
func NewFileWriter(w io.Writer, l *column.Layout, o Options) (*FileWriter, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("starting a parquet file: %w", err)
	}
	f := newFileWriter(w, l)
	if err := f.write([]byte(magic)); err != nil {
		return nil, fmt.Errorf("starting a parquet file: %w", err)
	}
	return &FileWriter{f: f, opts: o}, nil
}

func newFileWriter(w io.Writer, l *column.Layout) *fileWriter {
	return &fileWriter{out: bufio.NewWriterSize(w, writeBuffer), layout: l, totals: make([]columnTotals, len(l.Leaves))}
}

// Begin starts a row group. Its columns follow in the order of the layout.
func (w *FileWriter) Begin(rows int64) error {
	if w.open != nil && w.at < len(w.open.columns) {
		return errors.New("writing a parquet file: the last row group is not whole")
	}
	w.open = &Chunk{Rows: rows, codec: w.opts.Codec, index: !w.opts.NoPageIndex, columns: make([]columnChunk, len(w.f.layout.Leaves))}
	w.at = 0
	return w.f.beginGroup(w.open)
}

// Column writes the next column of the row group, and takes its pages.
func (w *FileWriter) Column(b *ColumnBuilder) error {
	if w.open == nil || w.at == len(w.open.columns) {
		return errors.New("writing a parquet file: no column is missing")
	}
	i := w.at
	w.at++
	c := &w.open.columns[i]
	*c = b.chunk
	b.chunk = columnChunk{}
	if err := c.checkRows(w.open.Rows); err != nil {
		return fmt.Errorf("writing column %s: %w", b.leaf.Name(), err)
	}
	if err := w.f.column(w.open, i); err != nil {
		return fmt.Errorf("writing column %s: %w", b.leaf.Name(), err)
	}
	c.release()
	return nil
}

// checkRows keeps a column that lost or doubled rows from becoming a file.
func (c *columnChunk) checkRows(rows int64) error {
	var got int64
	for i := range c.pages {
		got += int64(c.pages[i].rows)
	}
	if got != rows {
		return fmt.Errorf("it has %d rows, not %d", got, rows)
	}
	return nil
}

// release forgets the pages and keeps what the page index says of them.
func (c *columnChunk) release() {
	c.dict = nil
	for i := range c.pages {
		c.pages[i].size = len(c.pages[i].data)
		c.pages[i].data = nil
	}
}

// Close ends the file.
func (w *FileWriter) Close(meta map[string]string) (Metrics, error) {
	if w.open != nil && w.at < len(w.open.columns) {
		return Metrics{}, errors.New("writing a parquet file: the last row group is not whole")
	}
	if err := w.f.finish(meta); err != nil {
		return Metrics{}, fmt.Errorf("writing a parquet file: %w", err)
	}
	return w.f.metrics(), nil
}
