package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the golden and generated files instead of comparing them")

// testEnv is the environment of every test: nothing comes from the machine.
func testEnv(name string) (string, bool) {
	value, ok := map[string]string{
		"SECRET_TEXT":     "s3cr3t-from-the-environment",
		"KAFKA_PASSWORD":  "s3cr3t-from-the-environment",
		"CATALOG_SECRET":  "s3cr3t-from-the-environment",
		"BROKER":          "localhost:9092",
		"LANES":           "2",
		"EMPTY":           "",
		"S3_ACCESS_KEY":   "key",
		"S3_SECRET_KEY":   "s3cr3t-from-the-environment",
		"LOOKS_LIKE_YAML": "a\nlanes: 7",
	}[name]
	return value, ok
}

// testMode is how git checks files out for everybody.
const testMode = 0o644

func testOptions() Options { return Options{LookupEnv: testEnv, Mode: testMode} }

// TestBad holds one file for each rule, with the exact messages it must give.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".bad.yml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, warnings, err := Parse(name+".bad.yml", data, testOptions())
			require.Error(t, err)
			require.IsType(t, Problems{}, err)
			got := append(warnings, err.(Problems)...).Error() + "\n"
			require.NotContains(t, got, "s3cr3t", "a message shows a secret")
			compareGolden(t, "testdata/"+name+".bad.txt", got)
		})
	}
}

// compareGolden compares got with a file of the tree, or writes the file under -rewrite.
func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run: go test ./config -rewrite")
	require.Equal(t, string(want), got, "%s is not current: go test ./config -rewrite", file)
}
