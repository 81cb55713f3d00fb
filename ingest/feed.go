package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// feed is one named source with the tables it feeds: the connection, the assignment of partitions to lanes, and what
// is published back to the broker.
type feed struct {
	opts     SourceOptions
	pipeline *Pipeline
	client   *kafka.Client
	source   *source
	owners   []*owner

	mu struct {
		sync.Mutex
		// partitions are those of this process, by id.
		partitions map[kafka.Partition]*partition
		// granted are the partitions that the group has given to this process; joined says that it has given any
		// answer. Without a group they are not looked at.
		granted map[kafka.Partition]bool
		joined  bool
		// next is the lane the next partition goes to.
		next int
	}
	// landed wakes the goroutine that publishes group offsets, granted the one that looks for partitions.
	landed, granted chan struct{}
	// subscribed are the topics the group member asks for, with the partitions they had; they belong to the goroutine
	// that looks for partitions.
	subscribed map[string]int32
	// renewed are the ids of topics that the group member has joined anew because they were created again, stale those
	// that it has to; they belong to that goroutine as well.
	renewed map[string][16]byte
	stale   []kafka.Topic
}

// found is what the cluster says of the topics of one table.
type found struct {
	owner  *owner
	topics []kafka.Topic
	err    error
}

// connect opens every source and wires its tables.
func (p *Pipeline) connect(ctx context.Context) error {
	for _, so := range p.opts.Sources {
		f := newFeed(p, so)
		client, err := kafka.Connect(ctx, so.Kafka, f.consumerOptions()...)
		if err != nil {
			return err
		}
		f.client = client
		f.source = newSource(so.Name, client, so.Group != nil, p.opts.Lanes)
		f.source.bound(so.Fetch)
		f.source.use = p.budget.use
		f.source.failed, f.source.troubled = f.partitionFailed, f.sourceTroubled
		p.connected.Lock()
		p.feeds = append(p.feeds, f)
		p.connected.Unlock()
		for _, o := range p.owners {
			if o.opts.Source == so.Name {
				o.source = f.source
				f.owners = append(f.owners, o)
			}
		}
		// Unknown topics are an answer at the start, not a hang.
		for _, x := range f.discover(ctx) {
			if x.err != nil {
				return x.err
			}
		}
	}
	return nil
}

func newFeed(p *Pipeline, so SourceOptions) *feed {
	f := &feed{opts: so, pipeline: p, landed: make(chan struct{}, 1), granted: make(chan struct{}, 1), subscribed: map[string]int32{}, renewed: map[string][16]byte{}}
	f.mu.partitions, f.mu.granted = map[kafka.Partition]*partition{}, map[kafka.Partition]bool{}
	return f
}

func (p *Pipeline) closeFeeds() {
	for _, f := range p.feeds {
		f.client.Close()
	}
}

func (f *feed) consumerOptions() []kgo.Opt {
	opts := kafka.Consuming(f.opts.Fetch, len(f.opts.Kafka.Brokers))
	if f.opts.Group != nil {
		opts = append(opts, f.groupOptions()...)
	}
	return opts
}

// discover asks the cluster for the topics of every table of the feed. An error is that table's alone.
func (f *feed) discover(ctx context.Context) []found {
	out := make([]found, 0, len(f.owners))
	for _, o := range f.owners {
		x := found{owner: o}
		if o.opts.Pattern != nil {
			x.topics, x.err = f.client.Matching(ctx, o.opts.Pattern)
		} else {
			x.topics, x.err = f.client.Topics(ctx, o.opts.Topics...)
		}
		out = append(out, x)
	}
	return out
}

// take makes partitions this process's and tells the tables that read them; what they know already is left alone. It
// reports whether everything was found that the group has granted, or that is there without a group.
func (f *feed) take(list []found) (complete bool) {
	fresh := map[*owner][]*partition{}
	f.mu.Lock()
	complete = true
	joined := f.opts.Group == nil || f.mu.joined
	for _, x := range list {
		if x.owner.status.failed() {
			continue
		}
		for _, t := range x.topics {
			for i := range t.Partitions {
				p := f.obtain(kafka.Partition{Topic: t.Name, Partition: i}, t)
				complete = complete && (p != nil || f.opts.Group != nil)
				if p != nil && !p.readers[x.owner] {
					p.readers[x.owner] = true
					fresh[x.owner] = append(fresh[x.owner], p)
				}
			}
		}
	}
	for id := range f.mu.granted {
		complete = complete && f.mu.partitions[id] != nil
	}
	f.mu.Unlock()
	complete = f.rejoin() && complete
	for _, x := range list {
		parts := fresh[x.owner]
		if x.err == nil && joined {
			x.owner.goals.expect(min(1, len(parts)))
		}
		if len(parts) > 0 {
			x.owner.do(func(ctx context.Context) { x.owner.assign(ctx, parts) })
		}
	}
	return complete
}

