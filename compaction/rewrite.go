package compaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/internal/failure"
)

// Codes of the failures of procedures.
const (
	CodeFormat    = "E_MAINTENANCE_FORMAT"
	CodeRewrite   = "E_REWRITE"
	CodeRowsLost  = "E_REWRITE_ROWS"
	CodeContended = "E_REWRITE_CONTENDED"
)

const (
	// batchBytes is how much is rewritten between two commits.
	batchBytes = 2 << 30
	// rewriteTries bounds how often a plan is made anew because somebody else was faster.
	rewriteTries = 3
	// maxFormat is the newest format whose rows can be moved to other files.
	maxFormat = 2

	// SummaryProcedure is the key of the summary that names the procedure a snapshot is of; SummaryBase the snapshot
	// that was read.
	SummaryProcedure = "ingestd.maintenance"
	SummaryBase      = "ingestd.maintenance.base"
)

// Env is what procedures need from outside; nil fields get working defaults.
type Env struct {
	Now      func() time.Time
	Progress func(Progress)
	// Pause says that a rewrite should end after what it has begun.
	Pause func() bool
	// Journal keeps a record of what is done, nil for none; JobID is the id in it, "" = a new one.
	Journal *Journal
	JobID   string
	// Recovered is told of the jobs that were found interrupted, before the procedure begins.
	Recovered func([]JobStatus)

	// leaving is told of files before they are written.
	leaving func(ctx context.Context, paths ...string) error
}

// withDefaults fills in what the caller left out. A dry run leaves no record.
func (e Env) withDefaults(dry bool) Env {
	if dry {
		e.Journal = nil
	}
	e.leaving = func(context.Context, ...string) error { return nil }
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Progress == nil {
		e.Progress = func(Progress) {}
	}
	if e.Pause == nil {
		e.Pause = func() bool { return false }
	}
	return e
}

// Progress is how far a procedure is, in bytes or files.
type Progress struct {
	Done, Total int64
	Step        string
}

// RewriteDataFiles is a run of rewrite_data_files.
type RewriteDataFiles struct {
	Table  *commit.Table
	Engine Engine
	// Outside, when set, is who rewrites instead of Engine, and commits by itself.
	Outside handover.Engine
	// Options are those that were asked for, by Spark's names; MaxBytes bounds the run besides them, 0 = no bound.
	Options  map[string]string
	MaxBytes int64
	// Where is a condition on partitions; the others are left alone.
	Where  string
	DryRun bool
	Env    Env

	result *RewriteResult
	paused bool
}

// RewriteResult is what rewrite_data_files did. The counts of rewritten, added, failed and removed files and the
// rewritten bytes have the names that Spark's procedure gives them.
type RewriteResult struct {
	Table string `json:"table"`
	// DryRun: only the plan was made.
	DryRun         bool  `json:"dry_run"`
	Rewritten      int   `json:"rewritten_data_files_count"`
	Added          int   `json:"added_data_files_count"`
	RewrittenBytes int64 `json:"rewritten_bytes_count"`
	Failed         int   `json:"failed_data_files_count"`
	RemovedDeletes int   `json:"removed_delete_files_count"`
	AddedBytes     int64 `json:"added_bytes_count"`
	// Superseded counts files of rewrites that were given up because others had changed them meanwhile.
	Superseded int      `json:"superseded_data_files_count"`
	Snapshots  []string `json:"snapshots"`
	// Plan is the first one that was made.
	Plan *Plan `json:"plan"`
	// Engine is the one that the plan's partitions were handed to; empty: ingestd itself.
	Engine string `json:"engine,omitempty"`
	// Left says that there is more to do: others were faster every time, or ingest came first.
	Left bool `json:"more_to_do"`
}

