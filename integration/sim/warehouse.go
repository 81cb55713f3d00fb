package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
)

// warehouse is the object store: whole files by name. It is read by the checker as it is.
type warehouse struct {
	mu      sync.Mutex
	content map[string][]byte
	// removed remembers who removed a file, for the report of a failing run.
	removed map[string]string
}

func newWarehouse() *warehouse {
	return &warehouse{content: map[string][]byte{}, removed: map[string]string{}}
}

func (w *warehouse) put(name string, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.content[name] = b
}

func (w *warehouse) get(name string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, ok := w.content[name]
	if !ok {
		why := ""
		if who := w.removed[name]; who != "" {
			why = " (removed by " + who + ")"
		}
		return nil, &fs.PathError{Op: "open" + why, Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}

func (w *warehouse) remove(name, who string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.content[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(w.content, name)
	w.removed[name] = who
	return nil
}

// Open implements iceio.IO, for whoever is no process of ours.
func (w *warehouse) Open(name string) (iceio.File, error) {
	b, err := w.get(name)
	if err != nil {
		return nil, err
	}
	return &openFile{Reader: bytes.NewReader(b), name: name, size: int64(len(b))}, nil
}

// Remove implements iceio.IO.
func (w *warehouse) Remove(name string) error { return w.remove(name, "an engine") }

// openFile is an open file and its own description.
type openFile struct {
	*bytes.Reader
	name string
	size int64
}

// The rest of iceio.File and fs.FileInfo.
func (f *openFile) Close() error               { return nil }
func (f *openFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *openFile) Name() string               { return f.name }
func (f *openFile) Size() int64                { return f.size }
func (f *openFile) Mode() fs.FileMode          { return 0o644 }
func (f *openFile) ModTime() time.Time         { return time.Time{} }
func (f *openFile) IsDir() bool                { return false }
func (f *openFile) Sys() any                   { return nil }

// files is the warehouse as one process sees it, in the forms that iceberg-go and table/store want.
type files struct {
	warehouse *warehouse
	gate      *gate
}

var (
	_ iceio.WriteFileIO = (*files)(nil)
	_ store.Store       = (*storeView)(nil)
)

// storeErrors are what a store may answer.
func storeErrors(op, path string) []error {
	busy := failure.New(failure.Retry, "E_STORE_BUSY", "", "%s %s: HTTP 503 SlowDown", op, path)
	return []error{
		busy,
		failure.New(failure.Retry, "E_STORE_BUSY", "", "%s %s: HTTP 500 InternalError", op, path),
		failure.Wrap(context.DeadlineExceeded, failure.Retry, "E_STORE_NETWORK", "", "%s %s", op, path),
		failure.Wrap(syscall.ECONNRESET, failure.Retry, "E_STORE_NETWORK", "", "%s %s", op, path),
		failure.Wrap(syscall.ENOSPC, failure.Retry, "E_STORE_FULL", "", "%s %s", op, path),
		failure.Wrap(syscall.EIO, failure.Retry, "E_STORE_WRITE", "", "%s %s", op, path),
		failure.New(failure.Retry, "E_STORE_DAMAGED", "", "%s %s: BadDigest", op, path),
	}
}

func (f *files) call(op, path string, may []Fate, do func() error) error {
	return f.gate.call(tableOf(path)+"/store."+op+"."+fileKind(path), may, storeErrors(op, path), do)
}

// tableOf is the table a path belongs to.
func tableOf(path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "mem://warehouse/"), "/")
	if len(parts) < 2 {
		return "other"
	}
	return parts[1]
}

// fileKind names what a path is for.
func fileKind(path string) string {
	base := path[strings.LastIndex(path, "/")+1:]
	switch {
	case strings.HasSuffix(base, ".parquet"):
		return "data"
	case strings.HasPrefix(base, "snap-"):
		return "manifest_list"
	case strings.HasSuffix(base, ".avro"):
		return "manifest"
	}
	return "metadata"
}

// Store is how table/store finds the store behind the file access.
func (f *files) Store() store.Store { return &storeView{f} }

// Open implements iceio.IO.
func (f *files) Open(name string) (out iceio.File, err error) {
	err = f.call("open", name, reads(), func() (err error) {
		out, err = f.warehouse.Open(name)
		return err
	})
	return out, err
}

// Remove implements iceio.IO.
func (f *files) Remove(name string) error {
	return f.call("delete", name, writes(), func() error { return f.warehouse.remove(name, f.gate.process) })
}

// Create implements iceio.WriteFileIO: the file is there once it is closed.
func (f *files) Create(name string) (iceio.FileWriter, error) {
	if err := f.gate.open(); err != nil {
		return nil, err
	}
	return &fileWriter{files: f, name: name}, nil
}

// WriteFile implements iceio.WriteFileIO.
func (f *files) WriteFile(name string, p []byte) error {
	return f.call("put", name, writes(), func() error {
		f.warehouse.put(name, slices.Clone(p))
		return nil
	})
}

type fileWriter struct {
	bytes.Buffer
	files *files
	name  string
}

// Close publishes the file.
func (w *fileWriter) Close() error { return w.files.WriteFile(w.name, w.Bytes()) }

// storeView is the form for data files.
type storeView struct{ *files }

// Put implements store.Store.
func (s *storeView) Put(ctx context.Context, path string, _ int64, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.WriteFile(path, b.Bytes())
}

// Delete implements store.Store.
func (s *storeView) Delete(_ context.Context, path string) error {
	if err := s.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Stat implements store.Store.
func (s *storeView) Stat(_ context.Context, path string) (size int64, err error) {
	err = s.call("stat", path, reads(), func() error {
		b, err := s.warehouse.get(path)
		size = int64(len(b))
		return err
	})
	if err != nil && errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("looking at %s: %w", path, err)
	}
	return size, err
}
