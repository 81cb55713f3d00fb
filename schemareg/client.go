package schemareg

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/ingestd/ingestd/internal/failure"
)

// Client is a Registry over HTTP with caches around it.
//
// A lookup goes: cache -> flight shared by all who ask for the same -> nodes in turn -> references -> cache. The
// flight is not bound to the context of the caller that happened to start it, only to a time limit; each caller
// leaves when its own context ends, and the answer is kept for the next one.
type Client struct {
	opts    ClientOptions
	nodes   []node
	last    atomic.Uint32 // node that answered last
	flights singleflight.Group
	cache   cache
}

var _ Registry = (*Client)(nil)

// NewClient checks the options; it does not connect.
func NewClient(opts ClientOptions) (*Client, error) {
	bases, err := opts.check()
	if err != nil {
		return nil, err
	}
	c := &Client{opts: opts.withDefaults()}
	for _, base := range bases {
		c.nodes = append(c.nodes, node{base: base, opts: &c.opts})
	}
	c.cache.init(c.opts.Now, c.opts.NegativeTTL)
	return c, nil
}

// ByID implements Registry.
func (c *Client) ByID(ctx context.Context, id uint32) (*Schema, error) {
	return c.find(ctx, Ref{ID: id})
}

// ByGUID implements Registry.
func (c *Client) ByGUID(ctx context.Context, guid [16]byte) (*Schema, error) {
	return c.find(ctx, Ref{GUID: guid, HasGUID: true})
}

func (c *Client) find(ctx context.Context, ref Ref) (*Schema, error) {
	if s, known, err := c.cache.get(ref); known {
		return s, err
	}
	what := ref.String()
	return c.share(ctx, what, func(ctx context.Context) (*Schema, error) {
		if s, known, err := c.cache.get(ref); known {
			return s, err // a flight ended between our look into the cache and this one
		}
		s, err := c.load(ctx, "schema "+what, func(ctx context.Context, n node) (*schemaAnswer, error) {
			if ref.HasGUID {
				return n.byGUID(ctx, ref.GUID)
			}
			return n.byID(ctx, ref.ID)
		})
		if err == nil {
			s.Ref = ref
		}
		c.cache.put(ref, s, err)
		return s, err
	})
}

// Latest implements Registry.
func (c *Client) Latest(ctx context.Context, subject string) (*Schema, error) {
	what := fmt.Sprintf("latest schema of subject %q", subject)
	return c.share(ctx, what, func(ctx context.Context) (*Schema, error) {
		s, err := c.load(ctx, what, func(ctx context.Context, n node) (*schemaAnswer, error) {
			return n.byVersion(ctx, subject, 0)
		})
		if err == nil {
			s.Subject = subject
		}
		return s, err
	})
}

// share runs f once for everybody who asks for what at the same time.
func (c *Client) share(ctx context.Context, what string, f func(context.Context) (*Schema, error)) (*Schema, error) {
	flight := c.flights.DoChan(what, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.flightTime())
		defer cancel()
		return f(ctx)
	})
	select {
	case r := <-flight:
		s, _ := r.Val.(*Schema)
		return s, r.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("finding %s: %w", what, context.Cause(ctx))
	}
}

// flightTime leaves each node its time once for the schema and once for its references.
func (c *Client) flightTime() time.Duration {
	return 2 * c.opts.Timeout * time.Duration(len(c.nodes))
}

func (c *Client) load(ctx context.Context, what string, ask askFunc) (*Schema, error) {
	a, err := c.ask(ctx, what, ask)
	if err != nil {
		return nil, err
	}
	refs, err := c.resolve(ctx, what, a)
	if err != nil {
		return nil, err
	}
	return &Schema{Ref: Ref{ID: uint32(a.id)}, Type: a.kind, Text: a.text, Version: a.version, References: refs}, nil
}

type askFunc = func(ctx context.Context, n node) (*schemaAnswer, error)

// ask tries the nodes in turn. "Not found" is believed only when no other node knows better; being refused or
// redirected ends the round at once, because more requests would not help.
func (c *Client) ask(ctx context.Context, what string, ask askFunc) (*schemaAnswer, error) {
	start := int(c.last.Load())
	var first error
	for i := range c.nodes {
		at := (start + i) % len(c.nodes)
		a, err := c.askNode(ctx, what, c.nodes[at], ask)
		if err == nil {
			c.last.Store(uint32(at))
			return a, nil
		}
		if first == nil || failure.CodeOf(err) == CodeNotFound {
			first = err
		}
		if failure.ClassOf(err) != failure.Retry || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, first
}

func (c *Client) askNode(ctx context.Context, what string, n node, ask askFunc) (*schemaAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	a, err := ask(ctx, n)
	if err != nil {
		return nil, classify(err, what, n.base)
	}
	return a, nil
}