// Run plans and carries the plan out, group by group, with a commit for each batch of groups. What others change
// meanwhile is planned anew, a few times. A group that fails is left as it is; the first such error comes with the result.
func (r *RewriteDataFiles) Run(ctx context.Context) (*RewriteResult, error) {
	out, err := attended(ctx, r.Env.withDefaults(r.DryRun), r.Table, ProcRewrite, r.run)
	if out == nil {
		out = &RewriteResult{Table: r.Table.Name(), DryRun: r.DryRun, Snapshots: []string{}}
	}
	return out, err
}

func (r *RewriteDataFiles) run(ctx context.Context, e Env) (*RewriteResult, error) {
	r.Env = e
	r.result = &RewriteResult{Table: r.Table.Name(), DryRun: r.DryRun, Snapshots: []string{}}
	if r.Outside != nil {
		return r.runOutside(ctx)
	}
	var failed error
	for range rewriteTries {
		again, err := r.round(ctx)
		if err != nil && failed == nil {
			failed = err
		}
		if ctx.Err() != nil || err != nil && failure.ClassOf(err) == failure.Halt {
			return r.result, failed
		}
		if r.result.Left = again || r.paused; !again || r.paused || failed != nil {
			break
		}
	}
	return r.result, failed
}

// prepare looks at the table and plans.
func (r *RewriteDataFiles) prepare(ctx context.Context) (*Inventory, *Plan, Options, error) {
	if err := r.Table.Refresh(ctx); err != nil {
		return nil, nil, Options{}, err
	}
	o, err := OptionsFor(r.Table.Properties(), r.Options)
	if err != nil {
		return nil, nil, o, err
	}
	if r.MaxBytes > 0 && (o.MaxBytes == 0 || r.MaxBytes-r.result.RewrittenBytes < o.MaxBytes) {
		o.MaxBytes = max(1, r.MaxBytes-r.result.RewrittenBytes)
	}
	head := r.Table.Head()
	if head == nil {
		return &Inventory{}, MakePlan(0, nil, o, r.Env.Now()), o, nil
	}
	if v := r.Table.Metadata().Version(); v > maxFormat && !r.DryRun && r.Outside == nil {
		return nil, nil, o, failure.New(failure.Config, CodeFormat, "let the engine that upgraded the table rewrite its files", "table %s has format version %d, whose row ids a rewrite would lose", r.Table.Name(), v)
	}
	inv, err := Take(ctx, r.Table.Iceberg(), head.SnapshotID)
	if err != nil {
		return nil, nil, o, failure.Wrap(err, failure.Retry, CodeRewrite, "", "planning the rewrite of %s", r.Table.Name())
	}
	if r.Where != "" {
		if o.Where, err = selection(r.Where, r.Table.Metadata(), inv); err != nil {
			return nil, nil, o, err
		}
	}
	return inv, MakePlan(inv.Snapshot, inv.Files, o, r.Env.Now()), o, nil
}

// round makes a plan and carries it out. again says that another round may find more.
func (r *RewriteDataFiles) round(ctx context.Context) (again bool, err error) {
	inv, plan, o, err := r.prepare(ctx)
	if err != nil {
		return false, err
	}
	if r.result.Plan == nil {
		r.result.Plan = plan
	}
	if r.DryRun {
		return false, nil
	}
	b := &rewriteBatch{run: r, inv: inv, table: r.Table.Iceberg(), schema: r.Table.Schema().ID}
	done := int64(0)
	for _, g := range plan.Groups {
		if r.Env.Pause() {
			r.paused = true
			break
		}
		r.Env.Progress(Progress{Done: done, Total: plan.RewriteBytes, Step: "rewriting " + named(g.Partition)})
		done += g.Bytes
		if gerr := b.rewrite(ctx, g, o); gerr != nil {
			r.result.Failed += len(g.Files)
			err = errors.Join(err, gerr)
		}
		if ctx.Err() != nil {
			break
		}
		if b.bytes >= batchBytes {
			lost, cerr := b.commit(ctx)
			again, err = again || lost, errors.Join(err, cerr)
		}
	}
	r.Env.Progress(Progress{Done: done, Total: plan.RewriteBytes, Step: "committing"})
	lost, cerr := b.commit(ctx)
	return again || lost, errors.Join(err, cerr)
}

