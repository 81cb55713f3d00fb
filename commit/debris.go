package commit

import (
	"context"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
)

// removeExpired deletes what only expired snapshots needed: their manifest lists and the manifests that no retained
// snapshot lists. Data and delete files that only these listed are dead from now on.
func (t *Table) removeExpired(ctx context.Context, old *view, expired []*table.Snapshot) {
	if len(expired) == 0 {
		return
	}
	fs, err := old.tbl.FS(ctx)
	if err != nil {
		return
	}
	retained := keepers(t.view, expired)
	kept, err := listed(fs, retained)
	if err != nil {
		return // without knowing what is in use nothing is deleted
	}
	dead, err := listed(fs, dropping(old, expired))
	if err != nil {
		return
	}
	maps.DeleteFunc(dead, func(path string, _ iceberg.ManifestFile) bool { return kept[path] != nil })
	if mayHaveDeadFiles(old, retained, expired) && t.findDead(fs, kept, dead) != nil {
		return // what could not be read stays: whoever looks for orphans finds it with its files
	}
	files := slices.Sorted(maps.Keys(dead))
	for _, s := range expired {
		files = append(files, s.ManifestList)
	}
	t.remove(ctx, files)
}

// keepers are the retained snapshots whose manifests have to be looked at: what they do not list, no retained snapshot
// has in common with an expired one. The branch's own line is retained without gaps, so that its oldest snapshot
// stands for it: the others inherit its manifests or wrote new ones, which nothing older lists. What tags and other
// branches keep lies anywhere, and expired snapshots may have inherited from it.
func keepers(v *view, expired []*table.Snapshot) (out []*table.Snapshot) {
	line := map[int64]bool{}
	var oldest *table.Snapshot
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		line[s.SnapshotID], oldest = true, s
		return true
	})
	younger := slices.ContainsFunc(expired, func(s *table.Snapshot) bool {
		return oldest != nil && s.SequenceNumber >= oldest.SequenceNumber
	})
	for _, s := range v.meta.Snapshots() {
		if !line[s.SnapshotID] || younger || s.SnapshotID == oldest.SnapshotID {
			out = append(out, &s)
		}
	}
	return out
}

// dropping are those of the expired snapshots whose manifests have to be looked at: the newest, and each whose child
// does not merely add to it. An append of ours lists all that its parent lists.
func dropping(old *view, expired []*table.Snapshot) []*table.Snapshot {
	child := map[int64]*table.Snapshot{}
	for _, s := range old.meta.Snapshots() {
		if s.ParentSnapshotID != nil {
			child[*s.ParentSnapshotID] = &s
		}
	}
	gone := map[int64]bool{}
	for _, s := range expired {
		gone[s.SnapshotID] = true
	}
	var out []*table.Snapshot
	for _, s := range expired {
		c := child[s.SnapshotID]
		adds := c != nil && gone[c.SnapshotID] && c.Summary != nil && c.Summary.Operation == table.OpAppend && c.Summary.Properties[state.SummaryKey] != ""
		if !adds {
			out = append(out, s)
		}
	}
	return out
}

// listed are the manifests that the snapshots list, by path.
func listed(fs iceio.IO, snapshots []*table.Snapshot) (map[string]iceberg.ManifestFile, error) {
	out := map[string]iceberg.ManifestFile{}
	for _, s := range snapshots {
		manifests, err := s.Manifests(fs)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			out[m.FilePath()] = m
		}
	}
	return out, nil
}

// sweepMetadata removes the metadata files that fell out of the table's log, where the table asks for that and the
// catalog leaves it to the writer.
func (t *Table) sweepMetadata(ctx context.Context, old, cur table.Metadata) {
	if t.caps.RemovesMetadata || cur.Properties()[keyDeleteMetadata] != "true" {
		return
	}
	kept := map[string]bool{}
	for e := range cur.PreviousFiles() {
		kept[e.MetadataFile] = true
	}
	var gone []string
	for e := range old.PreviousFiles() {
		if !kept[e.MetadataFile] {
			gone = append(gone, e.MetadataFile)
		}
	}
	t.remove(ctx, gone)
}
