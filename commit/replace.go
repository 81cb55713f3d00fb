package commit

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/apache/iceberg-go/table/compaction"

	"github.com/ingestd/ingestd/internal/failure"
)

// Replacement is a rewrite: the rows of some data files, in other files. Old were read with all deletes of the
// snapshot Base applied, and New holds exactly what was left of their rows.
type Replacement struct {
	// Base is the snapshot that was read. New gets its sequence number, so that equality deletes that came later go
	// on applying to its rows.
	Base     int64
	Old, New []iceberg.DataFile
	// SchemaID is the schema that New was written with.
	SchemaID int
	// Summary is added to the snapshot's.
	Summary iceberg.Properties
}

// filePathColumn is the reserved id of the column file_path of a position delete file (Iceberg spec, Reserved Field IDs).
const filePathColumn = 2147483546

// Replace commits a rewrite. It moves no position: the snapshot carries the state on. A rewrite whose files are no
// longer all live, or have lost rows since its base, is Superseded: nothing of it is in the table, and the plan must
// be made anew. That is no error; what lands in between and touches none of its files does not disturb it.
//
// The library's own checks compare with the metadata that a transaction began with, which here is always the head: ours
// are the only ones.
func (t *Table) Replace(ctx context.Context, r Replacement) (Result, error) {
	if err := t.guardReplacement(&r); err != nil {
		return Result{}, err
	}
	w := &work{commitID: t.env.NewID(), files: r.New, schemaID: r.SchemaID, replace: &r}
	res, err := t.run(ctx, w)
	if err == nil && res.Outcome == Landed {
		t.paths.add(r.New)
	}
	return res, err
}

// guardReplacement checks a rewrite against itself.
func (t *Table) guardReplacement(r *Replacement) error {
	var old, rows int64
	seen := map[string]bool{}
	for i, f := range slices.Concat(r.Old, r.New) {
		if seen[f.FilePath()] {
			return t.refuse("file %s twice", f.FilePath())
		}
		seen[f.FilePath()] = true
		if f.ContentType() != iceberg.EntryContentData || f.Count() <= 0 {
			return t.refuse("file %s is not a data file with rows", f.FilePath())
		}
		if i < len(r.Old) {
			old += f.Count()
		} else {
			rows += f.Count()
		}
	}
	switch {
	case len(r.Old) == 0:
		return t.refuse("a rewrite of no files")
	case rows > old:
		return t.refuse("a rewrite that makes %d rows of %d", rows, old)
	}
	return nil
}

// replaceTurn is a round of the loop for a rewrite.
func (t *Table) replaceTurn(ctx context.Context, w *work) (Result, bool, error) {
	v, r := t.view, w.replace
	// The table has been looked at, nothing has been sent on it: whoever is to end does so here.
	if err := t.allowed(ctx); err != nil {
		return Result{}, true, err
	}
	if v.meta.Version() > defaultFormat {
		return Result{}, true, t.refuse("rewrites keep no row ids, which format version %d has", v.meta.Version())
	}
	if err := t.guardAgainst(v.meta, r.New, r.SchemaID); err != nil {
		return Result{}, true, err
	}
	h, err := t.held(ctx, v, r)
	if err == nil && !h.replaced && h.why == "" && !w.pending.fits(v) {
		w.pending, err = t.build(ctx, v, v.state, v.notes, rewrite(r, h))
		if err == nil {
			w.attempts = append(w.attempts, w.pending)
		}
	}
	switch {
	case failure.ClassOf(err) == failure.Halt:
		return Result{}, true, err
	case err != nil:
		w.answer(t.catalogError(err, "reading the files of"))
		t.retrying(w.sends, "build", err)
		return Result{}, false, nil
	case h.replaced:
		// Nothing but this rewrite adds its files; which of its attempts did is not known here.
		return Result{Outcome: Landed, State: v.state}, true, nil
	case h.why != "":
		return t.supersede(ctx, w, h.why), true, nil
	}
	return t.send(ctx, w)
}

// supersede ends a rewrite that no longer fits. Its attempts cannot land any more: each asserts a head on which it
// did fit, and no branch comes back to that one with a higher sequence number.
func (t *Table) supersede(ctx context.Context, w *work, why string) Result {
	res := Result{Outcome: Superseded, State: t.view.state, Why: why}
	if res.FilesDead = w.reaches(t.view); res.FilesDead {
		res.Removed = t.removeAttempts(ctx, w, 0)
	}
	return res
}

// holding is what a head says about a rewrite.
type holding struct {
	// sequence is that of the base.
	sequence int64
	// replaced: the new files are there already.
	replaced bool
	// why the rewrite no longer fits, "" while it does.
	why string
	// dead are the deletes that apply to nothing but the old files.
	dead []iceberg.DataFile
}

