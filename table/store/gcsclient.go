package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// GCSOptions are the operator's settings of access to Google Cloud Storage. Without credentials the catalog's token is
// taken, and then the process's own (Application Default Credentials).
type GCSOptions struct {
	// Endpoint is the address of the service; "" = Google's.
	Endpoint string
	// Credentials are a key file's content: of a service account or of workload identity federation.
	Credentials string
	// Anonymous sends no credentials at all, for emulators.
	Anonymous bool
	// MaxAttempts bounds the tries of one request; 0 = 6.
	MaxAttempts int
	// MaxBackoff bounds the pause between them; 0 = 10 s.
	MaxBackoff time.Duration
	// Transport replaces the HTTP transport; nil = a pooled one of our own.
	Transport http.RoundTripper
}

const (
	gcsEndpoint = "https://storage.googleapis.com"
	gcsScope    = "https://www.googleapis.com/auth/devstorage.read_write"
	// maxAnswer bounds an answer that is read as a whole; a page of a listing has about a megabyte.
	maxAnswer = 64 << 20
)

func (o *GCSOptions) check() error {
	if o.Anonymous && o.Credentials != "" {
		return failure.New(failure.Config, codeAuth, "set one of credentials_file and anonymous", "opening stores: more than one login for Google Cloud Storage")
	}
	if o.Credentials != "" {
		if _, err := o.kind(); err != nil {
			return err
		}
	}
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = defaultMaxAttempts
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = defaultMaxBackoff
	}
	if o.Transport == nil {
		o.Transport = pooledTransport()
	}
	return nil
}

// kind reads which kind of credentials a key file holds. The text is never repeated.
func (o *GCSOptions) kind() (google.CredentialsType, error) {
	var file struct {
		Type google.CredentialsType `json:"type"`
	}
	if err := json.Unmarshal([]byte(o.Credentials), &file); err != nil || file.Type == "" {
		return "", failure.New(failure.Config, codeAuth, "use the JSON file that Google's console or gcloud makes", "opening stores: the credentials for Google Cloud Storage are no key file")
	}
	return file.Type, nil
}

// gcsClient sends the requests of all locations, over one HTTP transport.
type gcsClient struct {
	opts GCSOptions
	wire wire

	mu    sync.Mutex
	login oauth2.TokenSource // nil before its first use
}

func newGCSClient(opts GCSOptions) *gcsClient {
	return &gcsClient{opts: opts, wire: wire{rt: opts.Transport}}
}

// gcsAccess is where requests go and what they log in with.
type gcsAccess struct {
	endpoint string
	token    string // of the catalog; "" = the operator's or the process's login
	open     bool   // no login at all
}

// merge puts the operator's settings over the catalog's properties.
func (o *GCSOptions) merge(props map[string]string) gcsAccess {
	a := gcsAccess{endpoint: strings.TrimSuffix(cmp.Or(o.Endpoint, props[iceio.GCSEndpoint], props[iceio.GCSServiceHost], gcsEndpoint), "/")}
	switch {
	case o.Anonymous:
		a.open = true
	case o.Credentials == "":
		a.token = props[iceio.GCSOAuthToken]
		if none, _ := strconv.ParseBool(props[iceio.GCSNoAuth]); none && a.token == "" {
			a.open = true
		}
	}
	return a
}

// own says whether the operator's settings hold a login, which goes before the catalog's.
func (o *GCSOptions) own() bool { return o.Anonymous || o.Credentials != "" }

