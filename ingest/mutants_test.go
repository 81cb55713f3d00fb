package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table/column"
)

// Each test here holds one check that exactly once rests on; internal/mutation takes the check out and demands that
// its test fails.

// manual is a pipeline that flushes only when the test says so.
type manual struct {
	*Pipeline
	t    *testing.T
	rec  *recorder
	wait func() error
}

func (w *world) manual(o Options) *manual {
	w.t.Helper()
	o.Trigger.Interval = time.Hour
	m := &manual{t: w.t, rec: o.Events.(*recorder)}
	m.Pipeline, m.wait = w.start(o)
	m.rec.await("the table runs", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.To == event.Running
	})
	return m
}

// ask runs f in the goroutine of table t's owner.
func (m *manual) ask(f func(ctx context.Context, o *owner)) {
	m.t.Helper()
	done := make(chan struct{})
	o := m.byName["db.t"]
	o.do(func(ctx context.Context) { defer close(done); f(ctx, o) })
	<-done
}

func (m *manual) flush() (err error) {
	m.t.Helper()
	m.ask(func(ctx context.Context, o *owner) { err = o.flush(ctx) })
	return err
}

// binding is the table's cursor in a partition of topic a.
func (m *manual) binding(partition int32) (b *binding) {
	m.t.Helper()
	m.ask(func(_ context.Context, o *owner) { b = o.bound[kafka.Partition{Topic: "a", Partition: partition}] })
	require.NotNil(m.t, b)
	return b
}

// reads waits until a cursor has come to an offset.
func (m *manual) reads(partition int32, offset int64) {
	m.t.Helper()
	b := m.binding(partition)
	require.Eventually(m.t, func() bool { return b.next.Load() == offset }, 20*time.Second, time.Millisecond, "partition %d is read up to %d", partition, offset)
}

func (m *manual) rewinds() (n int) {
	m.rec.mu.Lock()
	defer m.rec.mu.Unlock()
	for _, e := range m.rec.list {
		if _, ok := e.(event.Rewound); ok {
			n++
		}
	}
	return n
}

