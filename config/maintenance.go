package config

// Maintenance rewrites small files, and those with many deleted rows, while the daemon runs. See docs/MAINTENANCE.md.
type Maintenance struct {
	// Look after the tables unasked.
	Enabled bool `yaml:"enabled"`
	// Time between two looks at all tables.
	Interval Duration `yaml:"interval"`
	// Small files of a partition that are worth a rewrite; while it is still being written it takes four times as many.
	MinInputFiles int `yaml:"min_input_files"`
	// Bound of what is rewritten within 24 hours. 0 sets no bound.
	BytesPerDay Size `yaml:"bytes_per_day"`
	// Ingest comes first: a table that is this far behind its topics is left alone.
	PauseBehind Duration `yaml:"pause_behind"`
	// Set aside of `memory.limit` for rewriting, when it may happen.
	Memory Size `yaml:"memory"`
	// Who rewrites data files: ingestd itself (`local`), or an engine that is given the partitions where it is worth it.
	Engine MaintenanceEngine `yaml:"engine"`
	// The Trino cluster that can be asked.
	Trino *Trino `yaml:"trino"`
	// The Spark Thrift server that can be asked.
	Spark *Spark `yaml:"spark"`
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
