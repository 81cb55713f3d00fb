package config

import "time"

// The defaults, each once. docs/CONFIG.md and `config show --effective` show them.
const (
	// DefaultClientID names the daemon in brokers' logs and quotas.
	DefaultClientID = "ingestd"
	// DefaultSessionTimeout is Kafka's own default since 3.0.
	DefaultSessionTimeout = Duration(45 * time.Second)
	// DefaultFetchMaxBytes bounds one broker's answer; it is a fixed reserve of the memory budget, per broker.
	DefaultFetchMaxBytes = 16 * MiB
	// DefaultMaxBatchBytes bounds a decompressed batch; far above what brokers accept, far below a zip bomb.
	DefaultMaxBatchBytes = 64 * MiB
	// DefaultNegativeTTL lets a freshly registered schema appear soon without a storm of requests.
	DefaultNegativeTTL = Duration(10 * time.Second)

	// DefaultCatalogName is the name inside a database.
	DefaultCatalogName = "ingestd"
	// DefaultSigV4Service signs for AWS Glue's REST endpoint.
	DefaultSigV4Service = "glue"
	// DefaultPartSize gives files of 128 MiB eight parts.
	DefaultPartSize = 16 * MiB

	// DefaultBranch is Iceberg's own.
	DefaultBranch = "main"
	// DefaultPageRows is what compaction copies best and readers skip best.
	DefaultPageRows = 20_000
	// DefaultHourlyTags and DefaultDailyTags keep a day by the hour and a week by the day, and metadata small.
	DefaultHourlyTags = 24
	DefaultDailyTags  = 7
	// DefaultKeyColumn holds a raw or primitive key.
	DefaultKeyColumn = "_key"
	// DefaultKeyPrefix keeps a key's fields apart from the value's, which often repeat them.
	DefaultKeyPrefix = "_key_"

	// DefaultCommitInterval is fresh enough for dashboards and slow enough for every catalog.
	DefaultCommitInterval = Duration(10 * time.Second)
	// DefaultMaxBytes makes files that a reader likes without compaction.
	DefaultMaxBytes = 128 * MiB
	// DefaultProgressInterval bounds the empty snapshots of an idle table.
	DefaultProgressInterval = Duration(10 * time.Minute)
	// DefaultMemoryPercent leaves room for the page cache and the runtime.
	DefaultMemoryPercent = 60
	// DefaultFormatVersion is what every engine reads.
	DefaultFormatVersion = 2
	// DefaultMaintenanceInterval lets a minute's files come together with others of their kind before they are rewritten.
	DefaultMaintenanceInterval = Duration(10 * time.Minute)
	// DefaultMinInputFiles is Spark's.
	DefaultMinInputFiles = 5
	// DefaultPauseBehind is more than a few slow commits.
	DefaultPauseBehind = Duration(time.Minute)
	// DefaultMaintenanceMemory is what a rewrite of wide files takes.
	DefaultMaintenanceMemory = 256 * MiB
	// DefaultEngineUser is who asks other engines.
	DefaultEngineUser = "ingestd"
	// DefaultListen is loopback: the listener has no authentication.
	DefaultListen = "127.0.0.1:8282"
)

// DefaultReaders are the mainstream engines: a table is readable by all of them unless told otherwise.
func DefaultReaders() []string { return []string{"spark", "trino", "duckdb", "pyiceberg"} }

// defaulter is implemented by the blocks that have defaults. The decoder calls it on every block it makes,
// before it looks at the file.
type defaulter interface{ setDefaults() }

func (c *Config) setDefaults() {
	c.Catalog.setDefaults()
	c.Defaults.setDefaults()
	c.Commit = Commit{
		Interval:         DefaultCommitInterval,
		MaxBytes:         DefaultMaxBytes,
		ProgressInterval: DefaultProgressInterval,
	}
	c.Memory.Limit = MemoryLimit{Percent: DefaultMemoryPercent}
	c.Maintenance = Maintenance{
		Interval: DefaultMaintenanceInterval, MinInputFiles: DefaultMinInputFiles, PauseBehind: DefaultPauseBehind, Memory: DefaultMaintenanceMemory,
		Engine: EngineLocal,
	}
	c.Admin.Listen = DefaultListen
	c.Log = Log{Level: LogInfo, Format: LogJSON}
}

func (s *Source) setDefaults() {
	s.Type = SourceKafka
	s.ClientID = DefaultClientID
	s.Consumer = Consumer{
		Mode:           ConsumerDirect,
		SessionTimeout: DefaultSessionTimeout,
		FetchMaxBytes:  DefaultFetchMaxBytes,
		MaxBatchBytes:  DefaultMaxBatchBytes,
	}
}

func (t *Trino) setDefaults() { t.User = DefaultEngineUser }

func (s *Spark) setDefaults() { s.User = DefaultEngineUser }

func (t *TLS) setDefaults() { t.Enabled = true }

func (r *Registry) setDefaults() { r.NegativeTTL = DefaultNegativeTTL }

func (c *Catalog) setDefaults() { c.Name = DefaultCatalogName }

func (s *SigV4) setDefaults() { s.Service = DefaultSigV4Service }

func (s *S3) setDefaults() { s.PartSize = DefaultPartSize }

func (t *TableSettings) setDefaults() {
	t.Value = Value{Format: ValueAvro, UnknownFields: UnknownRest, InvalidText: InvalidTextRefuse, Nulls: NullsIgnore}
	t.Key = Key{Format: KeyOff, Column: DefaultKeyColumn, Prefix: DefaultKeyPrefix}
	t.Start = StartEarliest
	t.AutoCreate, t.AddColumns, t.AuditColumns = true, true, true
	t.Branch = DefaultBranch
	t.Readers = DefaultReaders()
	t.FormatVersion = DefaultFormatVersion
	t.Errors = Errors{Frame: PolicyFail, Registry: PolicyFail, Decode: PolicyFail, Convert: PolicyFail}
	t.Parquet = Parquet{Encoding: EncodingCompat, Compression: CompressionZstd, PageRows: DefaultPageRows}
	t.Maintenance.Enabled = true
	t.History = History{HourlyTags: DefaultHourlyTags, DailyTags: DefaultDailyTags}
}
