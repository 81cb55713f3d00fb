package commit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// controlSim plays writers and an operator, who looks at the table now and decides later, against a catalog that loses
// answers and delays commits, and against somebody who rolls the table back.
type controlSim struct {
	*bench
	rt      *rapid.T
	writers []*simWriter
	late    []func() committest.Answer
	// plans are decisions about what was seen when they were made; some are stale by now.
	plans    []Control
	nested   bool
	decided  int
	restarts int
}

// TestControlSimulation: in every history, each position moves by a batch whose files hold exactly that range, or by a
// control record that says so; never otherwise. And nobody stays behind once the trouble is over.
func TestControlSimulation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &controlSim{bench: newBench(rt), rt: rt}
		s.patience = 1 << 30
		s.create("w0", 2)
		for i := range 2 {
			s.writers = append(s.writers, &simWriter{})
			s.restart(i)
		}
		s.cat.OnCommit = s.onCommit
		for range rapid.IntRange(5, 25).Draw(rt, "actions") {
			s.act()
			s.books()
		}
		s.settle()
	})
}

// restart opens a writer's table. It stays down while its history is refused.
func (s *controlSim) restart(i int) {
	s.restarts++
	w := s.writers[i]
	t, err := Open(s.ctx, s.cat, spec(fmt.Sprintf("w%d-%d", i, s.restarts)), s.env())
	if err != nil {
		require.Equal(s.rt, CodeRolledBack, failure.CodeOf(err), "%v", err)
		w.t = nil
		return
	}
	w.t = t
	s.learn(w)
}

func (s *controlSim) learn(w *simWriter) {
	w.at = map[int]int{}
	for p := range 2 {
		e, _ := w.t.State().Find(key(p))
		w.at[p] = at(e.Position)
	}
}

func (s *controlSim) act() {
	switch rapid.IntRange(0, 9).Draw(s.rt, "action") {
	case 0, 1:
		s.look()
	case 2, 3:
		s.carryOut()
	case 4:
		s.rollBack()
	case 5:
		if len(s.late) > 0 {
			i := rapid.IntRange(0, len(s.late)-1).Draw(s.rt, "late one")
			s.late[i]()
			s.late = slices.Delete(s.late, i, i+1)
		}
	default:
		s.write(rapid.IntRange(0, 1).Draw(s.rt, "writer"))
	}
}

func (s *controlSim) write(i int) {
	w := s.writers[i]
	if w.t == nil {
		s.restart(i)
	}
	if w.t == nil {
		return
	}
	p := rapid.IntRange(0, 1).Draw(s.rt, "partition")
	next := step(p, w.at[p], w.at[p]+rapid.IntRange(1, 4).Draw(s.rt, "rows"))
	res, err := w.t.Commit(s.ctx, s.batch(w.t, next))
	if err != nil {
		require.Equal(s.rt, CodeRolledBack, failure.CodeOf(err), "%v", err)
		w.t = nil
		return
	}
	if res.Outcome == Landed {
		w.at[p] = at(next.To)
		return
	}
	s.learn(w)
}

// look makes a plan about the table as it is now.
func (s *controlSim) look() {
	seen := s.examine()
	c := Control{Base: BaseLineage, Verb: Resume, By: "somebody", Reason: "a test"}
	e := seen.State.Entries
	if len(e) > 0 && rapid.Bool().Draw(s.rt, "moves") {
		x := e[rapid.IntRange(0, len(e)-1).Draw(s.rt, "moved")]
		from := at(x.Position)
		if to := rapid.IntRange(0, from+5).Draw(s.rt, "to"); to > from {
			c.Verb, c.Moves = AcceptLoss, []state.Move{{Key: x.Key, From: x.Position, To: pos(to), Lost: int64(to - from)}}
		} else if to < from && seen.Halt == nil {
			c.Verb, c.Moves = Rewind, []state.Move{{Key: x.Key, From: x.Position, To: pos(to), Anew: true}}
		}
	}
	c.Seen = seen.Token(c)
	s.plans = append(s.plans, c)
}

// carryOut commits a plan that was made at some time.
func (s *controlSim) carryOut() {
	if len(s.plans) == 0 {
		return
	}
	i := rapid.IntRange(0, len(s.plans)-1).Draw(s.rt, "plan")
	c := s.plans[i]
	s.plans = slices.Delete(s.plans, i, i+1)
	before := s.cat.Table(ident...)
	_, err := Decide(s.ctx, s.cat, spec(""), s.env(), c)
	switch failure.CodeOf(err) {
	case "":
		require.NoError(s.rt, err)
		s.decided++
	case CodeControlStale, CodeControlRefused:
		if s.nested || s.cat.OnCommit == nil {
			require.Equal(s.rt, before.LastUpdatedMillis(), s.cat.Table(ident...).LastUpdatedMillis(), "nothing was done")
		}
	default:
		require.NoError(s.rt, err)
	}
}

