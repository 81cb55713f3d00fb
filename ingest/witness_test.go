package ingest

import (
	"testing"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// said gives what was reported about the group offsets of a table.
func (r *recorder) said(table string) (out []event.GroupOffsets) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if g, ok := e.(event.GroupOffsets); ok && g.Table == "db."+table {
			out = append(out, g)
		}
	}
	return out
}

// states gives the states a table has been in.
func (r *recorder) states(table string) (out []event.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if s, ok := e.(event.StateChanged); ok && s.Table == "db."+table {
			out = append(out, s.To)
		}
	}
	return out
}

// publish sets a group offset as another program would, or with a note.
func (w *world) publish(at int64, note string) {
	w.t.Helper()
	set := kadm.Offsets{}
	set.Add(kadm.Offset{Topic: "a", At: at, LeaderEpoch: -1, Metadata: note})
	_, err := w.admin().CommitOffsets(w.t.Context(), "g", set)
	require.NoError(w.t, err)
}

// TestTableBehindItsGroup: the table was dropped, or its catalog restored, and the group knows better. The table is
// filled from its own positions, and the alarm lasts until it has come to where the group was.
func TestTableBehindItsGroup(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, 1, "a")
			w.produce("a", 0, 30)
			require.NoError(t, w.catchUp(w.inMode(mode)))
			require.EqualValues(t, 30, w.groupOffset("a", 0))
			require.NoError(t, w.catalog.DropTable(t.Context(), []string{"db", "t"}))

			o := w.inMode(mode)
			rec := o.Events.(*recorder)
			require.NoError(t, w.catchUp(o))
			said := rec.said("t")
			require.Len(t, said, 2)
			require.Equal(t, 1, said[0].Ahead)
			require.EqualValues(t, 30, said[0].Published)
			require.EqualValues(t, 0, said[0].Stored)
			require.Equal(t, "g", said[0].Group)
			require.Zero(t, said[1].Ahead, "the alarm ends")
			require.Equal(t, []event.State{event.Pending, event.Degraded, event.Running, event.Stopped}, rec.states("t"))
			rec.await("it says why", func(e event.Event) bool {
				s, ok := e.(event.StateChanged)
				return ok && s.To == event.Degraded && s.Code == codeGroupAhead && s.Hint != ""
			})
			require.Equal(t, w.expected("a"), w.rows("t", "a"))
		})
	}
}

// TestGroupThatIsNoWitness: a group offset above a table's that says nothing about the table, or below.
func TestGroupThatIsNoWitness(t *testing.T) {
	run := func(w *world, tables ...TableOptions) *recorder {
		o := w.options(tables...)
		require.NoError(t, w.catchUp(o))
		return o.Events.(*recorder)
	}
	t.Run("another table came later", func(t *testing.T) {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 30)
		first, later := w.jsonTable("first", "a"), w.jsonTable("later", "a")
		run(w, first)
		rec := run(w, first, later)
		require.Empty(t, rec.said("first"))
		require.Empty(t, rec.said("later"))
		run(w, first)
		w.produce("a", 0, 10)
		run(w, first)
		require.Empty(t, run(w, first, later).said("later"), "it was away while the other one went on")
	})
	t.Run("somebody set it lower", func(t *testing.T) {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 30)
		run(w, w.jsonTable("t", "a"))
		w.publish(5, "")
		rec := run(w, w.jsonTable("t", "a"))
		require.Len(t, rec.said("t"), 1)
		require.Equal(t, 1, rec.said("t")[0].Foreign)
		require.Zero(t, rec.said("t")[0].Ahead)
		require.NotContains(t, rec.states("t"), event.Degraded)
		require.Equal(t, w.expected("a"), w.rows("t", "a"), "it is ignored")
	})
	t.Run("an operator set the table back", func(t *testing.T) {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 30)
		run(w, w.jsonTable("t", "a"))
		w.decide(w.jsonTable("t", "a"), ControlRequest{Verb: commit.Rewind, Topic: "a", Partition: 0, To: "5", AllowDuplicates: true})
		rec := run(w, w.jsonTable("t", "a"))
		require.Empty(t, rec.said("t"))
		require.Len(t, w.rows("t", "a"), 55, "what was read again is there twice, as asked")
	})
}

