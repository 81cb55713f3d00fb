package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/examples"
	"github.com/ingestd/ingestd/internal/failure"
)

// A command line that cannot be meant ends with 2, one line that says why and one that says what to try.
func TestUsageErrors(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		r := command(t, args...)
		require.Equal(t, failure.ExitUsage, r.code, "%v: %s", args, r.err)
		require.Empty(t, r.out)
		require.Equal(t, want, r.err)
	}
	f("ingestd: unknown command \"rum\" for \"ingestd\"\nTry: ingestd --help\n", "rum")
	f("ingestd: unknown flag: --bogus\nTry: ingestd run --help\n", "run", "--bogus")
	f("ingestd: no configuration: name a file with -c FILE\nTry: ingestd run --help\n", "run")
	f("ingestd: no configuration: name a file with -c FILE\nTry: ingestd validate --help\n", "validate")
	f("ingestd: no configuration: name a file with -c FILE\nTry: ingestd explain --help\n", "explain", "t")
	f("ingestd: unknown command \"x\" for \"ingestd run\"\nTry: ingestd run --help\n", "run", "x")
	f("ingestd: unknown command \"foo\" for \"ingestd config\"\nTry: ingestd config --help\n", "config", "foo")
	f("ingestd: invalid argument \"yaml\" for \"-o, --output\" flag: want text or json, not \"yaml\"\nTry: ingestd version --help\n", "version", "-o", "yaml")
	f("ingestd: accepts 1 arg(s), received 0\nTry: ingestd preview --help\n", "preview", "-c", "x")
	f("ingestd: --from must be earliest, latest or table, not \"here\"\nTry: ingestd preview --help\n", "preview", "t", "--from", "here")
	f("ingestd: --limit must be at least 1\nTry: ingestd preview --help\n", "preview", "t", "-n", "0")
	f("ingestd: name either a configuration with -c FILE or a running daemon with --admin URL\nTry: ingestd status --help\n", "status")
	f("ingestd: --records must not be negative\nTry: ingestd demo --help\n", "demo", "--records", "-1")
	f("ingestd: -o json needs --until-caught-up: a demo without an end has no result\nTry: ingestd demo --help\n", "demo", "-o", "json")
	f("ingestd: the configuration has no table \"nope\"; it has shop.clicks\nTry: ingestd verify --help\n",
		"verify", "nope", "-c", "testdata/unreachable.yaml")
}

// Every command teaches: what it does, how it is called, what can be set.
func TestHelp(t *testing.T) {
	a := &app{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" {
			return
		}
		path := strings.Fields(c.CommandPath())[1:]
		r := command(t, append(path, "--help")...)
		require.Zero(t, r.code)
		require.Empty(t, r.err)
		golden(t, "help"+strings.Join(append([]string{""}, path...), "-")+".txt", r.out)
		if c.Name() != "config" {
			require.NotEmpty(t, c.Example, "%s has no examples", c.CommandPath())
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(a.root())
	require.Equal(t, command(t, "--help"), command(t), "ingestd alone shows the help")
}

func TestInitGivesValidConfigurations(t *testing.T) {
	for _, args := range [][]string{{"init"}, {"init", "--small"}} {
		r := command(t, args...)
		require.Zero(t, r.code)
		_, _, err := config.Parse("init.yaml", []byte(r.out), config.Options{NoEnvironment: true, Checks: configChecks()})
		require.NoError(t, err)
	}
	require.Equal(t, examples.Sample(), command(t, "init").out)
	require.NotEqual(t, command(t, "init").out, command(t, "init", "--small").out)
}

func TestVersion(t *testing.T) {
	var b buildInfo
	r := command(t, "version", "-o", "json")
	require.Zero(t, r.code)
	require.NoError(t, json.Unmarshal([]byte(r.out), &b))
	require.Equal(t, readBuild(), b)
	require.NotEmpty(t, b.Version)
	require.True(t, strings.HasPrefix(command(t, "version").out, "ingestd "+b.Version+"\n"))
	require.Equal(t, "ingestd "+b.Version+"\n", command(t, "--version").out)
}

func TestCompletion(t *testing.T) {
	r := command(t, "completion", "bash")
	require.Zero(t, r.code)
	require.Contains(t, r.out, "ingestd")
	r = command(t, "__complete", "explain", "-c", "testdata/unreachable.yaml", "")
	require.Contains(t, r.out, "shop.clicks\n")
	r = command(t, "__complete", "version", "-o", "")
	require.Contains(t, r.out, "json\n")
}

// The class of an error decides the exit code, wherever it comes from.
func TestReport(t *testing.T) {
	f := func(code int, want string, err error) {
		t.Helper()
		var errs strings.Builder
		a := &app{Streams: Streams{Err: &errs}}
		require.Equal(t, code, a.report(err))
		require.Equal(t, want, errs.String())
	}
	f(failure.ExitFailed, "ingestd: boom\n", errors.New("boom"))
	f(failure.ExitRetry, "ingestd: away [E_X] — wait\n", failure.New(failure.Retry, "E_X", "wait", "away"))
	f(failure.ExitConfig, "ingestd: wrong [E_X] — mend it\n", failure.New(failure.Config, "E_X", "mend it", "wrong"))
	f(failure.ExitConfig, "f.yaml:3:1 a.b: bad — better\n", config.Problems{{File: "f.yaml", Line: 3, Col: 1, Path: "a.b", Message: "bad", Hint: "better"}})
	f(failure.ExitRetry, "", silentError{failure.New(failure.Retry, "E_X", "", "told already")})
}

func TestWorst(t *testing.T) {
	retry := failure.New(failure.Retry, "E_R", "", "r")
	halt := failure.New(failure.Halt, "E_H", "", "h")
	conf := failure.New(failure.Config, "E_C", "", "c")
	require.NoError(t, worst(nil))
	require.Equal(t, error(retry), worst([]error{retry}))
	require.Equal(t, error(halt), worst([]error{retry, halt, retry}))
	require.Equal(t, error(conf), worst([]error{retry, halt, conf}))
}
