package compaction

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
)

// journal is that of a process which takes all others for dead.
func (w *world) journal(owner string) *Journal {
	return &Journal{Now: w.now, NewID: w.env().NewID, Owner: owner, Alive: func(o string) (bool, bool) { return o == owner, true }}
}

// freezer stops whoever reaches a step: a file that is created, or a commit before and after it is applied.
type freezer struct {
	sync.Mutex
	at, n  int
	frozen chan string
	thaw   chan struct{}
}

func (w *world) freeze(at int) *freezer {
	f := &freezer{at: at, frozen: make(chan string, 1), thaw: make(chan struct{})}
	w.cat.Files.OnCreate = func(name string) error { f.step("creating " + name); return nil }
	w.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
		f.step("sending")
		defer f.step("having sent")
		return apply()
	}
	return f
}

func (f *freezer) step(what string) {
	f.Lock()
	f.n++
	stop := f.n == f.at
	f.Unlock()
	if stop {
		f.frozen <- what
		<-f.thaw
	}
}

// run carries a procedure out as a process of this name.
func (w *world) run(owner, procedure string) error {
	t := w.open(commit.Upkeep{Disabled: true})
	env := Env{Now: w.now, Journal: w.journal(owner)}
	var err error
	switch procedure {
	case ProcRewrite:
		_, err = (&RewriteDataFiles{Table: t, Engine: Library{}, Options: map[string]string{"busy-min-input-files": "2", "min-input-files": "2"}, Env: env}).Run(w.ctx)
	case ProcManifests:
		_, err = (&RewriteManifests{Table: t, Env: env}).Run(w.ctx)
	case ProcExpire:
		_, err = (&ExpireSnapshots{Table: t, OlderThan: time.Hour, RetainLast: 2, Env: env}).Run(w.ctx)
	default:
		_, err = (&RemoveOrphanFiles{Table: t, Env: env}).Run(w.ctx)
	}
	return err
}

// litter are the files that the table does not refer to, without records of jobs.
func (w *world) litter() (out []string) {
	w.t.Helper()
	known, err := knownFiles(w.ctx, w.open(commit.Upkeep{Disabled: true}))
	require.NoError(w.t, err)
	for _, name := range w.cat.Files.Names() {
		if !known[name[strings.LastIndexByte(name, '/')+1:]] && !strings.Contains(name, recordsDir) {
			out = append(out, name)
		}
	}
	return out
}

func (w *world) jobs() map[JobState]int {
	w.t.Helper()
	all, err := w.journal("reader").Jobs(w.ctx, w.open(commit.Upkeep{Disabled: true}))
	require.NoError(w.t, err)
	out := map[JobState]int{}
	for _, j := range all {
		out[j.State]++
	}
	return out
}

// worn is a table that every procedure finds something to do in, with a file of a batch that is still to be committed.
func worn(t check) (w *world, pending []iceberg.DataFile, tbl *commit.Table) {
	w = newWorld(t)
	w.cat.Files.Clock = w.now
	tbl = w.create(nil)
	for range 3 {
		w.add(tbl, "a", 2)
		w.add(tbl, "b", 2)
	}
	w.pass(24 * time.Hour)
	w.add(tbl, "c", 1)
	return w, w.write(tbl, "c", 3), tbl
}

// TestInterrupted stops each procedure at each of its steps. Whether its process is dead or only frozen, nobody knows: the
// next run shows it as interrupted, removes what it has left and nothing else, and when it goes on after all nothing of
// it comes into the table.
func TestInterrupted(t *testing.T) {
	for _, procedure := range []string{ProcRewrite, ProcManifests, ProcExpire, ProcOrphans} {
		t.Run(procedure, func(t *testing.T) {
			for at := 1; interrupt(t, procedure, at); at++ {
				require.Less(t, at, 100)
			}
		})
	}
}

