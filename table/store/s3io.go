package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	iceio "github.com/apache/iceberg-go/io"
)

const (
	ioTimeout    = 5 * time.Minute // of one operation of s3IO, whose callers have no context to give
	readAttempts = 4               // of a body that was cut; the SDK retries only up to the headers
	deleteBatch  = 1000            // S3's limit
)

// s3IO is iceberg-go's file access over our cached client: its own builds a client, with connections and
// credentials of its own, for every metadata file.
type s3IO struct {
	s *s3Store
	// base carries values, never a cancellation: the interfaces have no context, and an access object outlives
	// the call that made it.
	base context.Context
}

var (
	_ iceio.ReadFileIO      = (*s3IO)(nil)
	_ iceio.WriteFileIO     = (*s3IO)(nil)
	_ iceio.StatIO          = (*s3IO)(nil)
	_ iceio.ListableIO      = (*s3IO)(nil)
	_ iceio.BulkRemovableIO = (*s3IO)(nil)
)

// Store is how Of finds the store behind the file access.
func (i *s3IO) Store() Store { return i.s }

func (i *s3IO) timed() (context.Context, context.CancelFunc) {
	return context.WithTimeout(i.base, ioTimeout)
}

// Open implements iceio.IO.
func (i *s3IO) Open(name string) (f iceio.File, err error) {
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
func (i *s3IO) ReadFile(name string) (b []byte, err error) {
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
func (s *s3Store) read(ctx context.Context, path string) ([]byte, error) {
	o, cl, err := s.open(ctx, path)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		out, err := cl.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key})
		if err != nil {
			return nil, notExist(err)
		}
		b, err := drain(out)
		if err == nil || attempt == readAttempts || ctx.Err() != nil {
			return b, err
		}
	}
}

func drain(out *s3.GetObjectOutput) ([]byte, error) {
	if out.ContentLength == nil || *out.ContentLength < 0 {
		b, err := io.ReadAll(out.Body)
		return b, errors.Join(err, out.Body.Close())
	}
	b := make([]byte, *out.ContentLength)
	if _, err := io.ReadFull(out.Body, b); err != nil {
		return nil, errors.Join(err, out.Body.Close())
	}
	_, err := io.Copy(io.Discard, out.Body) // the checksum is compared at the end of the body
	return b, errors.Join(err, out.Body.Close())
}

// Create implements iceio.WriteFileIO.
func (i *s3IO) Create(name string) (iceio.FileWriter, error) {
	u, err := i.s.begin(i.base, name, 0)
	if err != nil {
		return nil, err
	}
	return &s3Writer{upload: u, name: name}, nil
}

// WriteFile implements iceio.WriteFileIO.
func (i *s3IO) WriteFile(name string, content []byte) error {
	ctx, cancel := i.timed()
	defer cancel()
	return i.s.Put(ctx, name, int64(len(content)), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Stat implements iceio.StatIO.
func (i *s3IO) Stat(name string) (fs.FileInfo, error) {
	ctx, cancel := i.timed()
	defer cancel()
	size, err := i.s.Stat(ctx, name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return objectInfo{name: name, size: size}, nil
}

// Remove implements iceio.IO.
func (i *s3IO) Remove(name string) error {
	ctx, cancel := i.timed()
	defer cancel()
	if err := i.s.Delete(ctx, name); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	return nil
}

// DeleteFiles implements iceio.BulkRemovableIO.
func (i *s3IO) DeleteFiles(ctx context.Context, paths []string) (deleted []string, err error) {
	batches, err := byBucket(paths, i.s.grants)
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		done, e := i.deleteBatch(ctx, b)
		deleted, err = append(deleted, done...), errors.Join(err, e)
	}
	return deleted, err
}

// byBucket groups paths into requests of at most deleteBatch objects of one bucket and one grant.
func byBucket(paths []string, grants *Grants) ([][]objectPath, error) {
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
		if !ok || len(batches[k]) == deleteBatch {
			k = len(batches)
			open[at] = k
			batches = append(batches, nil)
		}
		batches[k] = append(batches[k], o)
	}
	return batches, nil
}

func (i *s3IO) deleteBatch(ctx context.Context, batch []objectPath) (deleted []string, err error) {
	cl, err := i.s.s3(ctx, batch[0].uri(batch[0].key))
	if err != nil {
		return nil, err
	}
	failed := map[string]error{}
	err = i.s.around("delete", batch[0].uri(batch[0].key), func() error {
		ids := make([]types.ObjectIdentifier, len(batch))
		for k := range batch {
			ids[k].Key = &batch[k].key
		}
		out, err := cl.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &batch[0].bucket, Delete: &types.Delete{Objects: ids, Quiet: new(bool)},
		})
		if err != nil {
			return err
		}
		for _, e := range out.Errors {
			if e.Key != nil {
				failed[*e.Key] = &refusal{code: deref(e.Code), text: deref(e.Message)}
			}
		}
		return nil
	})
	if status(err) == http.StatusNotImplemented || status(err) == http.StatusMethodNotAllowed {
		return i.deleteEach(ctx, batch) // not every S3 compatible has the batch request
	}
	if err != nil {
		return nil, classified(err, "removing files of bucket", batch[0].bucket)
	}
	for _, o := range batch {
		if e := failed[o.key]; e != nil {
			err = errors.Join(err, classified(e, "removing", o.uri(o.key)))
			continue
		}
		deleted = append(deleted, o.uri(o.key))
	}
	return deleted, err
}

func (i *s3IO) deleteEach(ctx context.Context, batch []objectPath) (deleted []string, err error) {
	for _, o := range batch {
		path := o.uri(o.key)
		if e := i.s.Delete(ctx, path); e != nil {
			err = errors.Join(err, e)
			continue
		}
		deleted = append(deleted, path)
	}
	return deleted, err
}

// refusal is the server's answer for one object of a batch; it is judged like an answer of its own.
type refusal struct{ code, text string }

var _ smithy.APIError = (*refusal)(nil)

func (r *refusal) Error() string                 { return r.code + ": " + r.text }
func (r *refusal) ErrorCode() string             { return r.code }
func (r *refusal) ErrorMessage() string          { return r.text }
func (r *refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// s3Writer is a file being written; it appears when it is closed.
type s3Writer struct {
	*upload
	name string
	done bool
}

// Close implements io.Closer.
func (w *s3Writer) Close() error {
	if w.done {
		return os.ErrClosed
	}
	w.done = true
	return classified(w.s.around("put", w.name, w.publish), "uploading", w.name)
}
