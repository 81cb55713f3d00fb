package store

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

const abortTimeout = 10 * time.Second

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

// upload is one object on its way: a single request when it fits into one part, else a transfer of parts that travel
// while the next one is filled.
type upload struct {
	ctx  context.Context
	s    *objectStore
	at   objectPath
	hint int64

	buf     []byte // being filled; nil before the first byte
	written int64
	broken  error

	way   transfer // nil before the first part
	next  int32    // number of parts handed over
	sent  int64    // bytes handed over
	group *rungroup.Group
}

func (s *objectStore) begin(ctx context.Context, path string, size int64) (*upload, error) {
	at, err := parseKey(path)
	if err != nil {
		return nil, err
	}
	return &upload{ctx: ctx, s: s, at: at, hint: size}, nil
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
		if err := u.send(false); err != nil {
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
func (u *upload) send(last bool) error {
	if u.way == nil {
		way, err := u.s.writes.begin(u.ctx, u.at)
		if err != nil {
			return err
		}
		u.way, u.group = way, rungroup.New(u.ctx)
	}
	if ended := u.group.Context().Err(); ended != nil {
		if err := u.group.Wait(); err != nil {
			return err // of the part that failed first
		}
		return ended
	}
	b := u.s.writes.bounds()
	if u.next == b.parts {
		return failure.New(failure.Config, codeSettings, "raise storage.s3.part_size", "the file needs more than %d parts", b.parts)
	}
	u.next++
	p := piece{number: u.next, at: u.sent, last: last, b: u.buf}
	u.sent += int64(len(u.buf))
	u.buf = nil
	travel := func(ctx context.Context) error {
		defer u.s.pool.put(p.b)
		return u.way.part(ctx, p)
	}
	if b.inOrder {
		return travel(u.ctx)
	}
	u.group.Go(travel)
	return nil
}

// publish sends what is left and makes the object appear.
func (u *upload) publish() error {
	if u.broken != nil {
		u.abort()
		return u.broken
	}
	if u.way == nil {
		return u.put()
	}
	err := u.send(true)
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
	confirmed, err := u.s.writes.put(u.ctx, u.at, u.buf)
	if err != nil || confirmed {
		return err
	}
	return u.verify()
}

func (u *upload) complete() error {
	err := u.way.complete(u.ctx)
	var open *unsure
	if errors.As(err, &open) {
		if u.verify() == nil { // the first answer was lost and the client has asked again: the object tells
			u.way = nil
			return nil
		}
	}
	if err != nil {
		return err
	}
	u.way = nil
	return u.verify()
}

// verify compares the size of what is stored with what was written.
func (u *upload) verify() error {
	size, err := u.s.reads.head(u.ctx, u.at)
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

// abort gives the upload up. What stays behind because this fails as well is the bucket's lifecycle rules' to remove;
// nobody sees it.
func (u *upload) abort() {
	u.release()
	if u.way == nil {
		return
	}
	u.group.Stop()
	_ = u.group.Wait() // the first error is already on its way to the caller
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), abortTimeout)
	defer cancel()
	u.way.abort(ctx)
	u.way = nil
}
