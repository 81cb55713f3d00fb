package commit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

func (b *bench) examine() *Situation {
	b.t.Helper()
	s, err := Examine(b.ctx, b.cat, spec(""), b.env())
	require.NoError(b.t, err)
	return s
}

// seen completes a decision about the situation that somebody looks at now.
func (b *bench) seen(c Control) Control {
	b.t.Helper()
	if c.Base == "" {
		c.Base = BaseLineage
	}
	c.By, c.Reason = "somebody", "a test"
	c.Seen = b.examine().Token(c)
	return c
}

func moveBack(p, from, to int) state.Move {
	return state.Move{Key: key(p), From: pos(from), To: pos(to), Anew: true}
}

func moveOver(p, from, to int) state.Move {
	return state.Move{Key: key(p), From: pos(from), To: pos(to), Lost: int64(to - from)}
}

func (b *bench) position(p int) int {
	b.t.Helper()
	e, ok := b.open("looks").State().Find(key(p))
	require.True(b.t, ok)
	return at(e.Position)
}

// Each verb moves exactly what it says, in a snapshot without rows whose summary says who, when, why and what.
func TestDecisions(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 2)
	noted := [2]Step{step(0, 0, 10), step(1, 0, 5)}
	noted[0].Note, noted[1].Note = []byte("last of 0"), []byte("last of 1")
	b.commit(w, noted[:]...)
	d := b.decide(Control{Verb: AcceptLoss, Moves: []state.Move{moveOver(0, 10, 14)}, Text: "t/0: 4 offsets given up"})
	require.Equal(t, 14, b.position(0))
	require.Equal(t, 5, b.position(1))
	require.Equal(t, map[state.Key][]byte{key(1): []byte("last of 1")}, b.open("looks").Notes(), "the note of what moved is gone")
	e, _ := d.State.Find(key(0))
	require.Equal(t, outcome.Counts{outcome.Written: 10, outcome.Unseen: 4}, e.Counts)

	head := headOf(b.cat.Table(ident...), "main")
	require.Equal(t, d.Snapshot, head.SnapshotID)
	rec, err := recordOf(head)
	require.NoError(t, err)
	require.Equal(t, d.Record, *rec)
	require.Equal(t, AcceptLoss, rec.Verb)
	require.Equal(t, "somebody", rec.By)
	require.Equal(t, "a test", rec.Reason)
	require.Equal(t, "t/0: 4 offsets given up", rec.Text)
	require.False(t, rec.At.IsZero())
	moves, err := rec.Moves()
	require.NoError(t, err)
	require.Equal(t, []state.Move{moveOver(0, 10, 14)}, moves)

	d = b.decide(Control{Verb: Rewind, Moves: []state.Move{moveBack(1, 5, 2)}})
	require.Equal(t, 2, b.position(1))
	require.EqualValues(t, 5, d.State.Dropped.Counts[outcome.Written], "what was counted stays counted")
	require.EqualValues(t, 5, d.Record.Streams[0].Moves[0].Counts()[outcome.Written])
	res, err := w.Commit(b.ctx, b.batch(w, step(1, 5, 8)))
	require.NoError(t, err)
	require.Equal(t, Fenced, res.Outcome, "whoever was further is set back")
	b.commit(w, step(1, 2, 8))

	old := key(0)
	fresh := old
	fresh.Stream.ID = [16]byte{1}
	b.decide(Control{Verb: Adopt, Moves: []state.Move{{Key: old, From: pos(14)}, {Key: fresh, To: pos(3)}}})
	_, there := b.open("looks").State().Find(old)
	require.False(t, there)
	e, _ = b.open("looks").State().Find(fresh)
	require.Equal(t, pos(3), e.Position)

	b.decide(Control{Verb: Resume})
	s := b.examine()
	require.Len(t, s.Records, 4)
	require.Equal(t, []Verb{AcceptLoss, Rewind, Adopt, Resume}, []Verb{s.Records[0].Verb, s.Records[1].Verb, s.Records[2].Verb, s.Records[3].Verb})
	l := b.verify(LedgerOptions{Distance: distance})
	require.Empty(t, l.Findings)
	require.Equal(t, 4, l.Controls)
	require.Len(t, l.Records, 4)
}

// What the operator saw is compared on every head that the decision is built on.
func TestDecisionIsRefusedWhenTheTableMovedOn(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 2)
	b.commit(w, step(0, 0, 10))
	c := b.seen(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
	b.commit(w, step(1, 0, 10))
	_, err := Decide(b.ctx, b.cat, spec(""), b.env(), c)
	require.NoError(t, err, "another partition is not what was decided about")

	c = b.seen(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 5, 2)}})
	b.commit(w, step(0, 5, 20))
	_, err = Decide(b.ctx, b.cat, spec(""), b.env(), c)
	require.Equal(t, CodeControlStale, failure.CodeOf(err), "%v", err)
	require.NotEmpty(t, failure.HintOf(err))
	require.Equal(t, 20, b.position(0))

	c.Moves[0] = moveBack(0, 20, 2)
	_, err = Decide(b.ctx, b.cat, spec(""), b.env(), c)
	require.Equal(t, CodeControlStale, failure.CodeOf(err), "the token is that of another decision: %v", err)
}

