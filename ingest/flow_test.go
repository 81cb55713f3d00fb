package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// queues makes a source whose partitions hold what is given, each on a lane of its own.
func queues(bytes ...int64) *source {
	s := newSource("main", nil, false, len(bytes))
	for i, n := range bytes {
		p := &partition{id: kafka.Partition{Topic: "t", Partition: int32(i)}, lane: s.lanes[i]}
		p.queued.Store(n)
		s.partitions[p.id] = &consumed{partition: p, reading: true}
	}
	return s
}

func (s *source) at(i int32) *consumed {
	return s.partitions[kafka.Partition{Topic: "t", Partition: i}]
}

func TestOnlyTheHotPartitionIsPausedWhenQueuesAreFull(t *testing.T) {
	most := kafka.Fetch{}.Queue()
	s := queues(most/2, most/4, most/8, 0)
	pause, resume := s.choose()
	require.Empty(t, pause, "what is paused is fetched twice: not while there is room")
	require.Empty(t, resume)

	s.at(0).queued.Store(most)
	pause, _ = s.choose()
	require.Equal(t, map[string][]int32{"t": {0}}, pause)
	require.EqualValues(t, 1, s.paused.Load())

	s.at(0).queued.Store(most / 5)
	pause, resume = s.choose()
	require.Empty(t, pause)
	require.Empty(t, resume, "neither is total down to half nor the partition to half of its part")

	s.at(0).queued.Store(most / 7)
	_, resume = s.choose()
	require.Equal(t, map[string][]int32{"t": {0}}, resume)
	require.Zero(t, s.paused.Load())
}

func TestParkedPartitionIsPausedUntilItGoesOn(t *testing.T) {
	s := queues(1, 0)
	s.at(0).parked.Store(true)
	s.at(1).parked.Store(true)
	pause, _ := s.choose()
	require.Equal(t, map[string][]int32{"t": {0}}, pause, "one that holds nothing yet may fetch what it waits for")
	_, resume := s.choose()
	require.Empty(t, resume)
	s.at(0).parked.Store(false)
	_, resume = s.choose()
	require.Equal(t, map[string][]int32{"t": {0}}, resume)
}

func TestSourceWantsMoreWhileSomeLaneStarves(t *testing.T) {
	require.True(t, queues(10*laneLow, laneLow-1).wantsMore())
	require.False(t, queues(10*laneLow, laneLow).wantsMore())
	s := queues(10*laneLow, 0)
	s.at(1).parked.Store(true)
	require.False(t, s.wantsMore(), "a parked partition cannot use what would come")
}

// smallQueues makes pausing the rule.
func (w *world) smallQueues(tables ...TableOptions) Options {
	o := w.options(tables...)
	o.Sources[0].Fetch = kafka.Fetch{MaxBytes: 512 << 10, MaxBatchBytes: 2 << 20}
	return o
}

// TestPausedPartitionComesBackWhenNothingElseMoves: a poll that nothing comes to must not keep a partition paused.
func TestPausedPartitionComesBackWhenNothingElseMoves(t *testing.T) {
	w := newWorld(t, 2, "events")
	w.produce("events", 0, 60_000)
	w.produce("events", 1, 1)
	require.NoError(t, w.catchUp(w.smallQueues(w.jsonTable("events", "events"))))
	require.Equal(t, w.expected("events"), w.rows("events", "events"))
}

// TestHotPartitionDoesNotStarveAnother: while one partition is written faster than anybody reads, a record of another
// is committed within a few intervals. Both share a lane.
func TestHotPartitionDoesNotStarveAnother(t *testing.T) {
	w := newWorld(t, 2, "events")
	w.produce("events", 0, 50_000)
	o := w.smallQueues(w.jsonTable("events", "events"))
	o.Lanes = 1
	p, wait := w.start(o)
	o.Events.(*recorder).landed("events", 1) // the sources are connected then
	hot := rungroup.New(t.Context())
	hot.Go(func(ctx context.Context) error { return w.flood(ctx, 50_000) })
	reaches := func(partition int32, offset int64) func() bool {
		return func() bool {
			for _, f := range p.feeds {
				for _, x := range f.all() {
					if x.id.Partition == partition && committed(x) >= offset {
						return true
					}
				}
			}
			return false
		}
	}
	require.Eventually(t, reaches(0, 1000), 10*time.Second, 10*time.Millisecond)
	w.produce("events", 1, 1)
	require.Eventually(t, reaches(1, 1), 5*time.Second, 10*time.Millisecond)
	hot.Stop()
	require.NoError(t, hot.Wait())
	p.Drain()
	require.NoError(t, wait())
}

// committed is how far a table's snapshots reach in a partition.
func committed(p *partition) (at int64) {
	p.lane.ask(func() {
		for _, b := range p.bindings {
			at = b.committed.Load()
		}
	})
	return at
}

// flood writes to partition 0 until ctx ends.
func (w *world) flood(ctx context.Context, id int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	for ; ctx.Err() == nil; id++ {
		cl.Produce(ctx, &kgo.Record{Topic: "events", Value: fmt.Appendf(nil, `{"id":%d}`, id)}, nil)
	}
	return nil
}
