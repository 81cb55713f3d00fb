package storetest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"hash/crc64"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// AzureAccount is the only account of Azure.
const AzureAccount = "acct"

// azurePage is how many blobs a page lists.
const azurePage = 7

// Azure is a server that speaks as much of Azure Blob Storage as package store asks for, and looks at checksums. The
// account stands in the path, as with emulators.
type Azure struct {
	emulator
	staged map[string]map[string][]byte // container/blob -> block id -> content
}

// NewAzure starts a server with the given containers; it stops with the test. Its endpoint is URL + "/" + AzureAccount.
func NewAzure(t testing.TB, containers ...string) *Azure {
	a := &Azure{staged: map[string]map[string][]byte{}}
	a.start(t, a, containers)
	return a
}

func (a *Azure) name(r *http.Request) (op, bucket, key string) {
	rest := strings.TrimPrefix(r.URL.Path, "/"+AzureAccount+"/")
	bucket, key, _ = strings.Cut(rest, "/")
	q := r.URL.Query()
	switch {
	case q.Get("comp") == "list":
		op = "ListBlobs"
	case q.Get("comp") == "block":
		op = "PutBlock"
	case q.Get("comp") == "blocklist":
		op = "PutBlockList"
	default:
		op = map[string]string{http.MethodPut: "PutBlob", http.MethodGet: "GetBlob", http.MethodHead: "HeadBlob", http.MethodDelete: "DeleteBlob"}[r.Method]
	}
	return op, bucket, key
}

func (a *Azure) serve(w http.ResponseWriter, r *http.Request, req Request, body []byte) {
	path := req.Bucket + "/" + req.Key
	switch req.Op {
	case "ListBlobs":
		a.list(w, req)
	case "PutBlob":
		if azureChecked(w, r, body) {
			a.created(w, a.store(req.Bucket, req.Key, body))
		}
	case "PutBlock":
		if azureChecked(w, r, body) {
			if a.staged[path] == nil {
				a.staged[path] = map[string][]byte{}
			}
			a.staged[path][req.Query.Get("blockid")] = body
			w.WriteHeader(http.StatusCreated)
		}
	case "PutBlockList":
		a.commit(w, req, body)
	default:
		a.one(w, r, req)
	}
}

// one answers a request about a blob that must be there.
func (a *Azure) one(w http.ResponseWriter, r *http.Request, req Request) {
	o, ok := a.buckets[req.Bucket][req.Key]
	if !ok {
		azureRefuse(w, http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
		return
	}
	w.Header().Set("ETag", `"`+o.etag+`"`)
	switch req.Op {
	case "DeleteBlob":
		delete(a.buckets[req.Bucket], req.Key)
		w.WriteHeader(http.StatusAccepted)
	case "HeadBlob":
		w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
	default:
		if tag := r.Header.Get("If-Match"); tag != "" && tag != `"`+o.etag+`"` {
			azureRefuse(w, http.StatusPreconditionFailed, "ConditionNotMet", "The condition is not met.")
			return
		}
		header := r.Header.Get("X-Ms-Range")
		if header == "" {
			header = r.Header.Get("Range")
		}
		if !send(w, header, o.data) {
			azureRefuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The range is invalid.")
		}
	}
}

// commit keeps the blocks for the next time: a list that is committed again finds them.
func (a *Azure) commit(w http.ResponseWriter, req Request, body []byte) {
	var list struct {
		Latest []string
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		azureRefuse(w, http.StatusBadRequest, "InvalidXmlDocument", err.Error())
		return
	}
	var data []byte
	for _, id := range list.Latest {
		b, ok := a.staged[req.Bucket+"/"+req.Key][id]
		if !ok {
			azureRefuse(w, http.StatusBadRequest, "InvalidBlockList", id)
			return
		}
		data = append(data, b...)
	}
	a.created(w, a.store(req.Bucket, req.Key, data))
}

func (a *Azure) created(w http.ResponseWriter, o object) {
	w.Header().Set("ETag", `"`+o.etag+`"`)
	w.WriteHeader(http.StatusCreated)
}

type azureBlob struct {
	Name     string
	Length   int    `xml:"Properties>Content-Length"`
	Modified string `xml:"Properties>Last-Modified"`
	Folder   string `xml:"Metadata>hdi_isfolder,omitempty"`
}

func (a *Azure) list(w http.ResponseWriter, req Request) {
	keys, next := a.page(req.Bucket, req.Query.Get("prefix"), req.Query.Get("marker"), azurePage)
	answer := struct {
		XMLName    xml.Name    `xml:"EnumerationResults"`
		Blobs      []azureBlob `xml:"Blobs>Blob"`
		NextMarker string
	}{NextMarker: next}
	for _, k := range keys {
		o := a.buckets[req.Bucket][k]
		b := azureBlob{Name: k, Length: len(o.data), Modified: o.modified.Format(http.TimeFormat)}
		if strings.HasSuffix(k, ".folder") {
			b.Folder = "true"
		}
		answer.Blobs = append(answer.Blobs, b)
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(answer)
}

// azureChecked compares what came with its checksum, and repeats the sum as Azure does.
func azureChecked(w http.ResponseWriter, r *http.Request, body []byte) bool {
	want := r.Header.Get("X-Ms-Content-Crc64")
	if want == "" {
		return true
	}
	sum := crc64.Checksum(body, crc64.MakeTable(0x9a6c9329ac4bc9b5))
	got := base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, sum))
	if got != want {
		azureRefuse(w, http.StatusBadRequest, "Crc64Mismatch", "The CRC64 value specified in the request did not match.")
		return false
	}
	w.Header().Set("X-Ms-Content-Crc64", got)
	return true
}

func (a *Azure) noBucket(w http.ResponseWriter) {
	azureRefuse(w, http.StatusNotFound, "ContainerNotFound", "The specified container does not exist.")
}

func (a *Azure) fail(w http.ResponseWriter, f Fault) {
	switch f {
	case SlowDown:
		azureRefuse(w, http.StatusServiceUnavailable, "ServerBusy", "The server is busy.")
	case Internal:
		azureRefuse(w, http.StatusInternalServerError, "InternalError", "The server encountered an internal error.")
	case Denied:
		azureRefuse(w, http.StatusForbidden, "AuthorizationPermissionMismatch", "This request is not authorized.")
	case Expired:
		azureRefuse(w, http.StatusForbidden, "AuthenticationFailed", "Server failed to authenticate the request.\nRequestId:1",
			"Signature not valid in the specified time frame: Start [a] - Expiry [b] - Current [c]")
	default:
		azureRefuse(w, http.StatusNotImplemented, "NotImplemented", "not implemented")
	}
}

func azureRefuse(w http.ResponseWriter, status int, code, message string, detail ...string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Detail  []string `xml:"AuthenticationErrorDetail"`
	}{Code: code, Message: message, Detail: detail})
}
