package config

// enum is a string type with a closed set of values. The decoder refuses others and names the nearest one.
type enum interface{ options() []string }

// SourceType is the kind of a source.
type SourceType string

// Kinds of sources.
const SourceKafka SourceType = "kafka"

func (SourceType) options() []string { return []string{string(SourceKafka)} }

// SASLMechanism is a way to authenticate at brokers.
type SASLMechanism string

// Mechanisms.
const (
	SASLPlain       SASLMechanism = "PLAIN"
	SASLScram256    SASLMechanism = "SCRAM-SHA-256"
	SASLScram512    SASLMechanism = "SCRAM-SHA-512"
	SASLOAuthBearer SASLMechanism = "OAUTHBEARER"
)

func (SASLMechanism) options() []string {
	return []string{string(SASLPlain), string(SASLScram256), string(SASLScram512), string(SASLOAuthBearer)}
}

// ConsumerMode says who assigns partitions.
type ConsumerMode string

// Consumer modes.
const (
	ConsumerDirect ConsumerMode = "direct"
	ConsumerGroup  ConsumerMode = "group"
)

func (ConsumerMode) options() []string {
	return []string{string(ConsumerDirect), string(ConsumerGroup)}
}

// CatalogType is the kind of a catalog.
type CatalogType string

// Kinds of catalogs.
const (
	CatalogREST     CatalogType = "rest"
	CatalogSQLite   CatalogType = "sqlite"
	CatalogPostgres CatalogType = "postgres"
	CatalogHive     CatalogType = "hive"
)

func (CatalogType) options() []string {
	return []string{string(CatalogREST), string(CatalogSQLite), string(CatalogPostgres), string(CatalogHive)}
}

// notBuilt names the catalogs that people ask for and that have a better way in.
func (CatalogType) notBuilt(text string) string {
	switch text {
	case "glue":
		return "AWS Glue is served by its REST endpoint: type: rest, uri: https://glue.REGION.amazonaws.com/iceberg, sigv4: {region: REGION, service: glue}"
	case "nessie":
		return "Nessie is served by its REST endpoint: type: rest, uri: http://HOST:19120/iceberg"
	}
	return ""
}

// ValueFormat says how a record's value is encoded.
type ValueFormat string

// Formats of values.
const (
	ValueAvro ValueFormat = "avro"
	ValueJSON ValueFormat = "json"
	ValueRaw  ValueFormat = "raw"
)

func (ValueFormat) options() []string {
	return []string{string(ValueAvro), string(ValueJSON), string(ValueRaw)}
}

// KeyFormat says how a record's key is encoded.
type KeyFormat string

// Formats of keys.
const (
	KeyOff  KeyFormat = "off"
	KeyRaw  KeyFormat = "raw"
	KeyAvro KeyFormat = "avro"
	KeyJSON KeyFormat = "json"
)

func (KeyFormat) options() []string {
	return []string{string(KeyOff), string(KeyRaw), string(KeyAvro), string(KeyJSON)}
}

// UnknownFields says what happens to JSON fields the schema does not name.
type UnknownFields string

// Policies for unknown fields.
const (
	UnknownRest   UnknownFields = "rest"
	UnknownRefuse UnknownFields = "refuse"
)

func (UnknownFields) options() []string {
	return []string{string(UnknownRest), string(UnknownRefuse)}
}

// InvalidText says what happens to JSON text that is not valid Unicode.
type InvalidText string

// Policies for invalid text.
const (
	InvalidTextRefuse  InvalidText = "refuse"
	InvalidTextReplace InvalidText = "replace"
)

func (InvalidText) options() []string {
	return []string{string(InvalidTextRefuse), string(InvalidTextReplace)}
}

// Nulls says what a record without a value becomes.
type Nulls string

// Policies for null values.
const (
	NullsIgnore Nulls = "ignore"
	NullsRow    Nulls = "row"
)

func (Nulls) options() []string { return []string{string(NullsIgnore), string(NullsRow)} }

// Start is where a table begins in a topic it meets for the first time.
type Start string

// Starts.
const (
	StartEarliest Start = "earliest"
	StartLatest   Start = "latest"
)

func (Start) options() []string { return []string{string(StartEarliest), string(StartLatest)} }

// ErrorPolicy says what happens to a record that cannot be read.
type ErrorPolicy string

// Error policies.
const (
	PolicyFail ErrorPolicy = "fail"
	PolicySkip ErrorPolicy = "skip"
	// PolicyDeadLetter is known, so that it can be refused by name; it is not built yet.
	PolicyDeadLetter ErrorPolicy = "dead_letter"
)

func (ErrorPolicy) options() []string { return []string{string(PolicyFail), string(PolicySkip)} }

func (ErrorPolicy) notBuilt(value string) string {
	if value == string(PolicyDeadLetter) {
		return "dead letters are not built yet"
	}
	return ""
}

// Encoding is the choice of Parquet encodings.
type Encoding string

// Encodings.
const (
	EncodingCompat Encoding = "compat"
	EncodingDelta  Encoding = "delta"
)

func (Encoding) options() []string { return []string{string(EncodingCompat), string(EncodingDelta)} }

// Compression is the codec of Parquet pages.
type Compression string

// Codecs.
const (
	CompressionZstd   Compression = "zstd"
	CompressionSnappy Compression = "snappy"
	CompressionLZ4    Compression = "lz4"
	CompressionGzip   Compression = "gzip"
	CompressionNone   Compression = "none"
)

func (Compression) options() []string {
	return []string{
		string(CompressionZstd), string(CompressionSnappy), string(CompressionLZ4),
		string(CompressionGzip), string(CompressionNone),
	}
}

// Unit says how a time is written in JSON.
type Unit string

// Units.
const (
	UnitISO     Unit = "iso"
	UnitSeconds Unit = "seconds"
	UnitMillis  Unit = "millis"
	UnitMicros  Unit = "micros"
	UnitNanos   Unit = "nanos"
	UnitDays    Unit = "days"
)

func (Unit) options() []string {
	return []string{string(UnitISO), string(UnitSeconds), string(UnitMillis), string(UnitMicros), string(UnitNanos), string(UnitDays)}
}

// LogLevel is the least severe level that is logged.
type LogLevel string

// Levels.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

func (LogLevel) options() []string {
	return []string{string(LogDebug), string(LogInfo), string(LogWarn), string(LogError)}
}

// LogFormat is the shape of log lines.
type LogFormat string

// Formats of log lines.
const (
	LogJSON    LogFormat = "json"
	LogConsole LogFormat = "console"
)

func (LogFormat) options() []string { return []string{string(LogJSON), string(LogConsole)} }

// S3EncryptionType is a kind of encryption on the server's side.
type S3EncryptionType string

// Kinds of encryption.
const (
	EncryptionS3      S3EncryptionType = "sse-s3"
	EncryptionKMS     S3EncryptionType = "sse-kms"
	EncryptionKMSDual S3EncryptionType = "dsse-kms"
	EncryptionOwn     S3EncryptionType = "sse-c"
)

func (S3EncryptionType) options() []string {
	return []string{string(EncryptionS3), string(EncryptionKMS), string(EncryptionKMSDual), string(EncryptionOwn)}
}

// MaintenanceEngine is who rewrites data files.
type MaintenanceEngine string

// Engines of maintenance.
const (
	EngineLocal MaintenanceEngine = "local"
	EngineTrino MaintenanceEngine = "trino"
	EngineSpark MaintenanceEngine = "spark"
)

func (MaintenanceEngine) options() []string {
	return []string{string(EngineLocal), string(EngineTrino), string(EngineSpark)}
}
