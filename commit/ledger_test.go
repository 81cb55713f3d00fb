package commit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
)

func (b *bench) verify(opts LedgerOptions) *Ledger {
	b.t.Helper()
	tbl, err := b.cat.LoadTable(b.ctx, ident)
	require.NoError(b.t, err)
	opts.Pipeline = "p"
	l, err := VerifyLedger(b.ctx, tbl, opts)
	require.NoError(b.t, err)
	return l
}

func distance(_ state.Key, from, to state.Position) (int64, bool) {
	return int64(at(to) - at(from)), true
}

func TestLedgerOfAHealthyTable(t *testing.T) { onFormats(t, ledgerOfAHealthyTable) }

func ledgerOfAHealthyTable(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 2)
	b.commit(w, step(0, 0, 10), step(1, 0, 5))
	mixed := step(0, 10, 30)
	mixed.Counts = outcome.Counts{outcome.Written: 12, outcome.Ignored: 3, outcome.Control: 1, outcome.Unseen: 4}
	mixed.Added = 12
	b.commit(w, mixed)
	l := b.verify(LedgerOptions{Distance: distance})
	require.True(t, l.Proven(), "%v", l.Findings)
	require.True(t, l.Complete)
	require.Equal(t, 3, l.Snapshots)
	require.Equal(t, 3, l.Ours)
	require.Zero(t, l.Foreign)
	require.EqualValues(t, 27, l.Rows)
	require.EqualValues(t, 3, l.Files)
	b.foreignAppend()
	l = b.verify(LedgerOptions{})
	require.True(t, l.Proven(), "%v", l.Findings)
	require.Equal(t, 1, l.Foreign)
	require.EqualValues(t, 30, l.Rows)
}

func TestLedgerOfAnEmptyTable(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.cat.CreateNamespace(b.ctx, ident[:1], nil))
	sc, err := schema(fields())
	require.NoError(t, err)
	_, err = b.cat.CreateTable(b.ctx, ident, sc)
	require.NoError(t, err)
	l := b.verify(LedgerOptions{})
	require.True(t, l.Proven())
	require.Zero(t, l.Snapshots)
}

