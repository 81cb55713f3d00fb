package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Commits are told apart by whether a rewrite was under way, and too great a growth of their delay is an error.
func TestJudge(t *testing.T) {
	began := time.Now().Truncate(time.Second)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	rewrites := []interval{{at(10), at(20)}, {at(30), at(40)}}
	write := func(beside float64) string {
		var b strings.Builder
		for i := range 400 {
			lag := 1.0
			second := i / 10
			if second >= 10 && second < 20 || second >= 30 {
				lag = beside
			}
			fmt.Fprintf(&b, `{"time":%q,"msg":"committed","table":"a","took":0.1,"flushed":0.1,"lag":%v}`+"\n", at(second).Add(500*time.Millisecond).Format(time.RFC3339Nano), lag)
			fmt.Fprintf(&b, `{"time":%q,"msg":"committed","table":"commitload.%s","lag":99}`+"\n", at(second).Format(time.RFC3339Nano), heavy)
		}
		path := filepath.Join(t.TempDir(), "log")
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
		return path
	}
	o := options{heavy: 1, phase: 10 * time.Second, growth: 20}
	require.NoError(t, o.judge(write(1.19), rewrites))
	require.ErrorContains(t, o.judge(write(1.21), rewrites), "after 1210 ms instead of 1000")
	require.ErrorContains(t, o.judge(write(1), rewrites[:1]), "1 rewrites")
	o.phase = time.Second
	require.ErrorContains(t, o.judge(write(1), []interval{{at(10), at(11)}, {at(12), at(13)}}), "too few")
}
