package rewrite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/ingestd/ingestd/table/column"
)

const (
	magic = "PAR1"
	// tailBytes is read from the end of a file at once: footer and page index of a small one.
	tailBytes = 64 << 10
	// maxFooter is the most bytes of a footer.
	maxFooter = 64 << 20
)

// file is an open input.
type file struct {
	in     *Input
	at     int // number among the inputs
	r      io.ReaderAt
	closer io.Closer
	meta   format.FileMetaData
	source []int  // per leaf of the output: the column of the file, -1 where it has none
	tail   []byte // the end of the file
}

// open reads and checks the footer of an input. room, if there is any, takes the end of the file.
func open(ctx context.Context, in *Input, at int, l *column.Layout, room []byte) (*file, error) {
	f := &file{in: in, at: at, tail: room}
	var err error
	if f.r, f.closer, err = in.Open(ctx); err != nil {
		return nil, fmt.Errorf("opening %s: %w", in.Path, err)
	}
	err = guard(func() error { return f.load(l) })
	if err == nil {
		return f, nil
	}
	f.close()
	var unsupported ErrUnsupported
	var io *readError
	if !errors.As(err, &unsupported) && !errors.As(err, &io) {
		err = &Damaged{Path: in.Path, Err: err}
	}
	return nil, err
}

func (f *file) close() {
	if f.closer != nil {
		_ = f.closer.Close() // it was only read
	}
}

// readError is an error of storage, which says nothing about the file.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// readAt fills b from the file.
func (f *file) readAt(b []byte, at int64) error {
	if at < 0 || at+int64(len(b)) > f.in.Size {
		return errShort
	}
	if start := f.in.Size - int64(len(f.tail)); at >= start {
		copy(b, f.tail[at-start:])
		return nil
	}
	n, err := f.r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) || err == nil {
		return errShort
	}
	return &readError{fmt.Errorf("reading %s: %w", f.in.Path, err)}
}

// slice gives a part of the file, of the end as it stands in memory.
func (f *file) slice(at, n int64) ([]byte, error) {
	if start := f.in.Size - int64(len(f.tail)); at >= start && at <= f.in.Size-n {
		return f.tail[at-start : at-start+n], nil
	}
	b := make([]byte, n)
	return b, f.readAt(b, at)
}

func (f *file) load(l *column.Layout) error {
	tail := f.tail
	f.tail = nil
	if tail == nil {
		tail = make([]byte, tailBytes)
	}
	tail = tail[:min(f.in.Size, int64(len(tail)))]
	if len(tail) < 12 {
		return errNoMagic
	}
	if err := f.readAt(tail, f.in.Size-int64(len(tail))); err != nil {
		return err
	}
	f.tail = tail
	if string(tail[len(tail)-4:]) != magic {
		return errNoMagic
	}
	n := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if n+12 > f.in.Size || n > maxFooter {
		return errFooter
	}
	b, err := f.slice(f.in.Size-8-n, n)
	if err != nil {
		return err
	}
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), b, &f.meta); err != nil {
		return fmt.Errorf("%w: %w", errFooter, err)
	}
	if err := f.match(l); err != nil {
		return err
	}
	return f.checkGroups(l)
}

// checkGroups looks at everything the footer says that this package relies on.
func (f *file) checkGroups(l *column.Layout) error {
	var rows int64
	for g := range f.meta.RowGroups {
		rg := &f.meta.RowGroups[g]
		rows += rg.NumRows
		if rg.NumRows < 0 {
			return errFooter
		}
		for leaf, col := range f.source {
			if col < 0 {
				continue
			}
			if col >= len(rg.Columns) {
				return errFooter
			}
			if err := f.checkChunk(&rg.Columns[col], &l.Leaves[leaf]); err != nil {
				return err
			}
		}
	}
	if rows != f.meta.NumRows {
		return errFooter
	}
	return f.in.checkDeleted(rows)
}

func (f *file) checkChunk(c *format.ColumnChunk, leaf *column.Leaf) error {
	md := &c.MetaData
	start := chunkStart(md)
	switch {
	case c.FilePath != "":
		return f.unsupported("column %s lies in another file", leaf.Name())
	case md.Type != physicalOf(leaf):
		return errFooter
	case start < 4 || md.TotalCompressedSize < 0 || start+md.TotalCompressedSize > f.in.Size || md.NumValues < 0:
		return errFooter
	}
	if why := readable(md); why != "" {
		return f.unsupported("column %s has %s", leaf.Name(), why)
	}
	return nil
}

func (f *file) unsupported(why string, args ...any) error {
	return ErrUnsupported{Path: f.in.Path, Why: fmt.Sprintf(why, args...)}
}

// chunkStart is where the pages of a chunk begin.
func chunkStart(md *format.ColumnMetaData) int64 {
	if md.DictionaryPageOffset > 0 {
		return min(md.DataPageOffset, md.DictionaryPageOffset)
	}
	return md.DataPageOffset
}
