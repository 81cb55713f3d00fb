//go:build integration

package matrix

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/integration/stack"
	"github.com/ingestd/ingestd/table/column"
)

var update = flag.Bool("update", false, "keep what the engines read in testdata/results.json")

// engine is a reader's script and the Python environment it runs in.
type engine struct {
	reader, environment, script string
	args                        []string
}

// ground is the written tables.
type ground struct {
	lake  *lake
	stack *stack.Stack
	cases []*theCase
	file  string
}

func newGround(t *testing.T, cases []*theCase) *ground {
	t.Helper()
	s, err := stack.Find(os.Stderr)
	require.NoError(t, err)
	g := &ground{lake: newLake(t), stack: s, cases: cases}
	var list []map[string]any
	for _, c := range g.cases {
		tbl := g.lake.write(t, c)
		list = append(list, map[string]any{"name": c.Name, "metadata": tbl.MetadataLocation(), "columns": described(c.asked()), "queries": append([]query{}, c.Queries...)})
	}
	b, err := json.Marshal(list)
	require.NoError(t, err)
	g.file = filepath.Join(g.lake.dir, "cases.json")
	require.NoError(t, os.WriteFile(g.file, b, 0o644))
	return g
}

// asked are the columns that an engine reads.
func (c *theCase) asked() []column.Field {
	if !c.RowIDs {
		return c.Fields
	}
	return append(slices.Clone(c.Fields), prim(rowID, true, column.Long))
}

// described is the types as the scripts want them.
func described(fields []column.Field) []map[string]any {
	out := []map[string]any{}
	for i := range fields {
		t := fields[i].Type
		kind, _, _ := strings.Cut(t.String(), "(")
		kind, _, _ = strings.Cut(kind, "<")
		kind, _, _ = strings.Cut(kind, "[")
		out = append(out, map[string]any{"name": fields[i].Name, "kind": kind, "precision": t.Precision, "scale": t.Scale, "fields": described(t.Fields)})
	}
	return out
}

const engineDeadline = 15 * time.Minute

// run lets an engine read all tables and compares with what it read when the results were last kept.
func (g *ground) run(t *testing.T, e engine) {
	t.Helper()
	run := g.read(t, e)
	if *update {
		saveRun(t, run)
		return
	}
	requireAsKept(t, run)
}

// read lets an engine read all tables.
func (g *ground) read(t *testing.T, e engine) engineRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), engineDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, g.stack.Python(e.environment), append([]string{filepath.Join("readers", e.script), "--cases", g.file}, e.args...)...)
	cmd.Env = g.stack.ReaderEnv()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s", lastBytes(stderr.String()))
	run := engineRun{Reader: e.reader, Cells: map[string]cell{}}
	byName := map[string]*theCase{}
	for _, c := range g.cases {
		byName[c.Name] = c
	}
	lines := bufio.NewScanner(&stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "{") {
			continue
		}
		var a answer
		require.NoError(t, json.Unmarshal(lines.Bytes(), &a))
		run.Version = a.Version
		run.Cells[a.Case] = byName[a.Case].judge(&a)
	}
	require.Len(t, run.Cells, len(g.cases), "tables read; %s", lastBytes(stderr.String()))
	return run
}

// requireAsKept: the same tables are right and wrong as in the kept results, so docs/READERS.md is still true.
func requireAsKept(t *testing.T, run engineRun) {
	t.Helper()
	for _, kept := range loadResults(t) {
		if kept.Reader != run.Reader || kept.Version != run.Version {
			continue
		}
		for name, c := range run.Cells {
			require.Equal(t, columnsOf(kept.Cells[name]), columnsOf(c), "%s %s on %s: %v; make readers keeps new results", run.Reader, run.Version, name, c)
		}
		return
	}
	require.Failf(t, "no kept results", "%s %s: make readers keeps them", run.Reader, run.Version)
}

func lastBytes(s string) string { return s[max(0, len(s)-2000):] }

// lightEngines need nothing but their Python environments.
func lightEngines() []engine {
	return []engine{
		{reader: "duckdb", environment: "light", script: "read_duckdb.py"},
		{reader: "pyiceberg", environment: "light", script: "read_pyiceberg.py"},
		{reader: "clickhouse", environment: "chdb", script: "read_chdb.py"},
	}
}

// The light engines read every table.
func TestEngines(t *testing.T) {
	g := newGround(t, cases(t))
	require.NoError(t, g.stack.Start(t.Context(), "readers"))
	for _, e := range lightEngines() {
		t.Run(e.reader, func(t *testing.T) { g.run(t, e) })
	}
}

// The light engines read rewritten files as well, and as badly, as those they were made of.
func TestEnginesReadRewrittenFiles(t *testing.T) {
	g := newGround(t, twins(t))
	require.NoError(t, g.stack.Start(t.Context(), "readers"))
	for _, e := range lightEngines() {
		t.Run(e.reader, func(t *testing.T) {
			run := g.read(t, e)
			for _, c := range g.cases {
				if c.Rewritten {
					before := run.Cells[strings.TrimSuffix(c.Name, "_rewritten")]
					require.Equal(t, columnsOf(before), columnsOf(run.Cells[c.Name]), "%s: %v", c.Name, run.Cells[c.Name])
					require.Less(t, len(columnsOf(before)), len(c.Fields), "some columns are read")
				}
			}
		})
	}
}
