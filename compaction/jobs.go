package compaction

import (
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
)

// JobStatus is a procedure that was asked for. The daemon knows the last hundred since it started.
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
	if k.mu.jobs = append(k.mu.jobs, job); len(k.mu.jobs) > mostJobs {
		k.mu.jobs = slices.Delete(k.mu.jobs, 0, 1)
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return *job, nil
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
	now := k.o.Now()
	job.State, job.Result, job.Ended = JobDone, result, &now
	if err != nil {
		job.State, job.Error, job.Code, job.Hint = JobFailed, err.Error(), failure.CodeOf(err), failure.HintOf(err)
	}
}
