package schemareg

import (
	"context"
	"fmt"
	"strings"

	"github.com/riferrei/srclient"
)

// Limits of what one schema may refer to.
const (
	maxReferences     = 100
	maxReferenceDepth = 32
)

type versioned struct {
	subject string
	version int
}

// resolver collects the references of one schema, each after those it needs itself.
type resolver struct {
	client *Client
	what   string
	bytes  int
	open   []versioned // the way down to here, to find cycles
	done   map[versioned]bool
	out    []Reference
}

func (c *Client) resolve(ctx context.Context, what string, root *schemaAnswer) ([]Reference, error) {
	r := &resolver{client: c, what: what, bytes: len(root.text), done: map[versioned]bool{}}
	if err := r.checkBytes(); err != nil {
		return nil, err
	}
	if err := r.all(ctx, root.references); err != nil {
		return nil, err
	}
	return r.out, nil
}

func (r *resolver) all(ctx context.Context, refs []srclient.Reference) error {
	for _, ref := range refs {
		if err := r.one(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) one(ctx context.Context, ref srclient.Reference) error {
	key := versioned{ref.Subject, ref.Version}
	if r.done[key] {
		return nil
	}
	if err := r.check(key); err != nil {
		return err
	}
	what := fmt.Sprintf("version %d of subject %q, which %s refers to", ref.Version, ref.Subject, r.what)
	a, err := r.client.ask(ctx, what, func(ctx context.Context, n node) (*schemaAnswer, error) {
		return n.byVersion(ctx, ref.Subject, ref.Version)
	})
	if err != nil {
		return err
	}
	if r.bytes += len(a.text); r.checkBytes() != nil {
		return r.checkBytes()
	}
	r.open = append(r.open, key)
	if err := r.all(ctx, a.references); err != nil {
		return err
	}
	r.open = r.open[:len(r.open)-1]
	r.done[key] = true
	r.out = append(r.out, Reference{Name: ref.Name, Subject: ref.Subject, Version: ref.Version, Text: a.text})
	return nil
}

func (r *resolver) check(key versioned) error {
	for i, k := range r.open {
		if k == key {
			return invalid("", "resolving references of %s: %s form a cycle", r.what, way(r.open[i:], key))
		}
	}
	if len(r.open) >= maxReferenceDepth {
		return invalid("", "resolving references of %s: more than %d levels deep", r.what, maxReferenceDepth)
	}
	if len(r.done)+len(r.open) >= maxReferences {
		return invalid("", "resolving references of %s: more than %d", r.what, maxReferences)
	}
	return nil
}

func (r *resolver) checkBytes() error {
	if limit := r.client.opts.MaxBytes; r.bytes > limit {
		return invalid("", "resolving references of %s: it has more than %d bytes with all it refers to", r.what, limit)
	}
	return nil
}

func way(open []versioned, end versioned) string {
	var b strings.Builder
	for _, k := range open {
		fmt.Fprintf(&b, "%s:%d -> ", clip(k.subject, 80), k.version)
	}
	fmt.Fprintf(&b, "%s:%d", clip(end.subject, 80), end.version)
	return b.String()
}
