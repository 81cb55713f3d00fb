package main

import (
	"fmt"
	"time"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
)

// historyPlan says how many snapshots a table keeps, and what that costs where we do not decide it.
func historyPlan(c *config.Config, h config.History, exists bool, t *commit.Table) []string {
	perDay := int(24 * time.Hour / max(c.Commit.Interval.Std(), time.Second))
	if !exists || t.Properties()[commit.CreatedByKey] != "" {
		out := []string{
			fmt.Sprintf("at least %d and at most %d snapshots; between them those older than %s go, oldest first", commit.DefaultKeepMin, commit.DefaultKeepMax, config.Duration(commit.DefaultMaxAge)),
		}
		if h.HourlyTags > 0 || h.DailyTags > 0 {
			out = append(out, fmt.Sprintf("for longer time travel %s and %s", count(h.HourlyTags, "hourly tag"), count(h.DailyTags, "daily tag")))
		}
		return append(out, fmt.Sprintf("up to %d snapshots a day at this interval", perDay))
	}
	snapshots := t.Metadata().Snapshots()
	out := []string{
		"the table was not created by ingestd: its own properties decide, and ingestd expires nothing",
		fmt.Sprintf("it has %s now; up to %d more a day at this interval", count(len(snapshots), "snapshot"), perDay),
	}
	if size := snapshotBytes(t); size > 0 {
		out = append(out, fmt.Sprintf("each snapshot takes about %d bytes of the metadata that every commit and every reader loads: %d KiB more a day until somebody expires them",
			size, perDay*size/1024))
	}
	return out
}

// snapshotBytes is what one snapshot of ours takes in the metadata file: what it carries for us, and what every
// snapshot has.
func snapshotBytes(t *commit.Table) int {
	const bare = 700
	text, err := t.State().Encode()
	if err != nil {
		return 0
	}
	return bare + len(text)
}
