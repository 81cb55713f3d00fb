package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/examples"
	"github.com/ingestd/ingestd/table"
)

func noVariables(string) (string, bool) { return "", false }

// TestExamples checks each file alone: the machines, variables and secrets they name are not here.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 7)
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			c, warnings, err := config.Parse(file, data, config.Options{LookupEnv: noVariables, NoEnvironment: true})
			require.NoError(t, err)
			require.Empty(t, warnings)
			for _, entry := range c.Tables {
				_, err := table.Choose(entry.Readers)
				require.NoError(t, err)
			}
			require.True(t, strings.HasPrefix(string(data), "# yaml-language-server: $schema="), "the first line names the schema")
		})
	}
}

// TestInit holds what `ingestd init` writes to more: it passes on a fresh machine, with nothing set.
func TestInit(t *testing.T) {
	for name, text := range map[string]string{"sample": examples.Sample(), "small": examples.Small()} {
		_, warnings, err := config.Parse(name, []byte(text), config.Options{LookupEnv: noVariables, Mode: 0o644})
		require.NoError(t, err, name)
		require.Empty(t, warnings, name)
	}
}

// TestCommentedOutSettings puts the commented settings of the sample back, one block at a time: a comment must not
// go stale.
func TestCommentedOutSettings(t *testing.T) {
	active := map[string]string{
		"    # client_id: ingestd":    "    client_id: ingestd",
		"    # tls: {} ":              "    tls: {} ",
		"  # auto_create":             "  auto_create",
		"  # add_columns":             "  add_columns",
		"  # audit_columns":           "  audit_columns",
		"  # readers":                 "  readers",
		"  # errors":                  "  errors",
		"  # max_rows":                "  max_rows",
		"  # progress_interval":       "  progress_interval",
		"# lanes":                     "lanes",
		"      # group_id":            "      group_id",
		"      # fetch_max_bytes":     "      fetch_max_bytes",
		"      # max_batch_bytes":     "      max_batch_bytes",
		"  # - name: shop.raw":        "  - name: shop.raw",
		"  #   topics_regex: 'raw-.*": "    topics_regex: 'raw-.*",
		"  #   value: {format: raw}":  "    value: {format: raw}",
	}
	text := examples.Sample()
	for commented, setting := range active {
		require.Contains(t, text, commented)
		text = strings.Replace(text, commented, setting, 1)
	}
	_, _, err := config.Parse("sample", []byte(text), config.Options{LookupEnv: noVariables})
	require.NoError(t, err)
}