// interrupt stops the procedure at one step; it says false when there are not so many.
func interrupt(t *testing.T, procedure string, at int) bool {
	w, pending, tbl := worn(t)
	f := w.freeze(at)
	ended := make(chan error, 1)
	go func() { ended <- w.run("victim", procedure) }()
	select {
	case err := <-ended:
		require.NoError(t, err)
		require.Equal(t, map[JobState]int{JobDone: 1}, w.jobs())
		return false
	case what := <-f.frozen:
		t.Logf("step %d: %s", at, what)
	}
	shown := w.jobs()
	if strings.Contains(fmt.Sprint(w.cat.Files.Names()), runningSuffix) {
		require.Equal(t, 1, shown[JobInterrupted], shown)
	}
	require.NoError(t, w.run("next", procedure))
	w.exact()
	require.Equal(t, paths(pending), w.litter(), "the batch's file is nobody's but the batch's")
	if at > 1 && shown[JobDone] == 0 {
		require.Equal(t, map[JobState]int{JobInterrupted: 1, JobDone: 1}, w.jobs())
	}
	close(f.thaw)
	if err := <-ended; err != nil {
		require.Contains(t, []string{CodeInterrupted, commit.CodeCatalog}, failure.CodeOf(err), "%v", err)
	}
	w.exact()
	require.NoError(t, w.run("third", procedure))
	w.exact()
	require.Equal(t, paths(pending), w.litter())
	w.commitFiles(tbl, pending, "c", 3)
	w.exact()
	return true
}

// A commit that is on its way when its job is taken for interrupted does not land, though nothing else happens to the table.
func TestCommitOnItsWay(t *testing.T) {
	for at := 1; ; at++ {
		w, pending, _ := worn(t)
		f := w.freeze(at)
		ended := make(chan error, 1)
		go func() { ended <- w.run("victim", ProcRewrite) }()
		sending := <-f.frozen == "sending"
		if sending {
			found, err := w.journal("next").Recover(w.ctx, w.open(commit.Upkeep{Disabled: true}))
			require.NoError(t, err)
			require.Greater(t, found[0].Removed, 2)
			require.Equal(t, paths(pending), w.litter())
		}
		close(f.thaw)
		err := <-ended
		w.exact()
		if sending {
			require.Equal(t, CodeInterrupted, failure.CodeOf(err), "%v", err)
			return
		}
	}
}

func paths(files []iceberg.DataFile) (out []string) {
	for _, f := range files {
		out = append(out, f.FilePath())
	}
	return out
}

// A process that was frozen between its look at the table and its commit is refused, whatever the head is by then.
func TestMarkedJobSendsNothing(t *testing.T) {
	w, _, _ := worn(t)
	j := w.journal("victim")
	tbl := w.open(commit.Upkeep{Disabled: true})
	job, err := j.begin(w.ctx, tbl, "", ProcRewrite)
	require.NoError(t, err)
	require.NoError(t, job.Allowed(w.ctx))
	_, err = w.journal("other").Recover(w.ctx, w.open(commit.Upkeep{Disabled: true}))
	require.NoError(t, err)
	require.Equal(t, CodeInterrupted, failure.CodeOf(job.Allowed(w.ctx)))
	require.Equal(t, CodeInterrupted, failure.CodeOf(job.Leaving(w.ctx, location+"data/x.parquet")))
	tbl.Watched(job)
	head := w.cat.Table(ident...).CurrentSnapshot().SnapshotID
	_, err = (&RewriteManifests{Table: tbl, Env: Env{}}).Run(w.ctx)
	require.Equal(t, CodeInterrupted, failure.CodeOf(err))
	require.Equal(t, head, w.cat.Table(ident...).CurrentSnapshot().SnapshotID)
}

// A job commits nothing when its mark may have been forgotten.
func TestOldJobSendsNothing(t *testing.T) {
	w, _, _ := worn(t)
	job, err := w.journal("victim").begin(w.ctx, w.open(commit.Upkeep{Disabled: true}), "", ProcRewrite)
	require.NoError(t, err)
	w.pass(longestJob)
	require.NoError(t, job.Allowed(w.ctx))
	w.pass(time.Second)
	require.Equal(t, CodeInterrupted, failure.CodeOf(job.Allowed(w.ctx)))
	require.Less(t, 2*longestJob, time.Duration(recordAge))
}

