package commit

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// CodeGC is the code of the refusal to delete what a table keeps for others.
const CodeGC = "E_GC_DISABLED"

// Expiry says what may expire.
type Expiry struct {
	// OlderThan is the time before which a snapshot must have been followed by another: as long as it was the newest,
	// queries began to read it.
	OlderThan time.Time
	// RetainLast is the number of newest snapshots that stay.
	RetainLast int
	// DryRun only finds out.
	DryRun bool
}

// Expired is what has expired, or would.
type Expired struct {
	Snapshots []int64
	// Kept are snapshots that are old enough, and that a branch, a tag or the positions of a pipeline need.
	Kept int
	// DataFiles, PositionDeletes, EqualityDeletes, Manifests, Lists and Statistics are the files that nothing needs any more.
	DataFiles, PositionDeletes, EqualityDeletes, Manifests, Lists, Statistics []string
}

// files are all files.
func (e *Expired) files() []string {
	return slices.Concat(e.DataFiles, e.PositionDeletes, e.EqualityDeletes, e.Manifests, e.Lists, e.Statistics)
}

// Collectable refuses a table whose garbage nobody may collect.
func (t *Table) Collectable() error {
	if v := t.view.meta.Properties()[table.GCEnabledKey]; strings.EqualFold(v, "false") {
		return failure.New(failure.Config, CodeGC, "set gc.enabled to true if nothing else needs the files",
			"table %s: nothing is deleted, since its property gc.enabled is false", t.spec.name())
	}
	return nil
}

// Expire removes the tail of the branch's history, and deletes what only that needed. What branches and tags name stays,
// and so does everything from the newest snapshot on that carries the positions of a pipeline. It commits nothing else.
func (t *Table) Expire(ctx context.Context, e Expiry) (*Expired, error) {
	if err := t.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := t.Collectable(); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		out, done, err := t.expireOnce(ctx, e)
		if done || failure.ClassOf(err) == failure.Halt {
			return out, err
		}
		if err != nil {
			t.retrying(n, "expire", err)
			if n == upkeepTries {
				return nil, t.catalogError(err, "expiring snapshots of")
			}
		}
		if err := t.env.Wait(ctx, t.env.backoff(n, conflictWaitMin, conflictWaitMax)); err != nil {
			return nil, canceled(ctx, "expiring snapshots of table "+t.spec.name(), true)
		}
		if err := t.load(ctx); err != nil {
			return nil, err
		}
	}
}

// expireOnce makes one attempt.
func (t *Table) expireOnce(ctx context.Context, e Expiry) (_ *Expired, done bool, err error) {
	v := t.view
	out, gone := &Expired{}, t.tail(v, e)
	for _, s := range gone.expired {
		out.Snapshots = append(out.Snapshots, s.SnapshotID)
	}
	out.Kept = gone.kept
	if len(gone.expired) == 0 {
		return out, true, nil
	}
	fs, err := v.tbl.FS(ctx)
	if err != nil {
		return nil, false, err
	}
	if e.DryRun {
		err := t.leftovers(fs, v, v, gone.expired, out)
		return out, err == nil, err
	}
	a := &attempt{ident: v.tbl.Identifier(), base: v.headID()}
	a.pin(v, t.spec.Branch)
	a.set(t.anchor(v, a, gone.expired[0]))
	a.updates = append(a.updates, table.NewRemoveSnapshotsUpdate(out.Snapshots, false))
	if err := t.announce(ctx, fs, v, gone.expired); err != nil {
		return nil, false, err
	}
	meta, location, err := t.deliver(ctx, a)
	if err == nil {
		err = t.look(table.New(a.ident, meta, location, v.tbl.FS, t.cat))
	} else if lerr := t.load(ctx); lerr == nil {
		if landed, _ := t.tended(a, false, tagging{}, gone.expired); !landed {
			return nil, false, err
		}
		err = nil
	}
	if err != nil {
		return nil, false, err
	}
	t.sweepMetadata(ctx, v.meta, t.view.meta)
	if err := t.leftovers(fs, v, t.view, gone.expired, out); err != nil {
		// Without knowing what is in use nothing is deleted: whoever looks for orphans finds it.
		return &Expired{Snapshots: out.Snapshots, Kept: out.Kept}, true, t.catalogError(err, "reading what has expired of")
	}
	t.remove(ctx, out.files())
	return out, true, nil
}

// announce tells the watch what the expiry will leave to nobody, before it is committed.
func (t *Table) announce(ctx context.Context, fs iceio.IO, v *view, expired []*table.Snapshot) error {
	if t.watch == nil {
		return nil
	}
	var all Expired
	if err := t.leftovers(fs, v, v, expired, &all); err != nil {
		return err
	}
	if err := t.watch.Leaving(ctx, all.files()...); err != nil {
		return err
	}
	return t.allowed(ctx)
}

// tailing is the part of a history that may go.
type tailing struct {
	expired []*table.Snapshot
	kept    int
}

// tail finds it. Only the tail goes, never the middle: what is needed keeps all that is newer.
func (t *Table) tail(v *view, e Expiry) (out tailing) {
	var line []*table.Snapshot
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		line = append(line, s)
		return true
	})
	carriers, named := t.inUse(v, tagging{})
	old := func(i int) bool { return i > 0 && line[i-1].TimestampMs < e.OlderThan.UnixMilli() }
	cut := max(1, e.RetainLast)
	for cut < len(line) && !old(cut) {
		cut++
	}
	for i := len(line) - 1; i >= cut; i-- {
		if carriers[line[i].SnapshotID] {
			out.kept += i + 1 - cut
			cut = i + 1
		}
	}
	for i := cut; i < len(line); i++ {
		if named[line[i].SnapshotID] {
			out.kept++
		} else {
			out.expired = append(out.expired, line[i])
		}
	}
	return out
}

// leftovers finds the files that only the expired snapshots needed: old is the table with them, now without them, or the
// same before anything has happened.
func (t *Table) leftovers(fs iceio.IO, old, now *view, expired []*table.Snapshot, out *Expired) error {
	gone := map[int64]bool{}
	for _, s := range expired {
		gone[s.SnapshotID] = true
		if s.ManifestList != "" {
			out.Lists = append(out.Lists, s.ManifestList)
		}
	}
	var retained []*table.Snapshot
	for _, s := range now.meta.Snapshots() {
		if !gone[s.SnapshotID] {
			retained = append(retained, &s)
		}
	}
	kept, err := listed(fs, retained)
	if err != nil {
		return err
	}
	dead, err := listed(fs, expired)
	if err != nil {
		return err
	}
	maps.DeleteFunc(dead, func(path string, _ iceberg.ManifestFile) bool { return kept[path] != nil })
	out.Manifests = slices.Sorted(maps.Keys(dead))
	for s := range old.meta.Statistics() {
		if gone[s.SnapshotID] {
			out.Statistics = append(out.Statistics, s.StatisticsPath)
		}
	}
	return t.leftoverFiles(fs, kept, dead, out)
}

// leftoverFiles finds the files that are live in the dead manifests and in no kept one, and lie in the table's location.
func (t *Table) leftoverFiles(fs iceio.IO, kept, dead map[string]iceberg.ManifestFile, out *Expired) error {
	root := strings.TrimSuffix(t.view.meta.Location(), "/") + "/"
	files := map[string]iceberg.ManifestEntryContent{}
	err := eachLive(fs, dead, func(f iceberg.DataFile) {
		if strings.HasPrefix(f.FilePath(), root) {
			files[f.FilePath()] = f.ContentType()
		}
	})
	if err != nil || len(files) == 0 {
		return err
	}
	if err := eachLive(fs, kept, func(f iceberg.DataFile) { delete(files, f.FilePath()) }); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		switch files[path] {
		case iceberg.EntryContentPosDeletes:
			out.PositionDeletes = append(out.PositionDeletes, path)
		case iceberg.EntryContentEqDeletes:
			out.EqualityDeletes = append(out.EqualityDeletes, path)
		default:
			out.DataFiles = append(out.DataFiles, path)
		}
	}
	return nil
}
