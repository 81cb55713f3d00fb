package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// The profile that run is asked for is there when it has ended.
func TestRunWritesAProfile(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "a"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	dir := t.TempDir()
	file, cpu := filepath.Join(dir, "ingestd.yaml"), filepath.Join(dir, "cpu")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, controlConfig, c.ListenAddrs()[0], dir), 0o600))
	r := command(t, "run", "-c", file, "--until-latest", "--cpuprofile", cpu)
	require.Zero(t, r.code, r.err)
	info, err := os.Stat(cpu)
	require.NoError(t, err)
	require.Positive(t, info.Size())
	r = command(t, "run", "-c", file, "--until-latest", "--cpuprofile", filepath.Join(dir, "none", "cpu"))
	require.NotZero(t, r.code)
	require.Contains(t, r.err, "E_PROFILE")
}
