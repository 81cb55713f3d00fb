package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const minimal = `pipeline: shop
sources: {main: {brokers: ["localhost:9092"]}}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
tables: [{name: shop.clicks, topics: [clicks], value: {format: raw}}]
`

func TestDefaultsAreApplied(t *testing.T) {
	c := parseText(t, minimal)
	require.Equal(t, Commit{Interval: DefaultCommitInterval, MaxBytes: DefaultMaxBytes, ProgressInterval: DefaultProgressInterval}, c.Commit)
	require.Equal(t, DefaultReaders(), c.Tables[0].Readers)
	require.Equal(t, "ingestd-shop-main", c.Sources["main"].Consumer.GroupID)
	require.Equal(t, "main", c.Tables[0].Source, "the only source")
	require.True(t, c.Tables[0].AutoCreate)
	found, ok := c.Table("shop.clicks")
	require.True(t, ok)
	require.Equal(t, c.Tables[0], found)
	require.Equal(t, []string{"localhost:9092"}, c.Source(found).Brokers)
	_, ok = c.Table("shop.views")
	require.False(t, ok)
}

// TestDefaultsMerge holds the merge: own settings win, lists replace, mappings merge, and no table sees another's.
func TestDefaultsMerge(t *testing.T) {
	c := parseText(t, `pipeline: shop
sources: {main: {brokers: ["localhost:9092"]}}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
tables:
  - {name: shop.a, topics: [a], properties: {b: "2"}, readers: [trino], start: earliest}
  - {name: shop.b, topics: [b]}
defaults:
  value: {format: raw}
  start: latest
  readers: [duckdb]
  properties: {a: "1", b: "1"}
`)
	a, b := c.Tables[0], c.Tables[1]
	require.Equal(t, map[string]string{"a": "1", "b": "2"}, a.Properties)
	require.Equal(t, map[string]string{"a": "1", "b": "1"}, b.Properties)
	require.Equal(t, []string{"trino"}, a.Readers)
	require.Equal(t, []string{"duckdb"}, b.Readers)
	require.Equal(t, []Start{StartEarliest, StartLatest}, []Start{a.Start, b.Start})
	require.Equal(t, ValueRaw, a.Value.Format)
	require.Equal(t, NullsIgnore, a.Value.Nulls, "what the defaults leave out keeps its own default")
}

func TestLoadMissingFile(t *testing.T) {
	_, _, err := Load(filepath.Join("testdata", "no-such.yml"), testOptions())
	require.EqualError(t, err, "testdata/no-such.yml: opening: no such file or directory — name a file with -c FILE")
	require.IsType(t, Problems{}, err)
}

func TestLoadStandardInput(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	before := os.Stdin
	t.Cleanup(func() { os.Stdin = before })
	os.Stdin = r
	_, err = w.WriteString(minimal)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	c, _, err := Load("-", testOptions())
	require.NoError(t, err)
	require.Equal(t, "shop", c.Pipeline)
}

func TestLimits(t *testing.T) {
	_, _, err := Parse("large", []byte(minimal+"#"+strings.Repeat("x", maxFile)), testOptions())
	require.EqualError(t, err, "large:1:1: the file has more than 1048576 bytes")
}

// TestOddKeys holds keys that are no plain words.
func TestOddKeys(t *testing.T) {
	_, _, err := Parse("odd", []byte(minimal+"|\n  x\n: 1\n"), testOptions())
	require.Error(t, err)
	_, _, err = Parse("odd", []byte(minimal+"1: x\ntrue: y\n"), testOptions())
	require.ErrorContains(t, err, "odd:5:1 1: unknown setting")
	require.ErrorContains(t, err, "odd:6:1 true: unknown setting")
}

