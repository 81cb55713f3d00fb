package commit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// sim plays several writers against a catalog that loses answers, delays commits and is used by others. Everything
// happens in one goroutine, in an order that rapid draws: a writer acts in the middle of another one's commit.
type sim struct {
	*bench
	rt      *rapid.T
	writers []*simWriter
	// late are commits that were sent, whose answer was lost, and which the catalog may still carry out.
	late []func() committest.Answer
	// dead are data files that commit called dead: they must never show up.
	dead map[string]bool
	// upkeep is that of all writers.
	upkeep Upkeep
	// rowIDs follows tables of format version 3.
	rowIDs   lineageChecker
	nested   int
	busy     int
	restarts int
}

type simWriter struct {
	t *Table
	// at is where the writer believes each partition to stand. A zombie does not learn that it was fenced.
	at     map[int]int
	zombie bool
}

const simPartitions = 3

// TestSimulation: whatever is lost, late, repeated or done by others, no offset is missing or twice, no file that
// is in use is removed, and once the trouble is over everybody gets ahead.
func TestSimulation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &sim{bench: newBench(rt), rt: rt, dead: map[string]bool{}}
		s.patience = 1 << 30
		s.cat.HeadsOnly = rapid.IntRange(0, 3).Draw(rt, "heads only") == 0
		s.upkeep = Upkeep{Disabled: true}
		if rapid.Bool().Draw(rt, "upkeep") {
			s.upkeep = Upkeep{Every: 3, KeepMin: 2, KeepMax: 6, MaxAge: time.Nanosecond, Grace: time.Nanosecond}
		}
		s.format = rapid.SampledFrom([]int{2, 3}).Draw(rt, "format")
		s.rowIDs.b = s.bench
		s.create("w0", simPartitions)
		for i := range rapid.IntRange(2, 4).Draw(rt, "writers") {
			s.writers = append(s.writers, &simWriter{zombie: i == 3})
			s.restart(s.writers[i], i)
		}
		s.cat.OnCommit = s.onCommit
		for range rapid.IntRange(5, 25).Draw(rt, "actions") {
			s.act()
			s.invariants()
		}
		s.settle()
	})
}

func (s *sim) restart(w *simWriter, i int) {
	s.restarts++
	writer := spec(fmt.Sprintf("w%d-%d", i, s.restarts))
	writer.Upkeep = s.upkeep
	t, err := Open(s.ctx, s.cat, writer, s.env())
	if failure.CodeOf(err) == CodeStateAmbiguous {
		// A tag kept our snapshot while others between it and the head expired. The operator knows better.
		s.acceptMirror()
		t, err = Open(s.ctx, s.cat, writer, s.env())
		require.NoError(s.rt, err)
	} else {
		require.NoError(s.rt, err)
	}
	w.t = t
	s.learn(w)
}

// learn sets a writer's cursors to what its table says, as after a fence.
func (s *sim) learn(w *simWriter) {
	w.at = map[int]int{}
	for p := range simPartitions {
		e, _ := w.t.State().Find(key(p))
		w.at[p] = at(e.Position)
	}
}

func (s *sim) act() {
	switch n := rapid.IntRange(0, 19).Draw(s.rt, "action"); {
	case n == 0:
		s.foreignAppend()
	case n == 1:
		s.deliver()
	case n == 2:
		i := rapid.IntRange(0, len(s.writers)-1).Draw(s.rt, "restarted")
		s.restart(s.writers[i], i)
	case n == 3:
		s.expireTail()
	case n == 4:
		s.moveTag()
	case n == 5:
		s.rollbackAndAccept()
	case n < 9 && s.format == 2:
		s.compactOf(rapid.IntRange(0, len(s.writers)-1).Draw(s.rt, "compactor"))
	default:
		s.commitOf(rapid.IntRange(0, len(s.writers)-1).Draw(s.rt, "writer"))
	}
}

func (s *sim) commitOf(i int) {
	w := s.writers[i]
	if s.nested == 0 {
		s.busy = i
	}
	var steps []Step
	for p := range simPartitions {
		if n := rapid.IntRange(0, 3).Draw(s.rt, "rows"); n > 0 {
			steps = append(steps, step(p, w.at[p], w.at[p]+n))
		}
	}
	if len(steps) == 0 {
		return
	}
	fs := s.batch(w.t, steps...)
	res, err := w.t.Commit(s.ctx, fs)
	switch failure.CodeOf(err) {
	case CodeRolledBack, CodeStateAmbiguous:
		s.restart(w, i)
		return
	}
	require.NoError(s.rt, err)
	if res.Outcome == Landed {
		for _, st := range steps {
			p := at(state.Position(st.Key.Partition))
			w.at[p] = at(st.To)
		}
		return
	}
	if res.FilesDead {
		for _, f := range fs.Files {
			s.dead[f.FilePath()] = true
		}
	}
	if !w.zombie || rapid.Bool().Draw(s.rt, "wakes up") {
		s.learn(w)
	}
}