// Files of a job go only once its commits are refused for certain, and only its own: those that a record names, below the
// table, that nothing refers to.
func TestRecoverKeeps(t *testing.T) {
	mine := location + "data/mine.parquet"
	for name, c := range map[string]struct {
		change func(w *world, r *record)
		stays  bool
	}{
		"nothing changed":  {func(*world, *record) {}, false},
		"another table":    {func(_ *world, r *record) { r.TableID = "00000000-0000-0000-0000-000000000001" }, true},
		"another branch":   {func(_ *world, r *record) { r.Branch = "audit" }, true},
		"a living process": {func(_ *world, r *record) { r.Owner = "next" }, true},
		"no snapshot lands": {func(w *world, _ *record) {
			w.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
				return committest.Answer{Err: errors.New("away")}
			}
		}, true},
		"gc.enabled": {func(w *world, _ *record) {
			require.NoError(w.t, w.cat.Rewrite(func(m map[string]any) { m["properties"].(map[string]any)["gc.enabled"] = "false" }, ident...))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, tbl := worn(t)
			outside, needed := "mem://lake/db/u/data/theirs.parquet", w.live()[0]
			for _, f := range []string{mine, outside, location + "data/other.parquet"} {
				w.put(f, time.Minute, "x")
			}
			job, err := w.journal("victim").begin(w.ctx, tbl, "j", ProcRewrite)
			require.NoError(t, err)
			require.NoError(t, job.Leaving(w.ctx, mine, outside, needed, location+"data/../../u/data/theirs.parquet", location+"data/never.parquet"))
			c.change(w, &job.mu.record)
			require.NoError(t, job.d.write("j"+runningSuffix, job.mu.record))
			_, _ = w.journal("next").Recover(w.ctx, w.open(commit.Upkeep{Disabled: true}))
			require.Equal(t, c.stays, w.cat.Files.Has(mine))
			require.True(t, w.cat.Files.Has(outside))
			require.True(t, w.cat.Files.Has(location+"data/other.parquet"))
			w.cat.OnCommit = nil
			w.exact()
		})
	}
}

// headsOnly is a catalog that shows no history.
type headsOnly struct{ *committest.Catalog }

func (headsOnly) Capabilities() commit.Capabilities { return commit.Capabilities{HeadsOnly: true} }

// Where no snapshot makes earlier commits impossible, what a job has left is left to its age.
func TestRecoverWithoutProof(t *testing.T) {
	w, _, tbl := worn(t)
	w.put(location+"data/mine.parquet", time.Minute, "x")
	job, err := w.journal("victim").begin(w.ctx, tbl, "j", ProcRewrite)
	require.NoError(t, err)
	require.NoError(t, job.Leaving(w.ctx, location+"data/mine.parquet"))
	blind, err := commit.Open(w.ctx, headsOnly{w.cat}, commit.Spec{Identifier: ident, Pipeline: "p"}, w.env())
	require.NoError(t, err)
	found, err := w.journal("next").Recover(w.ctx, blind)
	require.NoError(t, err)
	require.Equal(t, JobInterrupted, found[0].State)
	require.Zero(t, found[0].Removed)
	require.True(t, w.cat.Files.Has(location+"data/mine.parquet"))
}

// A job of another host runs as long as it is heard of.
func TestSilentJobs(t *testing.T) {
	w, _, tbl := worn(t)
	_, err := w.journal("elsewhere").begin(w.ctx, tbl, "j", ProcRewrite)
	require.NoError(t, err)
	j := w.journal("here")
	j.Alive = func(string) (bool, bool) { return false, false }
	for _, c := range []struct {
		pass time.Duration
		want JobState
	}{{silence - time.Second, JobRunning}, {time.Second, JobInterrupted}} {
		w.pass(c.pass)
		jobs, err := j.Jobs(w.ctx, tbl)
		require.NoError(t, err)
		require.Equal(t, c.want, jobs[0].State)
	}
}

// Records of jobs that ended are kept for a while.
func TestRecordsArePruned(t *testing.T) {
	w, _, tbl := worn(t)
	j := w.journal("p")
	for i := range mostEnded + 5 {
		w.pass(time.Minute)
		job, err := j.begin(w.ctx, tbl, fmt.Sprint("j", i), ProcExpire)
		require.NoError(t, err)
		job.end(&ExpireResult{}, nil)
	}
	_, err := j.Recover(w.ctx, tbl)
	require.NoError(t, err)
	jobs, err := j.Jobs(w.ctx, tbl)
	require.NoError(t, err)
	require.Len(t, jobs, mostEnded)
	require.Equal(t, "j5", jobs[0].ID)
	w.pass(recordAge)
	_, err = j.Recover(w.ctx, tbl)
	require.NoError(t, err)
	jobs, err = j.Jobs(w.ctx, tbl)
	require.NoError(t, err)
	require.LessOrEqual(t, len(jobs), 1)
}

// What cannot be recorded is not begun.
func TestNoRecordNoJob(t *testing.T) {
	w, _, _ := worn(t)
	before := w.cat.Files.Names()
	w.cat.Files.OnCreate = func(name string) error {
		if strings.Contains(name, recordsDir) {
			return errors.New("access denied")
		}
		return nil
	}
	require.Equal(t, CodeRecord, failure.CodeOf(w.run("p", ProcManifests)))
	require.Equal(t, before, w.cat.Files.Names())
}
