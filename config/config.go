package config

// Config is the whole configuration of one daemon.
type Config struct {
	// Identity of this pipeline. The offsets in the tables are stored under it; another name starts from the beginning.
	Pipeline string `yaml:"pipeline" required:"true"`
	// Where records come from, by name. The name is stored with the offsets: renaming a source starts its tables again.
	Sources map[string]Source `yaml:"sources" required:"true"`
	// The Iceberg catalog the tables live in.
	Catalog Catalog `yaml:"catalog" required:"true"`
	// How data files are stored.
	Storage Storage `yaml:"storage"`
	// Settings of a table that hold for all entries of `tables` that do not set them.
	Defaults TableSettings `yaml:"defaults"`
	// The tables to write.
	Tables []Table `yaml:"tables" required:"true"`
	// When snapshots are committed.
	Commit Commit `yaml:"commit"`
	// How much memory the daemon may use.
	Memory Memory `yaml:"memory"`
	// What keeps the tables fast to read, beside ingest.
	Maintenance Maintenance `yaml:"maintenance"`
	// Goroutines that decode in parallel. 0 takes one for each CPU.
	Lanes int `yaml:"lanes"`
	// The HTTP listener for health, metrics and status.
	Admin Admin `yaml:"admin"`
	// Logging.
	Log Log `yaml:"log"`

	// written holds the settings that stand in the file; all others are defaults.
	written map[string]position
}

// Commit says when a table's buffered rows become a snapshot: when the first of the triggers is reached.
type Commit struct {
	// Greatest age of a buffered row. Stretched when the catalog commits slower than this.
	Interval Duration `yaml:"interval" reload:"true"`
	// Greatest number of buffered rows of a table. 0 sets no bound.
	MaxRows int64 `yaml:"max_rows" reload:"true"`
	// Greatest size of a table's buffered rows, measured as they will be in files.
	MaxBytes Size `yaml:"max_bytes" reload:"true"`
	// Shortest time between two snapshots that carry offsets but no rows. Never shorter than `interval`.
	ProgressInterval Duration `yaml:"progress_interval" reload:"true"`
}

// Memory bounds the daemon's memory.
type Memory struct {
	// Bound of all buffers and reserves: a share of the cgroup's or machine's memory (`60%`) or a size (`512MiB`).
	Limit MemoryLimit `yaml:"limit"`
}

// Admin is the HTTP listener. It serves GET requests only, unless `allow_maintenance` is set.
type Admin struct {
	// Address to listen on, or `off`.
	Listen string `yaml:"listen"`
	// Permits an address that other machines can reach. The listener has no authentication.
	AllowRemote bool `yaml:"allow_remote"`
	// Permits POST requests that start procedures of maintenance, which rewrite and delete files.
	AllowMaintenance bool `yaml:"allow_maintenance"`
}

// Log configures logging.
type Log struct {
	// Least severe level that is logged.
	Level LogLevel `yaml:"level" reload:"true"`
	// `json` for machines, `console` for people.
	Format LogFormat `yaml:"format"`
}

// Source returns the source the table names.
func (c *Config) Source(t Table) Source { return c.Sources[t.Source] }

// Table returns the table of that name.
func (c *Config) Table(name string) (Table, bool) {
	for _, t := range c.Tables {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}
