package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	fileMode = 0o640
	dirMode  = 0o750
)

// files are the file system calls that make a put durable. Their order is the whole proof, so tests record it
// and cut it short at every step.
type files struct {
	create  func(path string) (handle, error)
	rename  func(from, to string) error
	syncDir func(path string) error
	mkdir   func(path string) error
	remove  func(path string) error
}

// handle is an open temporary file.
type handle interface {
	io.WriteCloser
	Sync() error
	Name() string
}

func osFiles() files {
	return files{
		create: func(path string) (handle, error) {
			return createTemp(filepath.Dir(path), "."+filepath.Base(path)+".")
		},
		rename:  os.Rename,
		syncDir: syncDir,
		mkdir:   func(path string) error { return os.Mkdir(path, dirMode) },
		remove:  os.Remove,
	}
}

// createTemp is os.CreateTemp with our file mode: readers of a warehouse are other users of one group.
func createTemp(dir, prefix string) (*os.File, error) {
	f, err := os.CreateTemp(dir, prefix+"*.tmp")
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(fileMode); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// local is the Store of the local file system.
type local struct {
	around Around
	sys    files
}

// Put implements Store.
func (l *local) Put(ctx context.Context, path string, _ int64, write func(io.Writer) error) error {
	return classified(l.around("put", path, func() error {
		w, err := l.begin(path)
		if err != nil {
			return err
		}
		if err := write(w); err != nil {
			return errors.Join(err, w.abort())
		}
		if err := ctx.Err(); err != nil {
			return errors.Join(err, w.abort())
		}
		return w.publish()
	}), "writing", path)
}

// Delete implements Store.
func (l *local) Delete(_ context.Context, path string) error {
	return classified(l.around("delete", path, func() error {
		file, err := localPath(path)
		if err != nil {
			return err
		}
		if err := l.sys.remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}), "removing", path)
}

// Stat implements Store.
func (l *local) Stat(_ context.Context, path string) (size int64, err error) {
	err = l.around("stat", path, func() error {
		file, err := localPath(path)
		if err != nil {
			return err
		}
		fi, err := os.Stat(file)
		if err != nil {
			return err
		}
		if fi.IsDir() {
			return &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
		}
		size = fi.Size()
		return nil
	})
	return size, classified(err, "looking at", path)
}

func (l *local) begin(path string) (*localWriter, error) {
	file, err := localPath(path)
	if err != nil {
		return nil, err
	}
	if err := l.makeDir(filepath.Dir(file)); err != nil {
		return nil, err
	}
	tmp, err := l.sys.create(file)
	if err != nil {
		return nil, err
	}
	return &localWriter{sys: l.sys, tmp: tmp, file: file}, nil
}

// makeDir makes a directory and its parents, each one durable in its parent before the next.
func (l *local) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := l.makeDir(parent); err != nil {
			return err
		}
	}
	if err := l.sys.mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.sys.syncDir(parent)
}

func (l *local) probe(location string) error {
	dir, err := localPath(location)
	if err != nil {
		return err
	}
	if err := l.makeDir(dir); err != nil {
		return classified(err, "making directory", location)
	}
	tmp, err := createTemp(dir, ".probe.")
	if err != nil {
		return classified(err, "trying to write in", location)
	}
	return classified(errors.Join(tmp.Close(), os.Remove(tmp.Name())), "trying to write in", location)
}

// localWriter is a file that is not there yet: it gets its name when it is complete and durable.
type localWriter struct {
	sys     files
	tmp     handle
	file    string
	written int64
	broken  error
}

// Write implements io.Writer. After a failed write the file can only be given up.
func (w *localWriter) Write(p []byte) (int, error) {
	if w.broken != nil {
		return 0, w.broken
	}
	n, err := w.tmp.Write(p)
	w.written += int64(n)
	w.broken = err
	return n, err
}

// ReadFrom implements io.ReaderFrom for iceberg-go's FileWriter.
func (w *localWriter) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, r)
}

// publish syncs the file and gives it its name.
func (w *localWriter) publish() error {
	if w.broken != nil {
		return errors.Join(w.broken, w.abort())
	}
	if err := w.tmp.Sync(); err != nil {
		return errors.Join(err, w.abort())
	}
	fi, err := os.Stat(w.tmp.Name())
	if err == nil && fi.Size() != w.written {
		err = failure.New(failure.Retry, codeDamaged, "", "the file has %d bytes, %d were written", fi.Size(), w.written)
	}
	if err != nil {
		return errors.Join(err, w.abort())
	}
	if err := w.tmp.Close(); err != nil {
		return errors.Join(err, w.sys.remove(w.tmp.Name()))
	}
	if err := w.sys.rename(w.tmp.Name(), w.file); err != nil {
		return errors.Join(err, w.sys.remove(w.tmp.Name()))
	}
	return w.sys.syncDir(filepath.Dir(w.file))
}

func (w *localWriter) abort() error {
	err := errors.Join(w.tmp.Close(), w.sys.remove(w.tmp.Name()))
	if err != nil {
		return fmt.Errorf("giving up %s: %w", w.tmp.Name(), err)
	}
	return nil
}
