package day

import (
	"flag"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
)

var (
	hours  = flag.Int("day.hours", 0, "hours of the tables' clock; times are compared from 4 on (make day: 24)")
	tables = flag.Int("day.tables", 1, "tables that grow side by side (make day: 20)")
)

const (
	// tick is the interval of commits.
	tick = 5 * time.Second
	// maintained is how often small files are rewritten.
	maintained = 5 * time.Minute
	// timed is the number of hours from which on times are compared.
	timed = 4
	// first is the hour that the last one is compared with: the one before has no closed partition to look at.
	first = 2
	// slack is how much more than the first hour the last one may have.
	slack = 1.3
	// most is the bound of write amplification.
	most = 4.0
	// sparing is the percentage by which the heap may grow between two collections.
	sparing = 400
	// grace is how long files that nothing needs may stay, a little more than Upkeep.Grace.
	grace = 7 * time.Hour
)

// A table that is fed every five seconds is at the end of the day what it was after an hour.
func TestDay(t *testing.T) {
	if *hours == 0 {
		t.Skip("make day")
	}
	// The tables' metadata is little and short-lived: collecting it as often as the default asks for is a fifth of the work.
	defer debug.SetGCPercent(debug.SetGCPercent(sparing))
	dir := t.TempDir()
	cat, err := catalog.Open(t.Context(), catalog.Options{
		Type: catalog.SQLite, Path: filepath.Join(dir, "catalog.db"), Warehouse: filepath.Join(dir, "warehouse"),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cat.Close()) })
	c := &clock{now: time.Now().Truncate(time.Hour)}
	all := make([]*grown, *tables)
	for i := range all {
		all[i] = grow(t, cat, fmt.Sprint("t", i), c)
	}
	early, late := make([]measured, len(all)), make([]measured, len(all))
	for h := 1; h <= *hours; h++ {
		c.hour(all)
		for i, g := range all {
			if h < first {
				g.took = nil
				continue
			}
			late[i] = g.measure()
			if h == first {
				early[i] = late[i]
			}
			t.Logf("hour %d, %s: %s; write amplification %.2f", h, g.name, late[i], g.amplification())
		}
	}
	for i, g := range all {
		compare(t, g, early[i], late[i])
		g.end()
	}
}

// hour lets an hour pass.
func (c *clock) hour(all []*grown) {
	for at := time.Duration(0); at < time.Hour; at += tick {
		for _, g := range all {
			g.commit()
			if at > 0 && at%maintained == 0 {
				g.maintain()
			}
		}
		c.pass(tick)
	}
}

// compare holds the last hour to an early one.
func compare(t *testing.T, g *grown, early, late measured) {
	t.Helper()
	within := func(what string, was, is float64) {
		require.LessOrEqual(t, is, was*slack, "%s: %s was %v after hour %d and is %v now", g.name, what, was, first, is)
	}
	within("files of the newest partition", float64(early.open), float64(late.open))
	require.LessOrEqual(t, late.files, max(2, early.files), "%s: files of a partition", g.name)
	within("metadata.json", float64(early.metadata), float64(late.metadata))
	if *hours >= timed {
		within("commit", float64(early.commit), float64(late.commit))
		within("scan", float64(early.scan), float64(late.scan))
	}
	require.Less(t, g.amplification(), most, "%s: write amplification", g.name)
}

// end lets what nothing needs be removed, and looks for what is left. The snapshots of the day expire in the first round,
// its hourly tags within 24 hours, and the files that only they needed are deleted a round later.
func (g *grown) end() {
	g.t.Helper()
	const rounds, commits = 6, 125
	for range rounds {
		g.clock.pass(grace)
		for range commits {
			g.commit()
		}
	}
	require.Empty(g.t, g.orphans(), "%s: files that nothing needs", g.name)
}
