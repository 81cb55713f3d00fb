package sim

import (
	"fmt"
	"slices"

	icetable "github.com/apache/iceberg-go/table"
)

// expire removes the oldest snapshots and all files that only they used, as expire_snapshots does.
func (w *world) expire(n int) bool {
	name, meta := w.pick(n)
	if meta == nil || len(meta.Snapshots()) < 3 {
		return false
	}
	keep := 1 + n%4
	named := map[int64]bool{}
	for _, ref := range meta.Refs() {
		named[ref.SnapshotID] = true
	}
	all := meta.Snapshots()
	slices.SortFunc(all, func(a, b icetable.Snapshot) int { return int(a.SequenceNumber - b.SequenceNumber) })
	w.did("expire")
	gone := map[string]bool{}
	for i, s := range all {
		if i < len(all)-keep && !named[s.SnapshotID] {
			gone[fmt.Sprint(s.SnapshotID)] = true
		}
	}
	files := w.reached(all)
	ok := w.rewrite(name, func(m map[string]any) {
		for _, list := range []string{"snapshots", "snapshot-log"} {
			entries, _ := m[list].([]any)
			m[list] = slices.DeleteFunc(entries, func(s any) bool { return gone[fmt.Sprint(s.(map[string]any)["snapshot-id"])] })
		}
	})
	if !ok {
		return false
	}
	for path := range w.reached(w.lake.metadata(name).Snapshots()) {
		delete(files, path)
	}
	for path := range files {
		_ = w.warehouse.remove(path, "expire_snapshots")
	}
	return len(gone) > 0
}

// reached are the files of all kinds that snapshots refer to.
func (w *world) reached(list []icetable.Snapshot) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		manifests, err := s.Manifests(w.warehouse)
		if err != nil {
			w.fail("snapshot %d: %v", s.SnapshotID, err)
			continue
		}
		out[s.ManifestList] = true
		for _, m := range manifests {
			if out[m.FilePath()] {
				continue
			}
			out[m.FilePath()] = true
			for e, err := range m.Entries(w.warehouse, true) {
				if err != nil {
					w.fail("manifest %s: %v", m.FilePath(), err)
					break
				}
				out[e.DataFile().FilePath()] = true
			}
		}
	}
	return out
}
