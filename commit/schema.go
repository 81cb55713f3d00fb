package commit

import (
	"fmt"
	"strconv"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

// schema gives the fields provisional ids, in pre-order. The catalog gives its own; nothing may be written with
// these.
func schema(fields []column.Field) (*iceberg.Schema, error) {
	next := 0
	id := func() int { next++; return next }
	members, err := icebergFields(fields, id)
	if err != nil {
		return nil, err
	}
	return iceberg.NewSchema(0, members...), nil
}

func icebergFields(fields []column.Field, id func() int) ([]iceberg.NestedField, error) {
	out := make([]iceberg.NestedField, len(fields))
	for i, f := range fields {
		out[i] = iceberg.NestedField{ID: id(), Name: f.Name, Doc: f.Doc, Required: f.Required}
	}
	for i, f := range fields {
		t, err := icebergType(f.Type, id)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		out[i].Type = t
	}
	return out, nil
}

// icebergType spells a type as the library does.
func icebergType(t column.Type, id func() int) (iceberg.Type, error) {
	switch t.Kind {
	case column.Boolean:
		return iceberg.PrimitiveTypes.Bool, nil
	case column.Int:
		return iceberg.PrimitiveTypes.Int32, nil
	case column.Long:
		return iceberg.PrimitiveTypes.Int64, nil
	case column.Float:
		return iceberg.PrimitiveTypes.Float32, nil
	case column.Double:
		return iceberg.PrimitiveTypes.Float64, nil
	case column.Decimal:
		return iceberg.DecimalTypeOf(t.Precision, t.Scale), nil
	case column.Date:
		return iceberg.PrimitiveTypes.Date, nil
	case column.Time:
		return iceberg.PrimitiveTypes.Time, nil
	case column.Timestamp:
		return iceberg.PrimitiveTypes.Timestamp, nil
	case column.TimestampTZ:
		return iceberg.PrimitiveTypes.TimestampTz, nil
	case column.String:
		return iceberg.PrimitiveTypes.String, nil
	case column.UUID:
		return iceberg.PrimitiveTypes.UUID, nil
	case column.Fixed:
		return iceberg.FixedTypeOf(t.Length), nil
	case column.Binary:
		return iceberg.PrimitiveTypes.Binary, nil
	}
	return nestedType(t, id)
}

func nestedType(t column.Type, id func() int) (iceberg.Type, error) {
	want := map[column.Kind]int{column.List: 1, column.Map: 2}[t.Kind]
	if want > 0 && len(t.Fields) != want {
		return nil, fmt.Errorf("%s with %d parts", t.Kind, len(t.Fields))
	}
	parts, err := icebergFields(t.Fields, id)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case column.Struct:
		return &iceberg.StructType{FieldList: parts}, nil
	case column.List:
		return &iceberg.ListType{ElementID: parts[0].ID, Element: parts[0].Type, ElementRequired: parts[0].Required}, nil
	case column.Map:
		return &iceberg.MapType{KeyID: parts[0].ID, KeyType: parts[0].Type, ValueID: parts[1].ID, ValueType: parts[1].Type, ValueRequired: parts[1].Required}, nil
	}
	return nil, fmt.Errorf("type %s cannot be stored", t.Kind)
}

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
		keyNumRetries:       "0",
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
