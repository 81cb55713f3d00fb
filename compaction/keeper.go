package compaction

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// The procedures, by Spark's names.
const (
	ProcRewrite   = "rewrite_data_files"
	ProcManifests = "rewrite_manifests"
	ProcExpire    = "expire_snapshots"
	ProcOrphans   = "remove_orphan_files"
)

const (
	// CodeProcedure is the code of a procedure that does not exist, CodeBusy that of a queue that is full.
	CodeProcedure = "E_PROCEDURE_UNKNOWN"
	CodeBusy      = "E_MAINTENANCE_BUSY"

	dayLong  = 24 * time.Hour
	mostJobs = 100
)

// KeeperOptions say how tables are maintained beside a daemon.
type KeeperOptions struct {
	// Tables are the names of the tables that are looked after unasked.
	Tables []string
	// Open opens a table as a writer of its own; nil without an error when it does not exist yet.
	Open func(ctx context.Context, table string) (*commit.Table, error)
	// Others gives the locations of all other tables of the catalog.
	Others func(ctx context.Context, table string) (map[string]string, error)
	Engine Engine
	// Outside rewrites data files instead of Engine; nil does not.
	Outside handover.Engine
	// Interval is the time between two looks at all tables; 0 = only what is asked for is done.
	Interval time.Duration
	// BytesPerDay bounds what is rewritten unasked within 24 hours; 0 = no bound.
	BytesPerDay int64
	// Every says how much time lies between two runs of the other procedures on a table; 0 = only when asked for.
	Every map[string]time.Duration
	// Opens says whether the time is one for what nobody has asked for; nil: it always is.
	Opens func(time.Time) bool
	// Options are those of rewrite_data_files for each table, by Spark's names.
	Options map[string]map[string]string
	// Behind says that a table waits for something that matters more; it is left alone meanwhile.
	Behind func(table string) bool
	// Journal keeps records of what is done; nil = none. Recalled are the tables whose records are read at the start.
	Journal  *Journal
	Recalled []string
	Events   event.Sink
	Now      func() time.Time
	NewID    func() string
}

// Keeper is the owner of the maintenance of a daemon's tables: one goroutine, one procedure at a time. It commits as a
// writer of its own; what keeps it and the tables' owners apart is the comparison in each commit.
type Keeper struct {
	o    KeeperOptions
	wake chan struct{}
	mu   struct {
		sync.Mutex
		jobs  []*JobStatus
		queue []*JobStatus
	}
	// spent are the rewrites of the last day, resting the tables that are left alone and until when; only Run looks at both.
	spent   []spending
	resting map[string]time.Time
	// last is when the procedures of Every ran last.
	last map[scheduled]time.Time
}

type spending struct {
	at    time.Time
	bytes int64
}

// NewKeeper makes a keeper; Run does the work.
func NewKeeper(o KeeperOptions) *Keeper {
	if o.Behind == nil {
		o.Behind = func(string) bool { return false }
	}
	if o.Opens == nil {
		o.Opens = func(time.Time) bool { return true }
	}
	if o.Events == nil {
		o.Events = event.Discard{}
	}
	return &Keeper{o: o, wake: make(chan struct{}, 1), resting: map[string]time.Time{}, last: map[scheduled]time.Time{}}
}

// Run works until the context ends. What fails is told, and tried again with the next look.
func (k *Keeper) Run(ctx context.Context) error {
	k.recall(ctx)
	var due <-chan time.Time
	if k.o.Interval > 0 {
		tick := time.NewTicker(k.o.Interval)
		defer tick.Stop()
		due = tick.C
	}
	for {
		k.serve(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-k.wake:
		case <-due:
			k.round(ctx)
		}
	}
}

// serve does what was asked for.
func (k *Keeper) serve(ctx context.Context) {
	for ctx.Err() == nil {
		job := k.take()
		if job == nil {
			return
		}
		result, err := k.procedure(ctx, job)
		k.finish(job, result, err)
	}
}

// left is what may still be rewritten today.
func (k *Keeper) left() (bytes int64, bounded bool) {
	since := k.o.Now().Add(-dayLong)
	k.spent = slices.DeleteFunc(k.spent, func(s spending) bool { return s.at.Before(since) })
	bytes = k.o.BytesPerDay
	for _, s := range k.spent {
		bytes -= s.bytes
	}
	return bytes, k.o.BytesPerDay > 0
}

