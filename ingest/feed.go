package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

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
		// next is the lane the next partition goes to.
		next int
	}
	// landed wakes the goroutine that publishes group offsets.
	landed chan struct{}
}

// connect opens every source and wires its tables.
func (p *Pipeline) connect(ctx context.Context) error {
	for _, so := range p.opts.Sources {
		f := &feed{opts: so, pipeline: p, landed: make(chan struct{}, 1)}
		f.mu.partitions = map[kafka.Partition]*partition{}
		client, err := kafka.Connect(ctx, so.Kafka, f.consumerOptions()...)
		if err != nil {
			return err
		}
		f.client = client
		f.source = newSource(so.Name, client, so.Group != nil, p.opts.Lanes)
		f.source.failed = f.partitionFailed
		p.feeds = append(p.feeds, f)
		for _, to := range p.opts.Tables {
			if to.Source == so.Name {
				o := newOwner(p, to, f.source)
				f.owners = append(f.owners, o)
				p.owners = append(p.owners, o)
				p.byName[o.name] = o
			}
		}
		// Unknown topics are an answer at the start, not a hang.
		if _, err := f.discover(ctx); err != nil {
			return err
		}
	}
	return nil
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

// discover asks the cluster for the topics of every table of the feed.
func (f *feed) discover(ctx context.Context) (map[*owner][]kafka.Topic, error) {
	out := map[*owner][]kafka.Topic{}
	for _, o := range f.owners {
		var topics []kafka.Topic
		var err error
		if o.opts.Pattern != nil {
			topics, err = f.client.Matching(ctx, o.opts.Pattern)
		} else {
			topics, err = f.client.Topics(ctx, o.opts.Topics...)
		}
		if err != nil {
			return nil, err
		}
		out[o] = topics
	}
	return out, nil
}

// take makes partitions this process's and tells the tables that read them. Known ones are left alone.
func (f *feed) take(topics map[*owner][]kafka.Topic, mine func(kafka.Partition) bool) {
	fresh := map[*owner][]*partition{}
	f.mu.Lock()
	created := map[kafka.Partition]*partition{}
	for o, list := range topics {
		for _, t := range list {
			for i := range t.Partitions {
				id := kafka.Partition{Topic: t.Name, Partition: i}
				if !mine(id) || f.mu.partitions[id] != nil {
					continue
				}
				p := created[id]
				if p == nil {
					lane := f.source.lanes[f.mu.next%len(f.source.lanes)]
					f.mu.next++
					p = &partition{id: id, topic: t, lane: lane}
					created[id] = p
				}
				p.readers++
				fresh[o] = append(fresh[o], p)
			}
		}
	}
	for id, p := range created {
		f.mu.partitions[id] = p
		p.lane.do(func() { p.lane.partitions = append(p.lane.partitions, p) })
	}
	f.mu.Unlock()
	for o, parts := range fresh {
		o.do(func(ctx context.Context) { o.assign(ctx, parts) })
	}
}

// watch looks for new partitions and topics from time to time; in direct mode the first look assigns everything.
func (f *feed) watch(ctx context.Context) error {
	tick := time.NewTicker(metadataInterval)
	defer tick.Stop()
	for {
		topics, err := f.discover(ctx)
		if err == nil && f.opts.Group == nil {
			f.take(topics, func(kafka.Partition) bool { return true })
		}
		if err != nil && ctx.Err() == nil {
			f.trouble("asking for topics", err)
		}
		for _, o := range f.owners {
			f.checkTopics(o, topics[o])
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// metadataInterval is how often the feed looks for new partitions.
const metadataInterval = 15 * time.Second

// checkTopics halts a table whose topic was replaced while it was being read.
func (f *feed) checkTopics(o *owner, topics []kafka.Topic) {
	for _, t := range topics {
		o.do(func(ctx context.Context) {
			if known, ok := o.topics[t.Name]; ok && known.ID != t.ID {
				o.halt(ctx, failure.New(failure.Halt, "E_TOPIC_RECREATED",
					"the topic was deleted and created again: its offsets start over; write the new topic to a new table, or under a new source name",
					"topic %s now has id %x, table %s is being filled from id %x", t.Name, t.ID, o.name, known.ID))
			}
		})
	}
}

// partitionFailed stops the tables that read a partition which cannot be read any more.
func (f *feed) partitionFailed(p *partition, err error) {
	err = kafka.ClassifyFetch(err, p.id)
	if failure.ClassOf(err) == failure.Retry {
		f.trouble("reading", err)
		return
	}
	p.lane.do(func() {
		for _, b := range p.bindings {
			b.sink.owner.fail(err)
		}
	})
}

func (f *feed) trouble(what string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	f.pipeline.opts.Events.Emit(event.SourceTrouble{Source: f.opts.Name, Reason: what, Err: err, At: f.pipeline.opts.Now()})
}