// A rollback that is rolled back further between look and decision is another situation.
func TestDecisionIsRefusedAfterAnotherRollback(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	ids := []int64{b.commit(w, step(0, 0, 10)).SnapshotID, b.commit(w, step(0, 10, 20)).SnapshotID, b.commit(w, step(0, 20, 30)).SnapshotID}
	b.rollback(ids[1])
	c := b.seen(Control{Verb: Resume})
	b.rollback(ids[0])
	_, err := Decide(b.ctx, b.cat, spec(""), b.env(), c)
	require.Equal(t, CodeControlStale, failure.CodeOf(err), "%v", err)
	b.decide(Control{Verb: Resume})
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
	b.commit(b.open("w2"), step(0, 10, 25))
	require.Equal(t, map[string]int{"0": 25}, b.exact("main"))
	require.Empty(t, b.verify(LedgerOptions{Distance: distance}).Findings)
}

// What a rollback took away can be left out as well: it is counted as unseen.
func TestRollbackLeftOut(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	first := b.commit(w, step(0, 0, 10)).SnapshotID
	b.commit(w, step(0, 10, 30))
	b.rollback(first)
	require.Equal(t, CodeRolledBack, failure.CodeOf(b.examine().Halt))
	b.decide(Control{Verb: AcceptLoss, Moves: []state.Move{moveOver(0, 10, 30)}})
	b.commit(b.open("w2"), step(0, 30, 40))
	l := b.verify(LedgerOptions{Distance: distance})
	require.Empty(t, l.Findings)
	require.EqualValues(t, 20, l.Rows)
}

// A daemon's commit slips in between the look and the commit of a decision: on another partition the decision is
// built again on top of it, on the same one it is refused.
func TestDecisionRacesWithACommit(t *testing.T) {
	for name, x := range map[string]struct {
		partition int
		code      string
	}{"another partition": {1, ""}, "the same one": {0, CodeControlStale}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.create("w1", 2)
			b.commit(w, step(0, 0, 10), step(1, 0, 10))
			c := b.seen(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
			n := 0
			b.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
				if n++; n == 1 {
					b.commit(w, step(x.partition, 10, 15))
				}
				return apply()
			}
			_, err := Decide(b.ctx, b.cat, spec(""), b.env(), c)
			require.Equal(t, x.code, failure.CodeOf(err), "%v", err)
			if err == nil {
				require.Equal(t, 5, b.position(0))
				require.Equal(t, 15, b.position(1))
			}
			require.Empty(t, b.verify(LedgerOptions{Distance: distance}).Findings)
		})
	}
}

// A decision whose answer is lost is found in the table; one that did not arrive is sent again. It lands once.
func TestDecisionLandsOnce(t *testing.T) {
	for name, f := range map[string]fault{"lost": lost, "dropped": dropped, "lost as a conflict": lostAs409} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.commit(b.create("w1", 1), step(0, 0, 10))
			c := b.seen(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
			b.on(map[int]fault{1: f})
			d, err := Decide(b.ctx, b.cat, spec(""), b.env(), c)
			require.NoError(t, err)
			require.Equal(t, 5, b.position(0))
			require.Len(t, b.examine().Records, 1)
			require.Equal(t, d.Record, b.examine().Records[0])
			require.Len(t, b.cat.Table(ident...).Snapshots(), 3)
		})
	}
}

func TestRefusedDecisions(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	first := b.commit(w, step(0, 0, 10)).SnapshotID
	refused := func(c Control, why string) {
		t.Helper()
		_, err := b.tryDecide(c)
		require.Equal(t, CodeControlRefused, failure.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, why)
		require.NotEmpty(t, failure.HintOf(err))
	}
	refused(Control{Verb: Rewind}, "makes no sense")
	refused(Control{Verb: Resume, Moves: []state.Move{moveBack(0, 10, 5)}}, "makes no sense")
	refused(Control{Verb: Rewind, Moves: []state.Move{{Key: key(0), From: pos(10), To: pos(5)}}}, "makes no sense")
	refused(Control{Verb: AcceptLoss, Moves: []state.Move{{Key: key(7), To: pos(5)}}}, "makes no sense")
	refused(Control{Verb: Adopt, Base: BaseMirror}, "its history says where to go on")
	refused(Control{Verb: Adopt, Moves: []state.Move{{Key: key(0), From: pos(10), To: pos(12)}}}, "neither counts")
	b.commit(w, step(0, 10, 20))
	b.rollback(first)
	refused(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}}, "comes first")
	b.decide(Control{Verb: Resume})
	b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, "AgICAgICAg")
	refused(Control{Verb: Adopt, Base: BaseMirror}, "no decision resolves this")
}

// A summary that was changed by hand: the mirror has the same positions.
func TestUnreadableStateIsAdoptedFromTheMirror(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	id := b.commit(w, step(0, 0, 10)).SnapshotID
	b.summary(id, "AQRzaG9w")
	_, err := Open(b.ctx, b.cat, spec("w2"), b.env())
	require.Equal(t, CodeStateUnreadable, failure.CodeOf(err))
	b.acceptMirror()
	require.Equal(t, 10, b.position(0))
	b.commit(b.open("w2"), step(0, 10, 20))
}