// rewriteBatch is what is committed together.
type rewriteBatch struct {
	run    *RewriteDataFiles
	inv    *Inventory
	table  *icetable.Table
	schema int
	groups []rewrittenGroup
	bytes  int64
}

// rewrittenGroup is a group with what has become of it.
type rewrittenGroup struct {
	Group
	old []iceberg.DataFile
	Rewritten
}

// rewrite lets the engine rewrite a group and checks what it made.
func (b *rewriteBatch) rewrite(ctx context.Context, g Group, o Options) error {
	tasks := b.inv.group(g)
	out, err := b.run.Engine.Rewrite(ctx, Job{Table: b.table, Group: g, Tasks: tasks, Target: outputSize(g, o), Leaving: b.run.Env.leaving})
	if err == nil {
		err = checkRows(g, tasks, out.Files)
	}
	if err != nil {
		b.run.remove(ctx, out.Created)
		if failure.CodeOf(err) != "" {
			return err
		}
		return failure.Wrap(err, failure.Retry, CodeRewrite, "", "rewriting %d files of %s", len(g.Files), named(g.Partition))
	}
	rg := rewrittenGroup{Group: g, Rewritten: out}
	for _, t := range tasks {
		rg.old = append(rg.old, t.File)
	}
	b.groups, b.bytes = append(b.groups, rg), b.bytes+g.Bytes
	return nil
}

// outputSize is the target of a group's outputs. What was planned as one file is not split in two because it became a
// little larger than expected.
func outputSize(g Group, o Options) int64 {
	if g.Outputs > 1 {
		return (g.Live + int64(g.Outputs) - 1) / int64(g.Outputs) * 11 / 10
	}
	return o.Most
}

// checkRows compares the rows of a group before and after: none may have come, and no more may be missing than its
// deletes name. A position may be deleted twice, so that fewer may be missing.
func checkRows(g Group, tasks []icetable.FileScanTask, files []iceberg.DataFile) error {
	missing, named := g.Rows, map[string]int64{}
	for _, f := range files {
		missing -= f.Count()
	}
	unknown := false
	for _, t := range tasks {
		unknown = unknown || len(t.EqualityDeleteFiles) > 0
		for _, d := range slices.Concat(t.DeleteFiles, t.DeletionVectorFiles) {
			named[d.FilePath()+"#"+target(d)] = d.Count()
		}
	}
	most := int64(0)
	for _, n := range named {
		most += n
	}
	if missing < 0 || missing > most && !unknown {
		return failure.New(failure.Fatal, CodeRowsLost, "please report this; nothing was committed",
			"rewriting %d files of partition %q lost %d of %d rows, of which %d are deleted", len(g.Files), g.Partition, missing, g.Rows, most)
	}
	return nil
}

// target is the one file that deletes are about, "" for any.
func target(d iceberg.DataFile) string {
	if t := d.ReferencedDataFile(); t != nil {
		return *t
	}
	return ""
}

// commit commits the groups of the batch. When some of them no longer fit, those are given up and the others tried
// again. lost says that some were given up.
func (b *rewriteBatch) commit(ctx context.Context) (lost bool, err error) {
	for range rewriteTries {
		if len(b.groups) == 0 {
			break
		}
		res, err := b.run.Table.Replace(ctx, b.replacement())
		if err != nil {
			// It is not known what became of it: its files stay, for whoever looks for orphans.
			b.clear()
			return lost, err
		}
		if res.Outcome == commit.Landed {
			b.run.landed(b, res)
			b.clear()
			return lost, nil
		}
		lost = true
		if !res.FilesDead {
			b.run.give(ctx, b.groups, false)
			b.clear()
			return lost, nil
		}
		gone, err := b.unfit(ctx)
		if err != nil || len(gone) == 0 {
			break
		}
		b.run.give(ctx, gone, true)
	}
	b.run.give(ctx, b.groups, true)
	b.clear()
	return lost, nil
}

