package matrix

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table"
)

// The capability table says "tested" where the kept runs have shown it, for every version it speaks for, and nowhere
// else; what a run has shown to fail is not relied on.
func TestCapabilityTableAgrees(t *testing.T) {
	runs, all := loadResults(t), cases(t)
	rows := table.Capabilities()
	for i, r := range rows {
		for _, f := range table.Features() {
			shown, failed := 0, ""
			for _, run := range runs {
				if run.Reader != r.Name || olderThan(run.Version, r.From.String()) {
					continue
				}
				if i+1 < len(rows) && rows[i+1].Name == r.Name && !olderThan(run.Version, rows[i+1].From.String()) {
					continue // a later row speaks for it
				}
				n, fault := run.shows(all, f)
				shown += n
				if fault != "" {
					failed = fault
				}
			}
			switch {
			case failed != "":
				require.False(t, r.Can[f].Yes(), "%s, %s: %s", r.String(), f, failed)
			case shown > 0:
				require.Equal(t, table.Tested, r.Can[f], "%s, %s: the runs have shown it", r.String(), f)
			default:
				require.NotEqual(t, table.Tested, r.Can[f], "%s, %s: no run has shown it", r.String(), f)
			}
		}
	}
}

// shows counts the tables with a feature that a run has read, and names one that it could not read. A column that
// fails without the feature as well says nothing about it.
func (r *engineRun) shows(all []*theCase, f table.Feature) (shown int, fault string) {
	for _, c := range all {
		cell, ok := r.Cells[c.Name]
		if c.Feature == nil || *c.Feature != f || !ok {
			continue
		}
		shown++
		if len(cell.Wrong) > 0 {
			fault = c.Name + ": " + cell.Wrong[0]
		}
		for name, text := range cell.Faults {
			if !quirk(*r, name, text) {
				fault = c.Name + " " + name + ": " + text
			}
		}
	}
	return shown, fault
}

// quirk: the engine has its own way with the column whatever the file is like, see docs/READERS.md. It reads the
// column, and loses which lists and structs are null.
func quirk(r engineRun, name, fault string) bool {
	if !strings.HasPrefix(fault, "reads ") {
		return false
	}
	quirks := map[string][]string{
		"clickhouse": {"st", "li", "m", "deep"},
		"pyiceberg":  {"deep"},
	}
	for _, q := range quirks[r.Reader] {
		if q == name {
			return true
		}
	}
	return false
}

// Whatever readers a table is made for: each of them reads it. Engines without a kept run are named in
// docs/READERS.md; their cells of the capability table cannot say "tested".
func TestChosenReadersRead(t *testing.T) {
	read, kept := map[string]bool{}, map[string]bool{}
	all := cases(t)
	for _, run := range loadResults(t) {
		kept[run.Reader] = true
		for _, c := range all {
			if c.Group != "choices" || !speaksFor(c.Readers, run) {
				continue
			}
			cell, ok := run.Cells[c.Name]
			require.True(t, ok, "%s %s has not read %s", run.Reader, run.Version, c.Name)
			read[c.Name] = true
			for name, text := range cell.Faults {
				require.True(t, quirk(run, name, text), "%s %s, readers %s, column %s: %s", run.Reader, run.Version, c.Label, name, text)
			}
		}
	}
	for _, c := range all {
		could := slices.ContainsFunc(c.Readers, func(text string) bool {
			name, _, _ := strings.Cut(text, "@")
			return kept[name]
		})
		require.True(t, c.Group != "choices" || !could || read[c.Name], "nobody has read the table for %s", c.Label)
	}
}

// A fault is a quirk only while it is the same in every encoding and codec.
func TestQuirksAreTheEngines(t *testing.T) {
	all := cases(t)
	for _, run := range loadResults(t) {
		first := map[string][]string{}
		for _, c := range all {
			if c.Group != "nested" {
				continue
			}
			var found []string
			for _, name := range names(run.Cells[c.Name].Faults) {
				if quirk(run, name, run.Cells[c.Name].Faults[name]) {
					found = append(found, name)
				}
			}
			if first[run.Version] == nil {
				first[run.Version] = found
			}
			require.Equal(t, first[run.Version], found, "%s %s on %s", run.Reader, run.Version, c.Name)
		}
	}
}

// Every filter leaves the right rows in every engine, whatever the table is partitioned by, but where the capability
// table says no.
func TestFiltersAreRight(t *testing.T) {
	all := cases(t)
	for _, run := range loadResults(t) {
		for _, c := range all {
			if c.Feature == nil {
				require.Empty(t, run.Cells[c.Name].Wrong, "%s %s, partition_by %s", run.Reader, run.Version, c.Label)
			}
		}
	}
}
