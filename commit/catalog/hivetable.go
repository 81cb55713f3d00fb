package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/catalog/metastore"
)

// What Iceberg's own Hive catalog writes into the Metastore's tables.
const (
	paramTableType = "table_type"
	icebergTable   = "ICEBERG"
	paramLocation  = "metadata_location"
	paramPrevious  = "previous_metadata_location"
	paramHandler   = "storage_handler"
	paramPurge     = "external.table.purge"
	propEngine     = "engine.hive.enabled"
	propLock       = "engine.hive.lock-enabled"
	propGC         = "gc.enabled"

	// maxParameter is what every database of a Metastore can hold, in characters; maxComment likewise.
	maxParameter = 4000
	maxComment   = 255
)

// parameters are a table's.
func parameters(t metastore.Struct) map[string]string {
	m, _ := t[metastore.TableParameters].(metastore.Map)
	return m.Strings()
}

// fresh is the Metastore's table for one that does not exist yet.
func (h *hiveTables) fresh(name hiveName, owner string, next standing) metastore.Struct {
	now := h.now().Unix()
	return altered(metastore.Struct{
		metastore.TableName: name.table, metastore.TableDatabase: name.database, metastore.TableOwner: owner,
		metastore.TableCreated: int32(now), 5: int32(now), 6: int32(math.MaxInt32),
		metastore.TablePartitions: metastore.Structs(), metastore.TableType: "EXTERNAL_TABLE",
	}, standing{}, next)
}

// altered is a table that stands at the next file. What is not Iceberg's stays as it is.
func altered(t metastore.Struct, old, next standing) metastore.Struct {
	t = maps.Clone(t)
	params := parameters(t)
	was := params[paramLocation]
	if old.meta != nil {
		for k := range old.meta.Properties() {
			delete(params, k)
		}
	}
	describe(params, next.meta)
	params["EXTERNAL"] = "TRUE"
	params[paramTableType] = icebergTable
	params[paramLocation] = next.location
	delete(params, paramPrevious)
	if was != "" {
		params[paramPrevious] = was
	}
	t[metastore.TableParameters] = metastore.Strings(params)
	t[metastore.TableStorage] = storage(t.Inner(metastore.TableStorage), next.meta)
	return t
}

// describe mirrors what the Metastore's users look for. Positions stay in the metadata file: they are too long for
// some databases, and nobody reads them here.
func describe(params map[string]string, meta table.Metadata) {
	for k, v := range meta.Properties() {
		if strings.HasPrefix(k, "ingestd.") || len(v) > maxParameter {
			delete(params, k)
			continue
		}
		params[k] = v
	}
	if purge, ok := meta.Properties()[propGC]; ok {
		params[paramPurge] = purge
	}
	params["uuid"] = meta.TableUUID().String()
	params["snapshot-count"] = strconv.Itoa(len(meta.Snapshots()))
	delete(params, "current-snapshot-summary")
	short(params, "current-schema", meta.CurrentSchema())
	delete(params, "default-partition-spec")
	if spec := meta.PartitionSpec(); !spec.IsUnpartitioned() {
		short(params, "default-partition-spec", &spec)
	}
	if s := meta.CurrentSnapshot(); s != nil {
		params["current-snapshot-id"] = strconv.FormatInt(s.SnapshotID, 10)
		params["current-snapshot-timestamp-ms"] = strconv.FormatInt(s.TimestampMs, 10)
		for hive, ice := range map[string]string{"numFiles": "total-data-files", "numRows": "total-records", "totalSize": "total-files-size"} {
			delete(params, hive)
			if s.Summary != nil && s.Summary.Properties[ice] != "" {
				params[hive] = s.Summary.Properties[ice]
			}
		}
	}
	if delete(params, paramHandler); meta.Properties()[propEngine] == "true" {
		params[paramHandler] = "org.apache.iceberg.mr.hive.HiveIcebergStorageHandler"
	}
}

// short sets a parameter to a value's JSON, if that is not too long.
func short(params map[string]string, key string, v any) {
	delete(params, key)
	if text, err := json.Marshal(v); err == nil && len(text) <= maxParameter {
		params[key] = string(text)
	}
}

// storage has the columns and the classes that read them: those of Iceberg's Hive library where the table asks for it.
func storage(sd metastore.Struct, meta table.Metadata) metastore.Struct {
	if sd = maps.Clone(sd); sd == nil {
		sd = metastore.Struct{metastore.StorageParams: metastore.Strings(nil)}
	}
	input, output, serde := "org.apache.hadoop.mapred.FileInputFormat", "org.apache.hadoop.mapred.FileOutputFormat", "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
	if meta.Properties()[propEngine] == "true" {
		const hive = "org.apache.iceberg.mr.hive.HiveIceberg"
		input, output, serde = hive+"InputFormat", hive+"OutputFormat", hive+"SerDe"
	}
	var columns []metastore.Struct
	for _, f := range meta.CurrentSchema().Fields() {
		doc := []rune(f.Doc)
		columns = append(columns, metastore.Struct{
			metastore.ColumnName: f.Name, metastore.ColumnType: hiveType(f.Type), metastore.ColumnComment: string(doc[:min(len(doc), maxComment)]),
		})
	}
	sd[metastore.StorageColumns] = metastore.Structs(columns...)
	sd[metastore.StorageLocation] = meta.Location()
	sd[metastore.StorageInput], sd[metastore.StorageOutput] = input, output
	sd[metastore.StorageSerde] = metastore.Struct{metastore.SerdeLibrary: serde, metastore.SerdeParameters: metastore.Strings(nil)}
	return sd
}

// hiveType is the type of Hive that comes nearest.
func hiveType(t iceberg.Type) string {
	switch t := t.(type) {
	case iceberg.BooleanType:
		return "boolean"
	case iceberg.Int32Type:
		return "int"
	case iceberg.Int64Type:
		return "bigint"
	case iceberg.Float32Type:
		return "float"
	case iceberg.Float64Type:
		return "double"
	case iceberg.DateType:
		return "date"
	case iceberg.TimestampType:
		return "timestamp"
	case iceberg.TimestampTzType:
		return "timestamp with local time zone"
	case iceberg.BinaryType, iceberg.FixedType:
		return "binary"
	case iceberg.DecimalType:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision(), t.Scale())
	case *iceberg.StructType:
		fields := make([]string, len(t.FieldList))
		for i, f := range t.FieldList {
			fields[i] = f.Name + ":" + hiveType(f.Type)
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	case *iceberg.ListType:
		return "array<" + hiveType(t.Element) + ">"
	case *iceberg.MapType:
		return "map<" + hiveType(t.KeyType) + "," + hiveType(t.ValueType) + ">"
	}
	return "string"
}
