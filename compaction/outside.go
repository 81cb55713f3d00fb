package compaction

import (
	"context"
	"strconv"

	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// outsideBytes is about how much another engine is asked for at once: between two requests it can be stopped.
	outsideBytes = 64 << 30
	// everyFile is a size below which all files are, for an engine that knows no other way to rewrite all.
	everyFile = 1 << 50
)

// portion is what another engine is asked for at once.
type portion struct {
	// partitions are tuples of the table's spec; none: the whole table.
	partitions []map[int]any
	files      int
	bytes      int64
}

// runOutside plans, lets another engine rewrite the plan's partitions, some at a time, and checks what it did. The
// engine chooses the files by itself: what it leaves is not asked for again.
func (r *RewriteDataFiles) runOutside(ctx context.Context) (*RewriteResult, error) {
	r.result.Engine = r.Outside.Name()
	if b := r.Table.Branch(); b != icetable.MainBranch {
		return r.result, failure.New(failure.Config, commit.CodeBranch, "use --engine local, or maintenance: {enabled: false} in the table",
			"table %s: branch %s: other engines rewrite the main branch only", r.Table.Name(), b)
	}
	inv, plan, o, err := r.prepare(ctx)
	if err != nil {
		return r.result, err
	}
	r.result.Plan = plan
	if r.DryRun {
		return r.result, nil
	}
	done := int64(0)
	for _, p := range r.portions(inv, plan) {
		if r.Env.Pause() {
			r.result.Left = true
			break
		}
		r.Env.Progress(Progress{Done: done, Total: plan.RewriteBytes, Step: "waiting for " + r.result.Engine})
		if err := r.handOver(ctx, p, o); err != nil {
			r.result.Failed += p.files
			return r.result, err
		}
		done += p.bytes
	}
	return r.result, nil
}

// portions are the partitions of a plan in its order. Files of an older spec are in none of today's partitions, so that
// the whole table is asked for.
func (r *RewriteDataFiles) portions(inv *Inventory, plan *Plan) (out []portion) {
	spec := r.Table.PartitionSpec()
	known, whole := map[place]bool{}, portion{}
	older := false
	for _, g := range plan.Groups {
		older = older || g.Spec != spec.ID() || spec.IsUnpartitioned()
		whole.files, whole.bytes = whole.files+len(g.Files), whole.bytes+g.Bytes
		if n := len(out); n == 0 || len(out[n-1].partitions) == handover.MostPartitions || out[n-1].bytes >= outsideBytes {
			out = append(out, portion{})
		}
		p := &out[len(out)-1]
		p.files, p.bytes = p.files+len(g.Files), p.bytes+g.Bytes
		if at := (place{g.Spec, g.Partition}); !known[at] {
			known[at] = true
			p.partitions = append(p.partitions, inv.tasks[g.Files[0].Path].File.Partition())
		}
	}
	if older {
		return []portion{whole}
	}
	return out
}

// handOver asks for one portion, and reads from the table what has become of it. It does so after an error as well:
// what the engine had committed by then counts.
func (r *RewriteDataFiles) handOver(ctx context.Context, p portion, o Options) error {
	before := r.Table.Metadata()
	request := handover.Request{
		Table: r.Table.Iceberg().Identifier(), Schema: r.Table.Schema(), Spec: r.Table.PartitionSpec(), Partitions: p.partitions,
		TargetBytes: o.Target, SmallBytes: o.Least, MinFiles: o.MinInput, All: o.All,
	}
	if o.All {
		request.SmallBytes = everyFile
	}
	if r.Where != "" && !request.Bounded() {
		return failure.New(failure.Config, CodeWhere, "use --engine local, or leave the condition out", "%s cannot be told these partitions alone", r.result.Engine)
	}
	failed := r.Outside.Run(ctx, request)
	if err := r.Table.Refresh(ctx); err != nil {
		if failed != nil {
			return failed
		}
		return err
	}
	did, checked := handover.Check(before, r.Table.Metadata(), r.Table.Branch())
	r.result.Rewritten += int(did.RewrittenDataFiles)
	r.result.Added += int(did.AddedDataFiles)
	r.result.RewrittenBytes += did.RewrittenBytes
	r.result.AddedBytes += did.AddedBytes
	r.result.RemovedDeletes += int(did.RemovedDeleteFiles)
	for _, id := range did.IDs {
		r.result.Snapshots = append(r.result.Snapshots, strconv.FormatInt(id, 10))
	}
	if failure.ClassOf(checked) == failure.Halt {
		return checked
	}
	return failed
}
