package commit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	ours "github.com/ingestd/ingestd/table"
)

// attempt is one snapshot, built on one head and ready to be sent. It can be sent any number of times: it lands at
// most once, since it asserts its base.
type attempt struct {
	ident        table.Identifier
	requirements []table.Requirement
	updates      []table.Update
	// properties are those that it sets, all in one update: Nessie refuses a second one.
	properties iceberg.Properties
	// base is the head it was built on, nil for none.
	base *int64
	// snapshot is what it adds.
	snapshot table.Snapshot
	// files are the manifests and the manifest list written for it.
	files []string
	// sent: some catalog call was made with it.
	sent bool
}

// fits says whether the attempt can still land on the head that v shows: same head, and nothing took its sequence
// number or row ids (another branch may have) or made it look old (a change of the schema may have).
func (a *attempt) fits(v *view) bool {
	return a != nil && sameHead(a.base, v) && a.snapshot.SequenceNumber > v.meta.LastSequenceNumber() &&
		a.snapshot.TimestampMs >= v.meta.LastUpdatedMillis() &&
		(a.snapshot.FirstRowID == nil || *a.snapshot.FirstRowID >= v.meta.NextRowID())
}

func sameHead(base *int64, v *view) bool {
	head := v.headID()
	if base == nil || head == nil {
		return base == nil && head == nil
	}
	return *base == *head
}

// timeless is metadata without its past times. The library stamps snapshots with the machine's clock and refuses to
// stage one that is a minute older than the last; the stamp is replaced below, so the check must not come first.
type timeless struct{ table.Metadata }

// LastUpdatedMillis, SnapshotLogs and PreviousFiles hold the times that the library would compare with.
func (timeless) LastUpdatedMillis() int64 { return 0 }
func (timeless) PreviousFiles() iter.Seq[table.MetadataLogEntry] {
	return func(func(table.MetadataLogEntry) bool) {}
}
func (timeless) SnapshotLogs() iter.Seq[table.SnapshotLogEntry] {
	return func(func(table.SnapshotLogEntry) bool) {}
}

// build stages a snapshot on v's head: the files as new rows, or none; the state in the summary and, with the notes,
// in the mirror. stage does the library's part.
func (t *Table) build(ctx context.Context, v *view, next *state.State, notes map[state.Key][]byte, stage staging) (_ *attempt, err error) {
	text, err := next.Encode()
	if err != nil {
		return nil, t.spec.halt(CodeStateSize, "split the topics over several tables", "the positions no longer fit into a snapshot: %v", err)
	}
	rec := &recorder{before: t.leaving(ctx)}
	defer func() {
		if err != nil {
			t.removeThrough(context.WithoutCancel(ctx), v.tbl, rec.files())
		}
	}()
	tbl := table.New(v.tbl.Identifier(), timeless{v.meta}, "", rec.wrap(v.tbl.FS), nil)
	tx := tbl.NewTransactionOnBranch(t.spec.Branch)
	if err := stage(ctx, tx, iceberg.Properties{state.SummaryKey: text}); err != nil {
		return nil, fmt.Errorf("building snapshot: %w", err)
	}
	staged, err := tx.TableCommit()
	if err != nil {
		return nil, fmt.Errorf("building snapshot: %w", err)
	}
	a := &attempt{ident: v.tbl.Identifier(), base: v.headID(), files: rec.files()}
	for _, u := range staged.Updates {
		// The library adds things of its own, such as a name mapping; a commit changes the snapshots only.
		switch u.Action() {
		case table.UpdateAddSnapshot:
			if a.snapshot, err = snapshotOf(u); err != nil {
				return nil, err
			}
			a.snapshot.TimestampMs = max(t.env.Now().UnixMilli(), v.meta.LastUpdatedMillis()+1, newest(v)+1)
			a.snapshot.Summary.Properties[state.SummaryKey] = text
			a.updates = append(a.updates, table.NewAddSnapshotUpdate(&a.snapshot))
		case table.UpdateSetSnapshotRef:
			a.updates = append(a.updates, u)
		}
	}
	if len(a.updates) != 2 {
		return nil, errors.New("building snapshot: the library staged no snapshot")
	}
	if err := t.mend(ctx, v, rec, &a.snapshot); err != nil {
		return nil, err
	}
	mirror := state.Mirror{SnapshotID: a.snapshot.SnapshotID, Sequence: a.snapshot.SequenceNumber, State: next, Notes: notes}
	property, err := mirror.Encode()
	if err != nil {
		return nil, fmt.Errorf("building snapshot: %w", err)
	}
	a.set(iceberg.Properties{state.MirrorKey(next.Pipeline, next.Branch): property})
	a.pin(v, t.spec.Branch)
	return a, nil
}

