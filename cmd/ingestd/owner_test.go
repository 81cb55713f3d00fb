package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOwner: a process is known to run, or to have ended, by those who see its ids; an id that is used again is another.
func TestOwner(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc is needed")
	}
	me := owner(os.Getpid())
	yes, known := alive(me)
	require.True(t, yes && known, me)
	cmd := exec.CommandContext(t.Context(), "sleep", "60")
	require.NoError(t, cmd.Start())
	child := owner(cmd.Process.Pid)
	yes, known = alive(child)
	require.True(t, yes && known, child)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	yes, known = alive(child)
	require.True(t, !yes && known, child)
	yes, known = alive(me + "0")
	require.True(t, !yes && known)
	for _, stranger := range []string{"elsewhere" + me, strings.Replace(me, "pid:", "pid:1", 1), "host/1/", "nonsense"} {
		_, known = alive(stranger)
		require.False(t, known, stranger)
	}
}