// TestSomebodyElsesOffsetAbove: nobody of us has written it, but a table that has taken something is below it.
func TestSomebodyElsesOffsetAbove(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	w.publish(7, "")
	o := w.options(w.jsonTable("t", "a"))
	require.NoError(t, w.catchUp(o))
	require.Empty(t, o.Events.(*recorder).said("t"), "a table that has taken nothing was never above")
	w.publish(12, "")
	w.produce("a", 0, 10)
	o = w.options(w.jsonTable("t", "a"))
	require.NoError(t, w.catchUp(o))
	require.Equal(t, 1, o.Events.(*recorder).said("t")[0].Ahead)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestPositionsOfTheMirrorBelowTheGroup: no snapshot carries the positions any more, the property that mirrors them is
// an old one, and the group knows that more was committed: nothing says that the rows end there.
func TestPositionsOfTheMirrorBelowTheGroup(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 30)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("t", "a"))))
	w.hideSnapshots("t")
	w.produce("a", 0, 5)
	o := w.options(w.jsonTable("t", "a"))
	require.NoError(t, w.catchUp(o), "the mirror and the group agree")
	w.hideSnapshots("t")
	w.publish(40, signature+markOf("test", &o.Tables[0]))
	err := w.catchUp(w.options(w.jsonTable("t", "a")))
	require.Equal(t, codeGroupAhead, failure.CodeOf(err), "%v", err)
	require.Contains(t, failure.HintOf(err), "ingestd tables resume db.t")
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// hideSnapshots makes foreign snapshots on top of ours and expires ours.
func (w *world) hideSnapshots(name string) {
	w.t.Helper()
	tbl := w.load(name)
	for range 2 {
		tx := tbl.NewTransaction()
		require.NoError(w.t, tx.AddFiles(w.t.Context(), nil, nil, true))
		next, err := tx.Commit(w.t.Context())
		require.NoError(w.t, err)
		tbl = next
	}
	tx := tbl.NewTransaction()
	require.NoError(w.t, tx.ExpireSnapshots(icetable.WithRetainLast(1), icetable.WithOlderThan(0)))
	_, err := tx.Commit(w.t.Context())
	require.NoError(w.t, err)
	t, err := commit.Open(w.t.Context(), w.catalog, commit.Spec{Identifier: []string{"db", name}, Pipeline: "test"}, commit.Env{})
	require.NoError(w.t, err)
	require.True(w.t, t.FromMirror())
}

// TestOneObstacleDoesNotHideAnother: commits of other partitions go on while one waits for its schema. The table stays
// degraded until the schema has come.
func TestOneObstacleDoesNotHideAnother(t *testing.T) {
	w := newWorld(t, 2, "a")
	reg := w.newRegistry()
	known, missing := reg.schema("a-value"), reg.schema("a-value", "extra")
	w.produceAvro("a", 0, known, 5)
	o := w.avroOptions(reg, w.avroTable("t", "a"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 5)
	reg.down.Store(true)
	w.produceAvro("a", 1, missing, 5, "x")
	degraded := func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.To == event.Degraded
	}
	rec.await("the table is degraded", degraded)
	for i := range int64(4) {
		w.produceAvro("a", 0, known, 5)
		rec.landed("t", 10+5*i)
	}
	require.Equal(t, []event.State{event.Pending, event.Running, event.Degraded}, rec.states("t"))
	reg.down.Store(false)
	rec.landed("t", 30)
	require.Eventually(t, func() bool { return p.Status()[0].State == event.Running }, eventually, tick)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, []event.State{event.Pending, event.Running, event.Degraded, event.Running, event.Stopped}, rec.states("t"))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}
