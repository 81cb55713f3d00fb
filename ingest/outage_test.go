package ingest

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
)

// dataFiles lists the data files of a table that lie in the warehouse, and those it refers to.
func (w *world) dataFiles(name string) (there, listed int) {
	w.t.Helper()
	require.NoError(w.t, filepath.WalkDir(w.dir+"/warehouse/db.db/"+name, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".parquet") {
			there++
		}
		return err
	}))
	tasks, err := w.load(name).Scan().PlanFiles(w.t.Context())
	require.NoError(w.t, err)
	return there, len(tasks)
}

func (r *recorder) degraded(table string) {
	r.t.Helper()
	r.await(table+" is degraded", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Table == "db."+table && s.To == event.Degraded
	})
}

// TestForeignCommitBetweenCutAndCommit: another process moves the positions after the batch was cut. The batch is
// dropped with its files, the cursors go where the table says, and nothing is lost or doubled.
func TestForeignCommitBetweenCutAndCommit(t *testing.T) {
	w := newWorld(t, 2, "a", "b")
	for p := range int32(2) {
		w.produce("a", p, 50)
		w.produce("b", p, 50)
	}
	tables := []TableOptions{w.jsonTable("t", "a", "b"), w.jsonTable("u", "a")}
	require.NoError(t, w.catchUp(w.options(tables...)))
	for p := range int32(2) {
		w.produce("a", p, 50)
		w.produce("b", p, 50)
	}
	gate := &gatedCatalog{Catalog: w.catalog}
	var met atomic.Int32
	gate.before = func(_ context.Context, table string) error {
		if table == "t" && met.Add(1) == 1 {
			other := w.options(tables[0])
			other.Writer = "rival"
			return w.catchUp(other)
		}
		return nil
	}
	o := w.options(tables...)
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.await("t is set back", func(e event.Event) bool {
		r, ok := e.(event.Rewound)
		return ok && r.Table == "db.t" && strings.Contains(r.Reason, "rival")
	})
	w.produce("a", 0, 10)
	rec.landed("t", 10)
	rec.landed("u", 110)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a", "b"), w.rows("t", ""))
	require.Equal(t, w.expected("a"), w.rows("u", "a"))
	there, listed := w.dataFiles("t")
	require.Equal(t, listed, there, "the files of the dropped batch are gone")
	w.proven("t")
	w.proven("u")
}

// TestCatalogAwayAfterAFence: the batch has been fenced, and the look at the table that sets the cursors back fails.
func TestCatalogAwayAfterAFence(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	w.produce("a", 0, 10)
	gate := &gatedCatalog{Catalog: w.catalog}
	var met, looks atomic.Int32
	gate.before = func(context.Context, string) error {
		if met.Add(1) == 1 {
			return w.catchUp(w.options(w.jsonTable("t", "a")))
		}
		return nil
	}
	gate.load = func(string) error {
		// The first look after the fence is the commit's own.
		if met.Load() > 0 && looks.Add(1) == 2 {
			return errAway
		}
		return nil
	}
	o := w.options(w.jsonTable("t", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.await("t is set back", func(e event.Event) bool { _, ok := e.(event.Rewound); return ok })
	w.produce("a", 0, 10)
	rec.landed("t", 10)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestDecisionAfterAFence: the batch has been fenced, and before the look at the table that sets the cursors back its
// topic was created again and adopted: the decision is obeyed, the old topic's position is not missed.
func TestDecisionAfterAFence(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	table := w.jsonTable("t", "a")
	require.NoError(t, w.catchUp(w.options(table)))
	w.produce("a", 0, 10)
	gate := &gatedCatalog{Catalog: w.catalog}
	var met, looks atomic.Int32
	gate.before = func(context.Context, string) error {
		if met.Add(1) == 1 {
			return w.catchUp(w.options(table))
		}
		return nil
	}
	gate.load = func(string) error {
		if met.Load() > 0 && looks.Add(1) == 2 {
			w.recreate("a")
			w.produce("a", 0, 3)
			w.decide(table, ControlRequest{Verb: commit.Adopt, Partition: -1})
		}
		return nil
	}
	o := w.attentive(table)
	o.Catalog = gate
	_, _ = w.start(o)
	o.recorder().obeyed("t", commit.Adopt)
	for _, e := range o.recorder().halts("t") {
		require.NotEqual(t, "E_STATE", e.Code, e.Reason)
	}
}

// halts are the halts of a table.
func (r *recorder) halts(table string) (out []event.StateChanged) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if s, ok := e.(event.StateChanged); ok && s.Table == "db."+table && s.To == event.Failed {
			out = append(out, s)
		}
	}
	return out
}

// TestLostAnswers: commits are applied and their answers lost.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t, 2, "a")
	gate := &gatedCatalog{Catalog: w.catalog}
	var n atomic.Int32
	gate.after = func(_ string, err error) error {
		if err == nil && n.Add(1)%2 == 0 {
			return errAway
		}
		return err
	}
	o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	for range 4 {
		w.produce("a", 0, 20)
		w.produce("a", 1, 20)
	}
	rec.landed("t", 160)
	rec.landed("u", 160)
	p.Drain()
	require.NoError(t, wait())
	for _, name := range []string{"t", "u"} {
		require.Equal(t, w.expected("a"), w.rows(name, "a"))
		there, listed := w.dataFiles(name)
		require.Equal(t, listed, there)
		w.proven(name)
	}
}

