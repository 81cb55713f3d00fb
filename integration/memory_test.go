//go:build integration

package integration

import (
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var memoryRecords = flag.Int("memory-records", 400_000, "records of the memory test; `make bench-memory` uses 5,000,000")

// TestMemory: a backlog of records of 180 B to 1 MiB in 1,000 partitions over 50 tables passes through a limit of 256
// MiB within 512 MiB of resident memory, and every row arrives. The broker is a process of its own, started by memload.
func TestMemory(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "memload")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "./integration/memload")
	build.Dir = env.root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.CommandContext(t.Context(), tool, "-ingestd", filepath.Join(env.bin, "ingestd"), "-n", strconv.Itoa(*memoryRecords))
	run.WaitDelay = 10 * time.Second
	out, err = run.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
