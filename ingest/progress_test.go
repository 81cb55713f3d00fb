package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

func rubbish() *kgo.Record { return &kgo.Record{Value: []byte("rubbish")} }

func tombstones(n int) (list []*kgo.Record) {
	for range n {
		list = append(list, &kgo.Record{Key: []byte("k")})
	}
	return list
}

func (r *recorder) commitsOf(table string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if c, ok := e.(event.CommitDone); ok && c.Table == "db."+table && c.Result == event.CommitLanded {
			n++
		}
	}
	return n
}

// moved waits until a table's cursor has passed an offset that is not committed.
func (p *Pipeline) moved(t *testing.T, table string, offset int64) {
	t.Helper()
	o := p.byName["db."+table]
	require.Eventually(t, func() bool {
		at := make(chan int64, 1)
		o.do(func(context.Context) {
			low := int64(-1)
			for _, b := range o.bound {
				low = max(low, b.next.Load())
			}
			at <- low
		})
		return <-at >= offset
	}, 20*time.Second, 5*time.Millisecond)
}

// TestProgressWithoutRows: offsets without rows are committed at the end, and before that once per interval.
func TestProgressWithoutRows(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	o := w.options(w.jsonTable("t", "a"))
	o.Trigger.ProgressInterval = time.Hour
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 5)
	w.sendUncounted("a", tombstones(50)...)
	p.moved(t, "t", 55)
	require.Equal(t, 1, rec.commitsOf("t"))
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, 2, rec.commitsOf("t"), "the drain commits the positions")
	require.EqualValues(t, 55, rec.counts("t").Offsets())

	o = w.options(w.jsonTable("t", "a"))
	o.Trigger.ProgressInterval = 400 * time.Millisecond
	rec = o.Events.(*recorder)
	began := time.Now()
	p, wait = w.start(o)
	for i := range int64(20) {
		w.sendUncounted("a", tombstones(5)...)
		p.moved(t, "t", 55+5*(i+1))
	}
	require.Eventually(t, func() bool { return rec.counts("t").Offsets() == 100 }, 10*time.Second, 10*time.Millisecond)
	require.LessOrEqual(t, rec.commitsOf("t"), int(time.Since(began)/o.Trigger.ProgressInterval)+1)
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
	before := len(w.load("t").Metadata().Snapshots())
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	require.Len(t, w.load("t").Metadata().Snapshots(), before, "nothing new is no snapshot")
}

// TestNothingButMarkers: a topic of aborted transactions is caught up and accounted for.
func TestNothingButMarkers(t *testing.T) {
	w := newWorld(t, 1, "a")
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("a"))
	require.NoError(t, err)
	defer cl.Close()
	for range 3 {
		require.NoError(t, cl.BeginTransaction())
		require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(`{"id":1}`)).FirstErr())
		require.NoError(t, cl.EndTransaction(t.Context(), kgo.TryAbort))
	}
	o := w.options(w.jsonTable("t", "a"))
	rec := o.Events.(*recorder)
	require.NoError(t, w.catchUp(o))
	require.Empty(t, w.rows("t", "a"))
	require.Equal(t, 1, rec.commitsOf("t"))
	require.EqualValues(t, 6, rec.counts("t").Offsets())
	w.proven("t")
}

// TestCompactedTopic: what compaction took is counted as unseen.
func TestCompactedTopic(t *testing.T) {
	w := newWorld(t, 1, "b")
	require.NoError(t, w.cluster.CreateTopic("a", 1, map[string]string{
		"cleanup.policy": "compact", "delete.retention.ms": "0", "min.cleanable.dirty.ratio": "0",
	}))
	w.send(&kgo.Record{Topic: "a", Key: []byte("kept"), Value: []byte(`{"id":1}`)})
	for range 10 {
		w.send(&kgo.Record{Topic: "a", Key: []byte("k"), Value: []byte(`{"id":1}`)})
	}
	w.sendUncounted("a", tombstones(3)...)
	w.cluster.Compact()
	o := w.options(w.jsonTable("t", "a"))
	rec := o.Events.(*recorder)
	require.NoError(t, w.catchUp(o))
	c := rec.counts("t")
	require.EqualValues(t, 14, c.Offsets())
	require.Greater(t, c[outcome.Unseen], int64(5))
	w.proven("t")
}

// TestProbeCrossesHoles: the consumer shows nothing (it is held back), so the monitor finds out how far there is
// nothing to show. It stops at the first record or marker.
func TestProbeCrossesHoles(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	o := w.options(w.jsonTable("t", "a"))
	o.Trigger.ProgressInterval = 100 * time.Millisecond
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 5)
	held := map[string][]int32{"a": {0}}
	p.feeds[0].client.Kgo.PauseFetchPartitions(held)
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("a"), kgo.ProducerBatchCompression(kgo.NoCompression()))
	require.NoError(t, err)
	defer cl.Close()
	require.NoError(t, cl.BeginTransaction())
	for range 3 {
		require.NoError(t, cl.ProduceSync(t.Context(), kgo.SliceRecord(make([]byte, 900<<10))).FirstErr())
	}
	require.NoError(t, cl.EndTransaction(t.Context(), kgo.TryAbort))
	w.next[keyA()] += 4
	w.produce("a", 0, 5)
	p.moved(t, "t", 7)
	require.Eventually(t, func() bool { return rec.counts("t")[outcome.Unseen] >= 2 }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, rec.counts("t")[outcome.Control])
	p.feeds[0].client.Kgo.ResumeFetchPartitions(held)
	rec.landed("t", 10)
	p.Drain()
	require.NoError(t, wait())
	require.EqualValues(t, 14, rec.counts("t").Offsets())
	require.EqualValues(t, 3, rec.counts("t")[outcome.Unseen])
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}
