package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

// MendManifestList puts right what iceberg-go 0.7 writes wrong into the manifest list of a staged snapshot: where
// the lowest value of a partition field is the empty string, the manifest's lower bound becomes null. A reader takes
// that for "nothing but nulls" and passes over the manifest's rows, whatever the filter. The list is rewritten in
// place, so the snapshot must not be committed yet; it reports whether there was anything to do.
//
// Only snapshots of tables partitioned by a string can be affected (MayNeedMending). What other snapshots added is
// left alone: bounds that were right once are carried forward right.
func MendManifestList(fs iceio.IO, meta icetable.Metadata, snap *icetable.Snapshot) (bool, error) {
	manifests, err := snap.Manifests(fs)
	if err != nil {
		return false, failure.Wrap(err, classOf(err), codeManifests, "", "reading manifest list %s", snap.ManifestList)
	}
	mended := false
	given := rowIDs(manifests)
	for i, m := range manifests {
		if m.SnapshotID() != snap.SnapshotID || !boundless(m) {
			continue
		}
		fixed, err := mendManifest(fs, meta, m)
		if err != nil {
			return false, failure.Wrap(err, classOf(err), codeManifests, "", "mending the bounds of manifest %s", m.FilePath())
		}
		if fixed != nil {
			manifests[i], mended = fixed, true
		}
	}
	if !mended {
		return false, nil
	}
	if err := writeManifestList(fs, meta, snap, withoutRowIDs(manifests, snap)); err != nil {
		return false, failure.Wrap(err, classOf(err), codeManifests, "", "writing manifest list %s", snap.ManifestList)
	}
	again, err := snap.Manifests(fs)
	if err != nil {
		return false, failure.Wrap(err, classOf(err), codeManifests, "", "reading manifest list %s", snap.ManifestList)
	}
	if now := rowIDs(again); !maps.Equal(given, now) {
		return false, failure.New(failure.Fatal, codeManifests, "please report this", "manifest list %s gives the row ids %v, not %v", snap.ManifestList, now, given)
	}
	return true, nil
}

// rowIDs are the first row ids of manifests, in format version 3.
func rowIDs(manifests []iceberg.ManifestFile) map[string]int64 {
	out := map[string]int64{}
	for _, m := range manifests {
		if id := m.FirstRowID(); id != nil {
			out[m.FilePath()] = *id
		}
	}
	return out
}

// withoutRowIDs takes from the manifests that a snapshot adds the row ids that its list gave them. The list that is
// written next gives the same again, as it begins at the same id and has them in the same order; one that kept its id
// beside one that lost it would not be counted.
func withoutRowIDs(manifests []iceberg.ManifestFile, snap *icetable.Snapshot) []iceberg.ManifestFile {
	out := slices.Clone(manifests)
	for i, m := range out {
		if m.SnapshotID() == snap.SnapshotID && m.FirstRowID() != nil {
			out[i] = withPartitions(m, m.Partitions())
		}
	}
	return out
}

const codeManifests = "E_TABLE_MANIFESTS" // metadata files that cannot be read or written

// classOf keeps a classification; what has none is a file access that may work later.
func classOf(err error) failure.Class {
	if failure.CodeOf(err) != "" {
		return failure.ClassOf(err)
	}
	return failure.Retry
}

// MayNeedMending says whether a spec has a field whose values are strings.
func MayNeedMending(spec iceberg.PartitionSpec, sc *iceberg.Schema) bool {
	for _, f := range spec.PartitionType(sc).FieldList {
		if f.Type.Equals(iceberg.PrimitiveTypes.String) {
			return true
		}
	}
	return false
}

// boundless says whether a manifest has a field without a lower bound.
func boundless(m iceberg.ManifestFile) bool {
	for _, p := range m.Partitions() {
		if p.LowerBound == nil {
			return true
		}
	}
	return false
}

// mendManifest gives the manifest with its bounds put right, nil if they are.
func mendManifest(fs iceio.IO, meta icetable.Metadata, m iceberg.ManifestFile) (iceberg.ManifestFile, error) {
	spec := meta.PartitionSpecByID(int(m.PartitionSpecID()))
	if spec == nil {
		return nil, fmt.Errorf("there is no partition spec %d", m.PartitionSpecID())
	}
	summaries := m.Partitions()
	blank := make([]bool, len(summaries)) // the field has an empty string
	other := make([]bool, len(summaries)) // and a longer one
	for e, err := range m.Entries(fs, false) {
		if err != nil {
			return nil, err
		}
		values := e.DataFile().Partition()
		for i, f := range spec.Fields() {
			if s, ok := values[f.FieldID].(string); ok && i < len(summaries) {
				blank[i] = blank[i] || s == ""
				other[i] = other[i] || s != ""
			}
		}
	}
	changed := false
	for i := range summaries {
		if !blank[i] || summaries[i].LowerBound != nil {
			continue
		}
		changed = true
		summaries[i].LowerBound = &[]byte{}
		if !other[i] {
			summaries[i].UpperBound = &[]byte{}
		}
	}
	if !changed {
		return nil, nil
	}
	return withPartitions(m, summaries), nil
}

// withPartitions copies a manifest list entry with other summaries and without its first row id.
func withPartitions(m iceberg.ManifestFile, p []iceberg.FieldSummary) iceberg.ManifestFile {
	return iceberg.NewManifestFile(m.Version(), m.FilePath(), m.Length(), m.PartitionSpecID(), m.SnapshotID()).
		SequenceNum(m.SequenceNum(), m.MinSequenceNum()).Content(m.ManifestContent()).
		AddedFiles(m.AddedDataFiles()).ExistingFiles(m.ExistingDataFiles()).DeletedFiles(m.DeletedDataFiles()).
		AddedRows(m.AddedRows()).ExistingRows(m.ExistingRows()).DeletedRows(m.DeletedRows()).
		KeyMetadata(m.KeyMetadata()).Partitions(p).Build()
}

func writeManifestList(fs iceio.IO, meta icetable.Metadata, snap *icetable.Snapshot, manifests []iceberg.ManifestFile) (err error) {
	w, ok := fs.(iceio.WriteFileIO)
	if !ok {
		return fmt.Errorf("%T cannot write", fs)
	}
	f, err := w.Create(snap.ManifestList)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	seq, first := snap.SequenceNumber, int64(0)
	if snap.FirstRowID != nil {
		first = *snap.FirstRowID
	}
	return iceberg.WriteManifestList(meta.Version(), f, snap.SnapshotID, snap.ParentSnapshotID, &seq, first, manifests)
}
