package compaction

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
)

// modelSeeds is how many histories are played.
const modelSeeds = 8

// TestModel plays random histories: a writer, another engine that deletes by position, two compactors at once, expiry,
// merged manifests, removal of orphans, answers that are lost, engines that fail. After each step the table holds what the model does, and
// every file that a snapshot names is there.
func TestModel(t *testing.T) {
	for seed := range uint64(modelSeeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			play(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

func play(t *testing.T, r *rand.Rand) {
	w := newWorld(t)
	w.cat.Files.Clock = w.now
	tbl := w.create(nil)
	w.add(tbl, "a", 2)
	lossy := func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
		switch r.IntN(6) {
		case 0:
			apply()
			return committest.Answer{Err: errors.New("connection reset")}
		case 1:
			return committest.Answer{Err: errors.New("connection refused")}
		}
		return apply()
	}
	change := func() {
		if r.IntN(2) == 0 {
			w.add(tbl, string(rune('a'+r.IntN(2))), 1+r.Int64N(4))
			return
		}
		ids := slices.Sorted(maps.Keys(w.model))
		if len(ids) > 3 {
			w.remove(ids[r.IntN(len(ids))], ids[0])
		}
	}
	for range 14 {
		w.pass(time.Duration(r.IntN(20)) * time.Hour)
		switch r.IntN(7) {
		case 0, 1, 2:
			change()
		case 3:
			nested := r.IntN(3)
			e := engine{before: func() {
				hook := w.cat.OnCommit
				w.cat.OnCommit = nil
				switch nested {
				case 0:
					change()
				case 1:
					_, err := w.rewrite(Library{})
					require.NoError(t, err)
				}
				nested = -1
				w.cat.OnCommit = hook
			}, after: func(*Rewritten) error {
				if r.IntN(5) == 0 {
					return errors.New("killed")
				}
				return nil
			}}
			w.cat.OnCommit = lossy
			if _, err := w.rewrite(e); err != nil {
				require.Equal(t, CodeRewrite, failure.CodeOf(err), "%v", err)
			}
		case 4:
			run := ExpireSnapshots{Table: w.open(commit.Upkeep{Disabled: true}), OlderThan: time.Duration(1+r.IntN(48)) * time.Hour, RetainLast: 1 + r.IntN(4), Env: Env{Now: w.now}}
			w.cat.OnCommit = lossy
			_, err := run.Run(w.ctx)
			require.True(t, err == nil || failure.ClassOf(err) == failure.Retry, "%v", err)
		case 5:
			run := w.orphans()
			run.OlderThan, run.Young = time.Duration(r.IntN(30))*time.Hour+time.Nanosecond, true
			_, err := run.Run(w.ctx)
			require.NoError(t, err)
			w.noLitterOlderThan(run.OlderThan)
		case 6:
			run := RewriteManifests{Table: w.open(commit.Upkeep{Disabled: true}), Env: Env{Now: w.now}}
			w.cat.OnCommit = lossy
			_, err := run.Run(w.ctx)
			require.True(t, err == nil || failure.ClassOf(err) == failure.Retry, "%v", err)
		}
		w.cat.OnCommit = nil
		w.exact()
	}
}

// noLitterOlderThan checks that the last removal of orphans has left none.
func (w *world) noLitterOlderThan(age time.Duration) {
	w.t.Helper()
	run := w.orphans()
	run.OlderThan, run.Young, run.DryRun = age, true, true
	res, err := run.Run(w.ctx)
	require.NoError(w.t, err)
	require.Empty(w.t, res.Orphans)
}
