//go:build integration

package integration

import (
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/state"
)

// During a rolling restart two processes run with two meanings of a record. The table moves on to the new one, the
// process with the old one halts instead of writing after it, and a start with the old one is refused until somebody
// asks for it.
func TestRollingRestartWithAMixedConfiguration(t *testing.T) {
	const n, rate = 60_000, 2000
	topic := unique(t, "rolling")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic)
	config := func(instance, errors string) string {
		return writeConfig(t, settings{
			Pipeline: topic, Group: topic, Instance: instance, Interval: time.Second,
			Tables: []tableSettings{{Name: table, Topic: topic, Errors: errors}},
		})
	}
	const older, newer = "", "{decode: skip}"
	a := start(t, "ingestd", "run", "-c", config("a", older))
	b := start(t, "ingestd", "run", "-c", config("b", older))
	awaitMembers(t, topic, 2)
	feed := start(t, "eventgen", generatorArgs([]string{
		"-n", strconv.Itoa(n), "-skip", "1000", "-avro", topic, "-rate", strconv.Itoa(rate),
	})...)
	eventually(t, time.Minute, "both commit", func() bool { return a.commits() > 0 && b.commits() > 0 })

	b.terminate(drainDeadline)
	b = start(t, "ingestd", "run", "-c", config("b", newer))
	eventually(t, time.Minute, "the new configuration commits", func() bool { return b.commits() > 0 })
	awaitCode(t, a, "E_CONFIG_EPOCH")
	stop(t, a)

	a = start(t, "ingestd", "run", "-c", config("a", older))
	awaitCode(t, a, "E_CONFIG_SUPERSEDED")
	require.Zero(t, a.commits())
	stop(t, a)

	require.False(t, b.ended(), tail(b.errs.String()))
	a = start(t, "ingestd", "run", "-c", config("a", newer))
	require.Zero(t, feed.wait(2*time.Minute))
	awaitRows(t, catchUpDeadline, table, n)
	a.terminate(drainDeadline)
	b.terminate(drainDeadline)
	assertEpochs(t, table, 1, 2)
	assertContents(t, table, firstEvents(t, n), lakeReaders()[1:2])
	assertVerified(t, config("c", newer), table)

	produce(t, produceDeadline, "-n", strconv.Itoa(n+1000), "-skip", strconv.Itoa(n), "-avro", topic)
	back := start(t, "ingestd", "run", "-c", config("a", older), "--accept-config", "--until-latest")
	require.Zero(t, back.wait(time.Minute), tail(back.errs.String()))
	assertEpochs(t, table, 1, 3)
}

// awaitCode waits until a process has logged a code.
func awaitCode(t *testing.T, p *process, code string) {
	t.Helper()
	eventually(t, time.Minute, "the process says "+code, func() bool { return strings.Contains(p.errs.String(), code) })
}

// stop ends a process whose table has halted; what it exits with tells of that.
func stop(t *testing.T, p *process) {
	t.Helper()
	p.signal(sigterm)
	t.Logf("ended with %d: %s", p.wait(drainDeadline), lastLine(p.errs.String()))
}

// assertEpochs wants the configurations of a table's history to go from the first to the last number and never back.
func assertEpochs(t *testing.T, table string, first, last uint64) {
	t.Helper()
	m := loadTable(t, table)
	sort.Slice(m.Snapshots, func(i, j int) bool { return m.Snapshots[i].Sequence < m.Snapshots[j].Sequence })
	var seen []uint64
	for _, s := range m.Snapshots {
		st, err := state.Decode(s.Summary["ingestd.state"])
		require.NoError(t, err)
		if len(seen) == 0 || seen[len(seen)-1] != st.Epoch.N {
			seen = append(seen, st.Epoch.N)
		}
	}
	t.Logf("epochs %v", seen)
	require.IsIncreasing(t, seen)
	require.Equal(t, first, seen[0])
	require.Equal(t, last, seen[len(seen)-1])
}
