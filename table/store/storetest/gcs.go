package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	gcsPage    = 7 // objects of a page of a listing
	gcsGranule = 256 << 10
)

// GCS is a server that speaks as much of Google Cloud Storage's JSON interface as package store asks for, and looks at
// checksums. Unlike the emulators it says how much of a resumable upload it has.
type GCS struct {
	emulator
	sessions map[string]*resumable
	serial   int
	halves   bool
}

type resumable struct {
	bucket, key string
	data        []byte
	done        bool
}

// NewGCS starts a server with the given buckets; it stops with the test.
func NewGCS(t testing.TB, buckets ...string) *GCS {
	g := &GCS{sessions: map[string]*resumable{}}
	g.start(t, g, buckets)
	return g
}

// KeepHalf makes the server keep the first half of each part of an upload, as the real one may.
func (g *GCS) KeepHalf() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.halves = true
}

// OpenUploads gives the number of resumable uploads neither finished nor given up.
func (g *GCS) OpenUploads() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.sessions {
		if !s.done {
			n++
		}
	}
	return n
}

func (g *GCS) name(r *http.Request) (op, bucket, key string) {
	_, rest, _ := strings.Cut(r.URL.Path, "/storage/v1/b/")
	bucket, key, _ = strings.Cut(rest, "/o")
	key = strings.TrimPrefix(key, "/")
	q := r.URL.Query()
	upload := strings.HasPrefix(r.URL.Path, "/upload/")
	switch {
	case upload && r.Method == http.MethodPost:
		op, key = map[string]string{"multipart": "InsertObject", "resumable": "BeginUpload"}[q.Get("uploadType")], q.Get("name")
	case upload && r.Method == http.MethodDelete:
		op = "EndUpload"
	case upload && strings.HasPrefix(r.Header.Get("Content-Range"), "bytes */"):
		op = "AskUpload"
	case upload:
		op = "PutChunk"
	case r.Method == http.MethodDelete:
		op = "DeleteObject"
	case key == "":
		op = "ListObjects"
	case q.Get("alt") == "media":
		op = "GetMedia"
	default:
		op = "GetObject"
	}
	return op, bucket, key
}

func (g *GCS) serve(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	switch req.Op {
	case "ListObjects":
		g.list(w, req)
	case "InsertObject":
		g.insert(w, r, req, body)
	case "BeginUpload":
		g.serial++
		id := strconv.Itoa(g.serial)
		g.sessions[id] = &resumable{bucket: req.Bucket, key: req.Key}
		w.Header().Set("Location", g.URL+r.URL.Path+"?uploadType=resumable&upload_id=s3cr3t-"+id)
		w.WriteHeader(http.StatusOK)
	case "PutChunk", "AskUpload", "EndUpload":
		g.chunk(w, r, req, body)
	default:
		g.one(w, r, req)
	}
}

