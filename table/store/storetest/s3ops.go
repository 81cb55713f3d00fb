package storetest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	minPart  = 5 << 20
	pageSize = 7 // small, so that every test of listings turns pages
)

func (s *S3) serve(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	switch req.Op {
	case "PutObject":
		s.putObject(w, r, req, body)
	case "GetObject", "HeadObject":
		s.getObject(w, r, req)
	case "DeleteObject":
		delete(s.buckets[req.Bucket], req.Key)
		w.WriteHeader(http.StatusNoContent)
	case "DeleteObjects":
		s.deleteObjects(w, req, body)
	case "ListObjectsV2":
		s.list(w, r, req)
	case "HeadBucket":
		w.WriteHeader(http.StatusOK)
	case "CreateMultipartUpload":
		s.createUpload(w, r, req)
	case "UploadPart":
		s.uploadPart(w, r, body)
	case "CompleteMultipartUpload":
		s.completeUpload(w, r, body)
	case "AbortMultipartUpload":
		delete(s.uploads, r.URL.Query().Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	}
}

// checked compares the checksum headers with what arrived and repeats them in the answer.
func checked(w http.ResponseWriter, r *http.Request, body []byte) bool {
	sums := map[string]string{
		"X-Amz-Checksum-Crc32":     base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body))),
		"X-Amz-Checksum-Crc64nvme": base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc64.Checksum(body, crc64.MakeTable(0x9a6c9329ac4bc9b5)))),
	}
	for name, want := range sums {
		got := r.Header.Get(name)
		if got == "" {
			continue
		}
		if got != want {
			refuse(w, http.StatusBadRequest, "BadDigest", name+" does not match")
			return false
		}
		w.Header().Set(name, want)
	}
	return true
}

func (s *S3) putObject(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	if !checked(w, r, body) {
		return
	}
	o := newObject(body)
	if o.key = customer(r); o.key == broken {
		refuse(w, http.StatusBadRequest, "InvalidArgument", "bad customer key")
		return
	}
	s.buckets[req.Bucket][req.Key] = o
	s.repeat(w, r)
	w.Header().Set("ETag", o.etag)
	w.WriteHeader(http.StatusOK)
}

// broken stands for headers of a customer's key that do not fit together.
const broken = "broken"

// customer reads the headers of a key of the customer's own: its sum, "" without one.
func customer(r *http.Request) string {
	const prefix = "X-Amz-Server-Side-Encryption-Customer-"
	algorithm, key, said := r.Header.Get(prefix+"Algorithm"), r.Header.Get(prefix+"Key"), r.Header.Get(prefix+"Key-Md5")
	if algorithm == "" && key == "" && said == "" {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	digest := md5.Sum(raw)
	if err != nil || len(raw) != 32 || algorithm != "AES256" || said != base64.StdEncoding.EncodeToString(digest[:]) {
		return broken
	}
	return said
}

// repeat confirms what was asked for by encryption headers.
func (s *S3) repeat(w http.ResponseWriter, r *http.Request) {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") && !strings.HasSuffix(name, "-Key") && !s.plain {
			w.Header().Set(name, r.Header.Get(name))
		}
	}
}

func newObject(body []byte) object {
	sum := md5.Sum(body)
	return object{data: body, etag: `"` + hex.EncodeToString(sum[:]) + `"`, modified: time.Now().UTC()}
}

func (s *S3) getObject(w http.ResponseWriter, r *http.Request, req Request) {
	o, ok := s.buckets[req.Bucket][req.Key]
	if !ok {
		refuse(w, http.StatusNotFound, "NoSuchKey", req.Key)
		return
	}
	if key := customer(r); key != o.key {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the object was stored with another form of encryption")
		return
	}
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Last-Modified", o.modified.Format(http.TimeFormat))
	if match := r.Header.Get("If-Match"); match != "" && match != o.etag {
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed", "the object has changed")
		return
	}
	from, to, partial, ok := span(r.Header.Get("Range"), len(o.data))
	if !ok {
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange", r.Header.Get("Range"))
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(to-from))
	status := http.StatusOK
	if partial {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(o.data)))
		status = http.StatusPartialContent
	}
	w.WriteHeader(status)
	if req.Op == "GetObject" {
		_, _ = w.Write(o.data[from:to])
	}
}

