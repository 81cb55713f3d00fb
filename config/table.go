package config

// Table is one Iceberg table and the topics that fill it.
type Table struct {
	// Identifier: namespace and name, `shop.clicks`.
	Name string `yaml:"name" required:"true"`
	// Topics by name. A topic may feed several tables.
	Topics []string `yaml:"topics"`
	// Topics by regular expression, matched against the whole name. Names that begin with `__` never match.
	TopicsRegex   string `yaml:"topics_regex"`
	TableSettings `yaml:",inline"`
}

// TableSettings is what `defaults` may hold for all tables, and a table for itself.
// A list set in a table replaces the default's; a mapping is merged key by key.
type TableSettings struct {
	// Source the topics are in. May be left out when there is one source.
	Source string `yaml:"source"`
	// How record values are read.
	Value Value `yaml:"value"`
	// How record keys are read.
	Key Key `yaml:"key"`
	// Where to begin in partitions that exist when the table first meets their topic. Later partitions begin at 0.
	Start Start `yaml:"start"`
	// Partition fields of a new table, over its top-level columns: `region`, `day(ts)`, `bucket(16, user_id)`, `truncate(10, name)`.
	PartitionBy []PartitionField `yaml:"partition_by"`
	// Order of the rows within each data file, by top-level columns with a single value: `ts`, `user_id desc`, `ts asc nulls last`.
	// Nulls come first, in descending columns last, unless it is said. It becomes the table's sort order, in existing tables too.
	// Costs memory: rows wait unencoded until the commit.
	SortBy []SortField `yaml:"sort_by"`
	// Creates the table and its namespace when they are missing.
	AutoCreate bool `yaml:"auto_create"`
	// Adds new optional fields of the records' schema to the table.
	AddColumns bool `yaml:"add_columns"`
	// Adds `_kafka_partition`, `_kafka_offset`, `_kafka_timestamp` (and `_kafka_topic` where a table has several topics). `verify --deep` needs them.
	AuditColumns bool `yaml:"audit_columns"`
	// Branch to commit to.
	Branch string `yaml:"branch"`
	// Engines that must be able to read the table: `clickhouse`, `duckdb`, `pyiceberg`, `spark`, `trino`, with the oldest version in use as in `trino@476` (of Spark, the version of iceberg-spark-runtime: `spark@1.10`). Fixed when the table is created.
	Readers []string `yaml:"readers"`
	// Iceberg format version of a new table: 2, or 3 where every reader knows it. Version 3 gives each row an id and has `timestamp_ns` and `timestamptz_ns`; Avro's `timestamp-nanos` then keeps its nanoseconds. A table that exists keeps its own.
	FormatVersion int `yaml:"format_version"`
	// What happens to a record that cannot be read, by the stage that refused it.
	Errors Errors `yaml:"errors"`
	// How data files are written.
	Parquet Parquet `yaml:"parquet"`
	// How long old states of the table can be read. Only for tables that ingestd has created; in others their own rules hold.
	History History `yaml:"history"`
	// How the table is looked after.
	Maintenance TableMaintenance `yaml:"maintenance"`
	// Iceberg properties of a new table. `write.parquet.bloom-filter-enabled.column.NAME: "true"` gives a column Bloom filters
	// (`write.parquet.bloom-filter-fpp.column.NAME`, 0.01; `write.parquet.bloom-filter-max-bytes`, 1 MiB), in existing tables too.
	Properties map[string]string `yaml:"properties"`
}

// Value says how record values are read.
type Value struct {
	// `avro`: Confluent wire format, schema from the registry. `json`: schema declared here. `raw`: key, value, headers and timestamp as they are.
	Format ValueFormat `yaml:"format"`
	// Columns of a `json` value.
	Schema []Field `yaml:"schema"`
	// What happens to JSON fields that the schema does not name: `rest` keeps them in the column `_rest`, `refuse` makes the record an error.
	UnknownFields UnknownFields `yaml:"unknown_fields"`
	// What happens to JSON text that is not valid Unicode: `refuse` makes the record an error, `replace` writes U+FFFD for each invalid byte and each half of a surrogate pair.
	InvalidText InvalidText `yaml:"invalid_text"`
	// What a record without a value becomes: nothing (counted as ignored) or a row of nulls with its key.
	Nulls Nulls `yaml:"nulls"`
}

// Key says how record keys are read.
type Key struct {
	// `off`: not at all. `raw`: one binary column. `avro`, `json`: as for values. Tables of `raw` values have the key by themselves.
	Format KeyFormat `yaml:"format"`
	// Columns of a `json` key.
	Schema []Field `yaml:"schema"`
	// Column of a `raw` key, or of an `avro` key that is not a record.
	Column string `yaml:"column"`
	// Put before the names of a record key's fields.
	Prefix string `yaml:"prefix"`
}

// Errors says, by stage, what happens to a record that cannot be read.
type Errors struct {
	// The wire frame is broken: no magic byte, no schema id, truncated.
	Frame ErrorPolicy `yaml:"frame"`
	// The schema is there but cannot be used. An unreachable registry is never a record's error: it is waited for.
	Registry ErrorPolicy `yaml:"registry"`
	// The bytes do not follow the schema.
	Decode ErrorPolicy `yaml:"decode"`
	// A value does not fit its column.
	Convert ErrorPolicy `yaml:"convert"`
}

// Parquet says how data files are written.
type Parquet struct {
	// `compat`: every reader. `delta`: smaller and faster, for readers that know it.
	Encoding Encoding `yaml:"encoding"`
	// Codec of the pages.
	Compression Compression `yaml:"compression"`
	// Effort of `zstd` (1-22) and `gzip` (1-9). 0 takes the codec's fastest.
	Level int `yaml:"level"`
	// Rows in one page.
	PageRows int `yaml:"page_rows"`
}

// History says which old states of a table can be read. All of the last ten minutes, and at least the last hundred,
// are kept anyway.
type History struct {
	// Tags `ingestd-hourly-2026-11-22T20`: the table as it was when that hour (UTC) began. The number that is kept; 0 makes none.
	HourlyTags int `yaml:"hourly_tags"`
	// Tags `ingestd-daily-2026-11-22`: the table as it was when that day (UTC) began. The number that is kept; 0 makes none.
	DailyTags int `yaml:"daily_tags"`
}
