package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ingestd/ingestd/integration/stack"
)

// results is what results.json holds: one run of the benchmark.
type results struct {
	Command string       `json:"command"`
	Started time.Time    `json:"started"`
	Machine machine      `json:"machine"`
	Records int          `json:"records"`
	Rounds  int          `json:"rounds"`
	Cases   []caseResult `json:"cases"`
}

// machine is what the numbers were taken on.
type machine struct {
	CPU       string `json:"cpu"`
	Cores     int    `json:"cores"`
	MemoryGiB int    `json:"memory_gib"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
}

// caseResult is one program on one topic.
type caseResult struct {
	Name    string        `json:"name"`
	Format  string        `json:"format"`
	Version string        `json:"version"`
	Java    bool          `json:"java,omitempty"`
	Setting string        `json:"setting"`
	Unequal string        `json:"unequal"`
	NotRun  string        `json:"not_run,omitempty"`
	Runs    []measurement `json:"runs,omitempty"`
}

// measurement is one run of one program.
type measurement struct {
	Round       int      `json:"round"`
	Load        float64  `json:"load"`            // load average when it started
	Calibration float64  `json:"calibration_cpu"` // CPU-seconds of a fixed piece of work just before
	Wall        float64  `json:"wall"`
	CPU         float64  `json:"cpu"`
	PeakMiB     int64    `json:"peak_mib"`
	Commits     []commit `json:"commits"`
	Check       check    `json:"check"`
	Orphans     int      `json:"orphans"`
	Failure     string   `json:"failure,omitempty"`
}

// commit is a snapshot that added rows: seconds and CPU-seconds since the program's start, rows in the table.
type commit struct {
	At   float64 `json:"at"`
	CPU  float64 `json:"cpu"`
	Rows int64   `json:"rows"`
}

// check is what a reader finds in a table.
type check struct {
	Rows      int64   `json:"rows"`
	Distinct  int64   `json:"distinct"`
	Min       int64   `json:"min"`
	Max       int64   `json:"max"`
	Amount    float64 `json:"amount"`
	Duration  float64 `json:"duration"`
	Offsets   int64   `json:"offsets"`
	Files     int     `json:"files"`
	Bytes     int64   `json:"bytes"`
	RowGroups int     `json:"row_groups"`
	Deletes   int     `json:"deletes"`
	Codec     string  `json:"codec"`
	CreatedBy string  `json:"created_by"`
	Version   int     `json:"format_version"`
}

// round keeps milliseconds.
func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }

// steady is records per CPU-second between the first commit and the last; 0 when less than a quarter of the rows lie between them.
func (m measurement) steady() float64 {
	const least = 0.25
	if len(m.Commits) < 2 {
		return 0
	}
	first, last := m.Commits[0], m.Commits[len(m.Commits)-1]
	if last.CPU <= first.CPU || float64(last.Rows-first.Rows) < least*float64(last.Rows) {
		return 0
	}
	return float64(last.Rows-first.Rows) / (last.CPU - first.CPU)
}

// start is the CPU-seconds that the rows of the first commit took beyond what the steady rate says: the start of the
// virtual machine and its warming up.
func (m measurement) start() float64 {
	rate := m.steady()
	if rate == 0 {
		return 0
	}
	return max(0, m.Commits[0].CPU-float64(m.Commits[0].Rows)/rate)
}

// good are the runs that ended with a right table.
func (c caseResult) good() []measurement {
	return slices.DeleteFunc(slices.Clone(c.Runs), func(m measurement) bool { return m.Failure != "" })
}

// median of a property over the good runs; between the two in the middle of an even number.
func (c caseResult) median(of func(measurement) float64) float64 {
	var values []float64
	for _, m := range c.good() {
		values = append(values, of(m))
	}
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, cmp.Compare[float64])
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// rate is records per CPU-second, the start included.
func (c caseResult) rate() float64 {
	return c.median(func(m measurement) float64 { return float64(m.Check.Rows) / m.CPU })
}

// spread are the smallest and the largest of a property of all runs that were measured.
func (r *results) spread(of func(measurement) float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range r.Cases {
		for _, m := range c.Runs {
			low, high = min(low, of(m)), max(high, of(m))
		}
	}
	return low, high
}

// of finds a program's result.
func (r *results) of(name, format string) (caseResult, bool) {
	i := slices.IndexFunc(r.Cases, func(c caseResult) bool { return c.Name == name && c.Format == format })
	if i < 0 {
		return caseResult{}, false
	}
	return r.Cases[i], true
}

// formats are those that were measured, in order.
func (r *results) formats() (out []string) {
	for _, c := range r.Cases {
		if !slices.Contains(out, c.Format) {
			out = append(out, c.Format)
		}
	}
	return out
}

func loadResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(results)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// keepResults writes the results, and when they are the ones to publish what is made from them.
func (b *bench) keepResults(r *results) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if b.out != "" {
		return os.WriteFile(b.out, append(text, '\n'), 0o644)
	}
	if !b.publish() {
		return nil
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "integration", "bench", "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return writeDocuments(root, r)
}
