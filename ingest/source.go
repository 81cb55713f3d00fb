package ingest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
)

// source is the consumer of one named source: one goroutine that polls, hands batches to the lanes and carries out
// the seeks and pauses it is asked for. It is the only one that calls the consuming half of the client.
type source struct {
	name   string
	client *kafka.Client
	group  bool
	lanes  []*lane
	// failed is told about a partition that cannot be read any more, troubled about an error of no partition.
	failed   func(*partition, error)
	troubled func(topic string, err error)

	orders struct {
		sync.Mutex
		list []func()
		// interrupt ends the poll in progress so that orders do not wait for records.
		interrupt context.CancelFunc
		closed    bool
	}
	wake chan struct{}

	// use charges what waits between the consumer and the lanes, and what the lanes need to work.
	use func(account string, delta int64)

	// paused is the number of paused partitions, for the back-pressure event.
	paused atomic.Int64

	// fetch is what the source was configured with, fetchBytes the size of fetches now.
	fetch      kafka.Fetch
	fetchBytes int32

	// partitions and everything below belong to the source's goroutine.
	partitions map[kafka.Partition]*consumed
	// seeking are seeks that the group was not ready for (memberSeek).
	seeking map[*consumed]int64
	stopped bool
}

// consumed is the source's side of a partition.
type consumed struct {
	*partition
	generation uint64
	paused     bool
	reading    bool
}

func newSource(name string, client *kafka.Client, group bool, lanes int) *source {
	s := &source{name: name, client: client, group: group, wake: make(chan struct{}, 1), partitions: map[kafka.Partition]*consumed{}, seeking: map[*consumed]int64{}, use: func(string, int64) {}}
	for i := range lanes {
		s.lanes = append(s.lanes, newLane(i, s))
	}
	s.bound(kafka.Fetch{})
	return s
}

// bound sets how much the source holds; it must not run yet.
func (s *source) bound(f kafka.Fetch) {
	s.fetch = f.WithDefaults()
	s.fetchBytes = s.fetch.MaxBytes
}

// do sends an order to the source's goroutine.
func (s *source) do(f func()) {
	s.orders.Lock()
	closed := s.orders.closed
	if !closed {
		s.orders.list = append(s.orders.list, f)
	}
	interrupt := s.orders.interrupt
	s.orders.Unlock()
	if closed {
		return
	}
	if interrupt != nil {
		interrupt()
	}
	s.hungry()
}

// hungry wakes the source when it waits for a lane to want more.
func (s *source) hungry() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run is the source's goroutine.
func (s *source) run(ctx context.Context) error {
	defer func() {
		s.orders.Lock()
		s.orders.list, s.orders.closed = nil, true
		s.orders.Unlock()
	}()
	for ctx.Err() == nil {
		s.balance()
		pollCtx, cancel := context.WithCancel(ctx)
		s.orders.Lock()
		list := s.orders.list
		s.orders.list, s.orders.interrupt = nil, cancel
		s.orders.Unlock()
		runAll(list)
		s.memberSeeks()
		s.poll(pollCtx)
		cancel()
	}
	return nil
}

// poll takes one round of records, or waits until some lane wants one.
func (s *source) poll(ctx context.Context) {
	if len(s.seeking) > 0 || s.paused.Load() > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, pollPause)
		defer stop()
	}
	if s.wantsMore() || s.unheard() {
		fetches := s.client.Kgo.PollFetches(ctx)
		s.client.Polled()
		s.dispatch(fetches)
	} else {
		s.waitHungry(ctx)
	}
}

func (s *source) waitHungry(ctx context.Context) {
	select {
	case <-s.wake:
	case <-ctx.Done():
	}
}

// dispatch hands what a poll gave to the lanes.
func (s *source) dispatch(fetches kgo.Fetches) {
	var held int64
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if kafka.IsLater(f.Err) {
			return
		}
		c := s.partitions[kafka.Partition{Topic: f.Topic, Partition: f.Partition}]
		if c == nil || !c.reading {
			for _, r := range f.Records {
				r.Recycle()
			}
			if f.Err != nil && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, context.DeadlineExceeded) {
				s.troubled(f.Topic, f.Err)
			}
			return
		}
		if f.Err != nil && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, context.DeadlineExceeded) {
			s.failed(c.partition, f.Err)
			return
		}
		if f.LastStableOffset > 0 {
			c.seen.Store(f.LastStableOffset)
		}
		if len(f.Records) > 0 {
			held += s.deliver(c, f.Records)
		}
	})
	s.adapt(held)
}

// deliver hands a partition's records to its lane and says what they hold.
func (s *source) deliver(c *consumed, records []*kgo.Record) int64 {
	b := &batch{generation: c.generation, records: records}
	for _, r := range records {
		b.bytes += int64(len(r.Key)+len(r.Value)) + recordOverhead
	}
	c.queued.Add(b.bytes)
	s.use(accountQueues, b.bytes)
	c.delivered.Add(1)
	p := c.partition
	p.lane.do(func() { p.queue = append(p.queue, b) })
	return b.bytes
}

// seek starts or restarts reading a partition at an offset. Batches read before carry an older generation.
func (s *source) seek(p *partition, offset int64, generation uint64) {
	s.do(func() {
		if p.lost.Load() {
			return
		}
		c := s.partitions[p.id]
		if c == nil || c.partition != p {
			c = &consumed{partition: p}
			s.partitions[p.id] = c
		}
		c.generation = generation
		one := map[string][]int32{p.id.Topic: {p.id.Partition}}
		if s.group {
			s.client.Kgo.PauseFetchPartitions(one)
			c.reading, c.paused = false, false
			s.seeking[c] = offset
			return
		}
		if c.reading {
			s.client.Kgo.RemoveConsumePartitions(one)
		}
		if c.paused {
			s.client.Kgo.ResumeFetchPartitions(one)
			c.paused = false
		}
		s.client.Kgo.AddConsumePartitions(map[string]map[int32]kgo.Offset{p.id.Topic: {p.id.Partition: kgo.NewOffset().At(offset)}})
		c.reading = true
	})
}

// renew makes the client forget a topic whose name belongs to another one now.
func (s *source) renew(topic string) {
	s.do(func() {
		if !s.group {
			s.client.Kgo.PurgeTopicsFromConsuming(topic)
		}
	})
}

// release ends reading a partition; what waits for it is dropped by the lane.
func (s *source) release(p *partition) {
	s.do(func() {
		c := s.partitions[p.id]
		if c == nil || c.partition != p {
			return
		}
		delete(s.partitions, p.id)
		one := map[string][]int32{p.id.Topic: {p.id.Partition}}
		if s.group {
			s.client.Kgo.PauseFetchPartitions(one)
			return
		}
		s.client.Kgo.RemoveConsumePartitions(one)
	})
}

// stop ends polling for good; what waits on the lanes is dropped, since it would only be read again.
func (s *source) stop() {
	s.do(func() {
		s.stopped = true
		for _, c := range s.partitions {
			p := c.partition
			p.lane.do(p.clear)
		}
	})
}
