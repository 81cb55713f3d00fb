package config

// Options says how a file is read.
type Options struct {
	// LookupEnv finds variables. Nil: the process's environment.
	LookupEnv func(name string) (string, bool)
	// NoEnvironment checks the file alone: unset variables and missing secret files are no errors.
	NoEnvironment bool
	// Checks run after the package's own rules, on a configuration that passed them. They let packages that
	// know more (what a reader can read, what a transform accepts) report with a position.
	Checks []Check
}

// Check is a rule of another package. It returns what it has to say about a valid configuration.
type Check func(*Config) []Finding

// Finding is a fault found by a Check; the position is looked up from the path.
type Finding struct {
	// Path names the setting as messages do: `tables[0].parquet.encoding`.
	Path string
	// Message says what is wrong, Hint what to do.
	Message, Hint string
	// Warning marks a finding that does not refuse the file.
	Warning bool
}
