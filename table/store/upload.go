package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	maxUploadParts = 10_000 // S3's limit
	abortTimeout   = 10 * time.Second
)

// partPool bounds the buffers of all uploads together. An upload never waits for a buffer while it holds one, so
// that uploads cannot block each other for good.
type partPool struct {
	size  int
	slots chan struct{}
	free  sync.Pool
}

func newPartPool(n, size int) *partPool {
	return &partPool{size: size, slots: make(chan struct{}, n)}
}

func (p *partPool) get(ctx context.Context, want int) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if b, ok := p.free.Get().(*[]byte); ok {
		return (*b)[:0], nil
	}
	return make([]byte, 0, min(want, p.size)), nil
}

func (p *partPool) put(b []byte) {
	if b == nil {
		return
	}
	p.free.Put(&b)
	<-p.slots
}

// upload is one object on its way: a single request when it fits into one part, else a multipart upload whose
// parts travel while the next one is filled.
type upload struct {
	ctx  context.Context
	s    *s3Store
	at   objectPath
	path string
	hint int64

	buf     []byte // being filled; nil before the first byte
	written int64
	broken  error

	id    string // of the multipart upload
	next  int32  // number of parts handed over
	group *rungroup.Group
	mu    sync.Mutex
	parts []types.CompletedPart
}

func (s *s3Store) begin(ctx context.Context, path string, size int64) (*upload, error) {
	at, err := parseKey(path)
	if err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, s: s, at: at, path: path, hint: size}, nil
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (n int, err error) {
	if u.broken != nil {
		return 0, u.broken
	}
	for len(p) > 0 {
		if err := u.room(); err != nil {
			u.broken = err
			return n, err
		}
		k := min(len(p), u.s.pool.size-len(u.buf))
		u.buf = append(u.grown(k), p[:k]...)
		p, n = p[k:], n+k
		u.written += int64(k)
	}
	return n, nil
}

// ReadFrom implements io.ReaderFrom for iceberg-go's FileWriter.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{u}, r)
}

// room makes sure that the buffer takes at least one byte more.
func (u *upload) room() error {
	if u.buf != nil && len(u.buf) < u.s.pool.size {
		return nil
	}
	if u.buf != nil {
		if err := u.send(); err != nil {
			return err
		}
	}
	left := max(u.hint-u.written, 0) + 64<<10 // most files are smaller than a part: no need for a whole one
	var err error
	u.buf, err = u.s.pool.get(u.ctx, int(min(left, int64(u.s.pool.size))))
	return err
}

// grown is the buffer with room for n bytes more. It doubles up to the size of a part and never beyond, which
// append would not promise.
func (u *upload) grown(n int) []byte {
	need := len(u.buf) + n
	if need <= cap(u.buf) {
		return u.buf
	}
	bigger := make([]byte, len(u.buf), min(max(need, 2*cap(u.buf)), u.s.pool.size))
	copy(bigger, u.buf)
	return bigger
}

// send hands the buffer over as the next part.
func (u *upload) send() error {
	if u.id == "" {
		if err := u.start(); err != nil {
			return err
		}
	}
	if ended := u.group.Context().Err(); ended != nil {
		if err := u.group.Wait(); err != nil {
			return err // of the part that failed first
		}
		return ended
	}
	if u.next == maxUploadParts {
		return failure.New(failure.Config, codeSettings, "raise storage.s3.part_size", "the file needs more than %d parts", maxUploadParts)
	}
	u.next++
	number, buf := u.next, u.buf
	u.buf = nil
	u.group.Go(func(ctx context.Context) error {
		defer u.s.pool.put(buf)
		return u.part(ctx, number, buf)
	})
	return nil
}

func (u *upload) start() error {
	cl, err := u.s.s3(u.ctx, u.path)
	if err != nil {
		return err
	}
	out, err := cl.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
		Bucket: &u.at.bucket, Key: &u.at.key, ChecksumAlgorithm: u.s.sum.algorithm(),
	})
	if err != nil {
		return err
	}
	if out.UploadId == nil {
		return failure.New(failure.Retry, codeDamaged, "", "the object store names no upload")
	}
	u.id = *out.UploadId
	u.group = rungroup.New(u.ctx)
	return nil
}

func (u *upload) part(ctx context.Context, number int32, buf []byte) error {
	in := &s3.UploadPartInput{
		Bucket: &u.at.bucket, Key: &u.at.key, UploadId: &u.id, PartNumber: &number, Body: bytes.NewReader(buf),
	}
	sum := u.s.sum.sum(buf)
	u.s.sum.onPart(in, sum)
	cl, err := u.s.s3(ctx, u.path)
	if err != nil {
		return err
	}
	out, err := cl.UploadPart(ctx, in)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.parts = append(u.parts, u.s.sum.completed(number, out.ETag, sum))
	return nil
}

// publish sends what is left and makes the object appear.
func (u *upload) publish() error {
	if u.broken != nil {
		u.abort()
		return u.broken
	}
	if u.id == "" {
		return u.put()
	}
	err := u.send()
	if e := u.group.Wait(); err == nil {
		err = e
	}
	if err == nil {
		err = u.complete()
	}
	if err != nil {
		u.abort()
	}
	return err
}

func (u *upload) put() error {
	defer u.release()
	in := &s3.PutObjectInput{Bucket: &u.at.bucket, Key: &u.at.key, Body: bytes.NewReader(u.buf)}
	sum := u.s.sum.sum(u.buf)
	u.s.sum.onPut(in, sum)
	cl, err := u.s.s3(u.ctx, u.path)
	if err != nil {
		return err
	}
	out, err := cl.PutObject(u.ctx, in)
	if failure.CodeOf(err) == codeKey { // it is there, and must not stay in plain text
		ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
		defer cancel()
		_, e := cl.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &u.at.bucket, Key: &u.at.key})
		return errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	if u.s.sum.confirmed(out, sum) {
		return nil
	}
	return u.verify()
}

func (u *upload) complete() error {
	slices.SortFunc(u.parts, func(a, b types.CompletedPart) int { return int(*a.PartNumber - *b.PartNumber) })
	cl, err := u.s.s3(u.ctx, u.path)
	if err != nil {
		return err
	}
	_, err = cl.CompleteMultipartUpload(u.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.at.bucket, Key: &u.at.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload" {
		// The first answer was lost and the SDK has asked again: the object tells.
		if u.verify() == nil {
			u.id = ""
			return nil
		}
	}
	if err != nil {
		return err
	}
	u.id = ""
	return u.verify()
}

// verify compares the size of what is stored with what was written.
func (u *upload) verify() error {
	size, err := u.s.head(u.ctx, u.path)
	if err != nil {
		return err
	}
	if size != u.written {
		return failure.New(failure.Retry, codeDamaged, "", "the object has %d bytes, %d were written", size, u.written)
	}
	return nil
}

func (u *upload) release() {
	u.s.pool.put(u.buf)
	u.buf = nil
}

// abort gives the upload up. Parts that stay behind because this fails as well are the bucket's lifecycle
// rules' to remove; nobody sees them.
func (u *upload) abort() {
	u.release()
	if u.id == "" {
		return
	}
	u.group.Stop()
	_ = u.group.Wait() // the first error is already on its way to the caller
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	if cl, err := u.s.s3(ctx, u.path); err == nil {
		_, _ = cl.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.at.bucket, Key: &u.at.key, UploadId: &u.id})
	}
	u.id = ""
}
