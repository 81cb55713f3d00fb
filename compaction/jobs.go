package compaction

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// JobState says how far a job is.
type JobState string

// The states of a job.
const (
	JobQueued  JobState = "queued"
	JobRunning JobState = "running"
	JobDone    JobState = "done"
	JobFailed  JobState = "failed"
	// JobInterrupted is a job whose process is gone, or has not been heard of for an hour.
	JobInterrupted JobState = "interrupted"
)

// JobStatus is a procedure that was asked for or carried out. Those that change something have a record beside the table,
// which outlives their process; the daemon knows the last hundred.
type JobStatus struct {
	ID        string `json:"id"`
	Table     string `json:"table"`
	Procedure string `json:"procedure"`
	DryRun    bool   `json:"dry_run"`
	// Where is the condition on partitions that rewrite_data_files was given.
	Where string   `json:"where,omitempty"`
	State JobState `json:"state"`
	// DoneUnits of TotalUnits are done, in bytes or files.
	DoneUnits  int64      `json:"progress_done"`
	TotalUnits int64      `json:"progress_total"`
	Step       string     `json:"progress_step,omitempty"`
	Submitted  time.Time  `json:"submitted_at"`
	Ended      *time.Time `json:"ended_at"`
	// Owner is the process: host and process id.
	Owner string `json:"owner,omitempty"`
	// Removed counts the files that an interrupted job had left and the next run has removed.
	Removed int `json:"removed_files_count,omitempty"`
	// Result is what the command of the procedure writes with -o json.
	Result any    `json:"result"`
	Error  string `json:"error,omitempty"`
	Code   string `json:"code,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// Submit asks for a procedure. Job tells what has become of it.
func (k *Keeper) Submit(table, procedure, where string, dry bool) (JobStatus, error) {
	procedure = strings.ReplaceAll(procedure, "-", "_")
	if !slices.Contains(event.Procedures(), procedure) {
		return JobStatus{}, failure.New(failure.Config, CodeProcedure, "known are: "+strings.Join(event.Procedures(), ", "), "there is no procedure %s", procedure)
	}
	if err := whereOf(procedure, where); err != nil {
		return JobStatus{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.mu.queue) >= mostJobs/2 {
		return JobStatus{}, failure.New(failure.Retry, CodeBusy, "wait for the jobs that are queued", "%d jobs are waiting", len(k.mu.queue))
	}
	job := &JobStatus{ID: k.o.NewID(), Table: table, Procedure: procedure, Where: where, DryRun: dry, State: JobQueued, Submitted: k.o.Now()}
	k.mu.queue = append(k.mu.queue, job)
	k.keep(job)
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return *job, nil
}

// keep adds a job; the caller holds the lock.
func (k *Keeper) keep(job *JobStatus) {
	if k.mu.jobs = append(k.mu.jobs, job); len(k.mu.jobs) > mostJobs {
		k.mu.jobs = slices.Delete(k.mu.jobs, 0, 1)
	}
}

// remember adds a job that nobody asked for, or puts one in the place of what was known of it.
func (k *Keeper) remember(job *JobStatus) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mu.jobs = slices.DeleteFunc(k.mu.jobs, func(j *JobStatus) bool { return j.ID == job.ID })
	k.keep(job)
}

// recall takes over what the records beside the tables say of earlier jobs.
func (k *Keeper) recall(ctx context.Context) {
	if k.o.Journal == nil {
		return
	}
	for _, name := range k.o.Recalled {
		t, err := k.o.Open(ctx, name)
		if err != nil || t == nil || ctx.Err() != nil {
			continue // what is wrong with a table, its owner says
		}
		jobs, err := k.o.Journal.Jobs(ctx, t)
		if err != nil {
			k.tell(name, ProcRewrite, k.o.Now(), nil, err)
		}
		for _, j := range jobs {
			k.remember(&j)
		}
	}
}

// recovered takes over what became of interrupted jobs, and tells.
func (k *Keeper) recovered(jobs []JobStatus) {
	for _, j := range jobs {
		k.remember(&j)
		if j.State == JobInterrupted {
			k.tell(j.Table, j.Procedure, j.Submitted, nil, j.interrupted())
		}
	}
}

func (s *JobStatus) interrupted() error {
	return failure.New(failure.Retry, CodeInterrupted, "nothing to do: what it left was looked after", "job %s of process %s was interrupted; %d files of it were removed", s.ID, s.Owner, s.Removed)
}

// Jobs are the last hundred jobs, the oldest first.
func (k *Keeper) Jobs() JobList {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := JobList{Jobs: []JobStatus{}}
	for _, j := range k.mu.jobs {
		out.Jobs = append(out.Jobs, *j)
	}
	slices.SortStableFunc(out.Jobs, func(a, b JobStatus) int { return a.Submitted.Compare(b.Submitted) })
	return out
}

// JobList is a list of jobs.
type JobList struct {
	Jobs []JobStatus `json:"jobs"`
}

// Explain writes the list for people.
func (l JobList) Explain(w io.Writer) error {
	if len(l.Jobs) == 0 {
		_, err := fmt.Fprintln(w, "no procedure has left a record")
		return err
	}
	for _, j := range l.Jobs {
		if err := j.explain(w); err != nil {
			return err
		}
	}
	return nil
}

func (s *JobStatus) explain(w io.Writer) error {
	line := fmt.Sprintf("%s  %-20s %-12s %s", s.Submitted.UTC().Format(time.RFC3339), s.Procedure, s.State, s.ID)
	if s.Owner != "" {
		line += "  by " + s.Owner
	}
	if s.Removed > 0 {
		line += fmt.Sprintf("; %d files of it were removed", s.Removed)
	}
	if s.Error != "" {
		line += ": " + s.Error
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// Job finds a job.
func (k *Keeper) Job(id string) (JobStatus, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, j := range k.mu.jobs {
		if j.ID == id {
			return *j, true
		}
	}
	return JobStatus{}, false
}

// take is the next job that waits.
func (k *Keeper) take() *JobStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.mu.queue) == 0 {
		return nil
	}
	job := k.mu.queue[0]
	k.mu.queue = slices.Delete(k.mu.queue, 0, 1)
	job.State = JobRunning
	return job
}

func (k *Keeper) progress(job *JobStatus, p Progress) {
	k.mu.Lock()
	defer k.mu.Unlock()
	job.DoneUnits, job.TotalUnits, job.Step = p.Done, p.Total, p.Step
}

func (k *Keeper) finish(job *JobStatus, result any, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	job.finish(result, err, k.o.Now())
}

func (s *JobStatus) finish(result any, err error, now time.Time) {
	s.State, s.Result, s.Ended = JobDone, result, &now
	if err != nil {
		s.State, s.Error, s.Code, s.Hint = JobFailed, err.Error(), failure.CodeOf(err), failure.HintOf(err)
	}
}
