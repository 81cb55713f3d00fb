package commit

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

func TestCommitLands(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 2)
	res := b.commit(w, step(0, 0, 10), step(1, 0, 5))
	require.Equal(t, res.SnapshotID, headOf(b.cat.Table(ident...), "main").SnapshotID)
	require.Equal(t, res.CommitID, w.State().CommitID())
	b.commit(w, step(0, 10, 25))
	require.Equal(t, map[string]int{"0": 25, "1": 5}, b.exact("main"))
	require.EqualValues(t, 30, w.State().Totals().Added)
}

// The equality check: a batch that begins where the table does not stand, or of which a part has been applied, is
// dropped as a whole.
func TestStalePositionsAreFenced(t *testing.T) { onFormats(t, stalePositionsAreFenced) }

func stalePositionsAreFenced(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w1, w2 := b.create("w1", 2), b.open("w2")
	b.commit(w1, step(0, 0, 10))
	f := func(name string, steps ...Step) {
		t.Helper()
		res, err := w2.Commit(b.ctx, b.batch(w2, steps...))
		require.NoError(t, err)
		require.Equal(t, Fenced, res.Outcome, name)
		require.True(t, res.FilesDead)
		require.Equal(t, pos(10), res.Mismatch.Stored)
		require.Equal(t, w1.State().CommitID(), res.By)
		require.Equal(t, w1.State(), res.State)
		b.exact("main")
	}
	f("duplicate", step(0, 0, 10))
	f("prefix", step(0, 0, 4))
	f("superset", step(0, 0, 20))
	f("overlap", step(0, 5, 15))
	f("gap", step(0, 12, 15))
	f("one of two", step(1, 0, 3), step(0, 0, 10))
	require.Equal(t, map[string]int{"0": 10, "1": 0}, b.exact("main"))
}

// Every commit asserts the table and the head that was checked.
func TestEveryCommitIsPinned(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	head := headOf(b.cat.Table(ident...), "main").SnapshotID
	var sent []string
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		for _, r := range c.Requirements {
			text, err := json.Marshal(r)
			require.NoError(t, err)
			sent = append(sent, string(text))
		}
		return apply()
	}
	b.commit(w, step(0, 0, 10))
	want, err := json.Marshal(map[string]any{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": head})
	require.NoError(t, err)
	require.Len(t, sent, 2)
	require.JSONEq(t, string(want), sent[1])
	require.Contains(t, sent[0], b.cat.Table(ident...).TableUUID().String())
}

// What the pin is for: the branch was rolled back between the look and the commit. Positions in the batch equal
// those that were seen, the sequence number is high enough, and only the pin keeps the commit out.
func TestPinKeepsOutACommitOnAHeadThatMoved(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	first := headOf(b.cat.Table(ident...), "main").SnapshotID
	b.commit(w, step(0, 10, 20))
	b.on(map[int]fault{1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
		b.rollback(first)
		return apply()
	}})
	_, err := w.Commit(b.ctx, b.batch(w, step(0, 20, 30)))
	require.Equal(t, CodeRolledBack, failure.CodeOf(err), "%v", err)
	require.Equal(t, first, headOf(b.cat.Table(ident...), "main").SnapshotID, "the commit undid the rollback")
}

func (b *bench) rollback(to int64) {
	b.t.Helper()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		m["current-snapshot-id"] = json.Number(jsonInt(to))
		m["refs"].(map[string]any)["main"].(map[string]any)["snapshot-id"] = json.Number(jsonInt(to))
	}, ident...))
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// The reload: an answer that was lost says nothing. Looking again finds the commit in the table.
func TestLostAnswerIsFoundInTheTable(t *testing.T) { onFormats(t, lostAnswerIsFoundInTheTable) }

func lostAnswerIsFoundInTheTable(t *testing.T, format int) {
	t.Helper()
	for name, f := range map[string]fault{"lost": lost, "lost as 409": lostAs409} {
		t.Run(name, func(t *testing.T) {
			b := newBenchOf(t, format)
			w := b.create("w1", 1)
			b.patience = 3
			calls := b.on(map[int]fault{1: f})
			res, err := w.Commit(b.ctx, b.batch(w, step(0, 0, 10)))
			require.NoError(t, err, "the commit was not found although it had landed")
			require.Equal(t, Landed, res.Outcome)
			require.Equal(t, 1, *calls, "sent once")
			require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
		})
	}
}

