package store

import (
	"context"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// session is a resumable upload: parts go one after the other to an address of their own, and after a broken request
// the service says how many bytes it has.
type session struct {
	g    *gcsObjects
	at   objectPath
	url  string
	sum  hash.Hash32
	done *gcsObject // the stored object, once the last part has landed
}

func (g *gcsObjects) begin(ctx context.Context, o objectPath) (transfer, error) {
	a, err := g.access(ctx, o)
	if err != nil {
		return nil, err
	}
	meta, err := json.Marshal(map[string]string{"name": o.key, "contentType": plainBytes})
	if err != nil {
		return nil, err
	}
	res, err := g.client.send(ctx, a, &call{
		method: http.MethodPost, url: gcsURL(a.endpoint, "/upload", o, url.Values{"uploadType": {"resumable"}, "name": {o.key}}),
		header: http.Header{"Content-Type": {jsonType}, "X-Upload-Content-Type": {plainBytes}}, body: [][]byte{meta},
	})
	if err != nil {
		return nil, noBucket(err)
	}
	at := res.Header.Get("Location")
	if err := decodeAnswer(res, nil); err != nil {
		return nil, err
	}
	if at == "" {
		return nil, failure.New(failure.Retry, codeDamaged, "", "the object store names no upload")
	}
	return &session{g: g, at: o, url: at, sum: newCRC32C()}, nil
}

// part sends what the service does not have yet until it has all of the part.
func (s *session) part(ctx context.Context, p piece) error {
	_, _ = s.sum.Write(p.b)
	end := p.at + int64(len(p.b))
	has, ask := p.at, false
	for failures := 0; has < end; {
		q := s.chunk(p, has)
		if ask {
			q = s.question(p, end)
		}
		now, err := s.exchange(ctx, q, end)
		switch {
		case err == nil && now < p.at:
			return failure.New(failure.Retry, codeDamaged, "", "the object store has forgotten what it had of the upload")
		case err == nil && now == has && !ask:
			err = failure.New(failure.Retry, codeBusy, "the object store is not well", "the object store takes no more of the upload")
		}
		if err == nil {
			has, ask = now, false
			continue
		}
		if failures++; failures >= s.g.client.opts.MaxAttempts || !passing(err) || ctx.Err() != nil {
			return err
		}
		if err := s.g.client.pause(ctx, failures); err != nil {
			return err
		}
		ask = true
	}
	if p.last && s.done == nil {
		return failure.New(failure.Retry, codeDamaged, "", "the object store has all of the upload and makes no object of it")
	}
	return nil
}

// chunk sends a part from an offset on.
func (s *session) chunk(p piece, from int64) *call {
	total := "*"
	if p.last {
		total = strconv.FormatInt(p.at+int64(len(p.b)), 10)
	}
	return &call{
		method: http.MethodPut, url: s.url, open: true, body: [][]byte{p.b[from-p.at:]},
		header: http.Header{"Content-Range": {fmt.Sprintf("bytes %d-%d/%s", from, p.at+int64(len(p.b))-1, total)}},
	}
}

// question asks how much has arrived.
func (s *session) question(p piece, end int64) *call {
	total := "*"
	if p.last {
		total = strconv.FormatInt(end, 10)
	}
	return &call{method: http.MethodPut, url: s.url, open: true, header: http.Header{"Content-Range": {"bytes */" + total}}}
}

// exchange makes one request to the session and says how many bytes the service has now.
func (s *session) exchange(ctx context.Context, q *call, end int64) (int64, error) {
	res, err := s.g.client.once(ctx, gcsAccess{}, q)
	if code := status(err); code == http.StatusNotFound || code == http.StatusGone {
		return 0, failure.Wrap(err, failure.Retry, codeBusy, "the upload is begun anew", "going on with an upload")
	}
	if err != nil {
		return 0, err
	}
	if res.StatusCode != http.StatusPermanentRedirect {
		out := &gcsObject{}
		if err := decodeAnswer(res, out); err != nil {
			return 0, err
		}
		s.done = out
		return end, nil
	}
	if err := decodeAnswer(res, nil); err != nil {
		return 0, err
	}
	_, last, ok := strings.Cut(res.Header.Get("Range"), "-")
	if !ok {
		return 0, nil // it has nothing yet
	}
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil || n >= end {
		return 0, failure.New(failure.Retry, codeDamaged, "", "the object store names no range: %q", last)
	}
	return n + 1, nil
}

// complete has nothing to ask for: the last part has made the object.
func (s *session) complete(ctx context.Context) error {
	return s.g.compare(ctx, s.at, *s.done, crc32cText(s.sum.Sum32()))
}

func (s *session) abort(ctx context.Context) {
	if s.done != nil {
		return
	}
	if res, err := s.g.client.once(ctx, gcsAccess{}, &call{method: http.MethodDelete, url: s.url, open: true}); err == nil {
		_ = decodeAnswer(res, nil)
	}
}
