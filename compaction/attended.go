package compaction

import (
	"context"
	"sync"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// attended carries out a procedure with a record beside the table, after what interrupted ones have left there has been
// looked after. Without a journal, and for a dry run, there is nothing to record.
func attended[R any](ctx context.Context, e Env, t *commit.Table, procedure string, run func(ctx context.Context, e Env) (R, error)) (R, error) {
	if e.Journal == nil {
		return run(ctx, e)
	}
	var none R
	if err := t.Refresh(ctx); err != nil {
		return none, err
	}
	found, err := e.Journal.Recover(ctx, t)
	if len(found) > 0 && e.Recovered != nil {
		e.Recovered(found)
	}
	if err != nil {
		return none, err
	}
	job, err := e.Journal.begin(ctx, t, e.JobID, procedure)
	if err != nil {
		return none, err
	}
	t.Watched(job)
	e.leaving = job.Leaving
	out, err := run(ctx, e)
	t.Watched(nil)
	job.end(out, err)
	return out, err
}

// mostRecorded bounds the files of a record; those beyond are left to their age.
const mostRecorded = 20_000

// attendance is a job with its record; it implements commit.Watch.
type attendance struct {
	j  *Journal
	d  *desk
	mu struct {
		sync.Mutex
		record
		known map[string]bool
		// refused: somebody takes it for interrupted.
		refused bool
	}
}

func (j *Journal) begin(ctx context.Context, t *commit.Table, id, procedure string) (*attendance, error) {
	d, err := deskOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = j.NewID()
	}
	a := &attendance{j: j, d: d}
	a.mu.known = map[string]bool{}
	now := j.Now().Round(0)
	a.mu.record = record{TableID: t.Metadata().TableUUID().String(), Branch: t.Branch(), Renewed: now, JobStatus: JobStatus{
		ID: id, Table: t.Name(), Procedure: procedure, State: JobRunning, Submitted: now, Owner: j.Owner,
	}}
	return a, d.write(id+runningSuffix, a.mu.record)
}

// Leaving implements commit.Watch.
func (a *attendance) Leaving(_ context.Context, paths ...string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.mu.Files)
	for _, p := range paths {
		if !a.mu.known[p] && len(a.mu.Files) < mostRecorded {
			a.mu.known[p] = true
			a.mu.Files = append(a.mu.Files, p)
		}
	}
	if len(a.mu.Files) == before {
		return nil
	}
	if err := a.permitted(); err != nil {
		return err
	}
	a.mu.Renewed = a.j.Now().Round(0)
	return a.d.write(a.mu.ID+runningSuffix, a.mu.record)
}

// Allowed implements commit.Watch.
func (a *attendance) Allowed(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.permitted()
}

// permitted refuses a job that was marked, or that is so old that its mark may be gone. Whoever marks it then commits a
// snapshot and removes its files; see Recover for why this look is enough.
func (a *attendance) permitted() error {
	marked, err := a.d.read(a.mu.ID+markSuffix, &mark{})
	if err != nil {
		return err
	}
	if a.mu.refused = a.mu.refused || marked; marked || a.j.Now().Round(0).Sub(a.mu.Submitted) > longestJob {
		return failure.New(failure.Retry, CodeInterrupted, "run it again; nothing of this run will be committed any more",
			"job %s of table %s was taken for interrupted, since nothing was heard of it", a.mu.ID, a.mu.Table)
	}
	return nil
}

// end writes the record of an ended job.
func (a *attendance) end(result any, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.refused {
		// The mark is its record; what it has written since is looked after like the rest.
		if len(a.mu.Files) > 0 {
			_ = a.d.write(a.mu.ID+runningSuffix, a.mu.record)
		}
		return
	}
	now := a.j.Now().Round(0)
	r := a.mu.record
	r.finish(result, err, now)
	ended := r
	ended.Files = nil
	switch {
	case a.d.write(r.ID+endedSuffix, ended) != nil:
		// It is found as interrupted.
	case err != nil && len(r.Files) > 0 && a.d.write(r.ID+runningSuffix, r) == nil:
		// What it may have left is looked after like that of one that was killed.
	default:
		_ = a.d.remove(r.ID + runningSuffix)
	}
}
