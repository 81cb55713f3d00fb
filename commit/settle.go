package commit

import (
	"context"

	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

// landed looks for the work in a table: by the snapshots of its attempts in the lineage, and by its commit id among
// the last commits of the writers, which the head carries because some catalogs show no lineage. snapshot is 0 when
// it is not there; exact tells that it is known which of several attempts it was.
func (w *work) landed(v *view, writer string) (snapshot int64, exact bool) {
	sent := map[int64]bool{}
	for _, a := range w.attempts {
		if a.sent {
			sent[a.snapshot.SnapshotID] = true
			snapshot = a.snapshot.SnapshotID
		}
	}
	if len(sent) == 0 {
		return 0, false
	}
	found := int64(0)
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		if sent[s.SnapshotID] {
			found = s.SnapshotID
		}
		return found == 0
	})
	if found != 0 {
		return found, true
	}
	if id, ok := v.state.LastCommit(writer); ok && id == w.commitID {
		return snapshot, len(sent) == 1
	}
	return 0, false
}

// absent says that the work is provably not in the table: not merely that it was not found.
func (w *work) absent(v *view, writer string) bool {
	if _, known := v.state.LastCommit(writer); known || len(v.state.Writers) < state.MaxWriters {
		// Our last commit, or that there was none, is remembered, and it is not this one.
		return true
	}
	return w.reaches(v)
}

// reaches says that the lineage reaches down to the base of every attempt: what is not in it then, is not in the table.
func (w *work) reaches(v *view) bool {
	bases := map[int64]bool{}
	for _, a := range w.attempts {
		switch {
		case !a.sent:
		case a.base == nil:
			return false
		default:
			bases[*a.base] = true
		}
	}
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		delete(bases, s.SnapshotID)
		return len(bases) > 0
	})
	return len(bases) == 0
}

// land ends a commit whose snapshot is in the table.
func (t *Table) land(ctx context.Context, w *work, snapshot int64, exact bool) Result {
	res := Result{Outcome: Landed, SnapshotID: snapshot, State: t.view.state}
	if exact {
		res.Removed = t.removeAttempts(ctx, w, snapshot)
	}
	t.sweepMetadata(ctx, w.before, t.view.meta)
	if t.spec.ConfigHash == t.view.state.Epoch.Hash {
		t.opened = t.view.state.Epoch.N
	}
	return res
}

// fence ends a commit whose positions do not fit. Its attempts can no longer land: each asserts a head that had its
// first positions, and no branch comes back to such a head, as a late snapshot's sequence number is too low by then.
func (t *Table) fence(ctx context.Context, w *work, miss *state.Mismatch) Result {
	res := Result{Outcome: Fenced, State: t.view.state, Mismatch: miss, By: t.view.state.CommitID()}
	if res.FilesDead = w.absent(t.view, t.spec.Writer); res.FilesDead {
		res.Removed = t.removeAttempts(ctx, w, 0)
	}
	return res
}

// removeAttempts removes the manifests and manifest lists of all attempts but the one that landed. Data files are
// the caller's.
func (t *Table) removeAttempts(ctx context.Context, w *work, landed int64) (removed []string) {
	for _, a := range w.attempts {
		if a.snapshot.SnapshotID != landed {
			removed = append(removed, a.files...)
		}
	}
	t.remove(ctx, removed)
	return removed
}

// remove deletes metadata files that nothing refers to. What cannot be deleted is left to orphan removal.
func (t *Table) remove(ctx context.Context, files []string) {
	if t.view != nil {
		t.removeThrough(ctx, t.view.tbl, files)
	}
}

// removeThrough does so with the file access of a table that may not exist yet.
func (t *Table) removeThrough(ctx context.Context, tbl *table.Table, files []string) {
	if len(files) == 0 {
		return
	}
	del := t.env.Delete
	if del == nil {
		fs, err := tbl.FS(ctx)
		if err != nil {
			return
		}
		del = func(_ context.Context, path string) error { return fs.Remove(path) }
	}
	for _, f := range files {
		if ctx.Err() != nil || del(ctx, f) != nil {
			continue
		}
	}
}

// report tells the subscribers how a batch ended.
func (t *Table) report(fs *FileSet, res Result, err error) {
	e := event.CommitDone{
		Table: t.spec.name(), Result: event.CommitLanded, SnapshotID: res.SnapshotID, CommitID: res.CommitID,
		Rows: fs.Added, Files: len(fs.Files), Conflicts: res.Conflicts, Unknowns: res.Unknowns,
		Took: res.Took, Flushed: fs.Flushed, Oldest: fs.Oldest, At: t.env.Now(),
	}
	if res.Outcome == Fenced {
		e.Result = event.CommitFenced
	}
	if err != nil {
		e.Result = event.CommitFailed
	}
	var counts outcome.Counts
	for _, s := range fs.Steps {
		counts.Add(s.Counts)
	}
	e.Counts = counts
	for _, f := range fs.Files {
		e.Bytes += f.FileSizeBytes()
	}
	t.env.Events.Emit(e)
}