// A commit that did not arrive is sent again: the very same snapshot.
func TestSameSnapshotIsSentAgain(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	var snapshots []string
	n := 0
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		text, err := json.Marshal(c.Updates)
		require.NoError(t, err)
		snapshots = append(snapshots, string(text))
		if n++; n <= 3 {
			return committest.Answer{Err: errLost}
		}
		return apply()
	}
	res, err := w.Commit(b.ctx, b.batch(w, step(0, 0, 10)))
	require.NoError(t, err)
	require.Equal(t, 4, res.Attempts)
	require.Equal(t, 3, res.Unknowns)
	for _, s := range snapshots[1:] {
		require.Equal(t, snapshots[0], s)
	}
	require.Empty(t, res.Removed)
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
}

// An attempt that takes effect long after its answer was lost fences the attempts after it, or is fenced by them.
func TestDelayedApply(t *testing.T) { onFormats(t, delayedApply) }

func delayedApply(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	var late func() committest.Answer
	b.on(map[int]fault{
		1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
			late = apply
			return committest.Answer{Err: errLost}
		},
		2: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
			require.NoError(t, late().Err)
			return apply() // conflicts now
		},
		4: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
			late = apply
			return committest.Answer{Err: errLost}
		},
	})
	res := b.commit(w, step(0, 0, 10))
	require.Equal(t, 2, res.Attempts)
	b.commit(w, step(0, 10, 20))
	b.commit(w, step(0, 20, 30))
	require.Error(t, late().Err, "too late: the head has moved")
	require.Equal(t, map[string]int{"0": 30}, b.exact("main"))
}

// Somebody else's snapshot between the look and the commit: built again on the new head, with the same files.
func TestForeignSnapshotsInBetween(t *testing.T) { onFormats(t, foreignSnapshotsInBetween) }

func foreignSnapshotsInBetween(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	b.on(map[int]fault{1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
		b.foreignAppend()
		return apply()
	}})
	res := b.commit(w, step(0, 0, 10))
	require.Equal(t, 2, res.Attempts)
	require.Equal(t, 1, res.Conflicts)
	require.Len(t, res.Removed, 2, "manifest and manifest list of the first attempt")
	for _, f := range res.Removed {
		require.False(t, b.cat.Files.Has(f))
	}
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
	b.foreignAppend()
	b.foreignAppend()
	b.commit(w, step(0, 10, 20))
	require.Equal(t, map[string]int{"0": 20}, b.exact("main"))
}

// Another branch may take the sequence number of a snapshot that was not answered: same head, new snapshot.
func TestAnotherBranchTakesTheSequenceNumber(t *testing.T) {
	onFormats(t, anotherBranchTakesTheSequenceNumber)
}

func anotherBranchTakesTheSequenceNumber(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	other := spec("w2")
	other.Branch = "audit"
	w2 := b.openSpec(other)
	require.NoError(t, w2.Begin(b.ctx, starts(1)))
	b.on(map[int]fault{1: func(committest.Call, func() committest.Answer) committest.Answer {
		b.cat.OnCommit = nil
		b.commit(w2, step(0, 0, 7))
		return committest.Answer{Err: errLost}
	}})
	res := b.commit(w, step(0, 0, 10))
	require.Equal(t, 2, res.Attempts)
	require.Len(t, res.Removed, 2)
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
	require.Equal(t, map[string]int{"0": 7}, b.exact("audit"))
}

// The context may end while the outcome is open: that is said, and the next start reads it from the table.
func TestContextEndsWhileUnknown(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	b.patience = 2
	b.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
		return committest.Answer{Err: errLost}
	}
	_, err := w.Commit(b.ctx, b.batch(w, step(0, 0, 10)))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, failure.Unknown, failure.ClassOf(err))
	require.Equal(t, CodeCommitUnknown, failure.CodeOf(err))
}

// A refusal that time does not mend ends the attempts, after the table has shown that none has landed.
func TestDefiniteRefusal(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	forbidden := failure.New(failure.Config, "E_CATALOG_AUTH", "grant the rights", "forbidden")
	calls := 0
	b.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
		calls++
		return committest.Answer{Err: forbidden}
	}
	_, err := w.Commit(b.ctx, b.batch(w, step(0, 0, 10)))
	require.Equal(t, "E_CATALOG_AUTH", failure.CodeOf(err))
	require.Equal(t, "grant the rights", failure.HintOf(err))
	require.Equal(t, stubborn, calls)
	b.cat.OnCommit = nil
	b.commit(w, step(0, 0, 10))
}

