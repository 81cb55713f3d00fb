package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
)

// Options says how a file is read.
type Options struct {
	// LookupEnv finds variables. Nil: the process's environment.
	LookupEnv func(name string) (string, bool)
	// NoEnvironment checks the file alone: unset variables and missing files are no faults.
	NoEnvironment bool
	// Mode is the file's permission, for the check of secrets that stand in it. Load fills it in.
	Mode fs.FileMode
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

// stdin is the file name that stands for standard input.
const stdin = "-"

// Load reads a file ("-" is standard input) and returns the configuration and what it warns of.
// The error of a bad file is of type Problems and holds every fault.
func Load(name string, opts Options) (*Config, Problems, error) {
	data, mode, err := read(name)
	if err != nil {
		return nil, nil, Problems{{File: name, Message: "opening: " + cause(err).Error(), Hint: "name a file with -c FILE"}}
	}
	opts.Mode = mode
	return Parse(name, data, opts)
}

func read(name string) ([]byte, fs.FileMode, error) {
	if name == stdin {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, maxFile+1))
		return data, 0, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, info.Mode(), err
}

// Parse is Load for a text that is already in memory; name appears in messages only.
func Parse(name string, data []byte, opts Options) (*Config, Problems, error) {
	if opts.LookupEnv == nil {
		opts.LookupEnv = os.LookupEnv
	}
	r := newReport(name)
	c := &Config{}
	c.setDefaults()
	if root := parseYAML(r, data); root != nil {
		d := &decoder{
			report: r, root: c,
			env: interpolator{lookup: opts.LookupEnv, lenient: opts.NoEnvironment},
		}
		d.structure(root, reflect.ValueOf(c).Elem(), "")
		d.exposed(opts.Mode)
		resolve(c, r)
		validate(c, r, opts)
	}
	faults, warnings := r.sorted().split()
	if len(faults) > 0 {
		return nil, warnings, faults
	}
	c.written = r.at
	return c, warnings, nil
}

// resolve fills in the defaults that depend on other settings.
func resolve(c *Config, r *report) {
	if !r.set("commit.progress_interval") {
		c.Commit.ProgressInterval = max(DefaultProgressInterval, c.Commit.Interval)
	}
	for i := range c.Tables {
		t := &c.Tables[i]
		if t.Source == "" && len(c.Sources) == 1 {
			t.Source = sortedKeys(c.Sources)[0]
		}
	}
	for name, s := range c.Sources {
		if s.Consumer.GroupID == "" {
			s.Consumer.GroupID = fmt.Sprintf("ingestd-%s-%s", c.Pipeline, name)
		}
		c.Sources[name] = s
	}
}
