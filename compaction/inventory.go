package compaction

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
)

// Inventory is what a snapshot holds.
type Inventory struct {
	Snapshot int64
	Files    []File
	// tasks are the files with their deletes, by path.
	tasks map[string]icetable.FileScanTask
}

// Take lists the live data files of a snapshot with the deletes that apply to them.
func Take(ctx context.Context, tbl *icetable.Table, snapshot int64) (*Inventory, error) {
	tasks, err := tbl.Scan(icetable.WithSnapshotID(snapshot)).PlanFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the files of snapshot %d: %w", snapshot, err)
	}
	meta := tbl.Metadata()
	added := map[int64]time.Time{}
	for _, s := range meta.Snapshots() {
		added[s.SequenceNumber] = time.UnixMilli(s.TimestampMs)
	}
	inv := &Inventory{Snapshot: snapshot, tasks: make(map[string]icetable.FileScanTask, len(tasks))}
	for _, t := range tasks {
		f := fileOf(meta, t)
		f.Added = added[f.Sequence]
		if _, twice := inv.tasks[f.Path]; twice {
			return nil, fmt.Errorf("snapshot %d lists file %s twice", snapshot, f.Path)
		}
		inv.tasks[f.Path] = t
		inv.Files = append(inv.Files, f)
	}
	return inv, nil
}

// fileOf is a task in the plan's terms.
func fileOf(meta icetable.Metadata, t icetable.FileScanTask) File {
	d := t.File
	f := File{
		Path: d.FilePath(), Size: d.FileSizeBytes(), Rows: d.Count(), Spec: int(d.SpecID()),
		DeleteFiles: len(t.DeleteFiles) + len(t.EqualityDeleteFiles) + len(t.DeletionVectorFiles),
	}
	if t.DataSequenceNumber != nil {
		f.Sequence = *t.DataSequenceNumber
	}
	for _, del := range append(t.DeletionVectorFiles[:len(t.DeletionVectorFiles):len(t.DeletionVectorFiles)], t.DeleteFiles...) {
		// What may be about other files as well counts for none.
		if target := del.ReferencedDataFile(); target != nil && *target == f.Path {
			f.DeletedRows += del.Count()
		}
	}
	f.DeletedRows = min(f.DeletedRows, f.Rows)
	spec := meta.PartitionSpecByID(f.Spec)
	if d.FileFormat() != iceberg.ParquetFile {
		f.Refused = fmt.Sprintf("it is %s, not Parquet", strings.ToLower(string(d.FileFormat())))
	} else if spec == nil {
		f.Refused = fmt.Sprintf("the table has no partition spec %d", f.Spec)
	}
	if spec != nil {
		f.Partition = partitionText(*spec, d.Partition())
	}
	return f
}

// partitionText is the values of a partition, readable, and the same for the same partition only.
func partitionText(spec iceberg.PartitionSpec, values map[int]any) string {
	var b strings.Builder
	for i, field := range spec.Fields() {
		if i > 0 {
			b.WriteByte('/')
		}
		switch v := values[field.FieldID].(type) {
		case nil:
			fmt.Fprintf(&b, "%s=null", field.Name)
		case string:
			fmt.Fprintf(&b, "%s=%q", field.Name, v)
		default:
			fmt.Fprintf(&b, "%s=%v", field.Name, v)
		}
	}
	return b.String()
}

// group gives the tasks of a group.
func (inv *Inventory) group(g Group) []icetable.FileScanTask {
	out := make([]icetable.FileScanTask, len(g.Files))
	for i, f := range g.Files {
		out[i] = inv.tasks[f.Path]
	}
	return out
}