// rollBack sets the branch back by one snapshot of ours.
func (s *controlSim) rollBack() {
	meta := s.cat.Table(ident...)
	head := headOf(meta, "main")
	if head.ParentSnapshotID == nil {
		return
	}
	s.rollback(*head.ParentSnapshotID)
}

func (s *controlSim) onCommit(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
	switch n := rapid.IntRange(0, 11).Draw(s.rt, "fate"); {
	case n == 0:
		apply()
		return committest.Answer{Err: errLost}
	case n == 1:
		return committest.Answer{Err: errLost}
	case n == 2:
		s.late = append(s.late, apply)
		return committest.Answer{Err: errLost}
	case n == 3:
		apply()
		return apply()
	case n == 4 && !s.nested:
		// Somebody else is faster.
		s.nested = true
		if rapid.Bool().Draw(s.rt, "operator") {
			s.look()
			s.carryOut()
		} else {
			s.foreignWrite()
		}
		s.nested = false
	}
	return apply()
}

// foreignWrite is a commit of a third writer, who always begins where the table stands.
func (s *controlSim) foreignWrite() {
	t, err := Open(s.ctx, s.cat, spec("third"), s.env())
	if err != nil {
		return
	}
	w := &simWriter{t: t}
	s.learn(w)
	_, err = t.Commit(s.ctx, s.batch(t, step(0, w.at[0], w.at[0]+1)))
	require.NoError(s.rt, err)
}

// books goes through the whole history of the branch.
func (s *controlSim) books() {
	meta := s.cat.Table(ident...)
	var lineage []*table.Snapshot
	ancestors(meta, headOf(meta, "main"), func(sn *table.Snapshot) bool { lineage = append(lineage, sn); return true })
	slices.Reverse(lineage)
	before, files := &state.State{Pipeline: "p", Branch: "main"}, map[string]bool{}
	for _, sn := range lineage {
		now, err := state.Decode(sn.Summary.Properties[state.SummaryKey])
		require.NoError(s.rt, err)
		added := s.added(sn, files)
		rec, err := recordOf(sn)
		require.NoError(s.rt, err)
		if rec != nil {
			moves, err := rec.Moves()
			require.NoError(s.rt, err)
			for _, m := range moves {
				e, _ := before.Find(m.Key)
				require.Equal(s.rt, e.Position, m.From, "snapshot %d moves from where it did not stand", sn.SnapshotID)
				if m.Lost > 0 {
					require.EqualValues(s.rt, at(m.To)-at(m.From), m.Lost)
				}
			}
			want, miss, err := before.Decide(moves)
			require.NoError(s.rt, err)
			require.Nil(s.rt, miss, "snapshot %d", sn.SnapshotID)
			want.Writers = now.Writers
			require.Equal(s.rt, mustEncode(want), mustEncode(now), "a control record does what it says")
			require.Empty(s.rt, added, "and brings no rows")
		} else {
			s.batches(before, now, added)
		}
		before = now
	}
}

// added lists the files that a snapshot adds to those before it.
func (s *controlSim) added(sn *table.Snapshot, files map[string]bool) (added []string) {
	n := 0
	for _, m := range s.manifests(sn) {
		for _, path := range m.live {
			n++
			if !files[path] {
				files[path] = true
				added = append(added, path)
			}
		}
	}
	require.Len(s.rt, files, n, "no file goes, none is there twice")
	return added
}

// batches checks that what moved between two states of a batch is exactly what its files hold.
func (s *controlSim) batches(before, now *state.State, added []string) {
	for _, e := range now.Entries {
		old, met := before.Find(e.Key)
		if !met || old.Position == e.Position {
			continue
		}
		suffix := fmt.Sprintf("-p%s-%d-%d.parquet", e.Partition, at(old.Position), at(e.Position))
		i := slices.IndexFunc(added, func(path string) bool { return strings.HasSuffix(path, suffix) })
		require.GreaterOrEqual(s.rt, i, 0, "partition %s moves from %s to %s without its rows: %v", e.Partition, old.Position, e.Position, added)
		added = slices.Delete(added, i, i+1)
	}
	require.Empty(s.rt, added, "rows without a position")
}

// settle ends the trouble: an operator resumes what has halted, and everybody gets ahead.
func (s *controlSim) settle() {
	for _, late := range s.late {
		late()
	}
	s.late, s.cat.OnCommit = nil, nil
	s.decide(Control{Verb: Resume})
	for i, w := range s.writers {
		s.restart(i)
		require.NotNil(s.rt, w.t)
		s.commit(w.t, step(0, w.at[0], w.at[0]+3))
	}
	s.books()
	require.Empty(s.rt, s.verify(LedgerOptions{Distance: distance}).Findings)
}
