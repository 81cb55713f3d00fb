package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	iceio "github.com/apache/iceberg-go/io"
)

const (
	ioTimeout    = 5 * time.Minute // of one operation of objectIO, whose callers have no context to give
	readAttempts = 4               // of a body that was cut; the clients retry only up to the headers
)

// objectIO is iceberg-go's file access over our cached clients: its own builds a client, with connections
// and credentials of its own, for every metadata file.
type objectIO struct {
	s *objectStore
	// base carries values, never a cancellation: the interfaces have no context, and an access object outlives
	// the call that made it.
	base context.Context
}

var (
	_ iceio.ReadFileIO      = (*objectIO)(nil)
	_ iceio.WriteFileIO     = (*objectIO)(nil)
	_ iceio.StatIO          = (*objectIO)(nil)
	_ iceio.ListableIO      = (*objectIO)(nil)
	_ iceio.BulkRemovableIO = (*objectIO)(nil)
)

// Store is how Of finds the store behind the file access.
func (i *objectIO) Store() Store { return i.s }

func (i *objectIO) timed() (context.Context, context.CancelFunc) {
	return context.WithTimeout(i.base, ioTimeout)
}

// Open implements iceio.IO.
func (i *objectIO) Open(name string) (f iceio.File, err error) {
	err = i.s.around("open", name, func() error {
		f, err = i.open(name)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: classified(err, "opening", name)}
	}
	return f, nil
}

// ReadFile implements iceio.ReadFileIO.
func (i *objectIO) ReadFile(name string) (b []byte, err error) {
	ctx, cancel := i.timed()
	defer cancel()
	err = i.s.around("read", name, func() error {
		b, err = i.s.read(ctx, name)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: classified(err, "reading", name)}
	}
	return b, nil
}

// read gets a whole object, again if the body breaks off.
func (s *objectStore) read(ctx context.Context, path string) ([]byte, error) {
	o, err := parseKey(path)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		c, err := s.reads.get(ctx, o, span{})
		if err != nil {
			return nil, err
		}
		b, err := drain(c)
		if err == nil || attempt == readAttempts || ctx.Err() != nil {
			return b, err
		}
	}
}

func drain(c *content) ([]byte, error) {
	if c.length < 0 {
		b, err := io.ReadAll(c.body)
		return b, errors.Join(err, c.body.Close())
	}
	b := make([]byte, c.length)
	if _, err := io.ReadFull(c.body, b); err != nil {
		return nil, errors.Join(err, c.body.Close())
	}
	_, err := io.Copy(io.Discard, c.body) // a checksum is compared at the end of the body
	return b, errors.Join(err, c.body.Close())
}

// Create implements iceio.WriteFileIO.
func (i *objectIO) Create(name string) (iceio.FileWriter, error) {
	u, err := i.s.begin(i.base, name, 0)
	if err != nil {
		return nil, err
	}
	return &objectWriter{upload: u, name: name}, nil
}

// WriteFile implements iceio.WriteFileIO.
func (i *objectIO) WriteFile(name string, content []byte) error {
	ctx, cancel := i.timed()
	defer cancel()
	return i.s.Put(ctx, name, int64(len(content)), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Stat implements iceio.StatIO.
func (i *objectIO) Stat(name string) (fs.FileInfo, error) {
	ctx, cancel := i.timed()
	defer cancel()
	size, err := i.s.Stat(ctx, name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return objectInfo{name: name, size: size}, nil
}

// Remove implements iceio.IO.
func (i *objectIO) Remove(name string) error {
	ctx, cancel := i.timed()
	defer cancel()
	if err := i.s.Delete(ctx, name); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	return nil
}

// DeleteFiles implements iceio.BulkRemovableIO.
func (i *objectIO) DeleteFiles(ctx context.Context, paths []string) (deleted []string, err error) {
	batches, err := byBucket(paths, i.s.grants, i.s.writes.bounds().batch)
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		done, e := i.deleteBatch(ctx, b)
		deleted, err = append(deleted, done...), errors.Join(err, e)
	}
	return deleted, err
}

// byBucket groups paths into batches of at most n objects of one bucket and one grant.
func byBucket(paths []string, grants *Grants, n int) ([][]objectPath, error) {
	type place struct{ bucket, grant string }
	var batches [][]objectPath
	open := map[place]int{} // place -> its batch with room
	for _, p := range paths {
		o, err := parseKey(p)
		if err != nil {
			return nil, err
		}
		at := place{o.bucket, grants.prefix(p)}
		k, ok := open[at]
		if !ok || len(batches[k]) == n {
			k = len(batches)
			open[at] = k
			batches = append(batches, nil)
		}
		batches[k] = append(batches[k], o)
	}
	return batches, nil
}

func (i *objectIO) deleteBatch(ctx context.Context, batch []objectPath) (deleted []string, err error) {
	var refused map[string]error
	err = i.s.around("delete", batch[0].uri(batch[0].key), func() error {
		var err error
		refused, err = i.s.reads.remove(ctx, batch)
		return err
	})
	if err != nil {
		return nil, classified(err, "removing files of bucket", batch[0].bucket)
	}
	for _, o := range batch {
		if e := refused[o.key]; e != nil {
			err = errors.Join(err, classified(e, "removing", o.uri(o.key)))
			continue
		}
		deleted = append(deleted, o.uri(o.key))
	}
	return deleted, err
}

// objectWriter is a file being written; it appears when it is closed.
type objectWriter struct {
	*upload
	name string
	done bool
}

// Close implements io.Closer.
func (w *objectWriter) Close() error {
	if w.done {
		return os.ErrClosed
	}
	w.done = true
	return classified(w.s.around("put", w.name, w.publish), "uploading", w.name)
}
