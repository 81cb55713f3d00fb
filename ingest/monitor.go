package ingest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
)

const (
	// monitorInterval is how often lag and back-pressure are looked at.
	monitorInterval = time.Second
	// probeBytes is how much a probe reads: enough to see whether anything is there.
	probeBytes = 1 << 20
)

// monitor reports lag and back-pressure, and gets cursors over the end of a topic that holds no more records for us: a
// compacted hole or an aborted tail shows no record whose offset could move a cursor.
func (f *feed) monitor(ctx context.Context) error {
	tick := time.NewTicker(monitorInterval)
	defer tick.Stop()
	idle := map[*partition]int64{}
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		parts := f.read()
		maps.DeleteFunc(idle, func(p *partition, _ int64) bool { return p.lost.Load() })
		if len(parts) == 0 {
			continue
		}
		ends, err := f.client.Offsets(ctx, topicsOf(parts)...)
		if err != nil {
			f.trouble("asking for offsets", err)
			continue
		}
		for _, p := range parts {
			f.look(ctx, p, ends[p.id], idle)
		}
		f.reportPressure()
	}
}

// read lists the partitions that some table reads: a topic that is gone must not hide the others' offsets.
func (f *feed) read() []*partition {
	return slices.DeleteFunc(f.all(), func(p *partition) bool {
		unread := false
		p.lane.ask(func() { unread = len(p.bindings) == 0 })
		return unread
	})
}

// look reports the lag of one partition, and probes it when it stands still before its end.
func (f *feed) look(ctx context.Context, p *partition, e kafka.Ends, idle map[*partition]int64) {
	p.seen.Store(e.Stable)
	low := int64(-1)
	p.lane.ask(func() {
		low = p.floor()
		for _, b := range p.bindings {
			b.sink.owner.lag(p, max(0, e.Stable-b.committed.Load()))
		}
	})
	delivered := p.delivered.Load()
	if low < 0 || low >= e.Stable || p.queued.Load() > 0 || idle[p] != delivered {
		idle[p] = delivered
		return
	}
	probe, err := f.client.Fetch(ctx, p.topic, p.id.Partition, low, probeBytes)
	if err != nil || len(probe.Records) > 0 || probe.Next <= low {
		return
	}
	p.lane.do(func() {
		// A probe that saw nothing between low and Next stays true whatever was delivered since; only cursors that
		// still stand in the hole move.
		for _, b := range p.bindings {
			if at := b.next.Load(); at >= low && at < probe.Next {
				b.advance(probe.Next)
				b.sink.moved.Store(true)
				b.sink.owner.poke()
			}
		}
	})
}

func topicsOf(parts []*partition) []string {
	seen := map[string]bool{}
	var names []string
	for _, p := range parts {
		if !seen[p.id.Topic] {
			seen[p.id.Topic] = true
			names = append(names, p.id.Topic)
		}
	}
	return names
}

func (f *feed) reportPressure() {
	held, limit, largest := f.pipeline.budget.total()
	f.pipeline.opts.Events.Emit(event.Backpressure{
		Source: f.opts.Name, Paused: int(f.source.paused.Load()), BytesHeld: held, BytesLimit: limit, LargestHeld: largest, Spent: f.pipeline.budget.refusing(), At: f.pipeline.opts.Now(),
	})
}

// waitCaughtUp closes done when every table has taken everything up to the ends its topics had when it attached.
func (p *Pipeline) waitCaughtUp(ctx context.Context, done chan<- struct{}) error {
	tick := time.NewTicker(caughtUpInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if p.caughtUp() {
			close(done)
			return nil
		}
	}
}

// caughtUpInterval is how often a bounded run looks whether it is done.
const caughtUpInterval = 20 * time.Millisecond

// caughtUp says whether every table has committed what its topics held. A commit that somebody else's fences sets the
// cursors back, so what counts is what the tables are proven to have.
func (p *Pipeline) caughtUp() bool {
	all := true
	for _, o := range p.owners {
		if o.status.failed() {
			continue
		}
		taken, committed := o.goals.reached()
		if taken && !committed {
			o.flushSoon()
		}
		all = all && taken && committed
	}
	return all
}

// goals are the offsets a bounded run must reach in the partitions of one table. The feed and the owner add, the
// supervisor looks.
type goals struct {
	mu sync.Mutex
	// known says that the partitions of this process have been looked for; waiting is the number of assignments that
	// the owner has not carried out.
	known   bool
	waiting int
	list    []goal
}

type goal struct {
	*binding
	offset int64
}

// expect says that the feed has looked and sent so many assignments to the owner.
func (g *goals) expect(assignments int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = true
	g.waiting += assignments
}

// assigned says that an assignment has been carried out.
func (g *goals) assigned() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting--
}

func (g *goals) add(b *binding, offset int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, goal{b, offset})
}

// drop forgets a binding that is given up: whoever has its partition now has its goal.
func (g *goals) drop(b *binding) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = slices.DeleteFunc(g.list, func(x goal) bool { return x.binding == b })
}

// reached says whether everything has been taken from the topics, and whether it is in the table.
func (g *goals) reached() (taken, committed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken = g.known && g.waiting == 0
	committed = taken
	for _, x := range g.list {
		taken = taken && x.next.Load() >= x.offset
		committed = committed && x.committed.Load() >= x.offset
	}
	return taken, committed
}
