package config

// Maintenance rewrites small files, and those with many deleted rows, while the daemon runs. See docs/MAINTENANCE.md.
type Maintenance struct {
	// Look after the tables unasked.
	Enabled bool `yaml:"enabled"`
	// Time between two looks at all tables.
	Interval Duration `yaml:"interval"`
	// Times of day at which tables are looked after unasked: `"22:00-06:00"`. A rewrite that has begun ends after the group it is
	// at when the time is over. Empty: always.
	Windows []Window `yaml:"windows"`
	// Where the clock of `windows` hangs: `Europe/Berlin`.
	TimeZone TimeZone `yaml:"time_zone"`
	// Small files of a partition that are worth a rewrite; while it is still being written it takes four times as many.
	MinInputFiles int `yaml:"min_input_files"`
	// Bound of what is rewritten within 24 hours. 0 sets no bound.
	BytesPerDay Size `yaml:"bytes_per_day"`
	// Ingest comes first: a table that is this far behind its topics is left alone.
	PauseBehind Duration `yaml:"pause_behind"`
	// Set aside of `memory.limit` for rewriting, when it may happen.
	Memory Size `yaml:"memory"`
	// Cores that a rewrite uses at once. 0 takes all.
	CPU int `yaml:"cpu"`
	// What is done besides rewriting data files, and how often.
	Every Every `yaml:"every"`
	// Who rewrites data files: ingestd itself (`local`), or an engine that is given the partitions where it is worth it.
	Engine MaintenanceEngine `yaml:"engine"`
	// The Trino cluster that can be asked.
	Trino *Trino `yaml:"trino"`
	// The Spark Thrift server that can be asked.
	Spark *Spark `yaml:"spark"`
}

// Every says how much time lies between two runs of a procedure on a table; 0 is never. After a start each is due with the first look.
type Every struct {
	// Merges small manifests. For tables that ingestd has not created: in its own it happens with the commits.
	RewriteManifests Duration `yaml:"rewrite_manifests"`
	// Drops the tail of the history by the table's properties (`history.expire.max-snapshot-age-ms`, 5 days). For tables that
	// ingestd has not created, and for shorter histories than its own.
	ExpireSnapshots Duration `yaml:"expire_snapshots"`
	// Deletes files that nothing refers to and that are older than three days.
	RemoveOrphanFiles Duration `yaml:"remove_orphan_files"`
}

// TableMaintenance says how one table is looked after.
type TableMaintenance struct {
	// Set to false to leave the table alone unless asked.
	Enabled bool `yaml:"enabled"`
	// Options of rewrite_data_files by Spark's names (docs/MAINTENANCE.md): `{target-file-size-bytes: "134217728"}`. They go before
	// the table's properties and `maintenance.min_input_files`.
	Rewrite map[string]string `yaml:"rewrite"`
}

// Trino is a Trino cluster that rewrites data files. It must have a catalog that shows the same tables.
type Trino struct {
	// Address of the coordinator: `https://trino:8443`.
	URI string `yaml:"uri" required:"true"`
	// Name that Trino has for the catalog.
	Catalog string `yaml:"catalog" required:"true"`
	// User that asks; may optimize the tables.
	User string `yaml:"user"`
	// Password of the user.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// JWT instead of a password.
	Token Secret `yaml:"token"`
	// File that holds the token.
	TokenFile string `yaml:"token_file"`
	// Authorities and client certificate for an https address.
	TLS *TLS `yaml:"tls"`
	// Permits sending a token to an http address of another machine.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// Spark is a Spark Thrift server that rewrites data files. It must have a catalog that shows the same tables, and Iceberg's SQL extensions.
type Spark struct {
	// Address: `thrift://spark:10000`.
	URI string `yaml:"uri" required:"true"`
	// Name that Spark has for the catalog.
	Catalog string `yaml:"catalog" required:"true"`
	// User that asks.
	User string `yaml:"user"`
	// Password of the user.
	Password Secret `yaml:"password"`
	// File that holds the password.
	PasswordFile string `yaml:"password_file"`
	// Encrypts the connection.
	TLS *TLS `yaml:"tls"`
	// Permits sending a password to another machine without TLS.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}