// rewrite rewrites one table unasked.
func (k *Keeper) rewrite(ctx context.Context, name string) {
	started := k.o.Now()
	run, err := k.rewriting(ctx, name, false, nil)
	if err != nil || run == nil {
		k.tell(name, ProcRewrite, started, nil, err)
		return
	}
	if left, bounded := k.left(); bounded {
		run.MaxBytes = left
	}
	job := &JobStatus{ID: k.o.NewID(), Table: name, Procedure: ProcRewrite, State: JobRunning, Submitted: started}
	k.remember(job)
	run.Env.JobID, run.Env.Progress = job.ID, func(p Progress) { k.progress(job, p) }
	res, err := run.Run(ctx)
	k.finish(job, res, err)
	k.spent = append(k.spent, spending{k.o.Now(), res.RewrittenBytes})
	if fruitless(res, err) {
		k.resting[name] = k.o.Now().Add(dayLong)
	}
	k.tell(name, ProcRewrite, started, res, err)
}

// fruitless says that another engine did not make the files fewer, so that it would be asked for the same again and again,
// or did not keep the rows.
func fruitless(res *RewriteResult, err error) bool {
	return res.Engine != "" && (err == nil && !res.Left && res.Added >= res.Rewritten || failure.ClassOf(err) == failure.Halt)
}

// rewriting prepares a rewrite; nil for a table that does not exist.
func (k *Keeper) rewriting(ctx context.Context, name string, dry bool, progress func(Progress)) (*RewriteDataFiles, error) {
	t, err := k.o.Open(ctx, name)
	if err != nil || t == nil {
		return nil, err
	}
	return &RewriteDataFiles{Table: t, Engine: k.o.Engine, Outside: k.o.Outside, Options: k.o.Options[name], DryRun: dry,
		Env: Env{Now: k.o.Now, Progress: progress, Pause: func() bool { return k.waits(ctx, name) }, Journal: k.o.Journal, Recovered: k.recovered}}, nil
}

// tell reports what was done. A look that found nothing to do is not worth a line.
func (k *Keeper) tell(name, procedure string, started time.Time, res *RewriteResult, err error) {
	if res == nil && err == nil {
		return
	}
	e := event.MaintenanceDone{Table: name, Procedure: procedure, Result: event.MaintenanceOK, Err: err, Took: k.o.Now().Sub(started), At: k.o.Now()}
	if err != nil {
		e.Result = event.MaintenanceFailed
	}
	if res != nil {
		e.Files, e.Added, e.Bytes = res.Rewritten, res.Added, res.RewrittenBytes
	}
	k.o.Events.Emit(e)
}

// procedure carries out a job.
func (k *Keeper) procedure(ctx context.Context, job *JobStatus) (any, error) {
	started := k.o.Now()
	var result any
	var rewritten *RewriteResult
	t, err := k.o.Open(ctx, job.Table)
	if err == nil && t == nil {
		err = failure.New(failure.Fatal, commit.CodeMissing, "ingestd run creates it", "table %s does not exist", job.Table)
	}
	env := Env{Now: k.o.Now, Progress: func(p Progress) { k.progress(job, p) }, Journal: k.o.Journal, JobID: job.ID, Recovered: k.recovered}
	if err == nil {
		switch job.Procedure {
		case ProcRewrite:
			run := RewriteDataFiles{Table: t, Engine: k.o.Engine, Outside: k.o.Outside, Options: k.o.Options[job.Table], Where: job.Where, DryRun: job.DryRun, Env: env}
			rewritten, err = run.Run(ctx)
			result = rewritten
		case ProcManifests:
			run := RewriteManifests{Table: t, DryRun: job.DryRun, Env: env}
			result, err = run.Run(ctx)
		case ProcExpire:
			run := ExpireSnapshots{Table: t, DryRun: job.DryRun, Env: env}
			result, err = run.Run(ctx)
		case ProcOrphans:
			run := RemoveOrphanFiles{Table: t, DryRun: job.DryRun, Env: env}
			if k.o.Others != nil {
				run.Others = func(ctx context.Context) (map[string]string, error) { return k.o.Others(ctx, job.Table) }
			}
			result, err = run.Run(ctx)
		}
	}
	if !job.DryRun {
		if rewritten == nil {
			rewritten = &RewriteResult{}
		}
		k.tell(job.Table, job.Procedure, started, rewritten, err)
	}
	return result, err
}
