package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// cell is what an engine made of a table; the zero cell: everything was right.
type cell struct {
	// Faults are the columns it read wrongly or not at all.
	Faults map[string]string `json:"faults,omitempty"`
	// Wrong are the filters that left the wrong rows.
	Wrong []string `json:"wrong,omitempty"`
}

func (c cell) ok() bool { return len(c.Faults) == 0 && len(c.Wrong) == 0 }

// engineRun is one version of an engine on all tables.
type engineRun struct {
	// Reader is the name in the capability table, Version what reads (of Spark, the Iceberg runtime).
	Reader  string          `json:"reader"`
	Version string          `json:"version"`
	Cells   map[string]cell `json:"cells"`
}

// answer is a script's line about one table.
type answer struct {
	Case    string            `json:"case"`
	Version string            `json:"version"`
	Rows    []map[string]any  `json:"rows"`
	Faults  map[string]string `json:"faults"`
	Counts  []any             `json:"counts"`
}

// judge compares an answer with the rows that went in.
func (c *theCase) judge(a *answer) cell {
	out := cell{Faults: a.Faults}
	if out.Faults == nil {
		out.Faults = map[string]string{}
	}
	if len(out.Faults) < len(c.Fields)-1 && len(a.Rows) != len(c.rows) {
		out.Faults["rid"] = fmt.Sprintf("%d rows of %d", len(a.Rows), len(c.rows))
	}
	for _, row := range a.Rows {
		var n int
		if _, err := fmt.Sscan(fmt.Sprint(row["rid"]), &n); err != nil || n < 0 || n >= len(c.rows) {
			out.Faults["rid"] = fmt.Sprintf("row %v", row["rid"])
			continue
		}
		for name, want := range c.expected(c.rows[n]) {
			if got := row[name]; out.Faults[name] == "" && show(got) != show(want) {
				out.Faults[name] = fmt.Sprintf("reads %.120s as %.120s", show(want), show(got))
			}
		}
	}
	for i := range c.Queries {
		q := &c.Queries[i]
		if a.Counts[i] == nil { // the engine has no way to ask
			continue
		}
		if got := fmt.Sprint(a.Counts[i]); got != fmt.Sprint(q.Want) {
			out.Wrong = append(out.Wrong, fmt.Sprintf("%s %s %v: %.160s, not %d", q.Column, q.Op, q.Literal, got, q.Want))
		}
	}
	return out
}

// show is the one JSON text of a value.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

const resultsFile = "testdata/results.json"

func loadResults(t testing.TB) []engineRun {
	t.Helper()
	b, err := os.ReadFile(resultsFile)
	require.NoError(t, err)
	var runs []engineRun
	require.NoError(t, json.Unmarshal(b, &runs))
	return runs
}

// saveRun puts a run in the place of the reader's last one of that version.
func saveRun(t testing.TB, run engineRun) {
	t.Helper()
	var runs []engineRun
	if _, err := os.Stat(resultsFile); err == nil {
		runs = loadResults(t)
	}
	runs = slices.DeleteFunc(runs, func(r engineRun) bool { return r.Reader == run.Reader && r.Version == run.Version })
	runs = append(runs, run)
	slices.SortFunc(runs, func(a, b engineRun) int {
		return strings.Compare(a.Reader+" "+a.Version, b.Reader+" "+b.Version)
	})
	b, err := json.MarshalIndent(runs, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(resultsFile), 0o755))
	require.NoError(t, os.WriteFile(resultsFile, append(b, '\n'), 0o644))
}

// columnsOf is a cell without the wording of its faults.
func columnsOf(c cell) []string {
	var out []string
	for name := range c.Faults {
		out = append(out, name)
	}
	for _, w := range c.Wrong {
		name, _, _ := strings.Cut(w, ":")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
