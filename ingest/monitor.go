package ingest

import (
	"context"
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
		parts := f.all()
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
		Paused: int(f.source.paused.Load()), BytesHeld: held, BytesLimit: limit, LargestHeld: largest, At: f.pipeline.opts.Now(),
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

func (p *Pipeline) caughtUp() bool {
	for _, o := range p.owners {
		if !o.status.failed() && !o.goals.reached() {
			return false
		}
	}
	return true
}

// goals are the offsets a bounded run must reach in the partitions of one table. The owner adds, the supervisor looks.
type goals struct {
	mu   sync.Mutex
	met  bool
	list []goal
}

type goal struct {
	*binding
	offset int64
}

func (g *goals) add(b *binding, offset int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, goal{b, offset})
}

// assigned says that the table knows its partitions; before, nothing is reached.
func (g *goals) assigned() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.met = true
}

func (g *goals) reached() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.met {
		return false
	}
	for _, x := range g.list {
		if x.next.Load() < x.offset {
			return false
		}
	}
	return true
}