func span(header string, size int) (from, to int, partial, ok bool) {
	if header == "" {
		return 0, size, false, true
	}
	if _, err := fmt.Sscanf(header, "bytes=%d-%d", &from, &to); err != nil || from >= size {
		return 0, 0, true, false
	}
	return from, min(to+1, size), true, true
}

func (s *S3) deleteObjects(w http.ResponseWriter, req Request, body []byte) {
	var in struct {
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(body, &in); err != nil || len(in.Object) > 1000 {
		refuse(w, http.StatusBadRequest, "MalformedXML", "bad delete request")
		return
	}
	type failure struct{ Key, Code, Message string }
	var out struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Error   []failure
	}
	for _, o := range in.Object {
		if strings.Contains(o.Key, "locked") { // how tests make one object of a batch fail
			out.Error = append(out.Error, failure{o.Key, "AccessDenied", "locked"})
			continue
		}
		delete(s.buckets[req.Bucket], o.Key)
	}
	_ = xml.NewEncoder(w).Encode(out)
}

func (s *S3) list(w http.ResponseWriter, r *http.Request, req Request) {
	q := r.URL.Query()
	type entry struct {
		Key          string
		Size         int
		LastModified string
	}
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []entry
	}
	var keys []string
	for k := range s.buckets[req.Bucket] {
		if strings.HasPrefix(k, q.Get("prefix")) && k > q.Get("continuation-token") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	if len(keys) > pageSize {
		keys = keys[:pageSize]
		out.IsTruncated, out.NextContinuationToken = true, keys[pageSize-1]
	}
	for _, k := range keys {
		o := s.buckets[req.Bucket][k]
		out.Contents = append(out.Contents, entry{k, len(o.data), o.modified.Format(time.RFC3339)})
	}
	_ = xml.NewEncoder(w).Encode(out)
}

func (s *S3) createUpload(w http.ResponseWriter, r *http.Request, req Request) {
	s.repeat(w, r)
	s.serial++
	id := "upload-" + strconv.Itoa(s.serial)
	s.uploads[id] = &partial{customer: customer(r), bucket: req.Bucket, key: req.Key, parts: map[int]object{}, algorithm: r.Header.Get("X-Amz-Checksum-Algorithm")}
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadId string
	}{UploadId: id})
}

func (s *S3) upload(w http.ResponseWriter, r *http.Request) (string, *partial) {
	id := r.URL.Query().Get("uploadId")
	u := s.uploads[id]
	if u == nil {
		refuse(w, http.StatusNotFound, "NoSuchUpload", id)
	}
	return id, u
}

func (s *S3) uploadPart(w http.ResponseWriter, r *http.Request, body []byte) {
	_, u := s.upload(w, r)
	if u == nil || !checked(w, r, body) {
		return
	}
	if u.algorithm != "" && r.Header.Get("X-Amz-Checksum-"+u.algorithm) == "" {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the upload was promised checksums")
		return
	}
	if key := customer(r); key != u.customer {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the upload was begun with another form of encryption")
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("partNumber"))
	o := newObject(body)
	u.parts[n] = o
	w.Header().Set("ETag", o.etag)
	w.WriteHeader(http.StatusOK)
}

func (s *S3) completeUpload(w http.ResponseWriter, r *http.Request, body []byte) {
	id, u := s.upload(w, r)
	if u == nil {
		return
	}
	if key := customer(r); key != u.customer {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the upload was begun with another form of encryption")
		return
	}
	var in struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "MalformedXML", err.Error())
		return
	}
	var data bytes.Buffer
	for i, p := range in.Part {
		o, ok := u.parts[p.PartNumber]
		if !ok || o.etag != p.ETag || p.PartNumber != i+1 {
			refuse(w, http.StatusBadRequest, "InvalidPart", strconv.Itoa(p.PartNumber))
			return
		}
		if i < len(in.Part)-1 && len(o.data) < minPart {
			refuse(w, http.StatusBadRequest, "EntityTooSmall", strconv.Itoa(p.PartNumber))
			return
		}
		data.Write(o.data)
	}
	whole := newObject(data.Bytes())
	whole.key = u.customer
	s.buckets[u.bucket][u.key] = whole
	delete(s.uploads, id)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		Key     string
	}{Key: u.key})
}
