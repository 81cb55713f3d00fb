//go:build integration

package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const readDeadline = 3 * time.Minute

// reading is one reader's look at tables.
type reading struct {
	environment, script string
	args                []string
}

// lakeReaders are all readers on the REST catalog and the object store.
func lakeReaders() []reading {
	where := []string{"--rest", env.stack.Catalog(), "--s3", env.stack.ObjectStore()}
	return []reading{
		{"light", "read_duckdb.py", append([]string{"--mode", "attach"}, where...)},
		{"light", "read_duckdb.py", append([]string{"--mode", "scan"}, where...)},
		{"light", "read_pyiceberg.py", where},
		{"chdb", "read_chdb.py", where},
	}
}

// assertContents lets every reader count a table and compares the results with what is expected and with each other.
func assertContents(t *testing.T, table string, want contents, readers []reading) {
	t.Helper()
	folder := filepath.Join(env.root, "integration", "readback")
	results := filepath.Join(t.TempDir(), "results.json")
	file, err := os.Create(results)
	require.NoError(t, err)
	for _, r := range readers {
		args := append([]string{filepath.Join(folder, r.script), "--table", table, "--sum", "amount", "--sum", "duration"}, r.args...)
		out, _ := python(t, r.environment, args...) // an engine's failure stands in its line, for compare.py
		_, err := file.WriteString(out)
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	out, err := python(t, "light", filepath.Join(folder, "compare.py"),
		"--rows", fmt.Sprint(want.rows), "--distinct", fmt.Sprint(want.distinct),
		"--sum", fmt.Sprintf("amount=%.2f", want.amount), "--sum", fmt.Sprintf("duration=%.2f", want.duration), results)
	t.Logf("%s", out)
	require.NoError(t, err, "readers of %s", table)
}

// python runs a script in a reader's environment; a failure's standard error is logged.
func python(t *testing.T, environment string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, env.stack.Python(environment), args...)
	cmd.Env = env.stack.ReaderEnv()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("%s: %v\n%s", filepath.Base(args[0]), err, tail(stderr.String()))
	}
	return string(out), err
}
