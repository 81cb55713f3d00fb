package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

func keyA() kafka.Partition { return kafka.Partition{Topic: "a"} }

func (r *recorder) counts(table string) (c outcome.Counts) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if d, ok := e.(event.CommitDone); ok && d.Table == "db."+table && d.Result == event.CommitLanded {
			c.Add(d.Counts)
		}
	}
	return c
}

func (w *world) admin() *kadm.Client {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...))
	require.NoError(w.t, err)
	w.t.Cleanup(cl.Close)
	return kadm.NewClient(cl)
}

// TestTwinStopsItself: two processes in direct mode write one table. Whoever is fenced twice by the same writer gives
// up; the table equals the topic.
func TestTwinStopsItself(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	first, second := w.options(w.jsonTable("t", "a")), w.options(w.jsonTable("t", "a"))
	first.Writer, second.Writer = "first", "second"
	p1, wait1 := w.start(first)
	first.Events.(*recorder).landed("t", 10)
	p2, wait2 := w.start(second)
	ended := make(chan error, 2)
	go func() { ended <- wait1() }()
	go func() { ended <- wait2() }()
	var err error
	for i := 0; err == nil; i++ {
		w.produce("a", 0, 10)
		select {
		case err = <-ended:
		case <-time.After(30 * time.Millisecond):
			require.Less(t, i, 500, "no twin has stopped")
		}
	}
	require.Equal(t, codeTwin, failure.CodeOf(err), "%v", err)
	p1.Drain()
	p2.Drain()
	require.NoError(t, <-ended)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

func TestPartitionAddedLaterStartsAtZero(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	table.Start = Latest
	require.NoError(t, w.catchUp(w.options(table)))
	require.Empty(t, w.rows("t", "a"), "latest leaves out what was there")
	_, err := w.admin().CreatePartitions(t.Context(), 1, "a")
	require.NoError(t, err)
	w.produced = map[string]string{}
	w.produce("a", 1, 7)
	w.produce("a", 0, 3)
	require.NoError(t, w.catchUp(w.options(table)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

func TestRecreatedTopicHaltsTheTable(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	adm := w.admin()
	_, err := adm.DeleteTopics(t.Context(), "a")
	require.NoError(t, err)
	_, err = adm.CreateTopics(t.Context(), 1, 1, nil, "a")
	require.NoError(t, err)
	err = w.catchUp(w.options(w.jsonTable("t", "a")))
	require.Equal(t, "E_TOPIC_RECREATED", failure.CodeOf(err), "%v", err)
	require.NotEmpty(t, failure.HintOf(err))
	require.Len(t, w.rows("t", "a"), 5)
}

func TestExpiredOffsetsHaltTheTable(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	w.produce("a", 0, 10)
	offsets := kadm.Offsets{}
	offsets.AddOffset("a", 0, 12, -1)
	_, err := w.admin().DeleteRecords(t.Context(), offsets)
	require.NoError(t, err)
	err = w.catchUp(w.options(w.jsonTable("t", "a")))
	require.Equal(t, "E_OFFSET_EXPIRED", failure.CodeOf(err), "%v", err)
}

// TestTransactions: aborted records never show, markers are counted, and a topic that ends in markers is caught up.
func TestTransactions(t *testing.T) {
	w := newWorld(t, 1, "a")
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("a"))
	require.NoError(t, err)
	defer cl.Close()
	tx := func(end kgo.TransactionEndTry, n int) {
		require.NoError(t, cl.BeginTransaction())
		for range n {
			require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(`{"id":1}`)).FirstErr())
		}
		require.NoError(t, cl.EndTransaction(t.Context(), end))
	}
	tx(kgo.TryCommit, 3)
	tx(kgo.TryAbort, 4)
	tx(kgo.TryCommit, 2)
	tx(kgo.TryAbort, 1)
	o := w.options(w.jsonTable("t", "a"))
	rec := o.Events.(*recorder)
	require.NoError(t, w.catchUp(o))
	require.Len(t, w.rows("t", "a"), 5)
	c := rec.counts("t")
	require.EqualValues(t, 5, c[outcome.Written])
	require.EqualValues(t, 4, c[outcome.Control])
	require.EqualValues(t, 5, c[outcome.Unseen])
	require.EqualValues(t, 14, c.Offsets())
}

func TestSmallMemoryStillFlows(t *testing.T) {
	w := newWorld(t, 8, "a", "b", "c")
	for _, topic := range []string{"a", "b", "c"} {
		for p := range int32(8) {
			w.produce(topic, p, 300)
		}
	}
	o := w.options(w.jsonTable("a", "a"), w.jsonTable("b", "b"), w.jsonTable("c", "c"))
	o.Memory = 256 << 10
	o.Trigger.Interval = time.Minute
	require.NoError(t, w.catchUp(o))
	for _, topic := range []string{"a", "b", "c"} {
		require.Equal(t, w.expected(topic), w.rows(topic, topic))
	}
}

func TestGroupOffsetsFollowTheTables(t *testing.T) {
	w := newWorld(t, 2, "a")
	w.produce("a", 0, 5)
	w.produce("a", 1, 6)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	got, err := w.admin().FetchOffsets(t.Context(), "g")
	require.NoError(t, err)
	for p, want := range map[int32]int64{0: 5, 1: 6} {
		o, ok := got.Lookup("a", p)
		require.True(t, ok)
		require.Equal(t, want, o.At)
	}
}
