package ingest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
)

const (
	// laneLow is the backlog below which a lane wants more: about 50 ms of decoding.
	laneLow = 4 << 20
	// partitionHigh is the backlog above which one partition is paused, so that a hot or parked one does not fill
	// the memory the others need.
	partitionHigh = 8 << 20
	// recordOverhead is what the client keeps per record besides its bytes.
	recordOverhead = 160
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

	// paused is the number of paused partitions, for the back-pressure event.
	paused atomic.Int64

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
	s := &source{name: name, client: client, group: group, wake: make(chan struct{}, 1), partitions: map[kafka.Partition]*consumed{}, seeking: map[*consumed]int64{}}
	for i := range lanes {
		s.lanes = append(s.lanes, newLane(i, s))
	}
	return s
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
		pollCtx, cancel := s.pollContext(ctx)
		s.orders.Lock()
		list := s.orders.list
		s.orders.list, s.orders.interrupt = nil, cancel
		s.orders.Unlock()
		runAll(list)
		s.memberSeeks()
		if s.wantsMore() {
			s.dispatch(s.client.Kgo.PollFetches(pollCtx))
		} else {
			s.waitHungry(pollCtx)
		}
		cancel()
		s.balance()
	}
	return nil
}

func (s *source) waitHungry(ctx context.Context) {
	select {
	case <-s.wake:
	case <-ctx.Done():
	}
}

// wantsMore says whether some lane could use records. Without it a poll would only move memory from the broker to us.
func (s *source) wantsMore() bool {
	if s.stopped {
		return false
	}
	backlog := map[*lane]int64{}
	for _, c := range s.partitions {
		if c.reading && !c.parked.Load() {
			backlog[c.lane] += c.queued.Load()
		}
	}
	for _, n := range backlog {
		if n < laneLow {
			return true
		}
	}
	return false
}

// dispatch hands what a poll gave to the lanes.
func (s *source) dispatch(fetches kgo.Fetches) {
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
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
			s.deliver(c, f.Records)
		}
	})
}

func (s *source) deliver(c *consumed, records []*kgo.Record) {
	b := &batch{generation: c.generation, records: records}
	for _, r := range records {
		b.bytes += int64(len(r.Key)+len(r.Value)) + recordOverhead
	}
	c.queued.Add(b.bytes)
	c.delivered.Add(1)
	p := c.partition
	p.lane.do(func() { p.queue = append(p.queue, b) })
}

// balance pauses the partitions that have too much waiting and resumes those that have not.
func (s *source) balance() {
	pause, resume := map[string][]int32{}, map[string][]int32{}
	paused := int64(0)
	for id, c := range s.partitions {
		if !c.reading {
			continue
		}
		n := c.queued.Load()
		switch {
		case !c.paused && (n > partitionHigh || n > 0 && c.parked.Load()):
			c.paused = true
			pause[id.Topic] = append(pause[id.Topic], id.Partition)
		case c.paused && n < partitionHigh/2 && !c.parked.Load():
			c.paused = false
			resume[id.Topic] = append(resume[id.Topic], id.Partition)
		}
		if c.paused {
			paused++
		}
	}
	s.paused.Store(paused)
	if len(pause) > 0 {
		s.client.Kgo.PauseFetchPartitions(pause)
	}
	if len(resume) > 0 {
		s.client.Kgo.ResumeFetchPartitions(resume)
	}
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
