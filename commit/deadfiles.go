package commit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
)

// mayHaveDeadFiles says whether files can have left the table with the expired snapshots. Appends and merged manifests,
// which are all that most tables see, take none out, and then nothing has to be read. A snapshot that only a tag had
// kept does not show what came after it.
func mayHaveDeadFiles(old *view, retained, expired []*table.Snapshot) bool {
	line := map[int64]bool{}
	ancestors(old.meta, old.head, func(s *table.Snapshot) bool {
		line[s.SnapshotID] = true
		return true
	})
	return slices.ContainsFunc(retained, removes) ||
		slices.ContainsFunc(expired, func(s *table.Snapshot) bool { return removes(s) || !line[s.SnapshotID] })
}

// removes says whether a snapshot may have taken files out of the table.
func removes(s *table.Snapshot) bool {
	if s.Summary == nil {
		return true
	}
	carried := s.Summary.Properties[state.SummaryKey] != "" && summaryCount(s, "deleted-data-files")+summaryCount(s, "removed-delete-files") == 0
	return s.Summary.Operation != table.OpAppend && !carried
}

// deadFile is a file that no retained snapshot needs. Queries that began before that may still read it, so it is
// deleted later. A process that ends meanwhile leaves it to the search for orphans.
type deadFile struct {
	path string
	due  time.Time
}

// mostDead bounds the memory of dead files.
const mostDead = 1 << 17

// findDead notes the files that are live in the dead manifests and in no retained snapshot. Only those in the table's
// own location count: a file that was added from elsewhere may be somebody else's.
func (t *Table) findDead(fs iceio.IO, kept, dead map[string]iceberg.ManifestFile) error {
	files := map[string]bool{}
	root := strings.TrimSuffix(t.view.meta.Location(), "/") + "/"
	err := eachLive(fs, dead, func(f iceberg.DataFile) {
		if strings.HasPrefix(f.FilePath(), root) {
			files[f.FilePath()] = true
		}
	})
	if err == nil {
		err = t.spare(fs, kept, files)
	}
	if err != nil {
		return err
	}
	due := t.env.Now().Add(t.spec.Upkeep.Grace)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if len(t.dead) < mostDead {
			t.dead = append(t.dead, deadFile{path, due})
		}
	}
	return nil
}

// removeDead deletes the dead files whose time has come, except for those that somebody has put back.
func (t *Table) removeDead(ctx context.Context) {
	files, now := map[string]bool{}, t.env.Now()
	later := slices.DeleteFunc(slices.Clone(t.dead), func(f deadFile) bool {
		if f.due.After(now) {
			return false
		}
		files[f.path] = true
		return true
	})
	if len(files) == 0 {
		return
	}
	fs, err := t.view.tbl.FS(ctx)
	if err != nil {
		return
	}
	kept, err := listed(fs, keepers(t.view, nil))
	if err == nil {
		err = t.spare(fs, kept, files)
	}
	if err == nil {
		t.dead = later
		t.remove(ctx, slices.Sorted(maps.Keys(files)))
	}
}

// spare takes out of files what is live in the kept manifests, or in one that others have added since.
func (t *Table) spare(fs iceio.IO, kept map[string]iceberg.ManifestFile, files map[string]bool) error {
	if len(files) == 0 {
		return nil
	}
	returning, err := t.returning(fs)
	if err != nil {
		return err
	}
	for _, manifests := range []map[string]iceberg.ManifestFile{kept, returning} {
		if err := eachLive(fs, manifests, func(f iceberg.DataFile) { delete(files, f.FilePath()) }); err != nil {
			return err
		}
	}
	return nil
}

// returning are the manifests that others have added along the retained line: they may have put a file back that had
// left the table before. We never do.
func (t *Table) returning(fs iceio.IO) (map[string]iceberg.ManifestFile, error) {
	out := map[string]iceberg.ManifestFile{}
	var failed error
	ancestors(t.view.meta, t.view.head, func(s *table.Snapshot) bool {
		if s.Summary != nil && s.Summary.Properties[state.SummaryKey] != "" {
			return true
		}
		manifests, err := s.Manifests(fs)
		for _, m := range manifests {
			if m.SnapshotID() == s.SnapshotID {
				out[m.FilePath()] = m
			}
		}
		failed = err
		return err == nil
	})
	return out, failed
}

// eachLive calls f for the files of the live entries.
func eachLive(fs iceio.IO, manifests map[string]iceberg.ManifestFile, f func(f iceberg.DataFile)) error {
	for _, m := range manifests {
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return fmt.Errorf("reading manifest %s: %w", m.FilePath(), err)
			}
			f(e.DataFile())
		}
	}
	return nil
}
