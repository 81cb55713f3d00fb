package compaction

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/internal/failure"
)

// outsider is an engine that rewrites each partition it is asked for into one file, and commits by itself.
type outsider struct {
	*world
	asked []handover.Request
	// idle: it answers and does nothing.
	idle bool
	// after is what happens when a request is done, and what it answers.
	after func() error
}

func (o *outsider) Name() string               { return "trino" }
func (o *outsider) Ping(context.Context) error { return nil }

func (o *outsider) Run(ctx context.Context, r handover.Request) error {
	if o.asked = append(o.asked, r); o.idle {
		return nil
	}
	tbl := must(o.cat.LoadTable(ctx, ident))
	inv := must(Take(ctx, tbl, tbl.CurrentSnapshot().SnapshotID))
	var groups []icetable.CompactionTaskGroup
	for _, tuple := range r.Partitions {
		g := icetable.CompactionTaskGroup{PartitionKey: partitionText(r.Spec, tuple)}
		for _, f := range inv.Files {
			if f.Partition == g.PartitionKey {
				g.Tasks, g.TotalSizeBytes = append(g.Tasks, inv.tasks[f.Path]), g.TotalSizeBytes+f.Size
			}
		}
		groups = append(groups, g)
	}
	o.foreign(func(tx *icetable.Transaction) error {
		_, err := tx.RewriteDataFiles(ctx, groups, icetable.RewriteDataFilesOptions{})
		return err
	})
	if o.after != nil {
		return o.after()
	}
	return nil
}

func (w *world) handOver(o *outsider, dry bool) (*RewriteResult, error) {
	run := &RewriteDataFiles{
		Table: w.open(commit.Upkeep{Disabled: true}), Outside: o, DryRun: dry, Env: Env{Now: w.now},
		Options: map[string]string{"busy-min-input-files": "3", "min-input-files": "3"},
	}
	return run.Run(w.ctx)
}

// TestHandOver: the plan's partitions, and no others, are rewritten by somebody else, and the table says what was done.
func TestHandOver(t *testing.T) {
	w, tbl := small(t)
	w.add(tbl, "c", 3)
	o := &outsider{world: w}
	dry, err := w.handOver(o, true)
	require.NoError(t, err)
	require.Empty(t, o.asked)
	require.Len(t, dry.Plan.Groups, 2)
	res, err := w.handOver(o, false)
	require.NoError(t, err)
	require.Len(t, o.asked, 1)
	require.Len(t, o.asked[0].Partitions, 2)
	require.Equal(t, []any{"trino", 10, 2, 0}, []any{res.Engine, res.Rewritten, res.Added, res.Failed})
	require.Len(t, res.Snapshots, 1)
	require.Positive(t, res.RewrittenBytes)
	require.Len(t, w.live(), 3)
	w.exact()
	w.add(tbl, "a", 3)
	w.exact()
	_, err = w.handOver(o, false)
	require.NoError(t, err)
	require.Len(t, o.asked, 1, "nothing is worth it any more")
}

// TestHandOverChecks: rows that another engine has lost are told, whatever it says itself; so is its own error.
func TestHandOverChecks(t *testing.T) {
	w, _ := small(t)
	o := &outsider{world: w, after: func() error {
		return w.cat.Rewrite(func(m map[string]any) {
			list := m["snapshots"].([]any)
			list[len(list)-1].(map[string]any)["summary"].(map[string]any)["added-records"] = "7"
		}, ident...)
	}}
	res, err := w.handOver(o, false)
	require.Equal(t, handover.CodeRows, failure.CodeOf(err))
	require.Equal(t, 10, res.Failed)

	w, _ = small(t)
	o = &outsider{world: w, after: func() error { return errors.New("the coordinator is away") }}
	res, err = w.handOver(o, false)
	require.ErrorContains(t, err, "the coordinator is away")
	require.Equal(t, 10, res.Rewritten, "it had committed")
	w.exact()
}

// TestKeeperHandsOver: the keeper asks the other engine, and not again for a day when that made the files no fewer.
func TestKeeperHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outsider{}
		k := keep(t, func(k *KeeperOptions) { k.Outside = o })
		o.world = k.world
		for range 5 {
			k.add(k.tbl, "a", 3)
		}
		k.minute()
		require.Len(t, k.live(), 1)
		require.Len(t, o.asked, 1)
		require.Equal(t, []any{5, 1}, []any{k.events[0].Files, k.events[0].Added})
		o.idle = true
		for range 5 {
			k.add(k.tbl, "a", 3)
		}
		k.minute()
		require.Len(t, o.asked, 2)
		k.minute()
		require.Len(t, o.asked, 2)
		k.pass(25 * time.Hour)
		o.idle = false
		k.minute()
		require.Len(t, o.asked, 3)
		require.Len(t, k.live(), 1)
		k.exact()
	})
}

// Files of an older spec lie in none of today's partitions, and branches are nobody else's to rewrite.
func TestHandOverLimits(t *testing.T) {
	w, _ := small(t)
	require.NoError(t, w.cat.Rewrite(func(m map[string]any) {
		specs := m["partition-specs"].([]any)
		m["partition-specs"] = append(specs, map[string]any{"spec-id": json.Number("7"), "fields": []any{}})
		m["default-spec-id"] = json.Number("7")
	}, ident...))
	o := &outsider{world: w, after: func() error { return errors.New("seen") }}
	_, err := w.handOver(o, false)
	require.ErrorContains(t, err, "seen")
	require.Empty(t, o.asked[0].Partitions)

	w, _ = small(t)
	tbl, err := commit.Open(w.ctx, w.cat, commit.Spec{Identifier: ident, Pipeline: "p", Branch: "side"}, w.env())
	require.NoError(t, err)
	_, err = (&RewriteDataFiles{Table: tbl, Outside: o, Env: Env{Now: w.now}}).Run(w.ctx)
	require.Equal(t, commit.CodeBranch, failure.CodeOf(err))
}
