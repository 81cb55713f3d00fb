package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithy "github.com/aws/smithy-go"

	"github.com/ingestd/ingestd/internal/failure"
)

// multipart is one multipart upload.
type multipart struct {
	s  *s3Objects
	at objectPath
	id string

	mu    sync.Mutex
	parts []types.CompletedPart
}

func (s *s3Objects) begin(ctx context.Context, o objectPath) (transfer, error) {
	cl, err := s.s3(ctx, o)
	if err != nil {
		return nil, err
	}
	out, err := cl.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &o.bucket, Key: &o.key, ChecksumAlgorithm: s.sum.algorithm(),
	})
	if err != nil {
		return nil, err
	}
	if out.UploadId == nil {
		return nil, failure.New(failure.Retry, codeDamaged, "", "the object store names no upload")
	}
	return &multipart{s: s, at: o, id: *out.UploadId}, nil
}

func (m *multipart) part(ctx context.Context, p piece) error {
	in := &s3.UploadPartInput{
		Bucket: &m.at.bucket, Key: &m.at.key, UploadId: &m.id, PartNumber: &p.number, Body: bytes.NewReader(p.b),
	}
	sum := m.s.sum.sum(p.b)
	m.s.sum.onPart(in, sum)
	cl, err := m.s.s3(ctx, m.at)
	if err != nil {
		return err
	}
	out, err := cl.UploadPart(ctx, in)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts = append(m.parts, m.s.sum.completed(p.number, out.ETag, sum))
	return nil
}

func (m *multipart) complete(ctx context.Context) error {
	slices.SortFunc(m.parts, func(a, b types.CompletedPart) int { return int(*a.PartNumber - *b.PartNumber) })
	cl, err := m.s.s3(ctx, m.at)
	if err != nil {
		return err
	}
	_, err = cl.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &m.at.bucket, Key: &m.at.key, UploadId: &m.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: m.parts},
	})
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload" {
		return &unsure{err}
	}
	return err
}

func (m *multipart) abort(ctx context.Context) {
	if cl, err := m.s.s3(ctx, m.at); err == nil {
		_, _ = cl.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &m.at.bucket, Key: &m.at.key, UploadId: &m.id})
	}
}
