package faultproxy

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/ingestd/ingestd/internal/rungroup"
)

// Proxy is one open listener.
type Proxy struct {
	listener net.Listener
	group    *rungroup.Group
	stop     func() error
}

// Addr is host and port of the listener.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends the listener and every connection, and drops late calls that are still due.
func (p *Proxy) Close() error {
	p.group.Stop()
	err := p.stop()
	if waitErr := p.group.Wait(); waitErr != nil && !errors.Is(waitErr, net.ErrClosed) {
		err = errors.Join(err, waitErr)
	}
	return err
}

// pause waits; false means that the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
