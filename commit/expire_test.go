package commit

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// ids are the snapshots there are.
func (b *bench) ids() (out []int64) {
	for _, s := range b.cat.Table(ident...).Snapshots() {
		out = append(out, s.SnapshotID)
	}
	return out
}

// hourly is a table with a commit each hour; its files are rewritten in the middle.
func hourly(t *testing.T) (*bench, *Table) {
	b := newCalendar(t)
	w := b.create("w", 1)
	for n := range 10 {
		b.commit(w, step(0, n*5, n*5+5))
		if n == 4 {
			r, _ := b.merged("0", all)
			_, err := w.Replace(b.ctx, r)
			require.NoError(t, err)
		}
		if n == 7 {
			// Live files are listed in manifests that will be dead.
			_, err := w.RewriteManifests(b.ctx, false)
			require.NoError(t, err)
		}
		b.later(time.Hour)
	}
	b.shift(-5 * day)
	return b, w
}

// shift moves all that has happened, and the clock: the library stamps what has no snapshot with the machine's.
func (b *bench) shift(by time.Duration) {
	b.t.Helper()
	move := func(m any, key string) {
		ms, err := m.(map[string]any)[key].(json.Number).Int64()
		require.NoError(b.t, err)
		m.(map[string]any)[key] = json.Number(strconv.FormatInt(ms+by.Milliseconds(), 10))
	}
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		move(m, "last-updated-ms")
		for _, list := range []string{"snapshots", "snapshot-log", "metadata-log"} {
			for _, e := range m[list].([]any) {
				move(e, "timestamp-ms")
			}
		}
	}, ident...))
	b.later(by)
}

// A file is live in a manifest that goes and in another that stays: it stays.
func TestExpireKeepsWhatAnotherManifestLists(t *testing.T) {
	b, w := hourly(t)
	got, err := w.Expire(b.ctx, Expiry{OlderThan: b.mu.now.Add(time.Hour), RetainLast: 1})
	require.NoError(t, err)
	require.Len(t, b.ids(), 1)
	require.Len(t, got.DataFiles, 5, "the files before the rewrite")
	require.Equal(t, map[string]int{"0": 50}, b.exact("main"))
}

// TestExpire: the old tail goes with all that only it needed; a dry run says the same and does nothing.
func TestExpire(t *testing.T) {
	b, w := hourly(t)
	before, files := b.ids(), b.cat.Files.Names()
	e := Expiry{OlderThan: b.mu.now.Add(-3*time.Hour - time.Minute), RetainLast: 1, DryRun: true}
	want, err := w.Expire(b.ctx, e)
	require.NoError(t, err)
	require.Equal(t, before, b.ids())
	require.Equal(t, files, b.cat.Files.Names())
	e.DryRun = false
	got, err := w.Expire(b.ctx, e)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Len(t, got.DataFiles, 5, "the files before the rewrite")
	require.Len(t, b.ids(), len(before)-len(got.Snapshots))
	for _, f := range got.files() {
		require.False(t, b.cat.Files.Has(f))
	}
	require.Equal(t, map[string]int{"0": 50}, b.exact("main"))
	for _, s := range b.cat.Table(ident...).Snapshots() {
		b.manifests(&s)
	}
	again, err := w.Expire(b.ctx, e)
	require.NoError(t, err)
	require.Empty(t, again.Snapshots)
	b.commit(w, step(0, 50, 60))
	require.Equal(t, map[string]int{"0": 60}, b.exact("main"))
}

// What was the newest snapshot until a moment ago is being read, however old it is.
func TestExpireCountsFromTheEndOfASnapshot(t *testing.T) {
	b, w := hourly(t)
	b.later(100 * time.Hour)
	b.commit(w, step(0, 50, 60))
	b.shift(-100 * time.Hour)
	before := b.ids()
	got, err := w.Expire(b.ctx, Expiry{OlderThan: b.mu.now.Add(-time.Hour), RetainLast: 1})
	require.NoError(t, err)
	require.Equal(t, 2, len(before)-len(got.Snapshots), "the newest, and the one before it")
}

