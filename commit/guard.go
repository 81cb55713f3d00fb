package commit

import (
	"fmt"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// The library accepts a path twice, a live path again and a file without its partition values, silently. What it
// does not check is checked here; every refusal is a bug of a caller.

func (t *Table) refuse(format string, args ...any) error {
	return failure.New(failure.Fatal, CodeFileSet, "please report this", "table %s: batch refused: %s", t.spec.name(), fmt.Sprintf(format, args...))
}

// guard checks a batch against itself and against what this value has committed before.
func (t *Table) guard(fs *FileSet) error {
	if len(fs.Steps) == 0 {
		return t.refuse("no steps")
	}
	if len(fs.Side) > 0 {
		return t.refuse("side outputs are not served yet")
	}
	var rows, added int64
	seen := make(map[string]bool, len(fs.Files))
	for _, f := range fs.Files {
		path := f.FilePath()
		if seen[path] || t.paths.known[path] {
			return t.refuse("file %s twice", path)
		}
		seen[path] = true
		if f.ContentType() != iceberg.EntryContentData || f.FileFormat() != iceberg.ParquetFile {
			return t.refuse("file %s is not a Parquet data file", path)
		}
		if f.Count() <= 0 || f.FileSizeBytes() <= 0 {
			return t.refuse("file %s of %d rows and %d bytes", path, f.Count(), f.FileSizeBytes())
		}
		rows += f.Count()
	}
	for _, s := range fs.Steps {
		added += s.Added
	}
	if rows != fs.Added || rows != added {
		return t.refuse("the files hold %d rows, the batch says %d, its steps %d", rows, fs.Added, added)
	}
	return nil
}

// guardAgainst checks a batch against the table it is going to: known schema, known specs, complete partition values.
func (t *Table) guardAgainst(meta table.Metadata, files []iceberg.DataFile, schemaID int) error {
	if len(files) == 0 {
		return nil
	}
	known := false
	for _, s := range meta.Schemas() {
		known = known || s.ID == schemaID
	}
	if !known {
		return t.refuse("written with schema %d, which the table does not have", schemaID)
	}
	for _, f := range files {
		spec := meta.PartitionSpecByID(int(f.SpecID()))
		if spec == nil {
			return t.refuse("file %s has partition spec %d, which the table does not have", f.FilePath(), f.SpecID())
		}
		values, n := f.Partition(), 0
		for _, field := range spec.Fields() {
			n++
			if _, ok := values[field.FieldID]; !ok {
				return t.refuse("file %s lacks the partition value of %s", f.FilePath(), field.Name)
			}
		}
		if len(values) != n {
			return t.refuse("file %s has %d partition values for %d fields", f.FilePath(), len(values), n)
		}
	}
	return nil
}

// changes are the steps as the state knows them.
func changes(steps []Step) []state.Change {
	out := make([]state.Change, len(steps))
	for i, s := range steps {
		out[i] = state.Change{
			Key: s.Key, From: s.From, To: s.To, Closed: s.Closed, Drop: s.Drop,
			Totals: state.Totals{Counts: s.Counts, Added: s.Added, Removed: s.Removed},
		}
	}
	return out
}