// TestCatalogAway: one table cannot be loaded for a while. It holds what the budget gives it, its partitions wait, the
// other table flows, and everything lands when the catalog is back.
func TestCatalogAway(t *testing.T) {
	w := newWorld(t, 2, "a", "b")
	gate := &gatedCatalog{Catalog: w.catalog}
	o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b"))
	o.Catalog, o.Memory = gate, 512<<10
	rec := o.Events.(*recorder)
	w.produce("a", 0, 10)
	p, wait := w.start(o)
	rec.landed("t", 10)
	gate.set(func() {
		gate.load = func(table string) error {
			if table == "t" {
				return errAway
			}
			return nil
		}
	})
	for range 10 {
		w.produce("a", 0, 2000)
		w.produce("a", 1, 2000)
	}
	rec.await("partitions wait", func(e event.Event) bool { b, ok := e.(event.Backpressure); return ok && b.Paused > 0 })
	rec.degraded("t")
	for range 5 {
		w.produce("b", 0, 1000)
		held, limit, _ := p.budget.total()
		require.LessOrEqual(t, held, limit+limit/4)
	}
	rec.landed("u", 5000)
	gate.set(func() { gate.load = nil })
	rec.landed("t", 40010)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, event.Stopped, p.Status()[0].State)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, w.expected("b"), w.rows("u", "b"))
	w.proven("t")
}

// TestCatalogAwayAtTheStart: the daemon waits for it, and stops without it.
func TestCatalogAwayAtTheStart(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	gate := &gatedCatalog{Catalog: w.catalog, load: func(string) error { return errAway }}
	o := w.options(w.jsonTable("t", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.degraded("t")
	began := time.Now()
	p.Drain()
	require.NoError(t, wait())
	require.Less(t, time.Since(began), 5*time.Second)

	o = w.options(w.jsonTable("t", "a"))
	o.Catalog = gate
	rec = o.Events.(*recorder)
	p, wait = w.start(o)
	rec.degraded("t")
	gate.set(func() { gate.load = nil })
	rec.landed("t", 10)
	require.Equal(t, event.Running, p.Status()[0].State)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestStoreInTrouble: an upload that fails for a while is tried again; one that never will succeed stops its table with
// a reason.
func TestStoreInTrouble(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	var left atomic.Int32
	var denied atomic.Bool
	stores, err := store.Open(store.Options{Around: func(op, path string, do func() error) error {
		if !strings.HasSuffix(path, ".parquet") {
			return do()
		}
		if denied.Load() && strings.Contains(path, "/t/") {
			return failure.New(failure.Config, "E_STORE_DENIED", "grant write access", "%s %s: permission denied", op, path)
		}
		if op == "put" && left.Add(-1) >= 0 {
			return failure.New(failure.Retry, "E_STORE_BUSY", "", "%s %s: slow down", op, path)
		}
		return do()
	}})
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b"))
	o.Stores = stores
	rec := o.Events.(*recorder)
	left.Store(4)
	w.produce("a", 0, 10)
	p, wait := w.start(o)
	rec.degraded("t")
	rec.landed("t", 10)
	require.Equal(t, event.Running, p.Status()[0].State)
	denied.Store(true)
	w.produce("a", 0, 10)
	rec.failed("t", "E_STORE_DENIED")
	w.produce("b", 0, 10)
	rec.landed("u", 10)
	p.Drain()
	err = wait()
	require.Equal(t, "E_STORE_DENIED", failure.CodeOf(err))
	require.Equal(t, "grant write access; then ingestd tables resume db.t", failure.HintOf(err))
	held, _, _ := p.budget.total()
	require.Zero(t, held, "a stopped table holds nothing")
	denied.Store(false)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}

// TestAllTablesStopped: the daemon stays up and says so; a bounded run ends with the reason.
func TestAllTablesStopped(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	for _, topic := range []string{"a", "b"} {
		w.produce(topic, 0, 5)
		w.sendUncounted(topic, rubbish())
	}
	o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b"), w.jsonTable("v", "b"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	for _, name := range []string{"t", "u", "v"} {
		rec.failed(name, "E_DECODE")
	}
	for _, s := range p.Status() {
		require.Equal(t, event.Failed, s.State)
		require.NotEmpty(t, s.Hint)
		require.Empty(t, s.Lag)
	}
	select {
	case <-p.group.Context().Done():
		t.Fatal("the daemon has ended")
	default:
	}
	p.Drain()
	require.Equal(t, "E_DECODE", failure.CodeOf(wait()))
	err := w.catchUp(w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b")))
	require.Equal(t, "E_DECODE", failure.CodeOf(err))
	require.Len(t, w.rows("t", "a"), 5)
}

// TestClockSetBack: rows that were taken before the clock was set back are committed in time all the same.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t, 1, "a")
	var back atomic.Bool
	o := w.options(w.jsonTable("t", "a"))
	o.Trigger.Interval = 500 * time.Millisecond
	o.Now = func() time.Time {
		if back.Load() {
			return time.Now().Add(-time.Hour)
		}
		return time.Now()
	}
	rec := o.Events.(*recorder)
	w.produce("a", 0, 10)
	p, wait := w.start(o)
	rec.landed("t", 10)
	w.produce("a", 0, 10)
	p.taken(t, "t", 10)
	back.Store(true)
	rec.landed("t", 20)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}
