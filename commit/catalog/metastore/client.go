package metastore

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
)

// idleConns are kept for the next callers.
const idleConns = 4

// Client gives out connections to one of several Metastores that share a database.
type Client struct {
	addresses []string
	secure    *tls.Config

	mu struct {
		sync.Mutex
		idle   []*Conn
		closed bool
	}
}

// NewClient makes a client of addresses (host:port), tried in their order; secure may be nil.
func NewClient(addresses []string, secure *tls.Config) *Client {
	return &Client{addresses: slices.Clone(addresses), secure: secure}
}

// Do lends a connection to f. Whatever f calls must be harmless when it is called twice: when the first connection
// breaks, which may have happened long ago, f gets a new one, once.
func (c *Client) Do(ctx context.Context, f func(*Conn) error) error {
	conn, used, err := c.take(ctx)
	if err != nil {
		return err
	}
	err = f(conn)
	again := conn.broken && used && ctx.Err() == nil
	if c.give(conn); !again {
		return err
	}
	if conn, err = c.dial(ctx); err != nil {
		return err
	}
	defer c.give(conn)
	return f(conn)
}

// Once lends a connection to f, which is not called again.
func (c *Client) Once(ctx context.Context, f func(*Conn) error) error {
	conn, _, err := c.take(ctx)
	if err != nil {
		return err
	}
	defer c.give(conn)
	return f(conn)
}

func (c *Client) take(ctx context.Context) (conn *Conn, used bool, err error) {
	c.mu.Lock()
	if n := len(c.mu.idle); n > 0 {
		conn = c.mu.idle[n-1]
		c.mu.idle = c.mu.idle[:n-1]
	}
	c.mu.Unlock()
	if conn != nil {
		return conn, true, nil
	}
	conn, err = c.dial(ctx)
	return conn, false, err
}

func (c *Client) dial(ctx context.Context) (*Conn, error) {
	var all []error
	for _, a := range c.addresses {
		conn, err := dial(ctx, a, c.secure)
		if err == nil {
			return conn, nil
		}
		all = append(all, err)
	}
	return nil, errors.Join(all...)
}

func (c *Client) give(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.broken || c.mu.closed || len(c.mu.idle) == idleConns {
		_ = conn.net.Close()
		return
	}
	c.mu.idle = append(c.mu.idle, conn)
}

// Close ends all idle connections.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.closed = true
	var err error
	for _, conn := range c.mu.idle {
		err = errors.Join(err, conn.net.Close())
	}
	c.mu.idle = nil
	return err
}