// authorize puts the login on a request.
func (c *gcsClient) authorize(ctx context.Context, a gcsAccess, r *http.Request) error {
	if a.open {
		return nil
	}
	token := a.token
	if token == "" {
		source, err := c.source(ctx)
		if err != nil {
			return &loginError{err}
		}
		t, err := source.Token()
		if err != nil {
			return &loginError{err}
		}
		token = t.AccessToken
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// source finds the login of the operator or the process. What is found is kept; a failure is not.
func (c *gcsClient) source(ctx context.Context) (oauth2.TokenSource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.login != nil {
		return c.login, nil
	}
	// The source asks for tokens as long as it lives, through our transport.
	ctx = context.WithValue(context.WithoutCancel(ctx), oauth2.HTTPClient, &http.Client{Transport: c.opts.Transport, Timeout: time.Minute})
	var found *google.Credentials
	var err error
	if c.opts.Credentials == "" {
		found, err = google.FindDefaultCredentials(ctx, gcsScope)
	} else {
		var kind google.CredentialsType
		if kind, err = c.opts.kind(); err == nil {
			found, err = google.CredentialsFromJSONWithType(ctx, []byte(c.opts.Credentials), kind, gcsScope)
		}
	}
	if err != nil {
		return nil, err
	}
	c.login = found.TokenSource
	return c.login, nil
}

// call is one request, which may be sent several times.
type call struct {
	method string
	url    string
	header http.Header
	body   [][]byte
	// open sends no login: the URL is one.
	open bool
}

func (q *call) request(ctx context.Context) (*http.Request, error) {
	var length int64
	readers := make([]io.Reader, len(q.body))
	for k, b := range q.body {
		readers[k] = bytes.NewReader(b)
		length += int64(len(b))
	}
	r, err := http.NewRequestWithContext(ctx, q.method, q.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	if length > 0 {
		r.Body = io.NopCloser(io.MultiReader(readers...))
	}
	r.ContentLength = length
	if q.header != nil {
		r.Header = q.header.Clone()
	}
	r.Header.Set("User-Agent", "ingestd")
	return r, nil
}

// send makes a request, again after what passes by itself. The answer's status is below 300, or 308 for an upload that
// wants more; its body is the caller's to close.
func (c *gcsClient) send(ctx context.Context, a gcsAccess, q *call) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		res, err := c.once(ctx, a, q)
		if err == nil || attempt >= c.opts.MaxAttempts || !passing(err) || ctx.Err() != nil {
			return res, err
		}
		if err := c.pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// pause waits before the next attempt: twice as long each time, and a random part of that.
func (c *gcsClient) pause(ctx context.Context, attempt int) error {
	most := min(retryDelay<<min(attempt-1, 20), c.opts.MaxBackoff)
	t := time.NewTimer(most/2 + rand.N(most/2+1)) //nolint:gosec // jitter
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// once makes a request once. Its errors are judged.
func (c *gcsClient) once(ctx context.Context, a gcsAccess, q *call) (*http.Response, error) {
	r, err := q.request(ctx)
	if err != nil {
		return nil, err
	}
	if !q.open {
		if err := c.authorize(ctx, a, r); err != nil {
			return nil, gcsLoginError(err)
		}
	}
	res, err := c.wire.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	if res.StatusCode < 300 || res.StatusCode == http.StatusPermanentRedirect {
		return res, nil
	}
	return nil, gcsError(res, a)
}

// answer makes a request and reads what comes as JSON; into may be nil.
func (c *gcsClient) answer(ctx context.Context, a gcsAccess, q *call, into any) error {
	for attempt := 1; ; attempt++ {
		res, err := c.send(ctx, a, q)
		if err != nil {
			return err
		}
		err = decodeAnswer(res, into)
		if err == nil || attempt >= readAttempts || ctx.Err() != nil {
			return err
		}
	}
}

func decodeAnswer(res *http.Response, into any) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return failure.Wrap(err, failure.Retry, codeDamaged, "check storage.gcs.endpoint", "reading the object store's answer")
	}
	return nil
}

// gcsURL is the address of a bucket's objects, or of one of them.
func gcsURL(base, area string, o objectPath, q url.Values) string {
	u := base + area + "/storage/v1/b/" + url.PathEscape(o.bucket) + "/o"
	if area == "" && o.key != "" {
		u += "/" + url.PathEscape(o.key)
	}
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	return u
}
