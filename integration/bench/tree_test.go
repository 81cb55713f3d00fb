package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatLines(t *testing.T) {
	p, err := parseStat("42 (a (b) c) S 7 42 40 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 9 0 123 999 10 18446744073709551615")
	require.NoError(t, err)
	require.Equal(t, process{pid: 42, parent: 7, session: 40, own: 2 * time.Second, waited: 250 * time.Millisecond, size: 999, rss: 10 * int64(os.Getpagesize())}, p)
	for _, bad := range []string{"", "42", "42 (x) S 1 2", "x (y) S 7 42 40 0 -1 4194560 1 2 3 4 150 50 20 5 20 0 9 0 123 999 10", "42 )x( S"} {
		_, err := parseStat(bad)
		require.Error(t, err, bad)
	}
}

// A member is who descends from the root, or stands in its session after its parent has gone.
func TestTreeHoldsOrphansOfTheSession(t *testing.T) {
	all := []process{
		{pid: 1}, {pid: 10, parent: 1, session: 10}, {pid: 12, parent: 11, session: 99}, {pid: 11, parent: 10, session: 10},
		{pid: 13, parent: 1, session: 10}, {pid: 20, parent: 1, session: 20}, {pid: 21, parent: 20, session: 20},
	}
	var pids []int
	for _, p := range tree(all, 10) {
		pids = append(pids, p.pid)
	}
	require.Equal(t, []int{10, 12, 11, 13}, pids)
}

func TestUsageBetweenSamples(t *testing.T) {
	start := time.Unix(1000, 0)
	u := &usage{start: start}
	member := func(cpu time.Duration, rss int64) []process {
		return []process{{pid: 2, own: cpu, rss: rss}, {pid: 3, waited: cpu, rss: 1}}
	}
	u.take(start.Add(10*time.Second), member(4*time.Second, 100))
	u.take(start.Add(20*time.Second), member(3*time.Second, 300)) // an orphan's parent has gone with what it had waited for
	u.take(start.Add(30*time.Second), member(9*time.Second, 200))
	u.cpu = 19 * time.Second
	require.EqualValues(t, 301, u.peak)
	for seconds, want := range map[int]time.Duration{0: 0, 5: 4 * time.Second, 10: 8 * time.Second, 15: 8 * time.Second, 25: 13 * time.Second, 99: 19 * time.Second} {
		require.Equal(t, want, u.at(start.Add(time.Duration(seconds)*time.Second)), "%d s", seconds)
	}
}

// A virtual machine that is about to run a program shows up twice for a moment, with the same memory.
func TestForkedMemoryCountsOnce(t *testing.T) {
	u := &usage{}
	u.take(time.Unix(1, 0), []process{
		{pid: 10, size: 5000, rss: 800}, {pid: 11, parent: 10, size: 5000, rss: 790}, {pid: 12, parent: 10, size: 40, rss: 30}, {pid: 13, parent: 1, size: 40, rss: 30},
	})
	require.EqualValues(t, 860, u.peak)
}

// What children and orphans used counts, and the meter ends when the last of them has.
func TestMeterCountsChildrenAndOrphans(t *testing.T) {
	if adoptOrphans() != nil {
		t.Skip("no /proc here")
	}
	const burn = `i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done`
	dir := t.TempDir()
	alone := func(script string) *usage {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Dir = dir
		u, err := meter(t.Context(), cmd, nil)
		require.NoError(t, err)
		return u
	}
	one := alone(burn)
	require.Positive(t, one.cpu)
	orphan := alone(`sh -c '` + burn + `; ` + burn + `; ` + burn + `; echo done > orphan' & exit 0`)
	require.FileExists(t, filepath.Join(dir, "orphan"))
	require.Greater(t, orphan.cpu, one.cpu)
}

func TestMeterEndsWhatIsDone(t *testing.T) {
	if adoptOrphans() != nil {
		t.Skip("no /proc here")
	}
	u, err := meter(t.Context(), exec.CommandContext(t.Context(), "sleep", "60"), func() bool { return true })
	require.NoError(t, err)
	require.Less(t, u.wall, 30*time.Second)
	require.NotEmpty(t, u.timeline)

	_, err = meter(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", "exit 3"), nil)
	require.ErrorContains(t, err, "3")

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = meter(ctx, exec.CommandContext(t.Context(), "sh", "-c", "sleep 60 & wait"), nil)
	require.ErrorContains(t, err, "stopped after")
}
