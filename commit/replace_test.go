package commit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// files lists the live data files of a snapshot.
func (b *bench) files(sn *table.Snapshot) (out []iceberg.DataFile) {
	b.t.Helper()
	manifests, err := sn.Manifests(b.cat.Files)
	require.NoError(b.t, err)
	for _, m := range manifests {
		for e, err := range m.Entries(b.cat.Files, true) {
			require.NoError(b.t, err)
			out = append(out, e.DataFile())
		}
	}
	return out
}

// span reads from a file's name what it holds; ours is false for files of others.
func span(f iceberg.DataFile) (partition string, from, to int, ours bool) {
	parts := strings.Split(strings.TrimSuffix(f.FilePath(), ".parquet"), "-")
	if len(parts) < 4 {
		return "", 0, 0, false
	}
	n := len(parts)
	_, err := fmt.Sscanf(strings.Join(parts[n-3:], " "), "p%s %d %d", &partition, &from, &to)
	return partition, from, to, err == nil
}

// merged is a rewrite of the files of partition p, between two places in their order, into one.
func (b *bench) merged(p string, choose func(n int) (from, to int)) (Replacement, bool) {
	b.t.Helper()
	meta := b.cat.Table(ident...)
	head := headOf(meta, "main")
	r := Replacement{Base: head.SnapshotID, SchemaID: meta.CurrentSchema().ID}
	for _, f := range b.files(head) {
		if q, _, _, ours := span(f); ours && q == p {
			r.Old = append(r.Old, f)
		}
	}
	begin := func(f iceberg.DataFile) int { _, from, _, _ := span(f); return from }
	slices.SortFunc(r.Old, func(x, y iceberg.DataFile) int { return begin(x) - begin(y) })
	if len(r.Old) == 0 {
		return r, false
	}
	from, to := choose(len(r.Old))
	r.Old = r.Old[from:to]
	_, _, end, _ := span(r.Old[len(r.Old)-1])
	b.mu.Lock()
	b.mu.ids++
	name := fmt.Sprintf("%s/data/%d-p%s-%d-%d.parquet", meta.Location(), b.mu.ids, p, begin(r.Old[0]), end)
	b.mu.Unlock()
	r.New = []iceberg.DataFile{b.written(dataFile(b.t, meta.PartitionSpec(), name, int64(end-begin(r.Old[0])), nil))}
	return r, true
}

func all(n int) (int, int) { return 0, n }

// compactOf rewrites some files of a partition, as one writer; others may commit between reading and committing.
func (s *sim) compactOf(i int) {
	w := s.writers[i]
	if s.nested == 0 {
		s.busy = i
	}
	r, ok := s.merged(fmt.Sprint(rapid.IntRange(0, simPartitions-1).Draw(s.rt, "compacted")), func(n int) (int, int) {
		from := rapid.IntRange(0, n-1).Draw(s.rt, "from file")
		return from, rapid.IntRange(from+1, n).Draw(s.rt, "to file")
	})
	if !ok {
		return
	}
	if s.nested == 0 && rapid.Bool().Draw(s.rt, "others commit meanwhile") {
		s.nested++
		s.commitOf(s.another())
		s.nested--
	}
	before := mustEncode(w.t.State())
	res, err := w.t.Replace(s.ctx, r)
	if code := failure.CodeOf(err); code == CodeRolledBack || code == CodeStateAmbiguous {
		s.restart(w, i)
		return
	}
	require.NoError(s.rt, err)
	if mustEncode(w.t.State()) != before && !w.zombie {
		s.learn(w) // the look has shown others' commits
	}
	if res.Outcome == Superseded && res.FilesDead {
		s.dead[r.New[0].FilePath()] = true
	}
}

// TestReplace: the rows are in the new file, the positions are where they were, and the books still prove.
func TestReplace(t *testing.T) {
	b := newBench(t)
	w := b.create("w", 2)
	for n := range 4 {
		b.commit(w, step(0, n*5, n*5+5), step(1, n, n+1))
	}
	before := mustEncode(w.State())
	r, _ := b.merged("0", all)
	r.Summary = iceberg.Properties{"audit": "text"}
	b.foreignAppend()
	other := b.open("other")
	b.commit(other, step(0, 20, 25))
	after := mustEncode(other.State())
	require.NotEqual(t, before, after)
	res, err := w.Replace(b.ctx, r)
	require.NoError(t, err)
	require.Equal(t, Landed, res.Outcome)
	head := headOf(b.cat.Table(ident...), "main")
	require.Equal(t, head.SnapshotID, res.SnapshotID)
	require.Equal(t, table.OpReplace, head.Summary.Operation)
	require.Equal(t, "text", head.Summary.Properties["audit"])
	require.Equal(t, after, mustEncode(w.State()), "what others have committed meanwhile stays")
	require.Equal(t, map[string]int{"0": 25, "1": 4}, b.exact("main"))
	require.Len(t, b.live(head)["0"], 2)
	b.commit(w, step(1, 4, 9))
	l, err := VerifyLedger(b.ctx, w.Iceberg(), LedgerOptions{Pipeline: "p"})
	require.NoError(t, err)
	require.Empty(t, l.Findings)
}