// another draws a writer other than the one whose commit is under way: one goroutine at a time uses a Table.
func (s *sim) another() int {
	return (s.busy + rapid.IntRange(1, len(s.writers)-1).Draw(s.rt, "another")) % len(s.writers)
}

// onCommit is what may happen to one commit call.
func (s *sim) onCommit(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
	switch n := rapid.IntRange(0, 15).Draw(s.rt, "fate"); {
	case n == 0:
		apply()
		return committest.Answer{Err: errLost}
	case n == 1:
		return committest.Answer{Err: errLost}
	case n == 2:
		s.late = append(s.late, apply)
		return committest.Answer{Err: errLost}
	case n == 3 && s.nested == 0:
		s.nested++
		s.commitOf(s.another())
		s.nested--
		return apply()
	case n == 4:
		s.foreignAppend()
		return apply()
	case n == 5:
		apply()
		return apply() // sent twice by something in between
	case n == 6 && s.nested == 0:
		// Applied, then others go on top before anybody looks again.
		apply()
		s.nested++
		s.commitOf(s.another())
		s.nested--
		return committest.Answer{Err: errLost}
	}
	return apply()
}

// deliver lets one late commit arrive.
func (s *sim) deliver() {
	if len(s.late) == 0 {
		return
	}
	i := rapid.IntRange(0, len(s.late)-1).Draw(s.rt, "late one")
	s.late[i]()
	s.late = slices.Delete(s.late, i, i+1)
}

// expireTail removes the oldest snapshots, as another engine does.
func (s *sim) expireTail() {
	meta := s.cat.Table(ident...)
	keep := rapid.IntRange(1, 4).Draw(s.rt, "kept")
	named := map[int64]bool{}
	for _, ref := range meta.Refs() {
		named[ref.SnapshotID] = true
	}
	n := len(meta.Snapshots())
	s.expire(func(i int, id int64) bool { return i < n-keep && !named[id] })
}

func (s *sim) moveTag() {
	all := s.cat.Table(ident...).Snapshots()
	id := all[rapid.IntRange(0, len(all)-1).Draw(s.rt, "tagged")].SnapshotID
	require.NoError(s.rt, s.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": json.Number(jsonInt(id))}
	}, ident...))
}

// rollbackAndAccept is an operator: the branch goes back, that is accepted, everybody starts again. Commits
// that are still on their way belong to the past and must not arrive.
func (s *sim) rollbackAndAccept() {
	meta := s.cat.Table(ident...)
	head := headOf(meta, "main")
	if s.cat.HeadsOnly || head.ParentSnapshotID == nil || meta.SnapshotByID(*head.ParentSnapshotID) == nil {
		return
	}
	parent := meta.SnapshotByID(*head.ParentSnapshotID)
	if _, ours := parent.Summary.Properties[state.SummaryKey]; !ours {
		return
	}
	s.rollback(parent.SnapshotID)
	s.decide(Control{Verb: Resume})
	for i, w := range s.writers {
		s.restart(w, i)
	}
}

// invariants hold after every action.
func (s *sim) invariants() {
	s.exact("main")
	if s.format == 3 {
		s.rowIDs.check()
	}
	for _, sn := range s.cat.Table(ident...).Snapshots() {
		for _, m := range s.manifests(&sn) {
			for _, f := range m.live {
				require.False(s.rt, s.dead[f], "file %s was called dead and is in the table", f)
			}
		}
	}
}

// settle ends the trouble: what is late arrives, and then every writer gets its batch in.
func (s *sim) settle() {
	for len(s.late) > 0 {
		s.deliver()
	}
	s.cat.OnCommit = nil
	for i, w := range s.writers {
		w.zombie = false
		s.restart(w, i)
		before := w.at[0]
		s.commit(w.t, step(0, before, before+5))
		require.Equal(s.rt, before+5, s.exact("main")["0"], "writer %d", i)
	}
	s.invariants()
	l, err := VerifyLedger(s.ctx, s.writers[len(s.writers)-1].t.Iceberg(), LedgerOptions{Pipeline: "p"})
	require.NoError(s.rt, err)
	require.Empty(s.rt, l.Findings)
}
