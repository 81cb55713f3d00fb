package compaction

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/commit"
)

// Recover looks after the jobs on a table whose processes are gone, and removes what they have left. It gives them.
//
// Whether a process is dead cannot be known: it may be frozen, and a request of it may still be on its way. So nothing
// depends on that. First the job is marked. Then a snapshot is committed on the head. A commit that the job built on an
// earlier head cannot land any more (commit.Table.Advance), and one on a later head it does not send: it looks for the mark
// after it has looked at the table, and the mark was there before that head. So none of the job's files can come into the
// table, and those that are not in it by then go. Where no such snapshot can be committed they are left to their age.
func (j *Journal) Recover(ctx context.Context, t *commit.Table) ([]JobStatus, error) {
	d, err := deskOf(ctx, t)
	if err != nil {
		return nil, err
	}
	all, err := d.list(ctx)
	if err != nil {
		return nil, err
	}
	if err := j.prune(d, all); err != nil {
		return nil, err
	}
	var marks []*mark
	for _, f := range all {
		m, err := j.mark(d, t, f.name)
		if err != nil {
			return nil, err
		}
		if m != nil {
			marks = append(marks, m)
		}
	}
	if len(marks) == 0 {
		return nil, nil
	}
	err = j.sweep(ctx, t, d, marks)
	out := make([]JobStatus, len(marks))
	for i, m := range marks {
		out[i] = m.JobStatus
	}
	return out, err
}

// mark marks the job of a record, if its process is gone. The files are those that the record has afterwards.
func (j *Journal) mark(d *desk, t *commit.Table, name string) (*mark, error) {
	id, running := strings.CutSuffix(name, runningSuffix)
	m := &mark{By: j.Owner}
	if !running {
		return nil, nil
	}
	if there, err := d.read(name, &m.record); !there || err != nil {
		return nil, err
	}
	if m.TableID != t.Metadata().TableUUID().String() || m.Branch != t.Branch() || m.ID != id || j.runs(&m.record) {
		return nil, nil
	}
	if m.State == JobRunning {
		m.State = JobInterrupted
	}
	if err := d.write(id+markSuffix, m); err != nil {
		return nil, err
	}
	var last record
	if there, err := d.read(name, &last); !there || err != nil {
		return nil, err
	}
	m.Files = last.Files
	return m, nil
}

// sweep removes what the marked jobs have left.
func (j *Journal) sweep(ctx context.Context, t *commit.Table, d *desk, marks []*mark) error {
	left, err := j.unclaimed(ctx, t, d, marks)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		if t.Collectable() != nil {
			return nil // shown as they are, until somebody may clean up
		}
		landed, err := t.Advance(ctx, iceberg.Properties{SummaryProcedure: "interrupted"})
		if err != nil {
			return err
		}
		if landed {
			if left, err = j.unclaimed(ctx, t, d, marks); err != nil {
				return err
			}
			for name, m := range left {
				if err := d.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return d.failed(err)
				}
				m.Removed++
			}
		}
	}
	for _, m := range marks {
		m.Settled, m.Files = true, nil
		if err := d.write(m.ID+markSuffix, m); err != nil {
			return err
		}
		if err := d.remove(m.ID + runningSuffix); err != nil {
			return err
		}
	}
	return nil
}

// unclaimed are the files of the jobs that are there and that the table does not refer to. A record is believed about
// files below the table's location only.
func (j *Journal) unclaimed(ctx context.Context, t *commit.Table, d *desk, marks []*mark) (map[string]*mark, error) {
	if !slices.ContainsFunc(marks, func(m *mark) bool { return len(m.Files) > 0 }) {
		return nil, nil
	}
	known, err := knownFiles(ctx, t)
	if err != nil {
		return nil, err
	}
	out, parts := map[string]*mark{}, unfinished{fs: d.fs}
	below := keyOf(t.Location()) + "/"
	for _, m := range marks {
		for _, name := range m.Files {
			rel, inside := strings.CutPrefix(keyOf(path.Clean(keyOf(name))), below)
			if !inside || hidden(rel) || known[path.Base(name)] {
				continue
			}
			there, err := exists(d.fs, name)
			if err != nil {
				return nil, d.failed(err)
			}
			if there {
				out[name] = m
			}
			for _, part := range parts.of(name) {
				out[part] = m
			}
		}
	}
	return out, nil
}

func exists(open iceio.IO, name string) (bool, error) {
	f, err := open.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// unfinished finds the temporary files under which local files are written; elsewhere an unfinished upload is no file.
type unfinished struct {
	fs iceio.IO
	// found are those of the directories that have been looked at.
	found map[string][]string
}

func (u *unfinished) of(name string) (out []string) {
	if strings.Contains(name, "://") && !strings.HasPrefix(name, "file://") {
		return nil
	}
	dir, base := path.Split(name)
	if u.found == nil {
		u.found = map[string][]string{}
	}
	if _, seen := u.found[dir]; !seen {
		u.found[dir] = temporary(u.fs, strings.TrimSuffix(dir, "/"))
	}
	for _, found := range u.found[dir] {
		if strings.HasPrefix(path.Base(found), "."+base+".") {
			out = append(out, found)
		}
	}
	return out
}

func temporary(open iceio.IO, dir string) (out []string) {
	lister, ok := open.(iceio.ListableIO)
	if !ok {
		return nil
	}
	err := lister.WalkDir(dir, func(found string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path.Base(found) != path.Base(dir):
			return fs.SkipDir
		case !e.IsDir() && strings.HasSuffix(found, ".tmp"):
			out = append(out, found)
		}
		return nil
	})
	if err != nil {
		return nil // they are left to their age
	}
	return out
}
