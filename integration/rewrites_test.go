//go:build integration

package integration

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCommitsBesideRewrites: commits hardly wait for a rewrite in the same daemon. The phases with rewrites and without are
// short and take turns; still, of half a minute p99 is a handful of commits, so the slack is wide. `make delays` takes longer, and holds it to 20 %.
func TestCommitsBesideRewrites(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "commitload")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", tool, "./integration/commitload")
	build.Dir = env.root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.CommandContext(t.Context(), tool, "-ingestd", filepath.Join(env.bin, "ingestd"),
		"-tables", "10", "-interval", "500ms", "-warm", "8s", "-time", "30s", "-phase", "2s", "-rewrite", "1000000", "-growth", "150")
	run.WaitDelay = 10 * time.Second
	out, err = run.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
