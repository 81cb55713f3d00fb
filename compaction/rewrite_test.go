package compaction

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
)

// engine does something around the library's.
type engine struct {
	before func()
	after  func(*Rewritten) error
}

func (e engine) Rewrite(ctx context.Context, j Job) (Rewritten, error) {
	if e.before != nil {
		e.before()
	}
	out, err := Library{}.Rewrite(ctx, j)
	if err == nil && e.after != nil {
		err = e.after(&out)
	}
	return out, err
}

// small fills two places with five files each.
func small(t check) (*world, *commit.Table) {
	w := newWorld(t)
	tbl := w.create(nil)
	for range 5 {
		w.add(tbl, "a", 3)
		w.add(tbl, "b", 2)
	}
	return w, tbl
}

// TestRewriteDataFiles: the rows stay, the files become one in each place, the positions stand and ingest goes on.
func TestRewriteDataFiles(t *testing.T) {
	w, tbl := small(t)
	before, err := tbl.State().Encode()
	require.NoError(t, err)
	res, err := w.rewrite(Library{})
	require.NoError(t, err)
	require.Equal(t, []int{10, 2, 0, 0}, []int{res.Rewritten, res.Added, res.Failed, res.RemovedDeletes})
	require.Len(t, res.Snapshots, 1)
	require.False(t, res.Left)
	require.Len(t, w.live(), 2)
	w.exact()
	head := w.cat.Table(ident...).CurrentSnapshot()
	require.Equal(t, "rewrite_data_files", head.Summary.Properties[SummaryProcedure])
	require.NotEmpty(t, head.Summary.Properties[SummaryBase])
	require.NoError(t, tbl.Refresh(w.ctx))
	after, err := tbl.State().Encode()
	require.NoError(t, err)
	require.Equal(t, before, after)
	w.add(tbl, "a", 4)
	w.exact()
	again, err := w.rewrite(Library{})
	require.NoError(t, err)
	require.Empty(t, again.Plan.Groups[min(1, len(again.Plan.Groups)):], "one group at most: the new file and the one before")
}

// TestRewriteAppliesDeletes: deleted rows are gone for good, and so are the deletes.
func TestRewriteAppliesDeletes(t *testing.T) {
	w, _ := small(t)
	w.remove(0, 1, 2, 6, 9)
	w.remove(3)
	w.exact()
	res, err := w.rewrite(Library{})
	require.NoError(t, err)
	require.Positive(t, res.RemovedDeletes)
	w.exact()
	inv, err := Take(w.ctx, must(w.cat.LoadTable(w.ctx, ident)), w.cat.Table(ident...).CurrentSnapshot().SnapshotID)
	require.NoError(t, err)
	for _, f := range inv.Files {
		require.Zero(t, f.DeleteFiles)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestRewriteBesideOthers: what others do while files are rewritten stays, whoever wins.
func TestRewriteBesideOthers(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(w *world, tbl *commit.Table)
		want      func(t *testing.T, r *RewriteResult)
	}{
		"ingest commits": {func(w *world, tbl *commit.Table) { w.add(tbl, "a", 2) }, func(t *testing.T, r *RewriteResult) {
			require.Zero(t, r.Superseded)
		}},
		"rows of one place are deleted": {func(w *world, _ *commit.Table) { w.remove(0, 1) }, func(t *testing.T, r *RewriteResult) {
			require.Equal(t, 5, r.Superseded)
			require.Len(t, r.Snapshots, 2, "the other place first, this one planned anew")
		}},
		"another compactor is faster": {func(w *world, _ *commit.Table) {
			_, err := w.rewrite(Library{})
			require.NoError(w.t, err)
		}, func(t *testing.T, r *RewriteResult) {
			require.Equal(t, 10, r.Superseded)
			require.Empty(t, r.Snapshots)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, tbl := small(t)
			n := 0
			res, err := w.rewrite(engine{before: func() {
				if n++; n == 2 {
					c.meanwhile(w, tbl)
				}
			}})
			require.NoError(t, err)
			require.False(t, res.Left)
			c.want(t, res)
			w.exact()
			require.LessOrEqual(t, len(w.live()), 3)
			w.noLitter()
		})
	}
}

// noLitter checks that no data file lies around that no snapshot has.
func (w *world) noLitter() {
	w.t.Helper()
	known := map[string]bool{}
	for _, s := range w.cat.Table(ident...).Snapshots() {
		for _, m := range must(s.Manifests(w.cat.Files)) {
			for e := range m.Entries(w.cat.Files, false) {
				known[e.DataFile().FilePath()] = true
			}
		}
	}
	for _, name := range w.cat.Files.Names() {
		if isData(name) {
			require.True(w.t, known[name], "%s was left behind", name)
		}
	}
}

func isData(name string) bool { return len(name) > 8 && name[len(name)-8:] == ".parquet" }

// A group that fails is left as it is, with its files removed; the others land.
func TestRewriteOfAGroupFails(t *testing.T) {
	broken := errors.New("page 3 is damaged")
	for name, c := range map[string]struct {
		after func(*Rewritten) error
		code  string
	}{
		"the engine gives up": {func(*Rewritten) error { return broken }, CodeRewrite},
		"rows are missing":    {func(r *Rewritten) error { r.Files = nil; return nil }, CodeRowsLost},
		"rows have come":      {func(r *Rewritten) error { r.Files = slices.Concat(r.Files, r.Files); return nil }, CodeRowsLost},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := small(t)
			n := 0
			res, err := w.rewrite(engine{after: func(r *Rewritten) error {
				if n++; n == 1 {
					return c.after(r)
				}
				return nil
			}})
			require.Equal(t, c.code, failure.CodeOf(err))
			require.Equal(t, []int{5, 5}, []int{res.Failed, res.Rewritten})
			w.exact()
			w.noLitter()
		})
	}
}

// An answer that is lost ends nothing: what landed is counted, and nothing that is in use is removed.
func TestRewriteWithALostAnswer(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		w, _ := small(t)
		n := 0
		w.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
			if n++; n > 1 {
				return apply()
			}
			if arrives {
				apply()
			}
			return committest.Answer{Err: errors.New("connection reset")}
		}
		res, err := w.rewrite(Library{})
		require.NoError(t, err)
		require.Equal(t, 10, res.Rewritten)
		w.exact()
		w.noLitter()
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	w, tbl := small(t)
	before := w.cat.Files.Names()
	run := &RewriteDataFiles{Table: tbl, Engine: Library{}, DryRun: true, Options: map[string]string{"busy-min-input-files": "2"}, Env: Env{Now: w.now}}
	res, err := run.Run(w.ctx)
	require.NoError(t, err)
	require.Equal(t, 10, res.Plan.Rewrite)
	require.Zero(t, res.Rewritten)
	require.Equal(t, before, w.cat.Files.Names())
}