// A table of which nothing remains but rows goes on where the operator says, and counts from there.
func TestLostStateIsAdoptedWithPositions(t *testing.T) {
	b := newBench(t)
	b.commit(b.create("w1", 1), step(0, 0, 10))
	b.foreignAppend()
	b.expire(func(i int, _ int64) bool { return i < 2 })
	b.property(state.MirrorKey("p", "main"), nil)
	require.Equal(t, CodeStateLost, failure.CodeOf(b.examine().Halt))
	b.decide(Control{Verb: Adopt, Base: BaseNothing, Moves: []state.Move{{Key: key(0), To: pos(10)}}})
	b.commit(b.open("w2"), step(0, 10, 12))
	require.Empty(t, b.verify(LedgerOptions{Distance: distance}).Findings)
}

// A daemon sees by the mark that a decision landed; a table of the same name starts with none.
func TestControlMark(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	require.Empty(t, w.ControlMark())
	require.Nil(t, w.LastControl())
	b.decide(Control{Verb: Resume})
	require.NoError(t, w.Refresh(b.ctx))
	mark := w.ControlMark()
	require.NotEmpty(t, mark)
	b.commit(w, step(0, 0, 10))
	require.Equal(t, mark, w.ControlMark(), "a batch leaves it alone")
	b.decide(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
	require.NoError(t, w.Refresh(b.ctx))
	require.NotEqual(t, mark, w.ControlMark())
	require.Equal(t, Rewind, w.LastControl().Verb)
}

func TestRecordsAreBounded(t *testing.T) {
	b := newBench(t)
	b.create("w1", 1)
	for range maxRecords + 3 {
		b.decide(Control{Verb: Resume})
	}
	s := b.examine()
	require.Len(t, s.Records, maxRecords)
	require.Equal(t, 3, s.Forgotten)
	b.decide(Control{Verb: Resume, Text: strings.Repeat("x", maxRecordBytes)})
	s = b.examine()
	require.Len(t, s.Records, 1, "the newest is always kept")
	require.Equal(t, maxRecords+3, s.Forgotten)
	b.property(ControlListKey("p", "main"), "{")
	_, err := Examine(b.ctx, b.cat, spec(""), b.env())
	require.Equal(t, CodeStateUnreadable, failure.CodeOf(err))
}

// A record that does not say what its snapshot did is found.
func TestLedgerFindsAFalseRecord(t *testing.T) {
	b := newBench(t)
	b.commit(b.create("w1", 1), step(0, 0, 10))
	d := b.decide(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
	head := headOf(b.cat.Table(ident...), "main")
	text := strings.Replace(head.Summary.Properties[ControlKey], `"to":"4035"`, `"to":"4036"`, 1)
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) {
		for _, s := range m["snapshots"].([]any) {
			if sn := s.(map[string]any); fmt.Sprint(sn["snapshot-id"]) == fmt.Sprint(d.Snapshot) {
				sn["summary"].(map[string]any)[ControlKey] = text
			}
		}
	}, ident...))
	l := b.verify(LedgerOptions{})
	require.Len(t, l.Findings, 1)
	require.Contains(t, l.Findings[0].Text, "not what its control record says")
}

// Whatever the situation, the empty table included, the decision of a table without a snapshot is safe or refused.
func TestDecisionOnAMissingTable(t *testing.T) {
	b := newBench(t)
	_, err := Examine(b.ctx, b.cat, spec(""), b.env())
	require.Equal(t, CodeMissing, failure.CodeOf(err))
}

// A process that dies before its decision lands has changed nothing, and the same decision can be made again. One that
// dies afterwards has decided: the table says so, and the same decision is refused.
func TestDecisionOfAProcessThatDies(t *testing.T) {
	for name, landed := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.create("w1", 1)
			b.commit(w, step(0, 0, 10))
			c := b.seen(Control{Verb: Rewind, Moves: []state.Move{moveBack(0, 10, 5)}})
			b.on(map[int]fault{1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
				if landed {
					apply()
				}
				b.cancel()
				return committest.Answer{Err: context.Canceled}
			}})
			_, err := Decide(b.ctx, b.cat, spec(""), b.env(), c)
			require.Equal(t, failure.Unknown, failure.ClassOf(err), "%v", err)
			b.ctx, b.cancel, b.cat.OnCommit = context.Background(), func() {}, nil
			require.Equal(t, landed, len(b.examine().Records) == 1)
			_, err = Decide(b.ctx, b.cat, spec(""), b.env(), c)
			if landed {
				require.Equal(t, CodeControlStale, failure.CodeOf(err), "%v", err)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, 5, b.position(0))
			require.Len(t, b.examine().Records, 1)
			b.commit(b.open("w2"), step(0, 5, 12))
			require.Empty(t, b.verify(LedgerOptions{Distance: distance}).Findings)
		})
	}
}
