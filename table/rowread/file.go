package rowread

import (
	"context"
	"errors"
	"fmt"
	"io"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/parquet-go/parquet-go"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	codeFile   = "E_DATA_FILE" // a data file that cannot be read as what it should be
	batchRows  = 1024
	readBuffer = 256 << 10
)

// File is an open data file.
type File struct {
	name    string
	file    *parquet.File
	close   io.Closer
	columns map[int]*parquet.Column
}

// Open opens a data file through a table's file access.
func Open(fs iceio.IO, path string) (*File, error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, damaged(err, path)
	}
	fi, err := f.Stat()
	if err == nil {
		var out *File
		if out, err = New(path, f, fi.Size()); err == nil {
			out.close = f
			return out, nil
		}
	}
	return nil, errors.Join(damaged(err, path), f.Close())
}

// New reads a data file of the given size; name is for messages.
func New(name string, r io.ReaderAt, size int64) (*File, error) {
	pf, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBuffer))
	if err != nil {
		return nil, damaged(err, name)
	}
	f := &File{name: name, file: pf, columns: map[int]*parquet.Column{}}
	for _, c := range pf.Root().Columns() {
		if id := c.ID(); id > 0 {
			f.columns[id] = c
		}
	}
	return f, nil
}

// Close closes what Open opened.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close.Close()
}

// Rows is the number of rows, as the footer has it.
func (f *File) Rows() int64 { return f.file.NumRows() }

// Has says whether the file has a column of that field id.
func (f *File) Has(id int) bool { return f.columns[id] != nil }

// damaged keeps a classification; what has none is a file that is not what it should be.
func damaged(err error, name string) error {
	class := failure.Fatal
	if failure.CodeOf(err) != "" {
		class = failure.ClassOf(err)
	}
	return failure.Wrap(err, class, codeFile, "", "reading data file %s", name)
}

// Batch is some rows; it is good until each returns.
type Batch struct {
	Rows    int
	Columns []Column // as they were asked for
}

// Column is one column of a batch. Ints or Bytes has a value for each row, rubbish where Null.
type Column struct {
	Null  []bool
	Ints  []int64
	Bytes [][]byte
}

// Read streams the columns with the given field ids through each, in the order of the rows.
func (f *File) Read(ctx context.Context, ids []int, each func(*Batch) error) error {
	leaves := make([]*parquet.Column, len(ids))
	for i, id := range ids {
		c := f.columns[id]
		if c == nil {
			continue
		}
		if !c.Leaf() || c.Repeated() || !readable(c) {
			return failure.New(failure.Fatal, codeFile, "", "reading data file %s: column %s is no primitive one", f.name, c.Name())
		}
		leaves[i] = c
	}
	for _, g := range f.file.RowGroups() {
		if err := f.readGroup(ctx, g, leaves, each); err != nil {
			return err
		}
	}
	return nil
}

func readable(c *parquet.Column) bool {
	switch c.Type().Kind() {
	case parquet.Boolean, parquet.Int32, parquet.Int64, parquet.ByteArray, parquet.FixedLenByteArray:
		return true
	}
	return false
}

func (f *File) readGroup(ctx context.Context, g parquet.RowGroup, leaves []*parquet.Column, each func(*Batch) error) (err error) {
	cursors := make([]*cursor, len(leaves))
	for i, leaf := range leaves {
		if leaf != nil {
			cursors[i] = &cursor{pages: g.ColumnChunks()[leaf.Index()].Pages(), bytes: inBytes(leaf)}
			defer func() { err = errors.Join(err, cursors[i].close()) }()
		}
	}
	b := &Batch{Columns: make([]Column, len(leaves))}
	for left := g.NumRows(); left > 0; left -= int64(b.Rows) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading data file %s: %w", f.name, context.Cause(ctx))
		}
		b.Rows = int(min(left, batchRows))
		for i, c := range cursors {
			b.Columns[i].reset(b.Rows, c == nil)
			if c == nil {
				continue
			}
			if err := c.read(&b.Columns[i], b.Rows); err != nil {
				return damaged(fmt.Errorf("column %s: %w", leaves[i].Name(), err), f.name)
			}
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

func inBytes(c *parquet.Column) bool {
	k := c.Type().Kind()
	return k == parquet.ByteArray || k == parquet.FixedLenByteArray
}
