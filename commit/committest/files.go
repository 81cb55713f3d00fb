package committest

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	iceio "github.com/apache/iceberg-go/io"
)

// Files is a file system in memory. It may be used by several goroutines.
type Files struct {
	mu struct {
		sync.Mutex
		content map[string][]byte
		written map[string]time.Time
	}
	// Clock gives files their times; they have none without it.
	Clock func() time.Time
	// OnCreate is asked before a file is created; its error is the answer. It may be nil.
	OnCreate func(name string) error
}

// NewFiles makes an empty file system.
func NewFiles() *Files {
	f := &Files{}
	f.mu.content, f.mu.written = map[string][]byte{}, map[string]time.Time{}
	return f
}

// FS is the form in which tables take their file access.
func (f *Files) FS(context.Context) (iceio.IO, error) { return f, nil }

// Put writes a file past the hook.
func (f *Files) Put(name string, p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.content[name] = bytes.Clone(p)
	if f.Clock != nil {
		f.mu.written[name] = f.Clock()
	}
}

// Names lists all files.
func (f *Files) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, 0, len(f.mu.content))
	for n := range f.mu.content {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Has says whether a file exists.
func (f *Files) Has(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.mu.content[name]
	return ok
}

// Open implements io.IO.
func (f *Files) Open(name string) (iceio.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.mu.content[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{Reader: bytes.NewReader(b), name: name, at: f.mu.written[name]}, nil
}

// WalkDir implements io.ListableIO: every file whose name begins with the root, in order.
func (f *Files) WalkDir(root string, fn fs.WalkDirFunc) error {
	for _, name := range f.Names() {
		if !strings.HasPrefix(name, root) {
			continue
		}
		if opened, err := f.Open(name); err == nil {
			if err := fn(name, fs.FileInfoToDirEntry(opened.(*file)), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Remove implements io.IO.
func (f *Files) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.mu.content[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(f.mu.content, name)
	return nil
}

// Create implements io.WriteFileIO: the file is there once it is closed.
func (f *Files) Create(name string) (iceio.FileWriter, error) {
	if f.OnCreate != nil {
		if err := f.OnCreate(name); err != nil {
			return nil, err
		}
	}
	return &writer{f: f, name: name}, nil
}

// WriteFile implements io.WriteFileIO.
func (f *Files) WriteFile(name string, p []byte) error {
	w, err := f.Create(name)
	if err != nil {
		return err
	}
	if _, err := w.Write(p); err != nil {
		return err
	}
	return w.Close()
}

type writer struct {
	bytes.Buffer
	f    *Files
	name string
}

func (w *writer) ReadFrom(r io.Reader) (int64, error) { return w.Buffer.ReadFrom(r) }

func (w *writer) Close() error {
	w.f.Put(w.name, w.Bytes())
	return nil
}

// file is an open file and its own description.
type file struct {
	*bytes.Reader
	name string
	at   time.Time
}

func (f *file) Close() error               { return nil }
func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Name() string               { return f.name }
func (f *file) Mode() fs.FileMode          { return 0o644 }
func (f *file) ModTime() time.Time         { return f.at }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }
