package compaction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// CodeRecord is the code of a record of jobs that cannot be read or written, CodeInterrupted that of a job that
	// another process takes for interrupted.
	CodeRecord      = "E_JOB_RECORD"
	CodeInterrupted = "E_JOB_INTERRUPTED"

	// recordsDir is below the table's location. Its name makes it hidden to everybody's search for orphans.
	recordsDir = "/metadata/.ingestd-jobs/"
	// A job has one record while it runs, another one when it has ended, and a mark by whoever took it for interrupted.
	runningSuffix = ".running.json"
	endedSuffix   = ".ended.json"
	markSuffix    = ".interrupted.json"

	// mostEnded and recordAge bound the records that are kept.
	mostEnded = mostJobs
	recordAge = 30 * 24 * time.Hour
	// longestJob is far below recordAge: a job never outlives the mark that forbids its commits.
	longestJob = 7 * 24 * time.Hour
	// silence is how long a job may say nothing: it writes its record before each file. Whoever is taken for interrupted by
	// mistake loses its work, nothing else.
	silence = time.Hour
)

// Journal keeps a record of each procedure beside its table, so that others know of it when its process is gone: what it
// was, and the files that it may have left.
type Journal struct {
	Now   func() time.Time
	NewID func() string
	// Owner names this process. Alive says whether the process of a name still runs, as far as that can be known here.
	Owner string
	Alive func(owner string) (alive, known bool)
}

// record is what a job writes about itself.
type record struct {
	JobStatus
	TableID string    `json:"table_uuid"`
	Branch  string    `json:"branch"`
	Renewed time.Time `json:"renewed_at"`
	// Files would be orphans if the job ended now, unless the table refers to them.
	Files []string `json:"files,omitempty"`
}

// mark says that a job was taken for interrupted.
type mark struct {
	record
	By string `json:"marked_by"`
	// Settled: its files have been looked after.
	Settled bool `json:"settled"`
}

// desk is the place of a table's records.
type desk struct {
	fs   iceio.WriteFileIO
	root string
}

func deskOf(ctx context.Context, t *commit.Table) (*desk, error) {
	d := &desk{root: strings.TrimRight(t.Location(), "/") + recordsDir}
	open, err := t.Iceberg().FS(ctx)
	if err != nil {
		return nil, d.failed(err)
	}
	var ok bool
	if d.fs, ok = open.(iceio.WriteFileIO); !ok {
		return nil, d.failed(fmt.Errorf("file access of type %T cannot write", open))
	}
	return d, nil
}

func (d *desk) failed(err error) error {
	return failure.Wrap(err, failure.Retry, CodeRecord, "procedures need to list, read, write and delete there", "keeping the records of jobs at %s", d.root)
}

func (d *desk) write(name string, content any) error {
	b, err := json.MarshalIndent(content, "", " ")
	if err == nil {
		err = d.fs.WriteFile(d.root+name, append(b, '\n'))
	}
	if err != nil {
		return d.failed(err)
	}
	return nil
}

// read reads a record; it says false when there is none.
func (d *desk) read(name string, into any) (there bool, err error) {
	f, err := d.fs.Open(d.root + name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, d.failed(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return false, d.failed(fmt.Errorf("reading %s: %w", name, err))
	}
	return true, nil
}

func (d *desk) remove(name string) error {
	if err := d.fs.Remove(d.root + name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.failed(err)
	}
	return nil
}

// filed is a record as it is listed.
type filed struct {
	name string
	at   time.Time
}

// list gives the records, the oldest first.
func (d *desk) list(ctx context.Context) (out []filed, err error) {
	lister, ok := d.fs.(iceio.ListableIO)
	if !ok {
		return nil, d.failed(errors.New("the files there cannot be listed"))
	}
	err = lister.WalkDir(d.root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			out = append(out, filed{path.Base(name), info.ModTime()})
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, d.failed(err)
	}
	slices.SortStableFunc(out, func(a, b filed) int { return a.at.Compare(b.at) })
	return out, nil
}

// Jobs are the procedures that were carried out on a table, or still are, as far as there are records of them: the oldest
// first.
func (j *Journal) Jobs(ctx context.Context, t *commit.Table) ([]JobStatus, error) {
	d, err := deskOf(ctx, t)
	if err != nil {
		return nil, err
	}
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	out := []JobStatus{}
	best := map[string]string{}
	for _, f := range all {
		id, kind, _ := strings.Cut(f.name, ".")
		if kind = "." + kind; tells(kind) > tells(best[id]) {
			best[id] = kind
		}
	}
	for _, f := range all {
		id, kind, _ := strings.Cut(f.name, ".")
		if kind = "." + kind; kind != best[id] || tells(kind) == 0 {
			continue
		}
		var r record
		there, err := d.read(f.name, &r)
		if err != nil {
			return nil, err
		}
		if !there || r.TableID != t.Metadata().TableUUID().String() {
			continue
		}
		if r.State == JobRunning && !j.runs(&r) {
			r.State = JobInterrupted
		}
		out = append(out, r.JobStatus)
	}
	slices.SortStableFunc(out, func(a, b JobStatus) int { return a.Submitted.Compare(b.Submitted) })
	return out, nil
}

// tells orders the records of a job by how much they know of it.
func tells(kind string) int {
	return slices.Index([]string{runningSuffix, markSuffix, endedSuffix}, kind) + 1
}

// runs says whether a job is still at work, as far as can be known from here.
func (j *Journal) runs(r *record) bool {
	if r.State != JobRunning {
		return false
	}
	if j.Alive != nil {
		if alive, known := j.Alive(r.Owner); known {
			return alive
		}
	}
	return j.Now().Sub(r.Renewed) < silence
}

// prune removes the records that are old, or too many.
func (j *Journal) prune(d *desk, all []filed) error {
	ended := 0
	for _, f := range slices.Backward(all) {
		if strings.HasSuffix(f.name, runningSuffix) {
			continue
		}
		if strings.HasSuffix(f.name, endedSuffix) {
			ended++
		}
		if j.Now().Sub(f.at) > recordAge || ended > mostEnded && strings.HasSuffix(f.name, endedSuffix) {
			if err := d.remove(f.name); err != nil {
				return err
			}
		}
	}
	return nil
}
