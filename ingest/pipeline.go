package ingest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// drainTimeout bounds the last flush after a polite request to stop.
const drainTimeout = 2 * time.Minute

// Pipeline is the running daemon: sources, lanes and table owners.
type Pipeline struct {
	opts    Options
	budget  *budget
	trigger atomic.Pointer[Trigger]
	feeds   []*feed
	// connected guards feeds while they are being connected, for those who only look.
	connected sync.Mutex
	owners    []*owner
	byName    map[string]*owner

	drain     chan struct{}
	drainOnce sync.Once
	group     *rungroup.Group
	// opening ends when the pipeline drains: a table that still waits for its birth has nothing to commit.
	opening    context.Context
	endOpening context.CancelFunc
}

// New wires a pipeline; nothing is contacted before Run.
func New(o Options) *Pipeline {
	if o.Events == nil {
		o.Events = event.Discard{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Lanes = max(1, o.Lanes)
	if o.Discovery <= 0 {
		o.Discovery = DefaultDiscovery
	}
	if o.Recheck <= 0 {
		o.Recheck = DefaultRecheck
	}
	p := &Pipeline{opts: o, budget: newBudget(o.Memory), byName: map[string]*owner{}, drain: make(chan struct{})}
	o.Reserves.announce(p.budget)
	p.opts.Sources = slices.Clone(o.Sources)
	for i, s := range o.Sources {
		if s.Registry != nil {
			p.opts.Sources[i].Registry = weighed{s.Registry, p.budget}
		}
	}
	for _, t := range o.Tables {
		owner := newOwner(p, t)
		p.owners = append(p.owners, owner)
		p.byName[owner.name] = owner
	}
	p.SetTrigger(o.Trigger)
	return p
}

// SetTrigger changes when tables are flushed, as after a reload.
func (p *Pipeline) SetTrigger(t Trigger) {
	t = t.WithDefaults()
	p.trigger.Store(&t)
	for _, o := range p.owners {
		o.poke()
	}
}

// Drain asks the pipeline to stop: no more polling, one last flush of every table, then Run returns nil.
func (p *Pipeline) Drain() { p.drainOnce.Do(func() { close(p.drain) }) }

// Run consumes until Drain, until every table has caught up (UntilLatest), or until ctx ends, which stops at once and
// loses nothing that was not going to be read again.
func (p *Pipeline) Run(ctx context.Context) error {
	p.group = rungroup.New(ctx)
	p.opening, p.endOpening = context.WithCancel(p.group.Context())
	defer p.closeFeeds()
	if err := p.connect(ctx); err != nil {
		p.group.Stop()
		return err
	}
	for _, f := range p.feeds {
		p.startFeed(f)
	}
	for _, o := range p.owners {
		o.setState(event.Pending, nil)
		p.group.Go(o.run)
	}
	p.group.Go(p.supervise)
	err := p.group.Wait()
	if ctx.Err() != nil && err == nil {
		return context.Cause(ctx)
	}
	return err
}

func (p *Pipeline) startFeed(f *feed) {
	p.group.Go(f.source.run)
	for _, l := range f.source.lanes {
		p.group.Go(l.run)
	}
	p.group.Go(f.acknowledge)
	p.group.Go(f.watch)
	p.group.Go(f.monitor)
}

// supervise waits for the end and carries it out: drain politely, then stop everybody.
func (p *Pipeline) supervise(ctx context.Context) error {
	caughtUp := make(chan struct{})
	if p.opts.UntilLatest {
		p.group.Go(func(ctx context.Context) error { return p.waitCaughtUp(ctx, caughtUp) })
	}
	select {
	case <-ctx.Done():
		return nil
	case <-p.drain:
	case <-caughtUp:
	}
	p.endOpening()
	err := p.drainAll(ctx)
	p.group.Stop()
	return err
}

// drainAll stops the sources, flushes every table and publishes the last group offsets.
func (p *Pipeline) drainAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	for _, f := range p.feeds {
		f.source.stop()
	}
	// A table that fails must not cut the others' last flush short.
	failed := make(chan error, len(p.owners))
	for _, o := range p.owners {
		p.group.Go(func(context.Context) error {
			failed <- o.drain(ctx)
			return nil
		})
	}
	var err error
	for range p.owners {
		if e := <-failed; err == nil {
			err = e
		}
	}
	for _, f := range p.feeds {
		f.publish(ctx)
	}
	return err
}

// drain commits what the table holds; it returns when the owner has done so.
func (o *owner) drain(ctx context.Context) error {
	done := make(chan error, 1)
	o.do(func(ctx context.Context) {
		if o.status.failed() {
			done <- o.status.failure()
			return
		}
		err := o.flush(ctx)
		if err == nil {
			o.setState(event.Stopped, nil)
		}
		done <- err
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return failure.Wrap(ctx.Err(), failure.Retry, "E_DRAIN_TIMEOUT",
			"nothing is lost: the rest is read again at the next start", "committing table %s before the end", o.name)
	}
}

// abort ends the whole process's run with an error.
func (p *Pipeline) abort(err error) {
	p.group.Go(func(context.Context) error { return err })
}

// flushTable asks a table to flush now; lanes call it when the budget is spent.
func (p *Pipeline) flushTable(name string) {
	if o := p.byName[name]; o != nil {
		o.flushSoon()
	}
}

// tableStopped ends a bounded run when no table can reach its end any more.
func (p *Pipeline) tableStopped(*owner) {
	if !p.opts.UntilLatest {
		return
	}
	for _, o := range p.owners {
		if !o.status.failed() {
			return
		}
	}
	p.Drain()
}