// TestFencedTableReadsAgainWhatItDropped: a batch that lost against another process's is dropped, and what the other
// one did not have is read again.
func TestFencedTableReadsAgainWhatItDropped(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	m := w.manual(w.options(w.jsonTable("t", "a")))
	m.reads(0, 10)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	w.produce("a", 0, 10)
	m.reads(0, 20)
	require.NoError(t, m.flush())
	require.Equal(t, 1, m.rewinds(), "a fenced table goes back to what the table says")
	m.reads(0, 20)
	m.Drain()
	require.NoError(t, m.wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestRewindDropsWhatCameAfterTheCut: while a batch that will be fenced is being committed, the lanes fill the next
// one. Its rows would come twice.
func TestRewindDropsWhatCameAfterTheCut(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	o := w.options(w.jsonTable("t", "a"))
	cat := &hooked{Catalog: w.catalog}
	o.Catalog = cat
	m := w.manual(o)
	m.reads(0, 10)
	b := m.binding(0)
	cat.once = func() {
		require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
		w.produce("a", 0, 5)
		require.Eventually(t, func() bool { return b.next.Load() == 15 }, 20*time.Second, time.Millisecond)
	}
	require.NoError(t, m.flush())
	require.Equal(t, 1, m.rewinds())
	m.reads(0, 15)
	require.NoError(t, m.flush(), "rows without a range")
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestEachBatchBeginsWhereTheLastEnded: a cut takes rows and ranges, and the next one begins behind it.
func TestEachBatchBeginsWhereTheLastEnded(t *testing.T) {
	w := newWorld(t, 1, "a")
	m := w.manual(w.options(w.jsonTable("t", "a")))
	for n := int64(1); n <= 3; n++ {
		w.produce("a", 0, 10)
		m.reads(0, n*10)
		require.NoError(t, m.flush())
		require.Equal(t, w.expected("a"), w.rows("t", "a"))
	}
	require.Zero(t, m.rewinds())
}

// TestTableSkipsBelowItsOwnCursor: another table of the topic went back, so the records come again.
func TestTableSkipsBelowItsOwnCursor(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	m := w.manual(w.options(w.jsonTable("t", "a")))
	m.reads(0, 10)
	b := m.binding(0)
	var again []*kgo.Record
	for at := int64(5); at < 15; at++ {
		again = append(again, &kgo.Record{Topic: "a", Offset: at, Value: fmt.Appendf(nil, `{"id":%d}`, at), Timestamp: time.UnixMilli(1)})
	}
	var took span
	b.partition.lane.ask(func() {
		b.consume(again)
		took = b.span
	})
	require.EqualValues(t, 0, took.from)
	require.EqualValues(t, 15, took.to)
	require.EqualValues(t, 15, took.rows)
	require.Equal(t, outcome.Counts{outcome.Written: 15}, took.counts)
}

// TestBatchesOfAnOlderSeekAreDropped: what was on its way when the cursor went back would make it jump.
func TestBatchesOfAnOlderSeekAreDropped(t *testing.T) {
	s := newSource("main", nil, false, 1)
	p := &partition{lane: s.lanes[0], generation: 1}
	p.bindings = []*binding{newBinding(p, nil, 5)}
	read := func(generation uint64, offset int64) *batch {
		b := &batch{generation: generation, records: []*kgo.Record{{Offset: offset}}, bytes: 10}
		p.queued.Add(b.bytes)
		p.queue = append(p.queue, b)
		return b
	}
	require.Same(t, read(1, 40), p.head())
	p.reseek()
	require.Nil(t, p.head(), "what waited is dropped")
	read(1, 41)
	require.Nil(t, p.head(), "what comes late is dropped as well")
	fresh := read(p.generation, 5)
	require.Same(t, fresh, p.head())
	require.EqualValues(t, 10, p.queued.Load())
}

// partFunc is a part made of a function.
type partFunc func(*kgo.Record) error

func (f partFunc) append(r *kgo.Record) error { return f(r) }

// TestRefusedRecordLeavesNothingBehind: the value has been decoded when the key turns out to be bad. Half a row would
// shift all that follow.
func TestRefusedRecordLeavesNothingBehind(t *testing.T) {
	long := column.Type{Kind: column.Long}
	layout, err := column.NewLayout([]column.Field{{ID: 1, Name: "id", Required: true, Type: long}, {ID: 2, Name: "key", Required: true, Type: long}})
	require.NoError(t, err)
	set := column.NewSet(layout)
	bad := failure.New(failure.Poison, "E_DECODE", "", "bad key")
	d := &decoder{
		set: set, policies: Policies{Decode: Skip},
		value: partFunc(func(r *kgo.Record) error { set.Columns[0].AppendInt64(r.Offset); return nil }),
		key: partFunc(func(r *kgo.Record) error {
			if r.Offset%2 == 1 {
				return bad
			}
			set.Columns[1].AppendInt64(r.Offset)
			return nil
		}),
	}
	for at, want := range []outcome.Outcome{outcome.Written, outcome.Skipped, outcome.Written, outcome.Skipped} {
		got, err := d.append(&kgo.Record{Offset: int64(at)})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, set.Check(2))
}

// hooked is a catalog that lets a test act in the middle of one commit.
type hooked struct {
	catalog.Catalog
	once func()
}

// CommitTable implements catalog.Catalog.
func (h *hooked) CommitTable(ctx context.Context, ident icetable.Identifier, reqs []icetable.Requirement, ups []icetable.Update) (icetable.Metadata, string, error) {
	if f := h.once; f != nil {
		h.once = nil
		f()
	}
	return h.Catalog.CommitTable(ctx, ident, reqs, ups)
}

// TestRevokedPartitionTakesNothingMore: while the last batch of a partition that is given up is being committed, its
// records still come. Rows of them would belong to no range.
func TestRevokedPartitionTakesNothingMore(t *testing.T) {
	w := newWorld(t, 2, "a")
	w.produce("a", 0, 10)
	w.produce("a", 1, 10)
	o := w.options(w.jsonTable("t", "a"))
	o.Lanes = 1 // both partitions fill the same columns
	cat := &hooked{Catalog: w.catalog}
	o.Catalog = cat
	m := w.manual(o)
	m.reads(0, 10)
	m.reads(1, 10)
	gone := m.binding(0).partition
	before := gone.delivered.Load()
	cat.once = func() {
		w.produce("a", 0, 5)
		require.Eventually(t, func() bool { return gone.delivered.Load() > before && gone.queued.Load() == 0 }, 20*time.Second, time.Millisecond)
	}
	m.ask(func(ctx context.Context, o *owner) { o.revoke(ctx, []*partition{gone}) })
	w.produce("a", 1, 5)
	m.reads(1, 15)
	require.NoError(t, m.flush(), "rows without a range")
	m.Drain()
	require.NoError(t, m.wait())
	require.Len(t, w.rows("t", "a"), 25)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestFilesOfABatchThatMayHaveLandedStay: a fenced batch whose outcome nobody knows keeps its files.
func TestFilesOfABatchThatMayHaveLandedStay(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	m := w.manual(w.options(w.jsonTable("t", "a")))
	m.reads(0, 10)
	require.NoError(t, m.flush())
	tasks, err := w.load("t").Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	require.Len(t, tasks, 1)
	m.ask(func(ctx context.Context, o *owner) {
		res := commit.Result{Outcome: commit.Fenced, State: o.table.State(), By: "somebody"}
		err = o.fenced(ctx, &flushed{files: []iceberg.DataFile{tasks[0].File}}, res)
	})
	require.NoError(t, err)
	require.Equal(t, w.expected("a"), w.rows("t", "a"), "the file is still there")
}

// TestGroupOffsetsNeverPassTheTable: what is read but not committed is nobody's yet.
func TestGroupOffsetsNeverPassTheTable(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	m := w.manual(w.options(w.jsonTable("t", "a")))
	m.reads(0, 10)
	require.Equal(t, map[kafka.Partition]int64{{Topic: "a"}: 0}, m.feeds[0].proven())
	require.NoError(t, m.flush())
	require.Equal(t, map[kafka.Partition]int64{{Topic: "a"}: 10}, m.feeds[0].proven())
}