// held compares a rewrite with the live files of a head.
func (t *Table) held(ctx context.Context, v *view, r *Replacement) (*holding, error) {
	h := &holding{}
	based := false
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		if s.SnapshotID == r.Base {
			based, h.sequence = true, s.SequenceNumber
		}
		return !based
	})
	if v.head == nil {
		h.why = "the branch has no snapshot"
		return h, nil
	}
	fs, err := v.tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	manifests, err := v.head.Manifests(fs)
	if err != nil {
		return nil, err
	}
	s := newRewriteSurvey(r, h)
	for _, m := range manifests {
		if err := s.read(m, fs); err != nil {
			return nil, err
		}
	}
	switch {
	case len(s.added) > 0 && len(s.old) == len(r.Old):
		h.replaced = true
	case !based:
		h.why = fmt.Sprintf("snapshot %d, which was read, is not in the history of the head", r.Base)
	case len(s.old) > 0:
		h.why = fmt.Sprintf("file %s is no longer in the table", slices.Min(slices.Collect(maps.Keys(s.old))))
	case s.touched != "":
		h.why = fmt.Sprintf("rows of file %s have been deleted since", s.touched)
	default:
		dead, err := compaction.CollectDeadPositionDeletes(ctx, fs, v.head, s.paths)
		h.dead = append(h.dead, dead...)
		return h, err
	}
	return h, nil
}

// rewriteSurvey goes through the live entries of a head.
type rewriteSurvey struct {
	h *holding
	// paths are the old files; old those of them that have not been met yet, added the new files that have.
	paths map[string]struct{}
	old   map[string]bool
	fresh map[string]bool
	added []string
	// places are the partitions of the old files: deletes without a single target may reach these.
	places []iceberg.DataFile
	// touched is an old file that a delete later than the base reaches.
	touched string
}

func newRewriteSurvey(r *Replacement, h *holding) *rewriteSurvey {
	s := &rewriteSurvey{h: h, paths: map[string]struct{}{}, old: map[string]bool{}, fresh: map[string]bool{}, places: r.Old}
	for _, f := range r.Old {
		s.paths[f.FilePath()], s.old[f.FilePath()] = struct{}{}, true
	}
	for _, f := range r.New {
		s.fresh[f.FilePath()] = true
	}
	return s
}

func (s *rewriteSurvey) read(m iceberg.ManifestFile, fs iceio.IO) error {
	for e, err := range m.Entries(fs, true) {
		if err != nil {
			return fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
		}
		f := e.DataFile()
		switch f.ContentType() {
		case iceberg.EntryContentData:
			delete(s.old, f.FilePath())
			if s.fresh[f.FilePath()] {
				s.added = append(s.added, f.FilePath())
			}
		case iceberg.EntryContentPosDeletes:
			s.deletes(e)
		}
	}
	return nil
}

// deletes looks at one file of position deletes, or a deletion vector. Equality deletes need no look: the sequence
// number says which rows they apply to.
func (s *rewriteSurvey) deletes(e iceberg.ManifestEntry) {
	f := e.DataFile()
	late := e.SequenceNum() > s.h.sequence
	if target := targetOf(f); target != "" {
		_, ours := s.paths[target]
		switch {
		case ours && late:
			s.touched = target
		case ours && table.IsDeletionVector(f):
			s.h.dead = append(s.h.dead, f)
		}
		return
	}
	if !late {
		return
	}
	for _, old := range s.places {
		if old.SpecID() == f.SpecID() && maps.EqualFunc(old.Partition(), f.Partition(), sameValue) {
			s.touched = old.FilePath()
		}
	}
}

// targetOf is the one data file that a position delete file is about, "" when there may be several (Iceberg spec,
// Position Delete Files: referenced_data_file, or equal bounds of file_path).
func targetOf(f iceberg.DataFile) string {
	if path := f.ReferencedDataFile(); path != nil {
		return *path
	}
	low, high := f.LowerBoundValues()[filePathColumn], f.UpperBoundValues()[filePathColumn]
	if len(low) > 0 && bytes.Equal(low, high) {
		return string(low)
	}
	return ""
}

// sameValue compares partition values. Those that cannot be compared count as the same, which is the careful answer.
func sameValue(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// rewrite stages the replacement.
func rewrite(r *Replacement, h *holding) staging {
	return func(ctx context.Context, tx *table.Transaction, summary iceberg.Properties) error {
		props := maps.Clone(r.Summary)
		if props == nil {
			props = iceberg.Properties{}
		}
		maps.Copy(props, summary)
		return tx.NewRewrite(props).DataSequenceNumber(h.sequence).ApplyResult(table.CompactionGroupResult{
			OldDataFiles: r.Old, NewDataFiles: r.New, SafePosDeletes: h.dead,
		}).Commit(ctx)
	}
}
