package schemareg

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/riferrei/srclient"
)

// schemaAnswer is what the registry says about one schema.
type schemaAnswer struct {
	id         int
	version    int
	kind       Type
	text       string
	references []srclient.Reference
}

// node asks one registry node. srclient knows neither contexts nor limits nor GUIDs, so the first two are put into
// the transport it is given for one call, and the last is asked past it.
type node struct {
	base string
	opts *ClientOptions
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// client is the HTTP client of one call, bound to its context.
func (n node) client(ctx context.Context) *http.Client {
	return &http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return n.send(r.WithContext(ctx))
		}),
		// send turns a redirect into an error before this is asked; it stands here for the reader.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (n node) send(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	switch {
	case n.opts.Token != "":
		r.Header.Set("Authorization", "Bearer "+n.opts.Token)
	case n.opts.Username != "":
		r.SetBasicAuth(n.opts.Username, n.opts.Password)
	}
	resp, err := n.opts.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, readStatus(resp)
	}
	// JSON in JSON at most doubles most schemas; the exact bound is checked on the text.
	resp.Body = &limited{ReadCloser: resp.Body, left: 4*n.opts.MaxBytes + 64<<10}
	return resp, nil
}

func readStatus(resp *http.Response) error {
	e := &statusError{status: resp.StatusCode}
	var body struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	if raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err == nil && json.Unmarshal(raw, &body) == nil {
		e.code, e.message = body.Code, body.Message
	}
	if u, err := resp.Location(); err == nil {
		e.location = u.Scheme + "://" + u.Host // no path or query: they may hold secrets
	}
	return e
}

// limited fails instead of ending early, so that a long answer is not taken for a short one.
type limited struct {
	io.ReadCloser
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

func (n node) byID(ctx context.Context, id uint32) (*schemaAnswer, error) {
	c := srclient.NewSchemaRegistryClient(n.base, srclient.WithClient(n.client(ctx)))
	s, err := c.GetSchema(int(id))
	return toAnswer(s, err)
}

// byVersion asks for a version of a subject; 0 means the latest.
func (n node) byVersion(ctx context.Context, subject string, version int) (*schemaAnswer, error) {
	c := srclient.NewSchemaRegistryClient(n.base, srclient.WithClient(n.client(ctx)))
	if version <= 0 {
		return toAnswer(c.GetLatestSchema(subject))
	}
	return toAnswer(c.GetSchemaByVersion(subject, version))
}

func (n node) byGUID(ctx context.Context, guid [16]byte) (*schemaAnswer, error) {
	target := n.base + "/schemas/guids/" + url.PathEscape(formatGUID(guid))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	resp, err := n.client(ctx).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var body struct {
		Schema     string               `json:"schema"`
		SchemaType string               `json:"schemaType"`
		References []srclient.Reference `json:"references"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, fmt.Errorf("reading answer: %w", err)
	}
	return checkAnswer(&schemaAnswer{kind: Type(body.SchemaType), text: body.Schema, references: body.References})
}

func toAnswer(s *srclient.Schema, err error) (*schemaAnswer, error) {
	if err != nil {
		return nil, err
	}
	a := &schemaAnswer{id: s.ID(), version: s.Version(), text: s.Schema(), references: s.References()}
	if t := s.SchemaType(); t != nil {
		a.kind = Type(*t)
	}
	return checkAnswer(a)
}

func checkAnswer(a *schemaAnswer) (*schemaAnswer, error) {
	if a.text == "" {
		return nil, fmt.Errorf("reading answer: it has no schema")
	}
	if a.kind == "" {
		a.kind = Avro // registries leave the type out when it is Avro
	}
	return a, nil
}
