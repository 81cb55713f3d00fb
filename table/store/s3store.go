package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	s3Parts = 10_000 // S3's limit
	s3Batch = 1000   // S3's limit
)

// s3Objects is S3 with one set of settings.
type s3Objects struct {
	clients *clients
	client  *client
	// grants choose another client for each path, and renew what it signs with; nil = client for all.
	grants *Grants
	sum    Checksum
}

var (
	_ objects = (*s3Objects)(nil)
	_ uploads = (*s3Objects)(nil)
)

func (s *s3Objects) bounds() bounds { return bounds{parts: s3Parts, batch: s3Batch} }

// s3 gives the SDK's client for an object. Every request asks for it anew: an upload of many parts, or a reader that
// is open for long, outlives the credentials it began with. Keys of the operator's own never end.
func (s *s3Objects) s3(ctx context.Context, o objectPath) (*s3.Client, error) {
	if s.grants == nil || s.clients.opts.AccessKeyID != "" {
		return s.client.s3(ctx)
	}
	props, err := s.grants.properties(ctx, o.uri(o.key))
	if err != nil {
		return nil, err
	}
	cl, err := s.clients.get(props)
	if err != nil {
		return nil, err
	}
	return cl.s3(ctx)
}

func (s *s3Objects) head(ctx context.Context, o objectPath) (int64, error) {
	cl, err := s.s3(ctx, o)
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

func (s *s3Objects) get(ctx context.Context, o objectPath, r span) (*content, error) {
	cl, err := s.s3(ctx, o)
	if err != nil {
		return nil, err
	}
	in := &s3.GetObjectInput{Bucket: &o.bucket, Key: &o.key}
	var opts []func(*s3.Options)
	if r.n > 0 {
		in.Range = aws.String(r.header())
		opts = append(opts, ranged)
	}
	if r.tag != "" {
		in.IfMatch = &r.tag
	}
	out, err := cl.GetObject(ctx, in, opts...)
	if emptyObject(err) && r.at == 0 {
		return &content{body: http.NoBody}, nil
	}
	if err != nil {
		return nil, notExist(err)
	}
	c := &content{body: out.Body, length: -1, tag: deref(out.ETag)}
	if out.ContentLength != nil {
		c.length = *out.ContentLength
	}
	c.total, err = totalSize(deref(out.ContentRange), c.length)
	if err != nil {
		return nil, errors.Join(err, out.Body.Close())
	}
	return c, nil
}

// header is the span as HTTP names it.
func (r span) header() string { return fmt.Sprintf("bytes=%d-%d", r.at, r.at+r.n-1) }

// ranged switches the check of the answer's checksum off: some servers send that of the whole object.
func ranged(o *s3.Options) { o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired }

// emptyObject recognizes the answer to a range of an object without bytes.
func emptyObject(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidRange" || status(err) == http.StatusRequestedRangeNotSatisfiable
}

// totalSize reads "bytes 0-99/1234"; a server that ignores ranges sends everything and no such header.
func totalSize(contentRange string, got int64) (int64, error) {
	if contentRange == "" {
		return got, nil
	}
	_, total, _ := strings.Cut(contentRange, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	if err != nil {
		return 0, failure.New(failure.Retry, codeDamaged, "", "the object store names no size: %q", contentRange)
	}
	return n, nil
}

func (s *s3Objects) remove(ctx context.Context, batch []objectPath) (refused map[string]error, err error) {
	cl, err := s.s3(ctx, batch[0])
	if err != nil {
		return nil, err
	}
	if len(batch) == 1 {
		return nil, removeOne(ctx, cl, batch[0])
	}
	ids := make([]types.ObjectIdentifier, len(batch))
	for k := range batch {
		ids[k].Key = &batch[k].key
	}
	refused = map[string]error{}
	out, err := cl.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: &batch[0].bucket, Delete: &types.Delete{Objects: ids, Quiet: new(bool)},
	})
	if status(err) == http.StatusNotImplemented || status(err) == http.StatusMethodNotAllowed {
		for _, o := range batch { // not every S3 compatible has the batch request
			if err := removeOne(ctx, cl, o); err != nil {
				refused[o.key] = err
			}
		}
		return refused, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range out.Errors {
		if e.Key != nil {
			refused[*e.Key] = &refusal{code: deref(e.Code), text: deref(e.Message)}
		}
	}
	return refused, nil
}

func removeOne(ctx context.Context, cl *s3.Client, o objectPath) error {
	_, err := cl.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &o.key})
	if err != nil && missing(err) {
		return nil
	}
	return err
}

func (s *s3Objects) list(ctx context.Context, prefix objectPath, from string) (*listing, error) {
	cl, err := s.s3(ctx, prefix)
	if err != nil {
		return nil, err
	}
	in := &s3.ListObjectsV2Input{Bucket: &prefix.bucket, Prefix: &prefix.key}
	if from != "" {
		in.ContinuationToken = &from
	}
	out, err := cl.ListObjectsV2(ctx, in)
	if err != nil {
		return nil, err
	}
	l := &listing{objects: make([]listed, len(out.Contents)), next: deref(out.NextContinuationToken)}
	for k, obj := range out.Contents {
		l.objects[k].key = deref(obj.Key)
		if obj.Size != nil {
			l.objects[k].size = *obj.Size
		}
		if obj.LastModified != nil {
			l.objects[k].modified = *obj.LastModified
		}
	}
	return l, nil
}

func (s *s3Objects) put(ctx context.Context, o objectPath, b []byte) (confirmed bool, err error) {
	in := &s3.PutObjectInput{Bucket: &o.bucket, Key: &o.key, Body: bytes.NewReader(b)}
	sum := s.sum.sum(b)
	s.sum.onPut(in, sum)
	cl, err := s.s3(ctx, o)
	if err != nil {
		return false, err
	}
	out, err := cl.PutObject(ctx, in)
	if failure.CodeOf(err) == codeKey { // it is there, and must not stay in plain text
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
		defer cancel()
		_, e := cl.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.bucket, Key: &o.key})
		return false, errors.Join(err, e)
	}
	if err != nil {
		return false, err
	}
	return s.sum.confirmed(out, sum), nil
}

func (s *s3Objects) probe(ctx context.Context, location string) error {
	o, err := parseObject(location)
	if err != nil {
		return err
	}
	cl, err := s.s3(ctx, o)
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

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// refusal is the server's answer for one object of a batch; it is judged like an answer of its own.
type refusal struct{ code, text string }

var _ smithy.APIError = (*refusal)(nil)

func (r *refusal) Error() string                 { return r.code + ": " + r.text }
func (r *refusal) ErrorCode() string             { return r.code }
func (r *refusal) ErrorMessage() string          { return r.text }
func (r *refusal) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }
