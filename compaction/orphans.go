package compaction

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// CodeOrphanAge is the code of an age that is too short, CodeNested that of a location that holds another table.
	CodeOrphanAge = "E_ORPHAN_AGE"
	CodeNested    = "E_TABLES_NESTED"
	CodeOrphans   = "E_ORPHANS"

	// DefaultOrphanAge is longer than any upload waits for its commit; leastOrphanAge is the shortest that is believed to be.
	DefaultOrphanAge = 72 * time.Hour
	leastOrphanAge   = 24 * time.Hour

	metadataSuffix = ".metadata.json"
)

// RemoveOrphanFiles is a run of remove_orphan_files.
type RemoveOrphanFiles struct {
	Table *commit.Table
	// OlderThan is the age from which a file that nothing refers to is an orphan; 0 = 72 hours. Less than a day takes Young.
	OlderThan time.Duration
	Young     bool
	// Others gives the locations of all other tables that are known, by name.
	Others func(ctx context.Context) (map[string]string, error)
	DryRun bool
	Env    Env
}

// OrphansResult is what remove_orphan_files found; orphan_file_location is the name of Spark's procedure.
type OrphansResult struct {
	Table  string `json:"table"`
	DryRun bool   `json:"dry_run"`
	// Orphans are the files that were removed, or would be; Bytes their size.
	Orphans []string `json:"orphan_file_location"`
	Bytes   int64    `json:"orphan_bytes"`
	// Failed are orphans that could not be removed.
	Failed []string `json:"failed_file_location"`
	// Listed counts the files below the table's location, Referenced those of them that the table needs and Young those
	// that nothing refers to and that are not old enough.
	Listed     int `json:"listed_files_count"`
	Referenced int `json:"referenced_files_count"`
	Young      int `json:"young_files_count"`
}

// listedFile is a file below the table's location.
type listedFile struct {
	path string
	size int64
	at   time.Time
}

// Run lists the location first and looks at the table then: what is committed in between is known. A file is an orphan
// when no retained snapshot and nothing in the metadata has a file of its name, and when it is old enough. Names, not
// paths: the same path can be spelled in several ways, and a name that is met twice only keeps a file.
func (r *RemoveOrphanFiles) Run(ctx context.Context) (*OrphansResult, error) {
	return attended(ctx, r.Env.withDefaults(r.DryRun), r.Table, ProcOrphans, r.run)
}

func (r *RemoveOrphanFiles) run(ctx context.Context, e Env) (*OrphansResult, error) {
	r.Env = e
	if r.OlderThan == 0 {
		r.OlderThan = DefaultOrphanAge
	}
	res := &OrphansResult{Table: r.Table.Name(), DryRun: r.DryRun, Orphans: []string{}, Failed: []string{}}
	if r.OlderThan < leastOrphanAge && !r.Young {
		return nil, failure.New(failure.Config, CodeOrphanAge, "say so with --allow-young if nothing writes to the table",
			"table %s: files younger than a day may belong to a commit that is still to come", r.Table.Name())
	}
	if err := r.Table.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := r.Table.Collectable(); err != nil && !r.DryRun {
		return nil, err
	}
	if err := r.alone(ctx); err != nil {
		return nil, err
	}
	files, err := r.list(ctx)
	if err != nil {
		return nil, err
	}
	res.Listed = len(files)
	if err := r.Table.Refresh(ctx); err != nil {
		return nil, err
	}
	known, err := knownFiles(ctx, r.Table)
	if err != nil {
		return nil, err
	}
	if files, err = r.orphans(ctx, files, known, res); err != nil || r.DryRun {
		return res, err
	}
	return res, r.remove(ctx, files, known, res)
}

func (r *RemoveOrphanFiles) root() string {
	return strings.TrimRight(r.Table.Location(), "/") + "/"
}

// alone refuses a location in which another table of the catalog lies.
func (r *RemoveOrphanFiles) alone(ctx context.Context) error {
	if r.Others == nil {
		return nil
	}
	others, err := r.Others(ctx)
	if err != nil {
		return failure.Wrap(err, failure.Retry, CodeOrphans, "nothing is removed while it is not known where other tables lie", "listing the tables of the catalog")
	}
	for name, location := range others {
		if strings.HasPrefix(keyOf(location)+"/", keyOf(r.Table.Location())+"/") {
			return r.nested("table " + name + " at " + location)
		}
	}
	return nil
}

// keyOf is a location without its scheme, which may be spelled in several ways.
func keyOf(location string) string {
	if _, rest, ok := strings.Cut(location, "://"); ok {
		location = rest
	}
	return strings.Trim(strings.TrimPrefix(location, "file:"), "/")
}

func (r *RemoveOrphanFiles) nested(what string) error {
	return failure.New(failure.Config, CodeNested, "move one of the two; until then remove orphans by hand",
		"table %s: its location %s also holds %s, whose files are not known here", r.Table.Name(), r.Table.Location(), what)
}

// knownFiles are the names of all files that a table refers to.
func knownFiles(ctx context.Context, t *commit.Table) (map[string]bool, error) {
	tbl := t.Iceberg()
	meta, out := tbl.Metadata(), map[string]bool{}
	add := func(p string) { out[path.Base(p)] = true }
	add(tbl.MetadataLocation())
	for e := range meta.PreviousFiles() {
		add(e.MetadataFile)
	}
	for s := range meta.Statistics() {
		add(s.StatisticsPath)
	}
	for s := range meta.PartitionStatistics() {
		add(s.StatisticsPath)
	}
	fsys, err := tbl.FS(ctx)
	if err != nil {
		return nil, failure.Wrap(err, failure.Retry, CodeOrphans, "", "reading the metadata of %s", t.Name())
	}
	read := map[string]bool{}
	for _, s := range meta.Snapshots() {
		add(s.ManifestList)
		if err := addManifests(ctx, fsys, &s, read, add); err != nil {
			return nil, failure.Wrap(err, failure.Retry, CodeOrphans, "nothing is removed while it is not known what is needed", "reading snapshot %d of %s", s.SnapshotID, t.Name())
		}
	}
	return out, nil
}

// addManifests adds the manifests of a snapshot, and what those list that have not been read yet.
func addManifests(ctx context.Context, fsys iceio.IO, s *icetable.Snapshot, read map[string]bool, add func(string)) error {
	manifests, err := s.Manifests(fsys)
	if err != nil {
		return err
	}
	for _, m := range manifests {
		if read[m.FilePath()] {
			continue
		}
		read[m.FilePath()] = true
		add(m.FilePath())
		for e, err := range m.Entries(fsys, true) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			add(e.DataFile().FilePath())
		}
	}
	return nil
}

// orphans takes what is not known and old enough.
func (r *RemoveOrphanFiles) orphans(ctx context.Context, files []listedFile, known map[string]bool, res *OrphansResult) (out []listedFile, err error) {
	oldest := r.Env.Now().Add(-r.OlderThan)
	for _, f := range files {
		rel := strings.TrimPrefix(keyOf(f.path), keyOf(r.root())+"/")
		switch {
		case known[path.Base(f.path)]:
			res.Referenced++
		case hidden(rel) || path.Base(rel) == "version-hint.text":
		case f.at.IsZero() || f.at.After(oldest):
			res.Young++
		default:
			out = append(out, f)
			res.Orphans = append(res.Orphans, f.path)
			res.Bytes += f.size
		}
		if strings.Contains(path.Base(rel), metadataSuffix) || strings.HasSuffix(rel, ".metadata.json.gz") {
			if err := r.ours(ctx, f.path, known[path.Base(f.path)]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// remove deletes the orphans. The table is looked at once more: what others have put back stays.
func (r *RemoveOrphanFiles) remove(ctx context.Context, files []listedFile, known map[string]bool, res *OrphansResult) error {
	before := r.Table.Iceberg().MetadataLocation()
	if err := r.Table.Refresh(ctx); err != nil {
		return err
	}
	var err error
	if r.Table.Iceberg().MetadataLocation() != before {
		if known, err = knownFiles(ctx, r.Table); err != nil {
			return err
		}
	}
	fsys, err := r.Table.Iceberg().FS(ctx)
	if err != nil {
		return failure.Wrap(err, failure.Retry, CodeOrphans, "", "removing the orphans of %s", r.Table.Name())
	}
	res.Orphans, res.Bytes = []string{}, 0
	for i, f := range files {
		if known[path.Base(f.path)] {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.Env.Progress(Progress{Done: int64(i), Total: int64(len(files)), Step: fmt.Sprintf("removing %d files", len(files))})
		if err := fsys.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			res.Failed = append(res.Failed, f.path)
			continue
		}
		res.Orphans = append(res.Orphans, f.path)
		res.Bytes += f.size
	}
	if len(res.Failed) > 0 {
		return failure.New(failure.Retry, CodeOrphans, "run it again", "%d orphans of %s could not be removed", len(res.Failed), r.Table.Name())
	}
	return nil
}
