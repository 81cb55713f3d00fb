package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func show(changes []Change) []string {
	out := []string{}
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

func TestReloadable(t *testing.T) {
	old := parseText(t, minimal)
	f := func(change string, apply, refused []string) {
		t.Helper()
		from, to, replace := strings.Cut(change, " => ")
		text := minimal + change
		if replace {
			require.Contains(t, minimal, from)
			text = strings.Replace(minimal, from, to, 1)
		}
		a, r := Reloadable(old, parseText(t, text))
		require.Equal(t, apply, show(a))
		require.Equal(t, refused, show(r))
	}
	none := []string{}
	f("", none, none)
	f("log: {level: info}", none, none)
	f("log: {level: debug}", []string{"log.level: info -> debug"}, none)
	f("commit: {interval: 1m, max_rows: 10, max_bytes: 1MiB, progress_interval: 1h}", []string{
		"commit.interval: 10s -> 1m", "commit.max_rows: 0 -> 10", "commit.max_bytes: 128MiB -> 1MiB", "commit.progress_interval: 10m -> 1h",
	}, none)
	f("log: {level: debug, format: console}", []string{"log.level: info -> debug"}, []string{"log.format: json -> console"})
	f("memory: {limit: 1GiB}", none, []string{"memory.limit: 60% -> 1GiB"})
	f("topics: [clicks] => topics: [clicks, views]", none, []string{"tables[shop.clicks].topics: [clicks] -> [clicks, views]"})
	f("topics: [clicks] => topics_regex: clicks", none, []string{
		"tables[shop.clicks].topics: [clicks] -> (none)", "tables[shop.clicks].topics_regex: (none) -> clicks",
	})
	f("catalog.db => other.db", none, []string{"catalog.path: catalog.db -> other.db"})
	f("9092\"] => 9092\"], tls: {}", none, []string{
		"sources.main.tls: (none) -> {}", "sources.main.tls.enabled: (none) -> true",
	})
}

// TestReloadableTables adds a table in front: the one behind it has not changed.
func TestReloadableTables(t *testing.T) {
	old := parseText(t, minimal)
	_, refused := Reloadable(old, parseText(t, strings.Replace(minimal, "tables: [",
		"tables: [{name: shop.a, topics: [a], value: {format: raw}}, ", 1)))
	require.NotEmpty(t, refused)
	for _, c := range refused {
		require.True(t, strings.HasPrefix(c.Path, "tables[shop.a]."), c.Path)
	}
}

// TestReloadableSecrets sees that a secret changed, without showing it; a secret in a file may change freely.
func TestReloadableSecrets(t *testing.T) {
	with := func(sasl string) *Config {
		c, _, err := Parse("x", []byte(strings.Replace(minimal, `9092"]`, `9092"], tls: {}, sasl: {mechanism: PLAIN, username: me, `+sasl+`}`, 1)),
			Options{LookupEnv: testEnv})
		require.NoError(t, err)
		return c
	}
	_, refused := Reloadable(with("password: one"), with("password: two"))
	require.Equal(t, []string{"sources.main.sasl.password: <redacted> -> <redacted>"}, show(refused))

	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("one"), 0o600))
	before := with("password_file: " + file)
	require.NoError(t, os.WriteFile(file, []byte("two"), 0o600))
	after := with("password_file: " + file)
	require.NotEqual(t, before.Sources["main"].SASL.Password, after.Sources["main"].SASL.Password)
	_, refused = Reloadable(before, after)
	require.Empty(t, refused)
}

// TestReloadableOfItself compares every good file with itself read again.
func TestReloadableOfItself(t *testing.T) {
	for _, file := range yamlFiles(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		opts := Options{LookupEnv: testEnv, NoEnvironment: true}
		a, _, err := Parse(file, data, opts)
		if err != nil {
			continue
		}
		b, _, err := Parse(file, data, opts)
		require.NoError(t, err)
		apply, refused := Reloadable(a, b)
		require.Empty(t, apply)
		require.Empty(t, refused)
	}
}
