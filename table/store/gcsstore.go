package store

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	gcsPage    = "1000"
	gcsGranule = 256 << 10 // parts but the last are multiples of it
	jsonType   = "application/json; charset=UTF-8"
	plainBytes = "application/octet-stream"
)

// gcsObjects is Google Cloud Storage with one set of settings, through its JSON interface.
type gcsObjects struct {
	client *gcsClient
	props  map[string]string
	// grants choose the token for each path, and renew it; nil = that of props for all.
	grants *Grants
}

var (
	_ objects = (*gcsObjects)(nil)
	_ uploads = (*gcsObjects)(nil)
)

func (g *gcsObjects) bounds() bounds {
	return bounds{parts: 1 << 20, inOrder: true, batch: manyAtOnce}
}

// access gives where an object's requests go, with the login of this moment.
func (g *gcsObjects) access(ctx context.Context, o objectPath) (gcsAccess, error) {
	props := g.props
	if g.grants != nil && !g.client.opts.own() {
		var err error
		if props, err = g.grants.properties(ctx, o.uri(o.key)); err != nil {
			return gcsAccess{}, err
		}
	}
	return g.client.opts.merge(props), nil
}

// gcsObject is what the service says about an object.
type gcsObject struct {
	Name       string    `json:"name"`
	Size       string    `json:"size"`
	CRC32C     string    `json:"crc32c"`
	Generation string    `json:"generation"`
	Updated    time.Time `json:"updated"`
}

func (g *gcsObjects) head(ctx context.Context, o objectPath) (int64, error) {
	a, err := g.access(ctx, o)
	if err != nil {
		return 0, err
	}
	var out gcsObject
	q := &call{method: http.MethodGet, url: gcsURL(a.endpoint, "", o, url.Values{"fields": {"size"}})}
	if err := g.client.answer(ctx, a, q, &out); err != nil {
		return 0, notExist(err)
	}
	n, err := strconv.ParseInt(out.Size, 10, 64)
	if err != nil {
		return 0, failure.New(failure.Retry, codeDamaged, "", "the object store names no size")
	}
	return n, nil
}

func (g *gcsObjects) get(ctx context.Context, o objectPath, r span) (*content, error) {
	a, err := g.access(ctx, o)
	if err != nil {
		return nil, err
	}
	params := url.Values{"alt": {"media"}}
	if r.tag != "" {
		params.Set("ifGenerationMatch", r.tag)
	}
	// The bytes as they are stored: nothing on the way may unpack them.
	q := &call{method: http.MethodGet, url: gcsURL(a.endpoint, "", o, params), header: http.Header{"Accept-Encoding": {"identity"}}}
	if r.n > 0 {
		q.header.Set("Range", r.header())
	}
	res, err := g.client.send(ctx, a, q)
	if status(err) == http.StatusRequestedRangeNotSatisfiable && r.at == 0 {
		return &content{body: http.NoBody}, nil
	}
	if err != nil {
		return nil, notExist(err)
	}
	c := &content{body: res.Body, length: res.ContentLength, tag: res.Header.Get("X-Goog-Generation")}
	if c.total, err = totalSize(res.Header.Get("Content-Range"), c.length); err != nil {
		return nil, errors.Join(err, res.Body.Close())
	}
	if sum := storedSum(res.Header); sum != "" && res.StatusCode == http.StatusOK {
		c.body = &summed{ReadCloser: res.Body, hash: newCRC32C(), want: sum}
	}
	return c, nil
}

// storedSum finds the checksum of the whole object.
func storedSum(h http.Header) string {
	for _, line := range h.Values("X-Goog-Hash") {
		for part := range strings.SplitSeq(line, ",") {
			if sum, ok := strings.CutPrefix(strings.TrimSpace(part), "crc32c="); ok {
				return sum
			}
		}
	}
	return ""
}

// summed compares a body with its checksum when it has been read to the end.
type summed struct {
	io.ReadCloser
	hash hash.Hash32
	want string
}

// Read implements io.Reader.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	_, _ = s.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && crc32cText(s.hash.Sum32()) != s.want {
		return n, failure.New(failure.Retry, codeDamaged, "", "the object's content does not match its checksum")
	}
	return n, err
}