// The new files have the sequence number of what was read: an equality delete that came later applies to their rows.
func TestReplacedRowsStayBelowLaterDeletes(t *testing.T) {
	b := newBench(t)
	w := b.create("w", 1)
	b.commit(w, step(0, 0, 5))
	b.commit(w, step(0, 5, 9))
	r, _ := b.merged("0", all)
	base := headOf(b.cat.Table(ident...), "main").SequenceNumber
	b.foreign(func(tx *table.Transaction) error {
		return tx.NewRowDelta(nil).AddDeletes(deleteFile(t, iceberg.EntryContentEqDeletes, "mem://foreign/eq.parquet", "")).Commit(context.Background())
	})
	res, err := w.Replace(b.ctx, r)
	require.NoError(t, err)
	require.Equal(t, Landed, res.Outcome, res.Why)
	manifests, err := headOf(b.cat.Table(ident...), "main").Manifests(b.cat.Files)
	require.NoError(t, err)
	seen := 0
	for _, m := range manifests {
		entries, err := m.FetchEntries(b.cat.Files, true)
		require.NoError(t, err)
		for _, e := range entries {
			if seen++; e.DataFile().ContentType() == iceberg.EntryContentData {
				require.Equal(t, base, e.SequenceNum())
			} else {
				require.Greater(t, e.SequenceNum(), base)
			}
		}
	}
	require.Equal(t, 2, seen, "one data file, one delete file")
}

// deleteFile is a file of deletes; target is the data file that position deletes are about, "" for any.
func deleteFile(t require.TestingT, kind iceberg.ManifestEntryContent, path, target string) iceberg.DataFile {
	d, err := iceberg.NewDataFileBuilder(*iceberg.UnpartitionedSpec, kind, path, iceberg.ParquetFile, nil, nil, nil, 1, 10)
	require.NoError(t, err)
	if kind == iceberg.EntryContentEqDeletes {
		d.EqualityFieldIDs([]int{1})
	}
	if target != "" {
		bound := map[int][]byte{filePathColumn: []byte(target)}
		d.LowerBoundValues(bound).UpperBoundValues(bound)
	}
	return d.Build()
}

// A rewrite that no longer fits is given up whole.
func TestSupersededRewrites(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(b *bench, w *Table, r *Replacement)
		why       string
	}{
		"another rewrite was faster": {func(b *bench, w *Table, _ *Replacement) {
			other, _ := b.merged("0", all)
			res, err := w.Replace(b.ctx, other)
			require.NoError(b.t, err)
			require.Equal(b.t, Landed, res.Outcome)
		}, "is no longer in the table"},
		"rows of one file were deleted": {func(b *bench, _ *Table, r *Replacement) {
			b.foreign(func(tx *table.Transaction) error {
				return tx.NewRowDelta(nil).AddDeletes(deleteFile(b.t, iceberg.EntryContentPosDeletes, "mem://foreign/pos.parquet", r.Old[1].FilePath())).Commit(context.Background())
			})
		}, "have been deleted since"},
		"rows of any file were deleted": {func(b *bench, _ *Table, _ *Replacement) {
			b.foreign(func(tx *table.Transaction) error {
				return tx.NewRowDelta(nil).AddDeletes(deleteFile(b.t, iceberg.EntryContentPosDeletes, "mem://foreign/pos.parquet", "")).Commit(context.Background())
			})
		}, "have been deleted since"},
		"the branch was rolled back": {func(b *bench, _ *Table, r *Replacement) {
			b.rollback(*b.cat.Table(ident...).SnapshotByID(r.Base).ParentSnapshotID)
			b.decide(Control{Verb: Resume})
		}, "not in the history of the head"},
		"the history has expired": {func(b *bench, w *Table, r *Replacement) {
			b.commit(w, step(0, 10, 12))
			b.expire(func(_ int, id int64) bool { return id == r.Base })
		}, "not in the history of the head"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w := b.create("w", 1)
			for n := range 2 {
				b.commit(w, step(0, n*5, n*5+5))
			}
			r, _ := b.merged("0", all)
			c.meanwhile(b, w, &r)
			before := b.cat.Table(ident...).CurrentSnapshot().SnapshotID
			res, err := w.Replace(b.ctx, r)
			require.NoError(t, err)
			require.Equal(t, Superseded, res.Outcome)
			require.Contains(t, res.Why, c.why)
			require.True(t, res.FilesDead)
			require.Equal(t, before, b.cat.Table(ident...).CurrentSnapshot().SnapshotID)
		})
	}
}

