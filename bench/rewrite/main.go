package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/table/parquet"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/rewrite:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// options are the command line.
type options struct {
	files, rounds, cores int
	dir, child, match    string
}

func run(args []string, out io.Writer) error {
	var o options
	fs := flag.NewFlagSet("bench/rewrite", flag.ContinueOnError)
	fs.IntVar(&o.files, "files", 200, "files to rewrite")
	fs.IntVar(&o.rounds, "rounds", 3, "rounds to take the median of")
	fs.IntVar(&o.cores, "cores", 1, "cores of a measurement")
	fs.StringVar(&o.dir, "dir", "", "where the files are kept; empty: they are made and removed")
	fs.StringVar(&o.match, "match", "", "only candidates whose name contains this")
	fs.StringVar(&o.child, "child", "", "internal: the measurement to make")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.child != "" {
		return child(&o, out)
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "ingestd-rewrite")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	for _, set := range []string{small, large} {
		for _, e := range []parquet.Encoding{parquet.Compat, parquet.Delta} {
			if err := generate(&o, set, e); err != nil {
				return err
			}
		}
	}
	results, err := measure(&o)
	if err != nil {
		return err
	}
	return report(out, results)
}

// memoryGate is the most bytes that our engine may have in memory, and flatGate how many times as much it may have for a
// partition twice as large.
const (
	memoryGate = 256 << 20
	flatGate   = 1.25
)

// The sets of files, by the rows in a file. In small files hardly a column has a dictionary: their pages are copied. In
// large ones several have, and merging two hundred of them is most of what copying costs.
const (
	small = "8k"
	large = "20k"
)

// rowsOf is the number of rows in a file of a set.
func rowsOf(set string) int {
	if set == small {
		return 8_000
	}
	return 20_000
}

// candidate is one way to rewrite the files.
type candidate struct {
	name string // set, encoding and way
	gate float64
}

const (
	library = "iceberg-go"
	twice   = "copy twice" // the files of "copy", each two times
)

func candidates() []candidate {
	return []candidate{
		{name: "8k compat " + library}, {name: "8k compat copy", gate: 8}, {name: "8k compat merge"}, {name: "8k compat delete"},
		{name: "8k delta " + library}, {name: "8k delta copy", gate: 8}, {name: "8k delta merge"}, {name: "8k delta delete"},
		{name: "20k compat " + library}, {name: "20k compat copy", gate: 8}, {name: "20k compat " + twice}, {name: "20k compat merge"}, {name: "20k compat delete", gate: 3},
		{name: "20k delta " + library}, {name: "20k delta copy", gate: 8}, {name: "20k delta merge", gate: 5}, {name: "20k delta delete", gate: 4},
	}
}

// files is the folder of a candidate's files, and base the name of the library's measurement with them.
func (c *candidate) files() string { return strings.Join(strings.Fields(c.name)[:2], " ") }
func (c *candidate) base() string  { return c.files() + " " + library }

// way is what is done with the files, and rows what is left of so many of them.
func (c *candidate) way() string { return strings.Join(strings.Fields(c.name)[2:], " ") }

func (c *candidate) rows(files int) int64 {
	n := rowsOf(strings.Fields(c.name)[0])
	all := int64(files) * int64(n)
	switch c.way() {
	case "delete":
		return all - int64(files)*deletedOf(n)
	case twice:
		return 2 * all
	default:
		return all
	}
}

// sample is what a child process has measured.
type sample struct {
	CPU  int64 `json:"cpu"`
	Rows int64 `json:"rows"`
	In   int64 `json:"in"`
	Out  int64 `json:"out"`
	RSS  int64 `json:"rss"`
}

// result is the samples of a candidate.
type result struct {
	candidate
	samples []sample
	ratio   float64
}

func measure(o *options) ([]result, error) {
	var results []result
	for _, c := range candidates() {
		if strings.Contains(c.name, o.match) {
			results = append(results, result{candidate: c})
		}
	}
	for range o.rounds {
		for i := range results {
			s, err := spawn(o, results[i].name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", results[i].name, err)
			}
			results[i].samples = append(results[i].samples, s)
		}
	}
	compare(results)
	return results, nil
}

// compare works out the ratios to the library, round by round.
func compare(results []result) {
	for i := range results {
		base := slices.IndexFunc(results, func(r result) bool { return r.name == results[i].base() })
		if base < 0 || base == i || results[i].way() == twice {
			continue
		}
		var ratios []float64
		for k, s := range results[i].samples {
			ratios = append(ratios, float64(results[base].samples[k].CPU)/float64(s.CPU))
		}
		results[i].ratio = median(ratios)
	}
}

// spawn makes one measurement in a process of its own.
func spawn(o *options, name string) (s sample, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	out := filepath.Join(o.dir, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return s, err
	}
	defer os.RemoveAll(out)
	cmd := exec.Command(self, "-child", name, "-dir", o.dir, "-cores", fmt.Sprint(o.cores))
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, err
	}
	if s.RSS == 0 {
		s.RSS = peak(cmd.ProcessState)
	}
	c := candidate{name: name}
	if want := c.rows(o.files); s.Rows != want {
		return s, fmt.Errorf("%d rows instead of %d", s.Rows, want)
	}
	return s, nil
}

func median[T int64 | float64](v []T) T {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func (r *result) median(of func(*sample) int64) int64 {
	var v []int64
	for i := range r.samples {
		v = append(v, of(&r.samples[i]))
	}
	return median(v)
}