func newCRC32C() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// crc32cText is a checksum as the service writes it.
func crc32cText(sum uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func (g *gcsObjects) remove(ctx context.Context, batch []objectPath) (refused map[string]error, err error) {
	return removeEach(ctx, batch, func(ctx context.Context, o objectPath) error {
		a, err := g.access(ctx, o)
		if err != nil {
			return err
		}
		return notExist(g.client.answer(ctx, a, &call{method: http.MethodDelete, url: gcsURL(a.endpoint, "", o, nil)}, nil))
	})
}

func (g *gcsObjects) list(ctx context.Context, prefix objectPath, from string) (*listing, error) {
	return g.page(ctx, prefix, url.Values{"prefix": {prefix.key}, "pageToken": {from}, "maxResults": {gcsPage}})
}

func (g *gcsObjects) page(ctx context.Context, at objectPath, params url.Values) (*listing, error) {
	a, err := g.access(ctx, at)
	if err != nil {
		return nil, err
	}
	if params.Get("pageToken") == "" {
		params.Del("pageToken")
	}
	params.Set("fields", "nextPageToken,items(name,size,updated)")
	bucket := objectPath{scheme: at.scheme, bucket: at.bucket}
	var out struct {
		Items []gcsObject `json:"items"`
		Next  string      `json:"nextPageToken"`
	}
	q := &call{method: http.MethodGet, url: gcsURL(a.endpoint, "", bucket, params)}
	if err := g.client.answer(ctx, a, q, &out); err != nil {
		return nil, noBucket(err)
	}
	l := &listing{objects: make([]listed, len(out.Items)), next: out.Next}
	for k, obj := range out.Items {
		size, _ := strconv.ParseInt(obj.Size, 10, 64)
		l.objects[k] = listed{key: obj.Name, size: size, modified: obj.Updated}
	}
	return l, nil
}

// put sends content and checksum in one request; the service refuses what does not match.
func (g *gcsObjects) put(ctx context.Context, o objectPath, b []byte) (confirmed bool, err error) {
	a, err := g.access(ctx, o)
	if err != nil {
		return false, err
	}
	sum := crc32cText(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	meta, err := json.Marshal(map[string]string{"name": o.key, "crc32c": sum, "contentType": plainBytes})
	if err != nil {
		return false, err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return false, err
	}
	edge := "ingestd-" + id.String()
	head := "--" + edge + "\r\nContent-Type: " + jsonType + "\r\n\r\n" + string(meta) + "\r\n--" + edge + "\r\nContent-Type: " + plainBytes + "\r\n\r\n"
	var out gcsObject
	err = g.client.answer(ctx, a, &call{
		method: http.MethodPost, url: gcsURL(a.endpoint, "/upload", o, url.Values{"uploadType": {"multipart"}, "name": {o.key}}),
		header: http.Header{"Content-Type": {"multipart/related; boundary=" + edge}},
		body:   [][]byte{[]byte(head), b, []byte("\r\n--" + edge + "--\r\n")},
	}, &out)
	if err != nil {
		return false, noBucket(err)
	}
	return out.CRC32C == sum, g.compare(ctx, o, out, sum)
}

// compare refuses, and removes again, what is stored with another checksum than was sent.
func (g *gcsObjects) compare(ctx context.Context, o objectPath, out gcsObject, sum string) error {
	if out.CRC32C == "" || out.CRC32C == sum {
		return nil
	}
	err := error(failure.New(failure.Retry, codeDamaged, "", "the object store has other bytes than were sent"))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	a, e := g.access(ctx, o)
	if e == nil {
		params := url.Values{}
		if out.Generation != "" {
			params.Set("ifGenerationMatch", out.Generation)
		}
		e = g.client.answer(ctx, a, &call{method: http.MethodDelete, url: gcsURL(a.endpoint, "", o, params)}, nil)
	}
	return errors.Join(err, e)
}

func (g *gcsObjects) probe(ctx context.Context, location string) error {
	o, err := parseObject(location)
	if err != nil {
		return err
	}
	// A listing needs no more rights than the tables' upkeep; those of a bucket itself are often not given.
	_, err = g.page(ctx, objectPath{scheme: o.scheme, bucket: o.bucket}, url.Values{"maxResults": {"1"}})
	return probed(err, "looking for bucket", location)
}