func (g *GCS) one(w http.ResponseWriter, r *http.Request, req Request) {
	o, ok := g.buckets[req.Bucket][req.Key]
	if !ok {
		gcsRefuse(w, http.StatusNotFound, "notFound", "No such object: "+req.Bucket+"/"+req.Key)
		return
	}
	if want := req.Query.Get("ifGenerationMatch"); want != "" && want != generation(o) {
		gcsRefuse(w, http.StatusPreconditionFailed, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
		return
	}
	switch req.Op {
	case "DeleteObject":
		delete(g.buckets[req.Bucket], req.Key)
		w.WriteHeader(http.StatusNoContent)
	case "GetMedia":
		w.Header().Set("X-Goog-Generation", generation(o))
		w.Header().Set("X-Goog-Hash", "crc32c="+castagnoli(o.data)+",md5=x")
		if !send(w, r.Header.Get("Range"), o.data) {
			gcsRefuse(w, http.StatusRequestedRangeNotSatisfiable, "requestedRangeNotSatisfiable", "Request range not satisfiable")
		}
	default:
		gcsObject(w, req.Key, o)
	}
}

// generation changes with the content.
func generation(o object) string {
	n, _ := strconv.ParseUint(o.etag[:8], 16, 64)
	return strconv.FormatUint(n+1, 10)
}

func castagnoli(b []byte) string {
	sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func describe(key string, o object) map[string]string {
	return map[string]string{
		"name": key, "size": strconv.Itoa(len(o.data)), "crc32c": castagnoli(o.data), "generation": generation(o),
		"updated": o.modified.Format(time.RFC3339),
	}
}

func gcsObject(w http.ResponseWriter, key string, o object) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(describe(key, o))
}

// insert takes an object and what is said about it in one request.
func (g *GCS) insert(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		gcsRefuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var content [2][]byte
	for k := range content {
		p, err := parts.NextRawPart()
		if err == nil {
			content[k], err = io.ReadAll(p)
		}
		if err != nil {
			gcsRefuse(w, http.StatusBadRequest, "invalid", err.Error())
			return
		}
	}
	var meta struct{ Name, CRC32C string }
	if err := json.Unmarshal(content[0], &meta); err != nil || meta.Name != req.Key {
		gcsRefuse(w, http.StatusBadRequest, "invalid", "metadata")
		return
	}
	if got := castagnoli(content[1]); meta.CRC32C != got {
		gcsRefuse(w, http.StatusBadRequest, "invalid", fmt.Sprintf("Provided CRC32C %q doesn't match calculated CRC32C %q.", meta.CRC32C, got))
		return
	}
	gcsObject(w, req.Key, g.store(req.Bucket, req.Key, content[1]))
}

func (g *GCS) chunk(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	id := strings.TrimPrefix(req.Query.Get("upload_id"), "s3cr3t-")
	s := g.sessions[id]
	if s == nil || r.Header.Get("Authorization") != "" {
		gcsRefuse(w, http.StatusNotFound, "notFound", "no such upload")
		return
	}
	if req.Op == "EndUpload" {
		delete(g.sessions, id)
		w.WriteHeader(499)
		return
	}
	if req.Op == "PutChunk" && !s.done && !g.add(w, r, s, body) {
		return
	}
	if s.done {
		gcsObject(w, s.key, g.buckets[s.bucket][s.key])
		return
	}
	if len(s.data) > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(s.data)-1))
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

// add takes a part, from where the last one ended.
func (g *GCS) add(w http.ResponseWriter, r *http.Request, s *resumable, body []byte) bool {
	var from, to int
	var total string
	_, err := fmt.Sscanf(r.Header.Get("Content-Range"), "bytes %d-%d/%s", &from, &to, &total)
	if err != nil || to-from+1 != len(body) || from > len(s.data) || total == "*" && len(body)%gcsGranule != 0 {
		gcsRefuse(w, http.StatusBadRequest, "invalid", "bad range "+r.Header.Get("Content-Range"))
		return false
	}
	if g.halves && len(body) > gcsGranule {
		body = body[:len(body)/2/gcsGranule*gcsGranule]
		to = from + len(body) - 1
	}
	s.data = append(s.data[:from:from], body...)
	if total == strconv.Itoa(to+1) {
		g.store(s.bucket, s.key, s.data)
		s.done = true
	}
	return true
}

func (g *GCS) list(w http.ResponseWriter, req Request) {
	keys, next := g.page(req.Bucket, req.Query.Get("prefix"), req.Query.Get("pageToken"), gcsPage)
	answer := map[string]any{}
	var items []map[string]string
	for _, k := range keys {
		items = append(items, describe(k, g.buckets[req.Bucket][k]))
	}
	if len(items) > 0 {
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (g *GCS) noBucket(w http.ResponseWriter) {
	gcsRefuse(w, http.StatusNotFound, "notFound", "The specified bucket does not exist.")
}

func (g *GCS) fail(w http.ResponseWriter, f Fault) {
	switch f {
	case SlowDown:
		gcsRefuse(w, http.StatusTooManyRequests, "rateLimitExceeded", "The object exceeded the rate limit.")
	case Internal:
		gcsRefuse(w, http.StatusServiceUnavailable, "backendError", "Backend Error")
	case Denied:
		gcsRefuse(w, http.StatusForbidden, "forbidden", "caller does not have storage.objects.create access")
	case Expired:
		gcsRefuse(w, http.StatusUnauthorized, "authError", "Invalid Credentials")
	default:
		gcsRefuse(w, http.StatusNotImplemented, "notImplemented", "not implemented")
	}
}

func gcsRefuse(w http.ResponseWriter, status int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []map[string]string{{"reason": reason, "message": message}},
	}})
}