// TestExpireKeeps: what somebody needs stays, and keeps what is newer.
func TestExpireKeeps(t *testing.T) {
	for name, c := range map[string]struct {
		keep func(b *bench, id int64)
		kept func(left []int64, id int64) bool
	}{
		"a tag":    {func(b *bench, id int64) { b.ref("release", id, table.TagRef) }, func(left []int64, id int64) bool { return slices.Contains(left, id) && len(left) == 3 }},
		"a branch": {func(b *bench, id int64) { b.ref("audit", id, table.BranchRef) }, func(left []int64, id int64) bool { return slices.Contains(left, id) && len(left) > 3 }},
		"the positions of a pipeline": {func(b *bench, id int64) {
			other := *b.cat.Table(ident...).SnapshotByID(id)
			m := mirrors(b.cat.Table(ident...))[state.MirrorKey("p", "main")]
			m.State.Pipeline, m.SnapshotID, m.Sequence = "q", other.SnapshotID, other.SequenceNumber
			text, err := m.Encode()
			require.NoError(b.t, err)
			require.NoError(b.t, b.cat.Rewrite(func(meta map[string]any) { meta["properties"].(map[string]any)[state.MirrorKey("q", "main")] = text }, ident...))
		}, func(left []int64, id int64) bool { return slices.Contains(left, id) && len(left) == 9 }},
	} {
		t.Run(name, func(t *testing.T) {
			b, w := hourly(t)
			id := b.ids()[4]
			c.keep(b, id)
			_, err := w.Expire(b.ctx, Expiry{OlderThan: b.mu.now, RetainLast: 2})
			require.NoError(t, err)
			left := b.ids()
			require.True(t, c.kept(left, id), "%d of 13 are left", len(left))
			for _, s := range b.cat.Table(ident...).Snapshots() {
				b.manifests(&s)
			}
		})
	}
}

// TestExpireObeysGC: a table whose garbage nobody may collect.
func TestExpireObeysGC(t *testing.T) {
	b, w := hourly(t)
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) { m["properties"].(map[string]any)["gc.enabled"] = "FALSE" }, ident...))
	before := b.cat.Files.Names()
	_, err := w.Expire(b.ctx, Expiry{OlderThan: b.mu.now, RetainLast: 1})
	require.Equal(t, CodeGC, failure.CodeOf(err))
	require.Equal(t, before, b.cat.Files.Names())
}

// Somebody is faster, or an answer is lost.
func TestExpireUnderFaults(t *testing.T) {
	for name, f := range map[string]fault{"lost": lost, "dropped": dropped, "lost as a conflict": lostAs409} {
		t.Run(name, func(t *testing.T) {
			b, w := hourly(t)
			b.on(map[int]fault{1: func(c committest.Call, apply func() committest.Answer) committest.Answer { return f(c, apply) }})
			_, err := w.Expire(b.ctx, Expiry{OlderThan: b.mu.now, RetainLast: 3})
			require.NoError(t, err)
			require.Len(t, b.ids(), 3)
			b.exact("main")
		})
	}
}

// TestRewriteManifests: one manifest instead of many, the state carried on, and nothing to do the second time.
func TestRewriteManifests(t *testing.T) {
	b := newBench(t)
	w := b.create("w", 1)
	for n := range 6 {
		b.commit(w, step(0, n*5, n*5+5))
	}
	plan, err := w.RewriteManifests(b.ctx, true)
	require.NoError(t, err)
	require.Equal(t, Merged{Rewritten: 6, Added: 1}, *plan)
	b.on(map[int]fault{1: lost})
	got, err := w.RewriteManifests(b.ctx, false)
	require.NoError(t, err)
	require.Equal(t, []int{6, 1}, []int{got.Rewritten, got.Added})
	require.Len(t, b.manifests(headOf(b.cat.Table(ident...), "main")), 1)
	require.Equal(t, map[string]int{"0": 30}, b.exact("main"))
	again, err := w.RewriteManifests(b.ctx, false)
	require.NoError(t, err)
	require.Equal(t, Merged{}, *again)
	b.commit(w, step(0, 30, 35))
	require.False(t, strings.Contains(strings.Join(b.cat.Files.Names(), " "), ".tmp"))
}
