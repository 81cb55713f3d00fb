package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// The first mistakes people make: each is one clear line with a position or a hint, and exit code 78.
func TestBadConfigurations(t *testing.T) {
	f := func(name string, args ...string) {
		t.Helper()
		r := command(t, append(args, "-c", "testdata/"+name+".yaml")...)
		require.Equal(t, failure.ExitConfig, r.code)
		golden(t, name+".txt", r.out+r.err)
	}
	f("unknown-setting", "validate")
	f("unknown-setting", "run")
	f("unknown-setting", "explain")
	f("missing-file", "validate")
	f("missing-file", "run")
	f("readers", "validate", "--no-environment")
	f("readers", "run")
}

func TestValidateAsJSON(t *testing.T) {
	r := command(t, "validate", "-c", "testdata/unknown-setting.yaml", "-o", "json")
	require.Equal(t, failure.ExitConfig, r.code)
	require.Empty(t, r.err)
	var v validation
	require.NoError(t, json.Unmarshal([]byte(r.out), &v))
	require.False(t, v.Valid)
	require.Len(t, v.Faults, 2)
	require.Equal(t, "commit.interval", v.Faults[0].Path)
	require.Equal(t, "tables[0].partition_bye", v.Faults[1].Path)
	require.Equal(t, 14, v.Faults[1].Line)
	require.Contains(t, v.Faults[1].Hint, "partition_by")
	require.Empty(t, v.Checks)
}

func TestValidateTheFileAlone(t *testing.T) {
	r := command(t, "validate", "-c", "testdata/unreachable.yaml", "--no-environment")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "testdata/unreachable.yaml is valid\n", r.out)
	require.Zero(t, command(t, "lint", "-c", "testdata/unreachable.yaml", "--no-environment").code)
}

// Brokers that are away are tried again later: 75, one line, a hint.
func TestUnreachableBroker(t *testing.T) {
	t.Chdir(t.TempDir())
	file := filepath.Join(testdata, "unreachable.yaml")
	r := command(t, "run", "-c", file)
	require.Equal(t, failure.ExitRetry, r.code)
	require.Empty(t, r.out)
	last := r.err[strings.LastIndex(strings.TrimSpace(r.err), "\n")+1:]
	require.Equal(t, "ingestd: connecting to Kafka at 127.0.0.1:1: unable to dial: dial tcp 127.0.0.1:1: connect: connection refused"+
		" [E_KAFKA_UNREACHABLE] — check `brokers` of the source, and that the broker is running\n", last)

	for _, args := range [][]string{{"validate"}, {"explain"}, {"status"}, {"preview", "shop.clicks"}} {
		r := command(t, append(args, "-c", file)...)
		require.Equal(t, failure.ExitRetry, r.code, args)
		golden(t, "unreachable-"+args[0]+".txt", r.out+r.err)
	}
}

// What cannot be asked is left out; what is known is explained all the same.
func TestExplainWithoutBrokersAsJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	r := command(t, "explain", "-c", filepath.Join(testdata, "unreachable.yaml"), "-o", "json")
	require.Equal(t, failure.ExitRetry, r.code)
	require.Empty(t, r.err)
	var answer struct{ Tables []explanation }
	require.NoError(t, json.Unmarshal([]byte(r.out), &answer))
	require.Len(t, answer.Tables, 1)
	x := answer.Tables[0]
	require.False(t, x.Exists)
	require.Len(t, x.Problems, 1, "the same obstacle is named once")
	require.Equal(t, "E_KAFKA_UNREACHABLE", x.Problems[0].Code)
	require.NotEmpty(t, x.Settings)
	require.NotEmpty(t, x.History)
}

func TestConfigShowHidesSecrets(t *testing.T) {
	for _, args := range [][]string{{}, {"--effective"}, {"-o", "json"}, {"--effective", "-o", "json"}} {
		r := command(t, append([]string{"config", "show", "-c", "testdata/secrets.yaml"}, args...)...)
		require.Zero(t, r.code, r.err)
		require.NotContains(t, r.out+r.err, "hunter2")
		require.Contains(t, r.out, "<redacted>")
		golden(t, "config-show"+strings.ReplaceAll(strings.Join(append([]string{""}, args...), "-"), "--", "-")+".txt", r.out)
	}
}

func TestConfigFromStandardInput(t *testing.T) {
	text, err := os.ReadFile("testdata/unreachable.yaml")
	require.NoError(t, err)
	in := filepath.Join(t.TempDir(), "in")
	require.NoError(t, os.WriteFile(in, text, 0o600))
	f, err := os.Open(in)
	require.NoError(t, err)
	defer f.Close()
	stdin := os.Stdin
	os.Stdin = f
	defer func() { os.Stdin = stdin }()
	r := command(t, "validate", "--no-environment", "-c", "-")
	require.Zero(t, r.code, r.err)
	require.Equal(t, "- is valid\n", r.out)
}

func TestConfigSchemaIsJSON(t *testing.T) {
	r := command(t, "config", "schema")
	require.Zero(t, r.code)
	require.True(t, json.Valid([]byte(r.out)))
}

// A configuration that asks for what some reader cannot read is refused before anything is opened.
func TestFormatVersionIsChecked(t *testing.T) {
	f := func(settings, field, want string) {
		t.Helper()
		text := `
pipeline: shop
sources: {main: {brokers: [localhost:9092]}}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
tables:
  - {name: shop.clicks, topics: [clicks], ` + settings + `, value: {format: json, schema: [{name: at, type: ` + field + `}]}}
`
		_, _, err := config.Parse("f.yaml", []byte(text), config.Options{NoEnvironment: true, Checks: configChecks()})
		if want == "" {
			require.NoError(t, err)
			return
		}
		require.ErrorContains(t, err, want)
	}
	f("readers: [pyiceberg], format_version: 3", "timestamp_ns, unit: nanos", "")
	f("readers: [pyiceberg, spark]", "timestamptz, unit: nanos", "")
	f("readers: [pyiceberg]", "timestamptz_ns", "tables[0].value.schema[0]: declaring at with nanoseconds: tables of format version 2 have none")
	f("readers: [duckdb, pyiceberg], format_version: 3", "timestamptz_ns", "duckdb (held to duckdb@1.5) cannot read nanosecond timestamps")
	f("readers: [trino, pyiceberg], format_version: 3", "long", "")
}
