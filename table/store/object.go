package store

import (
	"context"
	"io"
	"time"
)

// objects are the requests by which one kind of object store serves what is there. Each finds the credentials of its
// time: a reader that is open for long, or a listing of many pages, outlives those it began with. Errors come after
// the client's retries; that of an object that is not there satisfies errors.Is(err, fs.ErrNotExist).
type objects interface {
	// get begins to read an object. The caller closes the body.
	get(ctx context.Context, o objectPath, r span) (*content, error)
	head(ctx context.Context, o objectPath) (size int64, err error)
	// remove takes objects of one bucket and one grant away; refused are those that the store keeps, by key. One that
	// is not there is none of them.
	remove(ctx context.Context, batch []objectPath) (refused map[string]error, err error)
	// list gives the page of objects whose keys begin with prefix's, in order; from is the last page's next.
	list(ctx context.Context, prefix objectPath, from string) (*listing, error)
}

// uploads are the requests by which objects get there.
type uploads interface {
	// put stores an object at once. confirmed: the store's answer shows that it has these bytes.
	put(ctx context.Context, o objectPath, b []byte) (confirmed bool, err error)
	// begin starts an object of several parts.
	begin(ctx context.Context, o objectPath) (transfer, error)
	// bounds say what transfers take.
	bounds() bounds
}

// transfer is an object of several parts on its way. Nobody sees it before complete is answered.
type transfer interface {
	// part may be called for several parts at once, unless the bounds say inOrder.
	part(ctx context.Context, p piece) error
	// complete makes the object appear. An error that is an *unsure leaves open whether it has.
	complete(ctx context.Context) error
	// abort gives up what it can.
	abort(ctx context.Context)
}

// bounds are what a kind of store wants of uploads and removals.
type bounds struct {
	parts   int32 // at most, of one object
	inOrder bool  // parts go one after the other
	batch   int   // objects of one removal
}

// piece is one part of an object.
type piece struct {
	number int32 // from 1
	at     int64 // offset of its first byte
	last   bool
	b      []byte
}

// span is a range of bytes of an object. The zero span is all of it.
type span struct {
	at, n int64
	tag   string // only of the object in this version; "" = any
}

// content is the answer to a read.
type content struct {
	body io.ReadCloser
	// length is that of the body, -1 if the answer does not say; total that of the object.
	length, total int64
	tag           string
}

// listing is one page of a listing.
type listing struct {
	objects []listed
	next    string // "" = this was the last page
}

type listed struct {
	key      string
	size     int64
	modified time.Time
}

// unsure is an error after which only the object itself tells whether it was stored.
type unsure struct{ cause error }

func (u *unsure) Error() string { return u.cause.Error() }
func (u *unsure) Unwrap() error { return u.cause }

// objectStore is the Store of one kind of object store with one set of settings; it serves every bucket they reach.
type objectStore struct {
	reads  objects
	writes uploads
	// grants tell which removals may share a request; nil = all of one bucket.
	grants *Grants
	pool   *partPool
	around Around
}

// Put implements Store.
func (s *objectStore) Put(ctx context.Context, path string, size int64, write func(io.Writer) error) error {
	return classified(s.around("put", path, func() error {
		u, err := s.begin(ctx, path, size)
		if err != nil {
			return err
		}
		if err := write(u); err != nil {
			u.abort()
			return err
		}
		return u.publish()
	}), "uploading", path)
}

// Delete implements Store.
func (s *objectStore) Delete(ctx context.Context, path string) error {
	return classified(s.around("delete", path, func() error {
		o, err := parseKey(path)
		if err != nil {
			return err
		}
		refused, err := s.reads.remove(ctx, []objectPath{o})
		if err == nil {
			err = refused[o.key]
		}
		return err
	}), "removing", path)
}

// Stat implements Store.
func (s *objectStore) Stat(ctx context.Context, path string) (size int64, err error) {
	err = s.around("stat", path, func() error {
		o, err := parseKey(path)
		if err != nil {
			return err
		}
		size, err = s.reads.head(ctx, o)
		return err
	})
	return size, classified(err, "looking at", path)
}