// A catalog that shows no lineage: the last commit of each writer, carried in the head, tells ours.
func TestOwnCommitIsRecognisedWithoutLineage(t *testing.T) {
	b := newBench(t)
	b.cat.HeadsOnly = true
	w1, w2 := b.create("w1", 2), b.open("w2")
	b.on(map[int]fault{1: func(c committest.Call, apply func() committest.Answer) committest.Answer {
		apply()
		b.cat.OnCommit = nil
		b.commit(w2, step(1, 0, 5)) // on top of it, so that w1's snapshot is hidden
		return committest.Answer{Err: errLost}
	}})
	res := b.commit(w1, step(0, 0, 10))
	require.Equal(t, 1, res.Attempts)
	require.Equal(t, map[string]int{"0": 10, "1": 5}, b.exact("main"))
}

// Many writers later, on a catalog without lineage, nobody can tell whose commit it was: the files stay.
func TestFilesOfAForgottenCommitAreNotDead(t *testing.T) {
	b := newBench(t)
	b.cat.HeadsOnly = true
	w1 := b.create("w1", 20)
	b.on(map[int]fault{1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
		apply()
		b.cat.OnCommit = nil
		for i := range state.MaxWriters {
			b.commit(b.open("other"+string(rune('a'+i))), step(i+1, 0, 5))
		}
		return committest.Answer{Err: errLost}
	}})
	res, err := w1.Commit(b.ctx, b.batch(w1, step(0, 0, 10)))
	require.NoError(t, err)
	require.Equal(t, Fenced, res.Outcome)
	require.False(t, res.FilesDead)
	require.Empty(t, res.Removed)
	b.exact("main")
}

func TestProgressWithoutRows(t *testing.T) { onFormats(t, progressWithoutRows) }

func progressWithoutRows(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	s := step(0, 10, 10)
	s.To, s.Note = state.Position("further"), []byte("note")
	res, err := w.Progress(b.ctx, []Step{s})
	require.NoError(t, err)
	require.Equal(t, Landed, res.Outcome)
	e, _ := w.State().Find(key(0))
	require.Equal(t, state.Position("further"), e.Position)
	require.EqualValues(t, 10, e.Added)
	require.Equal(t, []byte("note"), w.Notes()[key(0)])
	head := headOf(b.cat.Table(ident...), "main")
	require.Equal(t, "append", string(head.Summary.Operation))
	require.Empty(t, head.Summary.Properties["added-data-files"])
	require.NotContains(t, b.cat.Table(ident...).Properties(), "schema.name-mapping.default")
	require.Equal(t, [][2]int{{0, 10}}, b.live(head)["0"])
}

// Format version 3 gives every row an id, from a counter in the table that all snapshots move.
func TestFormatVersionThree(t *testing.T) {
	b := newBench(t)
	w := b.openSpec(tended("w1"))
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1), FormatVersion: 3}))
	b.on(map[int]fault{3: dropped, 5: lost})
	for i := range 30 {
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.Equal(t, map[string]int{"0": 300}, b.exact("main"))
	require.GreaterOrEqual(t, b.cat.Table(ident...).NextRowID(), int64(300))
}

// An empty string as the lowest partition value: the library writes "nothing but nulls" into the manifest list, and
// readers would pass over the rows.
func TestEmptyPartitionValueIsNotNull(t *testing.T) {
	b := newBench(t)
	w := b.open("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1), PartitionBy: []PartitionField{{Column: "name", Transform: iceberg.IdentityTransform{}}}}))
	spec := w.PartitionSpec()
	id := spec.Field(0).FieldID
	fs := FileSet{Steps: []Step{step(0, 0, 10)}, Added: 10, SchemaID: w.Schema().ID}
	for i, v := range []string{"", "z"} {
		name := w.Location() + "/data/" + jsonInt(int64(i)) + "-p0-" + jsonInt(int64(i*5)) + "-" + jsonInt(int64(i*5+5)) + ".parquet"
		fs.Files = append(fs.Files, b.written(dataFile(t, spec, name, 5, map[int]any{id: v})))
	}
	_, err := w.Commit(b.ctx, fs)
	require.NoError(t, err)
	manifests, err := headOf(b.cat.Table(ident...), "main").Manifests(b.cat.Files)
	require.NoError(t, err)
	bounds := manifests[0].Partitions()[0]
	require.NotNil(t, bounds.LowerBound)
	require.Equal(t, "", string(*bounds.LowerBound))
	require.Equal(t, "z", string(*bounds.UpperBound))
	b.exact("main")
}
