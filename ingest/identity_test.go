package ingest

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// otherCluster puts another broker in the place of the world's.
func (w *world) otherCluster(partitions int32, topic string, opts ...kfake.Opt) {
	w.t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))...)
	require.NoError(w.t, err)
	w.t.Cleanup(c.Close)
	w.cluster, w.produced, w.next = c, map[string]string{}, map[kafka.Partition]int64{}
}

// oldBrokers give no topic ids.
func oldBrokers() kfake.Opt { return kfake.MaxVersions(kversion.V2_7_0()) }

// again deletes a topic and creates it anew.
func (w *world) again(topic string, partitions int32) {
	w.t.Helper()
	require.NoError(w.t, w.cluster.DeleteTopic(topic))
	require.NoError(w.t, w.cluster.CreateTopic(topic, partitions, nil))
	w.produced, w.next = map[string]string{}, map[kafka.Partition]int64{}
}

// inMode is the options of a table of topic a, for one process or for a member of a group.
func (w *world) inMode(mode string) Options {
	o := w.options(w.jsonTable("t", "a"))
	if mode == "group" {
		o, _ = w.groupOptions("member")
	}
	return o
}

// TestTopicWithoutIDCreatedAgain: no id tells the new topic from the old one, and it is longer. The last record does.
func TestTopicWithoutIDCreatedAgain(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, 2, "unused")
			w.otherCluster(2, "a", oldBrokers())
			w.produce("a", 0, 10)
			w.produce("a", 1, 10)
			require.NoError(t, w.catchUp(w.inMode(mode)))
			w.produce("a", 1, 10)
			require.NoError(t, w.catchUp(w.inMode(mode)), "the same topic is recognized")
			require.Equal(t, w.expected("a"), w.rows("t", "a"))

			w.again("a", 2)
			w.produceEach("a", 0, 25, func(at int64) *kgo.Record {
				return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"new"}`, at)}
			})
			w.produce("a", 1, 25)
			err := w.catchUp(w.inMode(mode))
			require.Equal(t, "E_TOPIC_RECREATED", failure.CodeOf(err), "%v", err)
			require.ErrorContains(t, err, "a/")
			require.ErrorContains(t, err, "checksum")
			require.Contains(t, failure.HintOf(err), "ingestd tables adopt db.t")
			require.Len(t, w.rows("t", "a"), 30, "nothing of the new topic is in the table")
		})
	}
}

// TestLogThatGrewAgainInAnotherEpoch: whoever leads now has other records where ours were, in a later epoch. The record
// itself cannot be compared: an aborted transaction lies in its place.
func TestLogThatGrewAgainInAnotherEpoch(t *testing.T) {
	w := newWorld(t, 1, "unused")
	w.otherCluster(1, "a", oldBrokers())
	w.produce("a", 0, 10)
	require.NoError(t, w.catchUp(w.inMode("direct")))
	w.again("a", 1)
	w.produce("a", 0, 5)
	w.cluster.ShufflePartitionLeaders()
	w.abort("a", 10)
	w.sendUncounted("a", &kgo.Record{Value: []byte(`{"id":1}`)})
	err := w.catchUp(w.inMode("direct"))
	require.NotEmpty(t, failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "record 9 was read in leader epoch 0, which now ends at offset 5")
}

// abort appends an aborted transaction to partition 0.
func (w *world) abort(topic string, n int) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("x"), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(w.t, err)
	defer cl.Close()
	require.NoError(w.t, cl.BeginTransaction())
	for range n {
		require.NoError(w.t, cl.ProduceSync(w.t.Context(), kgo.StringRecord(`{"id":1}`)).FirstErr())
	}
	require.NoError(w.t, cl.EndTransaction(w.t.Context(), kgo.TryAbort))
}

// TestLogThatGrewAgain: the topic is the same by its id, and longer than what was read, but holds another record in the
// place of the last one. What was noted of that record is what differs here, since the broker cannot lose anything.
func TestLogThatGrewAgain(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, 1, "a")
			w.produce("a", 0, 10)
			m := w.manual(w.inMode(mode))
			m.reads(0, 10)
			b := m.binding(0)
			b.partition.lane.ask(func() { b.last.CRC++ })
			require.NoError(t, m.flush())
			m.Drain()
			require.NoError(t, m.wait())
			w.produce("a", 0, 5)
			err := w.catchUp(w.inMode(mode))
			require.Equal(t, "E_LOG_TRUNCATED", failure.CodeOf(err), "%v", err)
			require.ErrorContains(t, err, "a/0 is not what table db.t has read up to offset 10: record 9 had")
			require.Contains(t, failure.HintOf(err), "ingestd tables accept-loss db.t")
			require.Len(t, w.rows("t", "a"), 10)
		})
	}
}

// TestLastRecordThatIsGoneProvesNothing: deleted up to the very offset that comes next, compacted away, or noted by a
// release that wrote zeros.
func TestLastRecordThatIsGoneProvesNothing(t *testing.T) {
	t.Run("deleted", func(t *testing.T) {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 10)
		require.NoError(t, w.catchUp(w.inMode("direct")))
		require.NoError(t, w.cluster.DeleteRecords("a", 0, 10))
		w.produce("a", 0, 5)
		require.NoError(t, w.catchUp(w.inMode("direct")))
		require.Equal(t, w.expected("a"), w.rows("t", "a"))
	})
	t.Run("compacted", func(t *testing.T) {
		w := newWorld(t, 1, "unused")
		require.NoError(t, w.cluster.CreateTopic("a", 1, map[string]string{"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0"}))
		key := "stays"
		keyed := func(at int64) *kgo.Record {
			return &kgo.Record{Key: []byte(key), Value: fmt.Appendf(nil, `{"id":%d}`, at)}
		}
		w.produceEach("a", 0, 1, keyed)
		key = "k"
		for range 9 {
			w.produceEach("a", 0, 1, keyed)
		}
		require.NoError(t, w.catchUp(w.inMode("direct")))
		for range 5 {
			w.produceEach("a", 0, 1, keyed)
		}
		w.cluster.Compact()
		o := w.inMode("direct")
		require.NoError(t, w.catchUp(o))
		require.Positive(t, o.Events.(*recorder).counts("t")[outcome.Unseen], "records were compacted away")
	})
	t.Run("zeros", func(t *testing.T) {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 10)
		m := w.manual(w.inMode("direct"))
		m.reads(0, 10)
		m.ask(func(ctx context.Context, o *owner) {
			s := boundSpan{o.bound[keyA()], span{from: 0, to: 10}}
			step := o.step(s)
			step.Note = kafka.Fingerprint{}.Encode()
			step.Counts[0] = 10
			_, err := o.table.Progress(ctx, []commit.Step{step})
			require.NoError(t, err)
		})
		m.Drain()
		_ = m.wait()
		require.NoError(t, w.catchUp(w.inMode("direct")))
	})
}

// TestFingerprintIsCarriedOverHoles: a range without records has nothing to note, and keeps what was known.
func TestFingerprintIsCarriedOverHoles(t *testing.T) {
	b := newBinding(&partition{}, nil, 10)
	last := kafka.Fingerprint{LeaderEpoch: 1, Offset: 8, TimestampMS: 5, CRC: 7}
	b.remember(last)
	for _, to := range []int64{15, 20} {
		b.advance(to)
		s := b.cut()
		require.Equal(t, to, s.to)
		require.Equal(t, last.Encode(), s.note())
	}
	b.rewind(9)
	b.advance(10)
	require.Equal(t, last.Encode(), b.cut().note())
	b.rewind(8)
	b.advance(10)
	require.Nil(t, b.cut().note(), "what lies behind the cursor is not known")
}

// TestAnotherClusterHaltsTheTable: the source's address leads to another cluster with a topic of that name.
func TestAnotherClusterHaltsTheTable(t *testing.T) {
	w := newWorld(t, 1, "unused")
	w.otherCluster(1, "a", oldBrokers(), kfake.ClusterID("first"))
	w.produce("a", 0, 10)
	require.NoError(t, w.catchUp(w.inMode("direct")))
	w.otherCluster(1, "a", oldBrokers(), kfake.ClusterID("second"))
	w.produce("a", 0, 20)
	err := w.catchUp(w.inMode("direct"))
	require.Equal(t, "E_CLUSTER_CHANGED", failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "first")
	require.ErrorContains(t, err, "second")
	require.Len(t, w.rows("t", "a"), 10)
}

// TestUnknownIDsKeepTheTablesIdentity: brokers that give no ids, or learn to give them, do not make a new stream.
func TestUnknownIDsKeepTheTablesIdentity(t *testing.T) {
	w := newWorld(t, 1, "a")
	cl, err := kafka.Connect(t.Context(), kafka.Options{Brokers: w.cluster.ListenAddrs()})
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	s := newSource("main", cl, false, 1)
	id, other := [16]byte{1}, [16]byte{2}
	stream := func(id [16]byte, cluster string) state.Stream {
		return state.Stream{Source: "main", Cluster: cluster, Topic: "a", ID: id}
	}
	known := func(list ...state.Stream) *state.State {
		st := &state.State{}
		for _, x := range list {
			st.Entries = append(st.Entries, state.Entry{Key: state.Key{Stream: x, Partition: "0"}})
		}
		return st
	}
	here, none := cl.Cluster(), [16]byte{}
	for _, c := range []struct {
		topic  [16]byte
		stored *state.State
		want   state.Stream
	}{
		{id, nil, stream(id, here)},
		{id, known(), stream(id, here)},
		{id, known(stream(id, here)), stream(id, here)},
		{id, known(stream(none, here)), stream(none, here)},
		{none, known(stream(id, here)), stream(id, here)},
		{id, known(stream(none, ""), stream(id, here)), stream(id, here)},
		{id, known(stream(id, "")), stream(id, "")},
		{id, known(stream(other, here)), stream(id, here)},
		{id, known(stream(id, "elsewhere")), stream(id, here)},
	} {
		require.Equal(t, c.want, streamOf(s, kafka.Topic{Name: "a", ID: c.topic, Partitions: 1}, c.stored))
	}
}

// A partition was added. While the table begins it the topic is created again, and an operator has the table go on with
// the new one: nothing of the old one is begun, and the new one is read.
func TestTopicIsSucceededWhileAPartitionIsBegun(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	want := w.expected("a")
	_, err := w.admin().CreatePartitions(t.Context(), 1, "a")
	require.NoError(t, err)
	o := w.attentive(table)
	gate := &gatedCatalog{Catalog: w.catalog}
	var once sync.Once
	gate.before = func(context.Context, string) error {
		once.Do(func() {
			w.recreate("a")
			w.produce("a", 0, 3)
			w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
		})
		return nil
	}
	o.Catalog = gate
	p, wait := w.start(o)
	defer o.recorder().tell()
	for at := range int64(3) {
		want = append(want, row("a", 0, at, at))
	}
	sort.Strings(want)
	w.awaitRows("t", "a", want)
	require.Empty(t, o.recorder().halts("t"))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}

// A broker that lags behind names a predecessor of the topic. The table halts, and goes on by itself when the broker names
// the topic that it was filled from; one that really was created again waits for a decision.
func TestHaltOverALaggingBrokerEnds(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 5)
	o := w.attentive(w.jsonTable("t", "a"))
	p, _ := w.start(o)
	o.recorder().landed("t", 5)
	tab := p.byName["db.t"]
	now, err := p.feeds[0].client.TopicNow(t.Context(), "a")
	require.NoError(t, err)
	tab.fail(tab.recreated(kafka.Topic{Name: "a", ID: [16]byte{9}}, now.ID))
	o.recorder().failed("t", codeRecreated)
	w.produce("a", 0, 5)
	w.awaitRows("t", "a", w.expected("a"))
	require.Len(t, o.recorder().halts("t"), 1)

	w.recreate("a")
	require.Eventually(t, func() bool { return len(o.recorder().halts("t")) == 2 }, 20*time.Second, 5*time.Millisecond)
	looked := make(chan bool, 1)
	tab.do(func(ctx context.Context) {
		tab.look(ctx)
		looked <- tab.status.failed()
	})
	require.True(t, <-looked)
	require.Len(t, o.recorder().halts("t"), 2)
}