// set adds properties to those that the attempt sets.
func (a *attempt) set(props iceberg.Properties) {
	if len(props) == 0 {
		return
	}
	if a.properties == nil {
		a.properties = iceberg.Properties{}
		a.updates = append(a.updates, table.NewSetPropertiesUpdate(a.properties))
	}
	maps.Copy(a.properties, props)
}

// mend puts right what the library wrote wrong into the manifest list; nothing has been sent yet.
func (t *Table) mend(ctx context.Context, v *view, rec *recorder, snapshot *table.Snapshot) error {
	if !slices.ContainsFunc(v.meta.PartitionSpecs(), func(p iceberg.PartitionSpec) bool {
		return ours.MayNeedMending(p, v.meta.CurrentSchema())
	}) {
		return nil
	}
	fs, err := rec.wrap(v.tbl.FS)(ctx)
	if err == nil {
		_, err = ours.MendManifestList(fs, v.meta, snapshot)
	}
	return err
}

// pin makes the attempt conditional: on this very table, and on the branch standing where it was looked at.
func (a *attempt) pin(v *view, branch string) {
	a.requirements = []table.Requirement{
		table.AssertTableUUID(v.meta.TableUUID()),
		table.AssertRefSnapshotID(branch, v.headID()),
	}
}

// newest is the time of the newest snapshot that the metadata knows, in milliseconds.
func newest(v *view) (ms int64) {
	for e := range v.meta.SnapshotLogs() {
		ms = max(ms, e.TimestampMs)
	}
	if v.head != nil {
		ms = max(ms, v.head.TimestampMs)
	}
	return ms
}

// snapshotOf takes the snapshot out of an update, whose type is private.
func snapshotOf(u table.Update) (table.Snapshot, error) {
	var w struct {
		Snapshot table.Snapshot `json:"snapshot"`
	}
	b, err := json.Marshal(u)
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err == nil && w.Snapshot.Summary == nil {
		err = errors.New("it has no summary")
	}
	if err != nil {
		return table.Snapshot{}, fmt.Errorf("reading the staged snapshot: %w", err)
	}
	return w.Snapshot, nil
}

// staging puts something into a transaction, with the given keys in the summary.
type staging func(ctx context.Context, tx *table.Transaction, summary iceberg.Properties) error

// addRows stages an append of files.
func addRows(files []iceberg.DataFile) staging {
	return func(ctx context.Context, tx *table.Transaction, summary iceberg.Properties) error {
		if len(files) == 0 {
			// RowDelta refuses to be empty and AddDataFiles ignores it; this one makes an empty append.
			return tx.AddFiles(ctx, nil, summary, true)
		}
		return tx.NewRowDelta(summary).AddRows(files...).Commit(ctx)
	}
}

// recorder notes every file that the library creates, so that those of an attempt that can no longer land are
// known.
type recorder struct {
	// before is told of each file first, nil for nobody.
	before func(path string) error
	mu     struct {
		sync.Mutex
		created map[string]bool
	}
}

// wrap puts the recorder in front of a table's file access.
func (r *recorder) wrap(open func(context.Context) (iceio.IO, error)) func(context.Context) (iceio.IO, error) {
	return func(ctx context.Context) (iceio.IO, error) {
		fs, err := open(ctx)
		if err != nil {
			return nil, err
		}
		w, ok := fs.(iceio.WriteFileIO)
		if !ok {
			return nil, fmt.Errorf("file access of type %T cannot write", fs)
		}
		return recordingIO{w, r}, nil
	}
}

func (r *recorder) files() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.mu.created))
}

func (r *recorder) add(name string) error {
	if r.before != nil {
		if err := r.before(name); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.created == nil {
		r.mu.created = map[string]bool{}
	}
	r.mu.created[name] = true
	return nil
}

type recordingIO struct {
	iceio.WriteFileIO
	r *recorder
}

func (f recordingIO) Create(name string) (iceio.FileWriter, error) {
	if err := f.r.add(name); err != nil {
		return nil, err
	}
	return f.WriteFileIO.Create(name)
}

func (f recordingIO) WriteFile(name string, p []byte) error {
	if err := f.r.add(name); err != nil {
		return err
	}
	return f.WriteFileIO.WriteFile(name, p)
}