// Deletes that apply to the old files only go with them; one that may apply to others stays.
func TestReplaceRemovesDeadDeletes(t *testing.T) {
	b := newBench(t)
	w := b.create("w", 2)
	b.commit(w, step(0, 0, 5))
	b.commit(w, step(0, 5, 9), step(1, 0, 4))
	target := func(p string) string {
		r, _ := b.merged(p, all)
		return r.Old[0].FilePath()
	}
	b.foreign(func(tx *table.Transaction) error {
		return tx.NewRowDelta(nil).AddDeletes(
			deleteFile(t, iceberg.EntryContentPosDeletes, "mem://foreign/dead.parquet", target("0")),
			deleteFile(t, iceberg.EntryContentPosDeletes, "mem://foreign/alive.parquet", target("1")),
		).Commit(context.Background())
	})
	r, _ := b.merged("0", all)
	res, err := w.Replace(b.ctx, r)
	require.NoError(t, err)
	require.Equal(t, Landed, res.Outcome)
	var deletes []string
	for _, f := range b.files(headOf(b.cat.Table(ident...), "main")) {
		if f.ContentType() == iceberg.EntryContentPosDeletes {
			deletes = append(deletes, f.FilePath())
		}
	}
	require.Equal(t, []string{"mem://foreign/alive.parquet"}, deletes)
}

// Lost answers: the files say what happened, and nothing that is in use is called dead.
func TestReplaceWithLostAnswers(t *testing.T) {
	for name, f := range map[string]fault{"lost": lost, "dropped": dropped, "lost as a conflict": lostAs409, "overtaken": nil} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			w, other := b.create("w", 1), b.open("other")
			for n := range 3 {
				b.commit(w, step(0, n*5, n*5+5))
			}
			r, _ := b.merged("0", all)
			if f == nil {
				f = func(_ committest.Call, apply func() committest.Answer) committest.Answer {
					apply()
					b.commit(other, step(0, 15, 20))
					return committest.Answer{Err: errLost}
				}
			}
			b.on(map[int]fault{1: f})
			res, err := w.Replace(b.ctx, r)
			require.NoError(t, err)
			require.Equal(t, Landed, res.Outcome, res.Why)
			b.exact("main")
			require.True(t, slices.ContainsFunc(b.files(headOf(b.cat.Table(ident...), "main")), func(f iceberg.DataFile) bool {
				return f.FilePath() == r.New[0].FilePath()
			}))
		})
	}
}

// A catalog that shows no history: the new files tell that a lost commit has landed, and where somebody has rewritten
// even those, nothing is called dead.
func TestReplaceOnHeadsOnly(t *testing.T) {
	for _, again := range []bool{false, true} {
		b := newBench(t)
		b.cat.HeadsOnly = true
		w, other := b.create("w", 1), b.open("other")
		for n := range 3 {
			b.commit(w, step(0, n*5, n*5+5))
		}
		r, _ := b.merged("0", all)
		b.on(map[int]fault{1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
			apply()
			b.commit(other, step(0, 15, 20))
			if again {
				second, _ := b.merged("0", all)
				res, err := other.Replace(b.ctx, second)
				require.NoError(t, err)
				require.Equal(t, Landed, res.Outcome)
			}
			return committest.Answer{Err: errLost}
		}})
		res, err := w.Replace(b.ctx, r)
		require.NoError(t, err)
		require.False(t, res.FilesDead)
		require.Equal(t, !again, res.Outcome == Landed, res.Why)
		b.exact("main")
	}
}

// A rewrite that cannot be right is refused before anything is read.
func TestReplaceIsGuarded(t *testing.T) {
	b := newBench(t)
	w := b.create("w", 1)
	b.commit(w, step(0, 0, 5))
	good, _ := b.merged("0", all)
	f := func(want string, change func(*Replacement)) {
		t.Helper()
		r := good
		change(&r)
		_, err := w.Replace(b.ctx, r)
		require.Equal(t, CodeFileSet, failure.CodeOf(err))
		require.ErrorContains(t, err, want)
	}
	f("of no files", func(r *Replacement) { r.Old = nil; r.New = nil })
	f("twice", func(r *Replacement) { r.New = r.Old })
	f("makes 9 rows of 5", func(r *Replacement) {
		r.New = []iceberg.DataFile{dataFile(t, *iceberg.UnpartitionedSpec, "mem://new.parquet", 9, nil)}
	})
	f("not a data file", func(r *Replacement) {
		r.New = []iceberg.DataFile{deleteFile(t, iceberg.EntryContentPosDeletes, "mem://new.parquet", "")}
	})
	f("schema 7", func(r *Replacement) { r.SchemaID = 7 })
	require.Equal(t, 1, len(b.live(headOf(b.cat.Table(ident...), "main"))["0"]))
}

// Compactions do not keep upkeep from merging manifests: they are replaces as well.
func TestUpkeepIsDueBesideRewrites(t *testing.T) {
	b := newBench(t)
	s := spec("w")
	b.create("w", 1)
	s.Upkeep = Upkeep{Every: 4, KeepMin: 100}
	w := b.openSpec(s)
	for n := range 4 {
		b.commit(w, step(0, n, n+1))
		r, _ := b.merged("0", all)
		_, err := w.Replace(b.ctx, r)
		require.NoError(t, err)
	}
	merged := 0
	for _, sn := range b.cat.Table(ident...).Snapshots() {
		if sn.Summary.Operation == table.OpReplace && sn.Summary.Properties["deleted-data-files"] == "" {
			merged++
			require.NotEmpty(t, sn.Summary.Properties[state.SummaryKey])
		}
	}
	require.Positive(t, merged)
}
