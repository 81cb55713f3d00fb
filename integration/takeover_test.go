//go:build integration

package integration

import (
	"context"
	"encoding/binary"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit/state"
)

// One of two members of a group is killed and stays away. The other one commits rows of every partition that the dead
// one had within the session's time and five seconds.
func TestSurvivorTakesOver(t *testing.T) {
	const (
		session = 6 * time.Second
		allowed = session + 5*time.Second
		rate    = 2000
	)
	topic := unique(t, "takeover")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic)
	member := func(instance string) *process {
		return start(t, "ingestd", "run", "-c", writeConfig(t, settings{
			Pipeline: topic, Group: topic, Instance: instance, Session: session, Interval: time.Second,
			Tables: []tableSettings{{Name: table, Topic: topic}},
		}))
	}
	a, b := member("a"), member("b")
	awaitMembers(t, topic, 2)
	feed := start(t, "eventgen", generatorArgs([]string{
		"-n", strconv.Itoa(wholeSet), "-skip", "1000", "-avro", topic, "-rate", strconv.Itoa(rate),
	})...)
	eventually(t, 2*time.Minute, "both processes commit", func() bool { return a.commits() >= 3 && b.commits() >= 3 })
	orphaned := assigned(t, topic, "a")
	require.NotEmpty(t, orphaned)

	killed := time.Now()
	a.kill()
	// Whatever the dead one had sent has landed by now; nothing of its partitions moves until the session ends.
	wait(t, time.Second)
	before := positions(t, loadTable(t, table))
	var took time.Duration
	eventually(t, time.Minute, "the other one has its partitions", func() bool {
		took = takenOver(t, loadTable(t, table), before, orphaned).Sub(killed)
		return took > 0
	})
	t.Logf("partitions %v of the dead one moved again %.1f s after its end, session %s", orphaned, took.Seconds(), session)
	require.LessOrEqual(t, took, allowed)
	feed.signal(sigterm)
	require.Zero(t, feed.wait(time.Minute))
	b.terminate(drainDeadline)
}

// takenOver is when the last of the partitions moved beyond where it was; the zero time while one has not.
func takenOver(t *testing.T, m *tableMetadata, before map[string]uint64, partitions []string) time.Time {
	t.Helper()
	var last time.Time
	for _, p := range partitions {
		var first int64
		for _, s := range m.Snapshots {
			if stateOf(t, s)[p] > before[p] && (first == 0 || s.Millis < first) {
				first = s.Millis
			}
		}
		if first == 0 {
			return time.Time{}
		}
		if at := time.UnixMilli(first); at.After(last) {
			last = at
		}
	}
	return last
}

// positions are the offsets of the current snapshot by partition.
func positions(t *testing.T, m *tableMetadata) map[string]uint64 {
	t.Helper()
	for _, s := range m.Snapshots {
		if s.ID == m.Current {
			return stateOf(t, s)
		}
	}
	return nil
}

func stateOf(t *testing.T, s snapshot) map[string]uint64 {
	t.Helper()
	st, err := state.Decode(s.Summary["ingestd.state"])
	require.NoError(t, err)
	out := map[string]uint64{}
	for _, e := range st.Entries {
		offset, _ := binary.Uvarint([]byte(e.Position))
		out[e.Partition] = offset
	}
	return out
}

// assigned are the partitions of one static member of a group.
func assigned(t *testing.T, group, instance string) []string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(env.stack.Brokers()))
	require.NoError(t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	described, err := kadm.NewClient(cl).DescribeGroups(ctx, group)
	require.NoError(t, err)
	var partitions []string
	for _, m := range described[group].Members {
		if m.InstanceID == nil || *m.InstanceID != instance {
			continue
		}
		c, ok := m.Assigned.AsConsumer()
		require.True(t, ok)
		for _, topic := range c.Topics {
			for _, p := range topic.Partitions {
				partitions = append(partitions, strconv.Itoa(int(p)))
			}
		}
	}
	return partitions
}
