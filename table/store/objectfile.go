package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// headBytes is what opening an object fetches: most manifests are smaller, so that one request reads them
// whole, and a Parquet reader that asks for ranges has not paid for the object.
const headBytes = 512 << 10

// objectFile is an open object. Its first bytes are at hand; a sequential reader gets the rest from one streaming
// request, ReadAt asks for exactly its range.
type objectFile struct {
	s    *objectStore
	base context.Context
	at   objectPath
	tag  string
	head []byte
	size int64

	pos    int64
	body   io.ReadCloser // streams from pos; nil when there is none
	closed bool
}

var _ iceio.File = (*objectFile)(nil)

func (i *objectIO) open(name string) (*objectFile, error) {
	ctx, cancel := i.timed()
	defer cancel()
	o, err := parseKey(name)
	if err != nil {
		return nil, err
	}
	f := &objectFile{s: i.s, base: i.base, at: o}
	for attempt := 1; ; attempt++ {
		c, err := i.s.reads.get(ctx, o, span{n: headBytes})
		if err != nil {
			return nil, err
		}
		if f.head, err = drain(c); err == nil {
			f.tag, f.size = c.tag, c.total
			return f, nil
		}
		if attempt == readAttempts {
			return nil, err
		}
	}
}

// Read implements io.Reader.
func (f *objectFile) Read(p []byte) (int, error) {
	if f.closed {
		return 0, fs.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.pos >= f.size {
		return 0, io.EOF
	}
	if f.pos < int64(len(f.head)) {
		n := copy(p, f.head[f.pos:])
		f.pos += int64(n)
		return n, nil
	}
	if f.body == nil {
		body, err := f.get(f.base, f.pos, f.size-f.pos)
		if err != nil {
			return 0, err
		}
		f.body = body
	}
	n, err := f.body.Read(p)
	f.pos += int64(n)
	if err == nil || n > 0 || f.pos >= f.size {
		return n, nil
	}
	f.drop() // the body broke off: the next request goes on where it ended, or tells why not
	return f.resume(p)
}

// resume reads on after a broken body, a bounded number of times.
func (f *objectFile) resume(p []byte) (int, error) {
	for attempt := 1; ; attempt++ {
		body, err := f.get(f.base, f.pos, f.size-f.pos)
		if err != nil {
			return 0, err
		}
		n, err := body.Read(p)
		if n > 0 {
			f.body = body
			f.pos += int64(n)
			return n, nil
		}
		err = errors.Join(err, body.Close())
		if attempt == readAttempts {
			return 0, classified(err, "reading", f.at.uri(f.at.key))
		}
	}
}

// ReadAt implements io.ReaderAt; calls may run at the same time.
func (f *objectFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if off >= f.size {
		return 0, io.EOF
	}
	want := p[:min(int64(len(p)), f.size-off)]
	var end error
	if len(want) < len(p) {
		end = io.EOF
	}
	if off+int64(len(want)) <= int64(len(f.head)) {
		return copy(want, f.head[off:]), end
	}
	for attempt := 1; ; attempt++ {
		err := f.fill(want, off)
		if err == nil {
			return len(want), end
		}
		if attempt == readAttempts || failure.CodeOf(err) != "" {
			return 0, classified(err, "reading", f.at.uri(f.at.key))
		}
	}
}

func (f *objectFile) fill(p []byte, off int64) error {
	ctx, cancel := context.WithTimeout(f.base, ioTimeout)
	defer cancel()
	body, err := f.get(ctx, off, int64(len(p)))
	if err != nil {
		return err
	}
	_, err = io.ReadFull(body, p)
	return errors.Join(err, body.Close())
}

// get asks for a range of the object as it was when it was opened: files of a table never change, and one that
// did must not be read half old, half new.
func (f *objectFile) get(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	c, err := f.s.reads.get(ctx, f.at, span{at: off, n: n, tag: f.tag})
	if err != nil {
		return nil, classified(err, "reading", f.at.uri(f.at.key))
	}
	return c.body, nil
}

// Seek implements io.Seeker.
func (f *objectFile) Seek(offset int64, whence int) (int64, error) {
	to := offset
	switch whence {
	case io.SeekCurrent:
		to += f.pos
	case io.SeekEnd:
		to += f.size
	}
	if to < 0 {
		return f.pos, fs.ErrInvalid
	}
	if to != f.pos {
		f.drop()
		f.pos = to
	}
	return to, nil
}

// Stat implements fs.File.
func (f *objectFile) Stat() (fs.FileInfo, error) {
	return objectInfo{name: path.Base(f.at.key), size: f.size}, nil
}

// Close implements io.Closer.
func (f *objectFile) Close() error {
	if f.closed {
		return os.ErrClosed
	}
	f.closed = true
	f.drop()
	return nil
}

func (f *objectFile) drop() {
	if f.body != nil {
		_ = f.body.Close() // what is left of the stream is of no interest
		f.body = nil
	}
}

// objectInfo describes an object.
type objectInfo struct {
	name     string
	size     int64
	modified time.Time
	dir      bool
}

// Name implements fs.FileInfo.
func (o objectInfo) Name() string { return path.Base(o.name) }

// Size implements fs.FileInfo.
func (o objectInfo) Size() int64 { return o.size }

// Mode implements fs.FileInfo.
func (o objectInfo) Mode() fs.FileMode {
	if o.dir {
		return fs.ModeDir
	}
	return 0
}

// ModTime implements fs.FileInfo.
func (o objectInfo) ModTime() time.Time { return o.modified }

// IsDir implements fs.FileInfo.
func (o objectInfo) IsDir() bool { return o.dir }

// Sys implements fs.FileInfo.
func (o objectInfo) Sys() any { return nil }