func (b *rewriteBatch) clear() { b.groups, b.bytes = nil, 0 }

// replacement is the batch as a commit.
func (b *rewriteBatch) replacement() commit.Replacement {
	rep := commit.Replacement{Base: b.inv.Snapshot, SchemaID: b.schema, Summary: iceberg.Properties{
		SummaryProcedure: "rewrite_data_files", SummaryBase: strconv.FormatInt(b.inv.Snapshot, 10),
	}}
	for _, g := range b.groups {
		rep.Old = append(rep.Old, g.old...)
		rep.New = append(rep.New, g.Rewritten.Files...)
	}
	return rep
}

// unfit takes out of the batch the groups with files that are no longer as they were read.
func (b *rewriteBatch) unfit(ctx context.Context) (gone []rewrittenGroup, err error) {
	head := b.run.Table.Head()
	if head == nil {
		gone, b.groups = b.groups, nil
		return gone, nil
	}
	now, err := Take(ctx, b.run.Table.Iceberg(), head.SnapshotID)
	if err != nil {
		return nil, fmt.Errorf("looking at what has changed: %w", err)
	}
	b.groups = slices.DeleteFunc(b.groups, func(g rewrittenGroup) bool {
		same := !slices.ContainsFunc(g.Group.Files, func(f File) bool {
			t, there := now.tasks[f.Path]
			return !there || !sameDeletes(t, b.inv.tasks[f.Path])
		})
		if !same {
			gone = append(gone, g)
		}
		return !same
	})
	return gone, nil
}

// sameDeletes says whether the same positions were deleted from a file both times. Equality deletes that came later
// go on applying to the rewritten rows.
func sameDeletes(a, b icetable.FileScanTask) bool {
	paths := func(t icetable.FileScanTask) (out []string) {
		for _, d := range slices.Concat(t.DeleteFiles, t.DeletionVectorFiles) {
			out = append(out, d.FilePath())
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(paths(a), paths(b))
}

// landed counts a batch that is in the table.
func (r *RewriteDataFiles) landed(b *rewriteBatch, res commit.Result) {
	for _, g := range b.groups {
		r.result.Rewritten += len(g.old)
		r.result.RewrittenBytes += g.Bytes
		r.result.Added += len(g.Rewritten.Files)
		for _, f := range g.Rewritten.Files {
			r.result.AddedBytes += f.FileSizeBytes()
		}
	}
	if res.SnapshotID == 0 {
		return
	}
	r.result.Snapshots = append(r.result.Snapshots, strconv.FormatInt(res.SnapshotID, 10))
	if s := r.Table.Metadata().SnapshotByID(res.SnapshotID); s != nil && s.Summary != nil {
		n, _ := strconv.Atoi(s.Summary.Properties["removed-delete-files"])
		r.result.RemovedDeletes += n
	}
}

// give gives groups up; dead says that none of their files can be in the table.
func (r *RewriteDataFiles) give(ctx context.Context, groups []rewrittenGroup, dead bool) {
	for _, g := range groups {
		r.result.Superseded += len(g.old)
		if dead {
			r.remove(ctx, g.Created)
		}
	}
}

// remove deletes files of rewrites that came to nothing. What cannot be deleted is left to the search for orphans.
func (r *RewriteDataFiles) remove(ctx context.Context, paths []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	fs, err := r.Table.Iceberg().FS(ctx)
	if err != nil {
		return
	}
	for _, p := range paths {
		if ctx.Err() != nil || fs.Remove(p) != nil {
			continue
		}
	}
}

const removeTimeout = 30 * time.Second