// TestAddressesInBrackets works around the YAML scanner, which takes `host:port` for a mapping in nested brackets.
func TestAddressesInBrackets(t *testing.T) {
	c := parseText(t, `pipeline: shop
sources: {main: {brokers: [localhost:9092, 10.0.0.1:9093], registry: {urls: [http://localhost:8081]}}}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
tables: [{name: shop.clicks, topics: [clicks]}]
`)
	require.Equal(t, []string{"localhost:9092", "10.0.0.1:9093"}, c.Sources["main"].Brokers)
	require.Equal(t, []string{"http://localhost:8081"}, c.Sources["main"].Registry.URLs)
	_, _, err := Parse("x", []byte(strings.Replace(minimal, `["localhost:9092"]`, `[{localhost: 9092}]`, 1)), testOptions())
	require.ErrorContains(t, err, "sources.main.brokers[0]: want a single value, found a mapping")
}

// TestNoEnvironment checks a file where its variables and secrets are not: what can be judged still is.
func TestNoEnvironment(t *testing.T) {
	text := `pipeline: ${PIPELINE}
sources:
  main:
    brokers: ["${HOST}:${PORT}", localhost]
    tls: {ca_file: /no/such/file}
    sasl: {mechanism: SCRAM-SHA-512, username: "${U}", password_file: /no/such/file}
catalog: {type: sqlite, path: "${P}", warehouse: "${W}"}
tables: [{name: "${T}", topics: ["${T}"], value: {format: "${F:raw}"}}]
lanes: ${N}
`
	_, _, err := Parse("x", []byte(text), Options{LookupEnv: noEnv, NoEnvironment: true})
	require.EqualError(t, err, `x:4:34 sources.main.brokers[1]: "localhost" is no broker address — write host:9092`)
	_, _, err = Parse("x", []byte(text), Options{LookupEnv: noEnv})
	require.Len(t, err, 9, "%v", err)
}

func noEnv(string) (string, bool) { return "", false }

// TestChecks holds the hook: other packages' findings get a position, and run on sound configurations only.
func TestChecks(t *testing.T) {
	ran := 0
	opts := testOptions()
	opts.Checks = []Check{func(c *Config) []Finding {
		ran++
		return []Finding{
			{Path: "tables[0].parquet.encoding", Message: "spark cannot read delta", Hint: "name spark@1.10"},
			{Path: "tables[0].value", Message: "careful", Warning: true},
		}
	}}
	_, warnings, err := Parse("x", []byte(minimal), opts)
	require.EqualError(t, err, "x:4:10 tables[0].parquet.encoding: spark cannot read delta — name spark@1.10")
	require.Equal(t, "x:4:48 tables[0].value: warning: careful", warnings.Error())

	_, _, err = Parse("x", []byte(minimal+"defaults: {parquet: {encoding: delta}}\n"), opts)
	require.EqualError(t, err, "x:5:22 defaults.parquet.encoding: spark cannot read delta — name spark@1.10", "where it was written")

	_, _, err = Parse("x", []byte(minimal+"lanes: -1\n"), opts)
	require.Error(t, err)
	require.Equal(t, 2, ran, "a check must not see a configuration that is not sound")
}

func TestTopicMatcher(t *testing.T) {
	f := func(table Table, want string) {
		t.Helper()
		m, err := table.Matcher()
		require.NoError(t, err)
		var matched []string
		for _, topic := range []string{"clicks", "clicks-eu", "old-clicks", "__clicks", "__clicks-eu"} {
			if m.Match(topic) {
				matched = append(matched, topic)
			}
		}
		require.Equal(t, want, strings.Join(matched, " "))
		require.Equal(t, table.TopicsRegex != "", m.Dynamic())
	}
	f(Table{Topics: []string{"clicks", "__clicks"}}, "clicks __clicks")
	f(Table{TopicsRegex: "clicks.*"}, "clicks clicks-eu")
	f(Table{TopicsRegex: ".*clicks|clicks-eu"}, "clicks clicks-eu old-clicks")
	_, err := Table{Name: "a.b", TopicsRegex: "("}.Matcher()
	require.ErrorContains(t, err, "compiling topics_regex of a.b")
}