// obtain gives the partition if it is this process's. The caller holds the lock.
func (f *feed) obtain(id kafka.Partition, t kafka.Topic) *partition {
	if f.opts.Group != nil && !f.mu.granted[id] {
		return nil
	}
	p := f.mu.partitions[id]
	readers := map[*owner]bool{}
	if p != nil && p.topic.ID != t.ID {
		if p.read() {
			return nil // a table that reads the topic's predecessor will hear of it
		}
		if f.opts.Group != nil && f.renewed[t.Name] != t.ID {
			f.stale = append(f.stale, t)
			return nil
		}
		p.lost.Store(true)
		old := p
		old.lane.do(func() { old.lane.forget(old) })
		f.source.renew(id.Topic)
		p, readers = nil, old.readers
	}
	if p == nil {
		lane := f.source.lanes[f.mu.next%len(f.source.lanes)]
		f.mu.next++
		p = &partition{id: id, topic: t, lane: lane, readers: readers}
		f.mu.partitions[id] = p
		lane.do(func() { lane.partitions = append(lane.partitions, p) })
	}
	return p
}

// watch looks for partitions and topics: at the start, when the group grants something, and from time to time.
func (f *feed) watch(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-f.granted:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		list := f.discover(ctx)
		if f.opts.Group != nil {
			f.subscribe(list)
		}
		pause := f.pipeline.opts.Discovery
		if !f.take(list) {
			pause = monitorInterval
		}
		for _, x := range list {
			if x.err != nil && ctx.Err() == nil && !x.owner.status.failed() {
				f.trouble("asking for the topics of table "+x.owner.name, x.err)
				pause = monitorInterval
			}
			f.checkTopics(x)
		}
		timer.Reset(pause)
	}
}

// DefaultDiscovery is how often new topics and partitions are looked for.
const DefaultDiscovery = 15 * time.Second

// partitionFailed stops the tables that read a partition which cannot be read any more.
func (f *feed) partitionFailed(p *partition, err error) {
	if kafka.IsTooLarge(err) {
		f.tooLarge(p, err)
		return
	}
	err = kafka.ClassifyFetch(err, p.id)
	switch {
	case failure.ClassOf(err) == failure.Retry:
		f.trouble("reading", err)
	case failure.CodeOf(err) == codeExpired:
		// The offset is the lowest that any table wants: the others need not suffer.
		f.pipeline.group.Go(func(ctx context.Context) error { f.outOfRange(ctx, p, err); return nil })
	default:
		p.lane.do(func() {
			for _, b := range p.bindings {
				b.sink.owner.fail(err)
			}
		})
	}
}

// outOfRange stops the tables whose next offset the broker does not have, and lets the others read on.
func (f *feed) outOfRange(ctx context.Context, p *partition, cause error) {
	ends, err := f.client.Offsets(ctx, p.id.Topic)
	if err != nil {
		f.trouble("asking for offsets", err)
	}
	p.lane.do(func() {
		for _, b := range p.bindings {
			o := b.sink.owner
			gone := o.checkReachable(p, b.next.Load(), ends[p.id])
			if err != nil {
				gone = cause
			}
			if gone != nil {
				b.detached = true
				o.fail(gone)
			}
		}
		p.bindings = withoutDetached(p.bindings)
		p.reseek()
	})
}

// sourceTroubled hears of errors that belong to no partition being read: the membership, or a whole topic.
func (f *feed) sourceTroubled(topic string, err error) {
	switch {
	case errors.Is(err, kgo.ErrClientClosed):
	case errors.Is(err, kerr.FencedInstanceID):
		f.pipeline.abort(failure.Wrap(err, failure.Fatal, "E_INSTANCE_FENCED",
			"give every process a consumer.instance_id of its own", "another process has joined group %s under the same instance id", f.opts.GroupID))
	case topic == "" && kafka.IsTooLarge(err):
		f.pipeline.group.Go(func(ctx context.Context) error { f.findTooLarge(ctx); return nil })
	case topic != "":
		for _, p := range f.all() {
			if p.id.Topic == topic {
				f.partitionFailed(p, err)
			}
		}
	default:
		f.membershipFailed(err)
	}
}

// membershipFailed stops the tables when the group will never take this process in. Anything else may pass.
func (f *feed) membershipFailed(err error) {
	what := "being a member of group " + f.opts.GroupID
	if errors.Is(err, kerr.InvalidSessionTimeout) || errors.Is(err, kerr.InconsistentGroupProtocol) {
		err = failure.Wrap(err, failure.Config, "E_GROUP",
			"consumer.session_timeout must lie within the broker's limits, and every process of the group must be an ingestd", "%s", what)
	}
	if err = kafka.Classify(err, what); failure.ClassOf(err) != failure.Config {
		f.trouble(what, err)
		return
	}
	for _, o := range f.owners {
		o.fail(err)
	}
}

func (f *feed) trouble(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	f.pipeline.opts.Events.Emit(event.SourceTrouble{Source: f.opts.Name, Reason: what, Err: err, At: f.pipeline.opts.Now()})
}