// Every kind of disagreement is found and named.
func TestLedgerFindings(t *testing.T) {
	f := func(want string, cheat func(b *bench, w *Table)) {
		t.Helper()
		b := newBench(t)
		w := b.create("w1", 1)
		b.commit(w, step(0, 0, 10))
		cheat(b, w)
		l := b.verify(LedgerOptions{Distance: distance})
		require.False(t, l.Proven(), want)
		var all []string
		for _, x := range l.Findings {
			all = append(all, x.String())
		}
		require.Contains(t, strings.Join(all, "\n"), want)
	}
	rewrite := func(change func(*state.State)) func(*bench, *Table) {
		return func(b *bench, w *Table) {
			st := w.State().Clone()
			change(st)
			text, err := st.Encode()
			require.NoError(b.t, err)
			b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, text)
		}
	}
	f("accounts for 9", func(b *bench, w *Table) {
		s := step(0, 10, 20)
		s.Counts[outcome.Written], s.Added = 9, 9
		fs := b.batch(w, s)
		_, err := w.Commit(b.ctx, fs)
		require.NoError(b.t, err)
	})
	f("is live twice", func(b *bench, w *Table) {
		fs := b.batch(w, step(0, 10, 20))
		_, err := w.Commit(b.ctx, fs)
		require.NoError(b.t, err)
		fs.Steps = []Step{step(0, 20, 30)}
		_, err = b.open("w2").Commit(b.ctx, fs)
		require.NoError(b.t, err)
	})
	f("adds 10 rows, its counters 11", rewrite(func(s *state.State) { s.Entries[0].Added++ }))
	f("the files hold 10 rows, the totals carry 11", rewrite(func(s *state.State) { s.Entries[0].Added++ }))
	f("more rows added (11) than records written (10)", rewrite(func(s *state.State) { s.Entries[0].Added++ }))
	f("more rows removed (99)", rewrite(func(s *state.State) { s.Entries[0].Removed = 99 }))
	f("begins with counters", rewrite(func(s *state.State) {
		s.Entries = append(s.Entries, state.Entry{Key: key(1), Position: pos(1), Totals: state.Totals{Added: 1}})
	}))
	f("disappears before it is closed", rewrite(func(s *state.State) { s.Entries = nil }))
	f("without moving", rewrite(func(s *state.State) { s.Entries[0].Position = pos(0) }))
	f("changes it", func(b *bench, w *Table) {
		prev := w.State().Clone()
		b.commit(w, step(0, 10, 20))
		prev.Entries[0].Added++
		text, err := prev.Encode()
		require.NoError(b.t, err)
		b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, text)
	})
	f("without a commit of its own", func(b *bench, w *Table) {
		prev := b.cat.Table(ident...).Snapshots()[0].Summary.Properties[state.SummaryKey]
		b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, prev)
	})
	f("says 77 rows in total", func(b *bench, w *Table) {
		require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
			all := m["snapshots"].([]any)
			all[len(all)-1].(map[string]any)["summary"].(map[string]any)["total-records"] = "77"
		}, ident...))
	})
	f("counters of partition 0 of t fall", func(b *bench, w *Table) {
		old := w.State().Clone()
		b.commit(w, step(0, 10, 20))
		old.Entries[0].Position = pos(20)
		old.Entries[0].Added, old.Entries[0].Counts[outcome.Written] = 1, 1
		old.Committed("w9", "c9")
		text, err := old.Encode()
		require.NoError(b.t, err)
		b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, text)
	})
	f("moves after it was closed", func(b *bench, w *Table) {
		s := step(0, 10, 10)
		s.Closed = true
		b.commit(w, s)
		cur := w.State().Clone()
		cur.Entries[0].Closed, cur.Entries[0].Position = false, pos(11)
		b.foreignAppend()
		cur.Committed("w9", "c9")
		text, err := cur.Encode()
		require.NoError(b.t, err)
		b.summary(headOf(b.cat.Table(ident...), "main").SnapshotID, text)
	})
	f("counters of dropped partitions fall", func(b *bench, w *Table) {
		old := w.State().Clone()
		old.Dropped.Added = 5
		text, err := old.Encode()
		require.NoError(b.t, err)
		b.commit(w, step(0, 10, 20))
		b.summary(b.cat.Table(ident...).Snapshots()[1].SnapshotID, text)
	})
	f("the first of our snapshots adds 0 rows and counts 3", func(b *bench, w *Table) {
		first := b.cat.Table(ident...).Snapshots()[0]
		st, err := state.Decode(first.Summary.Properties[state.SummaryKey])
		require.NoError(b.t, err)
		st.Entries[0].Added = 3
		text, err := st.Encode()
		require.NoError(b.t, err)
		b.summary(first.SnapshotID, text)
	})
}

func TestLedgerOfAnUnreadableTable(t *testing.T) {
	b := newBench(t)
	b.commit(b.create("w1", 1), step(0, 0, 10))
	b.summary(b.cat.Table(ident...).Snapshots()[0].SnapshotID, "AQRzaG9w")
	tbl, err := b.cat.LoadTable(b.ctx, ident)
	require.NoError(t, err)
	_, err = VerifyLedger(b.ctx, tbl, LedgerOptions{Pipeline: "p"})
	require.ErrorContains(t, err, "reading the state in snapshot")
	b.cat.Files.Remove(headOf(b.cat.Table(ident...), "main").ManifestList)
	b.summary(b.cat.Table(ident...).Snapshots()[0].SnapshotID, "AQRzaG9w")
	_, err = VerifyLedger(b.ctx, tbl, LedgerOptions{Pipeline: "other"})
	require.Error(t, err)
}
