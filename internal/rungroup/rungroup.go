// Package rungroup starts goroutines that somebody waits for. It is the only place with a bare go statement:
// whoever starts work owns a Group and ends with Wait, so that a shutdown leaves nothing behind.
package rungroup

import (
	"context"
	"sync"
)

// Group runs functions until the first one fails; the others are told through the context.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	once   sync.Once
	err    error
}

// New makes a Group whose context ends with parent, with the first error, or with Stop.
func New(parent context.Context) *Group {
	ctx, cancel := context.WithCancelCause(parent)
	return &Group{ctx: ctx, cancel: cancel}
}

// Context is the context the functions should obey.
func (g *Group) Context() context.Context { return g.ctx }

// Go runs f in a goroutine of the group.
func (g *Group) Go(f func(ctx context.Context) error) {
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		if err := f(g.ctx); err != nil {
			g.once.Do(func() {
				g.err = err
				g.cancel(err)
			})
		}
	}()
}

// Stop ends the group's context without an error.
func (g *Group) Stop() { g.cancel(context.Canceled) }

// Wait waits for every function and gives the first error.
func (g *Group) Wait() error {
	g.wg.Wait()
	g.cancel(context.Canceled)
	return g.err
}
