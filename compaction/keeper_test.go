package compaction

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// kept is a world with a keeper that looks every minute; settle waits until it has nothing to do.
type kept struct {
	*world
	tbl    *commit.Table
	keeper *Keeper
	events []event.MaintenanceDone
	looked event.MaintenanceLooked
	behind bool
	opens  int
}

func keep(t *testing.T, change func(*KeeperOptions)) *kept {
	t.Helper()
	k := &kept{world: newWorld(t)}
	k.tbl = k.create(nil)
	o := KeeperOptions{
		Tables: []string{"db.t", "db.later"}, Engine: Library{}, Interval: time.Minute, Now: k.now,
		Options: map[string]map[string]string{"db.t": {"busy-min-input-files": "5"}},
		Open: func(ctx context.Context, name string) (*commit.Table, error) {
			k.opens++
			if name != "db.t" {
				return nil, nil
			}
			return commit.Open(ctx, k.cat, commit.Spec{Identifier: ident, Pipeline: "p", Upkeep: commit.Upkeep{Disabled: true}}, k.env())
		},
		Behind: func(string) bool { return k.behind },
		Events: event.Func(func(e event.Event) {
			switch e := e.(type) {
			case event.MaintenanceDone:
				k.events = append(k.events, e)
			case event.MaintenanceLooked:
				k.looked = e
			}
		}),
		NewID: func() string { return "job" },
	}
	if change != nil {
		change(&o)
	}
	k.keeper = NewKeeper(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- k.keeper.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return k
}

// minute lets a minute pass, and the keeper finish.
func (k *kept) minute() {
	k.pass(time.Minute)
	time.Sleep(time.Minute)
	synctest.Wait()
}

// TestKeeper: small files become one without anybody asking, and ingest goes on with its own view of the table.
func TestKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, nil)
		for range 4 {
			k.add(k.tbl, "a", 3)
		}
		k.minute()
		require.Empty(t, k.events)
		require.Len(t, k.live(), 4)
		k.add(k.tbl, "a", 3)
		k.minute()
		require.Len(t, k.live(), 1)
		require.Len(t, k.events, 1)
		e := k.events[0]
		require.Equal(t, []any{"db.t", ProcRewrite, event.MaintenanceOK, 5, 1}, []any{e.Table, e.Procedure, e.Result, e.Files, e.Added})
		k.minute()
		require.Len(t, k.events, 1, "nothing is worth it any more")
		k.add(k.tbl, "a", 3)
		k.exact()
	})
}

// Ingest comes first: while a table is behind it is left alone, and a rewrite that has begun ends early.
func TestKeeperYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k *kept
		k = keep(t, func(o *KeeperOptions) {
			o.Engine = engine{after: func(*Rewritten) error { k.behind = true; return nil }}
		})
		for range 5 {
			k.add(k.tbl, "a", 3)
			k.add(k.tbl, "b", 3)
		}
		k.behind = true
		k.minute()
		require.Zero(t, k.opens)
		k.behind = false
		k.minute()
		require.Len(t, k.live(), 6, "one place only")
		k.exact()
		k.behind = false
		k.minute()
		require.Len(t, k.live(), 2)
		k.exact()
	})
}

// What is rewritten unasked is bounded for every day.
func TestKeeperBoundsADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, func(o *KeeperOptions) { o.BytesPerDay = 5000 })
		for range 5 {
			k.add(k.tbl, "a", 3)
			k.add(k.tbl, "b", 3)
		}
		k.minute()
		require.Len(t, k.live(), 6)
		k.minute()
		require.Len(t, k.live(), 6)
		k.pass(25 * time.Hour)
		k.minute()
		require.Len(t, k.live(), 2)
		k.exact()
	})
}

// A failure is told, and tried again.
func TestKeeperGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		k := keep(t, func(o *KeeperOptions) {
			o.Engine = engine{after: func(*Rewritten) error {
				if broken {
					return errors.New("the store is away")
				}
				return nil
			}}
		})
		for range 5 {
			k.add(k.tbl, "a", 3)
		}
		k.minute()
		require.Equal(t, event.MaintenanceFailed, k.events[0].Result)
		broken = false
		k.minute()
		require.Equal(t, event.MaintenanceOK, k.events[1].Result)
		k.exact()
		k.noLitter()
	})
}

// TestJobs: what is asked for is done at once, in turn, and can be looked up.
func TestJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		k := keep(t, func(o *KeeperOptions) {
			o.Interval = 0
			o.NewID = func() string { n++; return string(rune('a' + n - 1)) }
		})
		for range 5 {
			k.add(k.tbl, "a", 3)
		}
		run := func(table, procedure string, dry bool) JobStatus {
			job, err := k.keeper.Submit(table, procedure, "", dry)
			require.NoError(t, err)
			require.Equal(t, JobQueued, job.State)
			synctest.Wait()
			job, known := k.keeper.Job(job.ID)
			require.True(t, known)
			return job
		}
		dry := run("db.t", "rewrite_data_files", true)
		require.Equal(t, []any{JobDone, "a"}, []any{dry.State, dry.ID})
		require.Equal(t, 5, dry.Result.(*RewriteResult).Plan.Rewrite)
		require.Len(t, k.live(), 5)
		require.Equal(t, 5, run("db.t", "rewrite-data-files", false).Result.(*RewriteResult).Rewritten)
		require.Len(t, k.live(), 1)
		require.Equal(t, JobDone, run("db.t", "rewrite_manifests", false).State)
		require.Equal(t, JobDone, run("db.t", "expire_snapshots", false).State)
		require.Equal(t, JobDone, run("db.t", "remove_orphan_files", false).State)
		lost := run("db.later", "rewrite_manifests", false)
		require.Equal(t, []any{JobFailed, commit.CodeMissing}, []any{lost.State, lost.Code})
		_, err := k.keeper.Submit("db.t", "vacuum", "", false)
		require.Equal(t, CodeProcedure, failure.CodeOf(err))
		_, err = k.keeper.Submit("db.t", "rewrite_manifests", "place = 'a'", false)
		require.Equal(t, CodeWhere, failure.CodeOf(err))
		_, err = k.keeper.Submit("db.t", ProcRewrite, "place =", false)
		require.Equal(t, CodeWhere, failure.CodeOf(err))
		some, err := k.keeper.Submit("db.t", ProcRewrite, "place = 'b'", true)
		require.NoError(t, err)
		synctest.Wait()
		some, _ = k.keeper.Job(some.ID)
		require.Equal(t, []any{JobDone, "place = 'b'", 0}, []any{some.State, some.Where, len(some.Result.(*RewriteResult).Plan.Left)})
		_, known := k.keeper.Job("z")
		require.False(t, known)
		require.Len(t, k.events, 5, "dry runs are no events")
		k.exact()
	})
}
