package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
)

func TestOptions(t *testing.T) {
	o, err := parse([]string{"-n", "7", "-formats", "avro,json"})
	require.NoError(t, err)
	require.Equal(t, []string{"avro", "json"}, o.formats)
	require.True(t, o.publish())
	o, err = parse([]string{"-only", "Spark"})
	require.NoError(t, err)
	require.False(t, o.publish(), "a part of the programs is not the benchmark")
	for _, bad := range [][]string{{"-formats", "xml"}, {"-n", "0"}, {"-rounds", "0"}, {"-only", "("}, {"stray"}} {
		_, err := parse(bad)
		require.Error(t, err, "%v", bad)
	}
	require.Equal(t, "make bench-public", command([]string{"-ingestd", "bin/ingestd"}))
	require.Equal(t, "make bench-public BENCH_ARGS='-n 7 -rounds 1'", command([]string{"-ingestd", "bin/ingestd", "-n", "7", "-rounds", "1"}))
}

func TestWrongTablesAreFound(t *testing.T) {
	const n = 500
	want := expected(n)
	require.NoError(t, want.compare(want, true))
	require.Equal(t, check{Rows: n, Distinct: n, Min: 1, Max: n, Offsets: n, Amount: want.Amount, Duration: want.Duration}, want)
	require.Positive(t, want.Amount)
	for what, change := range map[string]func(*check){
		"lost":            func(c *check) { c.Rows--; c.Distinct-- },
		"doubled":         func(c *check) { c.Rows++ },
		"replaced":        func(c *check) { c.Distinct-- },
		"another range":   func(c *check) { c.Min, c.Max = 2, n+1 },
		"another value":   func(c *check) { c.Amount += 0.5 },
		"another time":    func(c *check) { c.Duration -= 0.5 },
		"an offset twice": func(c *check) { c.Offsets-- },
		"deletes":         func(c *check) { c.Deletes = 1 },
	} {
		got := want
		change(&got)
		require.Error(t, got.compare(want, true), what)
	}
}

// The files of every program can be filled in, and the product accepts its own.
func TestFilesAreFilledIn(t *testing.T) {
	for _, json := range []bool{false, true} {
		j := job{Dir: t.TempDir(), Topic: "events", Brokers: "127.0.0.1:1", Registry: "http://127.0.0.1:2", RegistryV2: "http://127.0.0.1:3", Unique: "bench-1", JSON: json}
		entries, err := peerFiles.ReadDir("peers")
		require.NoError(t, err)
		for _, e := range entries {
			path, err := j.fill(e.Name())
			require.NoError(t, err, e.Name())
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NotContains(t, string(text), "<no value>")
		}
		_, problems, err := config.Load(filepath.Join(j.Dir, "ingestd.yaml"), config.Options{})
		require.NoError(t, err)
		require.Empty(t, problems)
	}
}
