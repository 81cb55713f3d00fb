//go:build integration

package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pasted finds the copy-paste lines of the demo that start with one of the commands.
func pasted(out string, commands ...string) []string {
	var lines []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		for _, c := range commands {
			if strings.HasPrefix(line, c+" ") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// What the demo prints for DuckDB and PyIceberg while it runs works as printed and shows rows.
func TestDemoLinesWorkAsPrinted(t *testing.T) {
	p := start(t, "ingestd", "demo", "--dir", t.TempDir())
	eventually(t, time.Minute, "the demo commits rows and prints its lines", func() bool {
		require.False(t, p.ended(), tail(p.errs.String()))
		return len(pasted(p.printed(), "duckdb")) > 0 && len(pasted(p.printed(), "python3")) > 0
	})
	paste(t, pasted(p.printed(), "duckdb", "python3"))
	p.terminate(drainDeadline)
}

// So do the lines it prints at the end for the tables it leaves.
func TestDemoLinesWorkAfterwards(t *testing.T) {
	p := run(t, catchUpDeadline, "ingestd", "demo", "--dir", t.TempDir(), "--records", "50000", "--until-caught-up")
	require.NotEmpty(t, pasted(p.printed(), "duckdb"), p.printed())
	require.NotEmpty(t, pasted(p.printed(), "python3"), p.printed())
	paste(t, pasted(p.printed(), "duckdb", "python3"))
}

// printed is what a person sees.
func (p *process) printed() string { return p.out.String() + "\n" + p.errs.String() }

// paste runs lines and wants a number other than zero from each.
func paste(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		out := shell(t, time.Minute, line)
		t.Logf("$ %s\n%s", line, out)
		require.Regexp(t, `[1-9][0-9]*`, out)
	}
}

// The demo proves two million records against its topics.
func TestDemoVerifies(t *testing.T) {
	p := run(t, catchUpDeadline, "ingestd", "demo", "--dir", t.TempDir(), "--records", "2000000", "--until-caught-up", "-o", "json")
	var summary struct {
		Records  int64   `json:"records"`
		Seconds  float64 `json:"seconds"`
		Verified bool    `json:"verified"`
		Level    string  `json:"level"`
		Tables   []struct {
			Name             string `json:"name"`
			MetadataLocation string `json:"metadata_location"`
			Rows             int64  `json:"rows"`
			Snapshots        int    `json:"snapshots"`
			DataFiles        int    `json:"data_files"`
			Bytes            int64  `json:"bytes"`
		} `json:"tables"`
	}
	require.NoError(t, json.Unmarshal([]byte(p.out.String()), &summary), p.out.String())
	require.EqualValues(t, 2_000_000, summary.Records)
	require.True(t, summary.Verified)
	require.Equal(t, "source", summary.Level)
	require.NotEmpty(t, summary.Tables)
	var rows int64
	for _, table := range summary.Tables {
		rows += table.Rows
		require.Positive(t, table.DataFiles, table.Name)
	}
	require.EqualValues(t, 2_000_000, rows)
}
