package commit

import (
	"strconv"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	ours "github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// schema gives the fields provisional ids. The catalog gives its own; nothing may be written with these.
func schema(fields []column.Field) (*iceberg.Schema, error) { return ours.Schema(0, fields) }

// partitionStart is the first id of partition fields.
const partitionStart = 1000

// partitioning binds the partition fields to the columns of sc.
func partitioning(fields []PartitionField, sc *iceberg.Schema) (*iceberg.PartitionSpec, error) {
	if len(fields) == 0 {
		return iceberg.UnpartitionedSpec, nil
	}
	out := make([]iceberg.PartitionField, len(fields))
	for i, f := range fields {
		col, ok := sc.FindFieldByName(f.Column)
		if !ok {
			return nil, failure.New(failure.Config, "E_PARTITION", "name a column of the table", "partition field %d: no column %s", i+1, f.Column)
		}
		if !f.Transform.CanTransform(col.Type) {
			return nil, failure.New(failure.Config, "E_PARTITION", "use another transform or another column",
				"partition field %d: %s cannot be applied to %s %s", i+1, f.Transform, col.Type, f.Column)
		}
		name := f.Name
		if name == "" {
			name = partitionName(f.Column, f.Transform)
		}
		out[i] = iceberg.PartitionField{SourceIDs: []int{col.ID}, FieldID: partitionStart + i, Name: name, Transform: f.Transform}
	}
	spec := iceberg.NewPartitionSpec(out...)
	return &spec, nil
}

// partitionName is the name that every engine gives such a field.
func partitionName(col string, t iceberg.Transform) string {
	switch t.(type) {
	case iceberg.IdentityTransform:
		return col
	case iceberg.BucketTransform:
		return col + "_bucket"
	case iceberg.TruncateTransform:
		return col + "_trunc"
	case iceberg.VoidTransform:
		return col + "_null"
	}
	return col + "_" + t.String()
}

// The properties that every table of ours gets. They keep metadata flat with any engine that honours them.
const (
	// CreatedByKey marks a table that a pipeline of ours created (pipeline/branch): its history is ours to bound.
	CreatedByKey = "ingestd.created-by"

	keyFormatVersion    = "format-version"
	keyNumRetries       = "commit.retry.num-retries"
	keyDeleteMetadata   = "write.metadata.delete-after-commit.enabled"
	keyPreviousVersions = "write.metadata.previous-versions-max"
	keyMinSnapshots     = "history.expire.min-snapshots-to-keep"
	keyMaxSnapshotAge   = "history.expire.max-snapshot-age-ms"
	previousVersions    = 20
	defaultFormat       = 2
	// foreignRetries is for other engines: each of our commits makes theirs begin again, and the usual four tries are used
	// up before a rewrite of theirs gets in between two that are a second apart. We never retry so.
	foreignRetries = 10
)

// properties are those of a new table: ours below the caller's.
func (t *Table) properties(c *Creation) iceberg.Properties {
	format := c.FormatVersion
	if format == 0 {
		format = defaultFormat
	}
	u := t.spec.Upkeep
	props := iceberg.Properties{
		keyFormatVersion:    strconv.Itoa(format),
		keyNumRetries:       strconv.Itoa(foreignRetries),
		keyDeleteMetadata:   "true",
		keyPreviousVersions: strconv.Itoa(previousVersions),
		keyMinSnapshots:     strconv.Itoa(u.KeepMin),
		keyMaxSnapshotAge:   strconv.FormatInt(u.MaxAge.Milliseconds(), 10),
		CreatedByKey:        t.spec.creator(),
	}
	for k, v := range c.Properties {
		if k != CreatedByKey && k != keyFormatVersion {
			props[k] = v
		}
	}
	return props
}
