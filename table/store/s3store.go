package store

import (
	"context"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ingestd/ingestd/internal/failure"
)

// s3Store is the Store of one set of S3 settings; it serves every bucket they reach.
type s3Store struct {
	clients *clients
	client  *client
	// grants choose another client for each path, and renew what it signs with; nil = client for all.
	grants *Grants
	pool   *partPool
	sum    Checksum
	around Around
}

// Put implements Store.
func (s *s3Store) Put(ctx context.Context, path string, size int64, write func(io.Writer) error) error {
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
func (s *s3Store) Delete(ctx context.Context, path string) error {
	return classified(s.around("delete", path, func() error {
		o, cl, err := s.open(ctx, path)
		if err != nil {
			return err
		}
		_, err = cl.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &o.key})
		if err != nil && missing(err) {
			return nil
		}
		return err
	}), "removing", path)
}

// Stat implements Store.
func (s *s3Store) Stat(ctx context.Context, path string) (size int64, err error) {
	err = s.around("stat", path, func() error {
		size, err = s.head(ctx, path)
		return err
	})
	return size, classified(err, "looking at", path)
}

func (s *s3Store) head(ctx context.Context, path string) (int64, error) {
	o, cl, err := s.open(ctx, path)
	if err != nil {
		return 0, err
	}
	out, err := cl.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &o.bucket, Key: &o.key})
	if err != nil {
		return 0, notExist(err)
	}
	if out.ContentLength == nil {
		return 0, failure.New(failure.Retry, codeDamaged, "", "the object store names no size")
	}
	return *out.ContentLength, nil
}

func (s *s3Store) open(ctx context.Context, path string) (objectPath, *s3.Client, error) {
	o, err := parseKey(path)
	if err != nil {
		return o, nil, err
	}
	cl, err := s.s3(ctx, path)
	return o, cl, err
}

// s3 gives the SDK's client for a path. Every request asks for it anew: an upload of many parts, or a reader that is
// open for long, outlives the credentials it began with. Keys of the operator's own never end.
func (s *s3Store) s3(ctx context.Context, path string) (*s3.Client, error) {
	if s.grants == nil || s.clients.opts.AccessKeyID != "" {
		return s.client.s3(ctx)
	}
	props, err := s.grants.properties(ctx, path)
	if err != nil {
		return nil, err
	}
	cl, err := s.clients.get(props)
	if err != nil {
		return nil, err
	}
	return cl.s3(ctx)
}

func (s *s3Store) probe(ctx context.Context, location string) error {
	o, err := parseObject(location)
	if err != nil {
		return err
	}
	cl, err := s.s3(ctx, location)
	if err != nil {
		return err
	}
	_, err = cl.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &o.bucket})
	if err == nil {
		return nil
	}
	if missing(err) { // a HEAD has no body that could say NoSuchBucket
		return failure.Wrap(errors.New("no such bucket"), failure.Config, CodeBucket,
			createBucket(location), "looking for bucket %s", o.bucket)
	}
	return classified(err, "looking for bucket", o.bucket)
}
