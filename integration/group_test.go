//go:build integration

package integration

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Two processes share a topic: both land commits. One is stopped past its session, the other takes over; revived,
// the first finds itself fenced and goes on. No row is lost or doubled.
func TestGroupSurvivesAStoppedMember(t *testing.T) {
	const (
		n       = 1_500_000
		rate    = 20_000
		session = 6 * time.Second
	)
	topic := unique(t, "group")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic) // the topic exists before its readers
	member := func(instance string) string {
		return writeConfig(t, settings{
			Pipeline: topic, Group: topic, Instance: instance, Session: session, Interval: time.Second,
			Admin: freeAddress(t), Tables: []tableSettings{{Name: table, Topic: topic}},
		})
	}
	configA, configB := member("a"), member("b")
	a := start(t, "ingestd", "run", "-c", configA)
	b := start(t, "ingestd", "run", "-c", configB)
	awaitMembers(t, topic, 2)

	feed := start(t, "eventgen", generatorArgs([]string{
		"-n", strconv.Itoa(n), "-skip", "1000", "-avro", topic, "-rate", strconv.Itoa(rate),
	})...)
	const enough = 10
	eventually(t, 2*time.Minute, "both processes commit", func() bool { return a.commits() > 0 && b.commits() > 0 })
	baseA, baseB := a.commits(), b.commits() // one has consumed alone for a while
	eventually(t, 2*time.Minute, "both processes commit again and again", func() bool {
		return a.commits() >= baseA+enough && b.commits() >= baseB+enough
	})
	assertShares(t, a.commits()-baseA, b.commits()-baseB)

	a.signal(syscall.SIGSTOP)
	awaitMembers(t, topic, 1)
	before := loadTable(t, table).total()
	awaitRows(t, time.Minute, table, before+10*rate)
	require.False(t, b.ended(), "the other process ended: %s", tail(b.errs.String()))
	a.signal(syscall.SIGCONT)
	awaitMembers(t, topic, 2)

	require.Zero(t, feed.wait(5*time.Minute))
	awaitRows(t, catchUpDeadline, table, n)
	assertShares(t, a.commits(), b.commits())
	a.terminate(drainDeadline)
	b.terminate(drainDeadline)
	assertContents(t, table, firstEvents(t, n), lakeReaders())
	assertVerified(t, configA, table)
}

// Two processes that meet the same missing table at the same moment make one table between them.
func TestRacingCreatorsConverge(t *testing.T) {
	const n, rounds = 2000, 5
	for range rounds {
		topic := unique(t, "race")
		table := "it." + topic
		produce(t, produceDeadline, "-n", strconv.Itoa(n), "-avro", topic)
		member := func(instance string) *process {
			return start(t, "ingestd", "run", "-c", writeConfig(t, settings{
				Pipeline: topic, Group: topic, Instance: instance, Interval: time.Second,
				Tables: []tableSettings{{Name: table, Topic: topic}},
			}))
		}
		a, b := member("a"), member("b")
		awaitRows(t, time.Minute, table, n)
		a.terminate(drainDeadline)
		b.terminate(drainDeadline)
		require.Equal(t, int64(n), loadTable(t, table).total())
	}
}

// assertShares wants both processes to have landed a fifth of the commits.
func assertShares(t *testing.T, a, b int) {
	t.Helper()
	t.Logf("commits: %d and %d", a, b)
	require.GreaterOrEqual(t, 5*min(a, b), a+b, "one process landed less than 20 %% of %d commits", a+b)
}

// awaitMembers waits until a consumer group is stable with so many members.
func awaitMembers(t *testing.T, group string, members int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(env.stack.Brokers()))
	require.NoError(t, err)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	eventually(t, time.Minute, strconv.Itoa(members)+" members in group "+group, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		described, err := adm.DescribeGroups(ctx, group)
		if err != nil {
			return false
		}
		g := described[group]
		return g.State == "Stable" && len(g.Members) == members
	})
}
