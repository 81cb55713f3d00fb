package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
)

// yamlFiles lists every configuration of the tree, good and bad.
func yamlFiles(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"testdata/*.good.yml", "testdata/*.bad.yml", "../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		out = append(out, files...)
	}
	return out
}

// TestGood holds what files come to: the effective configuration, with every default, and the warnings.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/*.good.yml")
	require.NoError(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".good.yml")
		t.Run(name, func(t *testing.T) {
			c, warnings := parseFile(t, file)
			text, err := c.YAML(true)
			require.NoError(t, err)
			got := string(text)
			require.NotContains(t, got, "s3cr3t", "the output shows a secret")
			for _, w := range warnings {
				got += "# " + w.String() + "\n"
			}
			compareGolden(t, "testdata/"+name+".good.txt", got)
		})
	}
}

// TestShownFileIsTheSame reads back what `config show` writes: it must mean the same, secrets aside.
func TestShownFileIsTheSame(t *testing.T) {
	for _, file := range yamlFiles(t) {
		if strings.Contains(file, ".bad.") {
			continue
		}
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		opts := Options{LookupEnv: testEnv, NoEnvironment: true}
		want, _, err := Parse(file, data, opts)
		require.NoError(t, err)
		for _, effective := range []bool{false, true} {
			text, err := want.YAML(effective)
			require.NoError(t, err)
			readable := strings.ReplaceAll(string(text), redacted, "any:thing")
			got, _, err := Parse(file+" shown", []byte(readable), opts)
			require.NoError(t, err, "effective=%t\n%s", effective, text)
			diff := cmp.Diff(want, got,
				cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreFields(Config{}, "Defaults"),
				cmp.Comparer(func(a, b Secret) bool { return a.IsZero() == b.IsZero() }), cmpopts.EquateEmpty())
			require.Empty(t, diff, "%s effective=%t", file, effective)
		}
	}
}

// parseFile parses a file that must be good.
func parseFile(t *testing.T, file string) (*Config, Problems) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	c, warnings, err := Parse(filepath.Base(file), data, testOptions())
	require.NoError(t, err)
	return c, warnings
}

// parseText parses a text that must be good.
func parseText(t *testing.T, text string) *Config {
	t.Helper()
	c, _, err := Parse("test.yaml", []byte(text), testOptions())
	require.NoError(t, err)
	return c
}
