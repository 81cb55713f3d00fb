package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMedianIsTheLowerMiddle(t *testing.T) {
	f := func(want float64, seconds ...int) {
		t.Helper()
		ms := make([]measurement, len(seconds))
		for i, s := range seconds {
			ms[i].wall = time.Duration(s) * time.Second
		}
		require.InDelta(t, want, median(ms, func(m measurement) float64 { return m.wall.Seconds() }), 1e-9)
	}
	f(5, 5)
	f(2, 9, 2)
	f(3, 9, 2, 3)
	f(3, 9, 2, 3, 4)
}

func TestReportComparesWithinAFormat(t *testing.T) {
	run := func(cpu time.Duration) []measurement {
		return []measurement{{cpu: cpu, wall: cpu, rows: 100, bytes: 2500}}
	}
	var out strings.Builder
	report(&out, options{n: 100, rounds: 1}, map[string][]measurement{
		"naivedict avro": run(6 * time.Second), "ingestd avro compat": run(2 * time.Second), "ingestd json compat": run(4 * time.Second),
	})
	lines := map[string][]string{}
	for line := range strings.Lines(out.String()) {
		for _, c := range cases() {
			if strings.HasPrefix(strings.TrimSpace(line), c.name+" ") {
				lines[c.name] = strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), c.name))
			}
		}
	}
	require.Equal(t, []string{"50", "3.00", "2.00", "2.0", "0", "25.00", "0", "0"}, lines["ingestd avro compat"])
	require.Equal(t, "-", lines["ingestd json compat"][1])
	require.NotContains(t, lines, "ingestd avro delta")
}

func TestInspectTakesTheNewestMetadata(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("a.parquet", "12345")
	write("b.parquet", "123")
	write("2.metadata.json", `{"last-updated-ms":2,"current-snapshot-id":8,"snapshots":[{"snapshot-id":7,"summary":{"total-records":"1"}},{"snapshot-id":8,"summary":{"total-records":"42"}}]}`)
	write("3.metadata.json", `{"last-updated-ms":1,"current-snapshot-id":7,"snapshots":[{"snapshot-id":7,"summary":{"total-records":"1"}}]}`)
	var m measurement
	require.NoError(t, m.inspect(dir))
	require.Equal(t, measurement{rows: 42, bytes: 8, files: 2, snapshots: 2}, m)
	require.Error(t, new(measurement).inspect(t.TempDir()))
}
