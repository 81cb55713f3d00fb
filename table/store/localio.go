package store

import (
	"context"
	"errors"
	"io/fs"
	"os"

	iceio "github.com/apache/iceberg-go/io"
)

// localIO is iceberg-go's local file access with our way of writing: its own neither syncs nor replaces
// atomically, so that a crash could leave a table whose newest metadata is half a file.
type localIO struct {
	iceio.LocalFS
	store *local
}

var (
	_ iceio.WriteFileIO     = localIO{}
	_ iceio.ListableIO      = localIO{}
	_ iceio.BulkRemovableIO = localIO{}
)

// Store is how Of finds the store behind the file access.
func (l localIO) Store() Store { return l.store }

// Open implements iceio.IO.
func (l localIO) Open(name string) (f iceio.File, err error) {
	err = l.store.around("open", name, func() error {
		f, err = l.LocalFS.Open(name)
		return err
	})
	return f, classified(err, "opening", name)
}

// ReadFile implements iceio.ReadFileIO.
func (l localIO) ReadFile(name string) (b []byte, err error) {
	err = l.store.around("read", name, func() error {
		b, err = l.LocalFS.ReadFile(name)
		return err
	})
	return b, classified(err, "reading", name)
}

// Create implements iceio.WriteFileIO.
func (l localIO) Create(name string) (iceio.FileWriter, error) {
	w, err := l.store.begin(name)
	if err != nil {
		return nil, classified(err, "writing", name)
	}
	return &localFile{localWriter: w, around: l.store.around, name: name}, nil
}

// WriteFile implements iceio.WriteFileIO.
func (l localIO) WriteFile(name string, content []byte) error {
	w, err := l.Create(name)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return errors.Join(err, w.Close())
}

// Remove implements iceio.IO. A missing file is reported as the operating system does: callers ask os.IsNotExist.
func (l localIO) Remove(name string) error {
	err := l.store.around("delete", name, func() error { return l.LocalFS.Remove(name) })
	if os.IsNotExist(err) {
		return err
	}
	return classified(err, "removing", name)
}

// DeleteFiles implements iceio.BulkRemovableIO; a file that is gone already counts as removed.
func (l localIO) DeleteFiles(ctx context.Context, paths []string) (deleted []string, err error) {
	for _, p := range paths {
		if e := l.store.Delete(ctx, p); e != nil {
			err = errors.Join(err, e)
			continue
		}
		deleted = append(deleted, p)
	}
	return deleted, err
}

// WalkDir implements iceio.ListableIO. A file that vanishes during the walk is passed over: other writers clean
// up as well.
func (l localIO) WalkDir(root string, fn fs.WalkDirFunc) error {
	return l.store.around("list", root, func() error {
		return l.LocalFS.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if d != nil && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() {
				info, err := d.Info()
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				if err == nil {
					d = fs.FileInfoToDirEntry(info)
				}
			}
			return fn(path, d, err)
		})
	})
}

// localFile publishes its content when it is closed.
type localFile struct {
	*localWriter
	around Around
	name   string
	done   bool
}

// Close implements io.Closer: the file appears under its name now, unless a write failed.
func (f *localFile) Close() error {
	if f.done {
		return os.ErrClosed
	}
	f.done = true
	return classified(f.around("put", f.name, f.publish), "writing", f.name)
}
