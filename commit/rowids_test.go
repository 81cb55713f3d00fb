package commit

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
)

// onFormats runs a test on tables of each format version.
func onFormats(t *testing.T, f func(t *testing.T, format int)) {
	t.Helper()
	for _, format := range []int{2, 3} {
		t.Run(fmt.Sprintf("v%d", format), func(t *testing.T) { f(t, format) })
	}
}

// newBenchOf is a world whose tables have that format version.
func newBenchOf(t check, format int) *bench {
	b := newBench(t)
	b.format = format
	return b
}

// rowIDs are the first row ids of a snapshot's live files, as a reader takes them: its own, or the manifest's plus the
// rows before it.
func (b *bench) rowIDs(sn *table.Snapshot) map[string][2]int64 {
	b.t.Helper()
	out := map[string][2]int64{}
	if sn == nil {
		return out
	}
	files, err := sn.Manifests(b.cat.Files)
	require.NoError(b.t, err)
	for _, m := range files {
		if m.ManifestContent() != iceberg.ManifestContentData {
			continue
		}
		require.NotNil(b.t, m.FirstRowID(), "manifest %s", m.FilePath())
		entries, err := m.FetchEntries(b.cat.Files, true)
		require.NoError(b.t, err)
		for _, e := range entries {
			f := e.DataFile()
			require.NotNil(b.t, f.FirstRowID(), "file %s", f.FilePath())
			out[f.FilePath()] = [2]int64{*f.FirstRowID(), f.Count()}
		}
		b.written3(m)
	}
	return out
}

// written3 looks at what stands in the manifest itself: a new file has no row id of its own, one that was moved has.
func (b *bench) written3(m iceberg.ManifestFile) {
	b.t.Helper()
	bare := iceberg.NewManifestFile(m.Version(), m.FilePath(), m.Length(), m.PartitionSpecID(), m.SnapshotID()).Content(m.ManifestContent()).
		SequenceNum(m.SequenceNum(), m.MinSequenceNum()).Build()
	entries, err := bare.FetchEntries(b.cat.Files, true)
	require.NoError(b.t, err)
	for _, e := range entries {
		require.Equal(b.t, e.Status() == iceberg.EntryStatusADDED, e.DataFile().FirstRowID() == nil, "file %s in %s", e.DataFile().FilePath(), m.FilePath())
	}
}

// lineageChecker follows the row ids of a table of format version 3.
type lineageChecker struct {
	b     *bench
	next  int64
	known map[string][2]int64
	seen  map[int64]bool
}

// check holds the newest metadata against the specification's Row Lineage: no file's ids ever change, no two files
// share one, snapshots begin where the table's counter stood, and the counter is above all ids.
func (l *lineageChecker) check() {
	t := l.b.t
	t.Helper()
	meta := l.b.cat.Table(ident...)
	require.Equal(t, 3, meta.Version())
	require.GreaterOrEqual(t, meta.NextRowID(), l.next)
	l.next = meta.NextRowID()
	if l.known == nil {
		l.known, l.seen = map[string][2]int64{}, map[int64]bool{}
	}
	for _, sn := range meta.Snapshots() {
		require.NotNil(t, sn.FirstRowID)
		require.NotNil(t, sn.AddedRows)
		require.LessOrEqual(t, *sn.FirstRowID+*sn.AddedRows, l.next)
		if l.seen[sn.SnapshotID] {
			continue // its files never change
		}
		l.seen[sn.SnapshotID] = true
		for path, ids := range l.b.rowIDs(&sn) {
			before, seen := l.known[path]
			require.True(t, !seen || before == ids, "row ids of %s were %v and are %v", path, before, ids)
			l.known[path] = ids
		}
	}
	taken := map[int64]string{}
	for path, ids := range l.known {
		require.LessOrEqual(t, ids[0]+ids[1], l.next, path)
		for id := ids[0]; id < ids[0]+ids[1]; id++ {
			require.Empty(t, taken[id], "row id %d of %s", id, path)
			taken[id] = path
		}
	}
}

// Upkeep moves the entries of files into manifests that have another first row id: the files keep theirs. The same
// when answers are lost, others append and another branch moves the counter.
func TestRowIDsNeverChange(t *testing.T) {
	b := newBenchOf(t, 3)
	w := b.createTended(1)
	l := &lineageChecker{b: b}
	audit := tended("w2")
	audit.Branch = "audit"
	a := b.openSpec(audit)
	require.NoError(t, a.Begin(b.ctx, starts(1)))
	n, merged := 0, 0
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		if isReplace(c) {
			merged++
		}
		switch n++; n % 7 {
		case 0:
			return lost(c, apply)
		case 1:
			return dropped(c, apply)
		case 2:
			b.foreignAppend()
		}
		return apply()
	}
	for i := range 60 {
		b.commit(w, step(0, i*7, i*7+7))
		b.mu.waits = 0
		if i%9 == 4 {
			b.commit(a, step(0, i/9*2, i/9*2+2))
		}
		l.check()
	}
	require.Greater(t, merged, 3)
	require.Equal(t, map[string]int{"0": 420}, b.exact("main"))
	report, err := VerifyLedger(b.ctx, w.Iceberg(), LedgerOptions{Pipeline: "p"})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}
