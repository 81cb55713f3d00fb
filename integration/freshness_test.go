//go:build integration

package integration

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	freshFor   = flag.Duration("freshness-time", 20*time.Second, "how long freshness is measured")
	freshSlack = flag.Duration("freshness-slack", 6*time.Second, "what the 99th percentile may be beyond the commit interval (the goal: 2s)")
)

const (
	freshInterval = 2 * time.Second
	// lookEvery is how often the reader asks the catalog for news; its answers are that coarse.
	lookEvery = 50 * time.Millisecond
)

// At half of the rate that the daemon keeps up with, the time between the producer's clock and a reader's stays within the
// commit interval and a little. The maximum is measured with the producer beside it, which shares the machine.
func TestFreshnessAtHalfOfTheMaximum(t *testing.T) {
	const warm, flood = 1000, 2_000_000
	topic := unique(t, "fresh")
	table := "it." + topic
	produce(t, produceDeadline, "-n", strconv.Itoa(warm), "-avro", topic)
	config := writeConfig(t, settings{Pipeline: topic, Interval: freshInterval, Tables: []tableSettings{{Name: table, Topic: topic}}})
	p := start(t, "ingestd", "run", "-c", config)
	awaitRows(t, time.Minute, table, warm)
	began := time.Now()
	produce(t, produceDeadline, "-n", strconv.Itoa(warm+flood), "-skip", strconv.Itoa(warm), "-avro", topic)
	awaitRows(t, catchUpDeadline, table, warm+flood)
	commits := p.logged("committed")
	maximum := flood / commits[len(commits)-1].Time.Sub(began).Seconds()

	rate := int(maximum / 2)
	got := watch(t, table, topic, warm+flood, load{rate, *freshFor})
	t.Logf("maximum %.0f records/s, measured at %d/s: %s, commit interval %s", maximum, rate, got, freshInterval)
	p.terminate(drainDeadline)
	require.LessOrEqual(t, got.at(0.99), freshInterval+*freshSlack)
}

// A table with little news stays fresh beside one that works off a backlog in one hot partition, one whose topic is
// idle, and one that has a partition which nobody ever wrote to.
func TestNeighboursDelayNobody(t *testing.T) {
	const (
		backlog = 3_000_000
		busyFor = 15 * time.Second // about as long as the backlog lasts
		rate    = 200
	)
	base := unique(t, "beside")
	quiet, hot, idle := base+"_quiet", base+"_hot", base+"_idle"
	produce(t, produceDeadline, "-n", "1000", "-avro", quiet)
	produce(t, produceDeadline, "-n", strconv.Itoa(backlog), "-avro", hot, "-partitions", "1")
	produce(t, produceDeadline, "-n", "1", "-avro", idle, "-partitions", "4") // three partitions stay empty
	s := settings{Pipeline: base, Interval: freshInterval}
	for _, topic := range []string{quiet, hot, idle} {
		s.Tables = append(s.Tables, tableSettings{Name: "it." + topic, Topic: topic})
	}
	p := start(t, "ingestd", "run", "-c", writeConfig(t, s))
	awaitRows(t, time.Minute, "it."+quiet, 1000)
	got := watch(t, "it."+quiet, quiet, 1000, load{rate, busyFor})
	t.Logf("beside a hot, an idle and a partly empty topic: %s, commit interval %s; the hot table has %d rows",
		got, freshInterval, loadTable(t, "it."+hot).total())
	require.False(t, p.ended(), tail(p.errs.String()))
	p.signal(sigterm)
	require.Zero(t, p.wait(2*drainDeadline))
	require.LessOrEqual(t, got.at(0.99), freshInterval+*freshSlack)
}

// delays are how long records took from the producer's clock to a reader's, sorted.
type delays []time.Duration

// at is a quantile.
func (d delays) at(q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, int(q*float64(len(d))))]
}

func (d delays) String() string {
	return fmt.Sprintf("%d records, p50 %.2f s, p99 %.2f s, longest %.2f s", len(d), d.at(0.5).Seconds(), d.at(0.99).Seconds(), d.at(1).Seconds())
}

// load is a rate of events, kept up for a time.
type load struct {
	rate int
	time time.Duration
}

// watch produces events beyond the first n and looks at the table until it has them all.
func watch(t *testing.T, table, topic string, n int, l load) delays {
	t.Helper()
	feed := start(t, "eventgen", generatorArgs([]string{
		"-n", strconv.Itoa(n + int(l.time.Seconds())*l.rate), "-skip", strconv.Itoa(n), "-avro", topic, "-rate", strconv.Itoa(l.rate),
	})...)
	first := ends(t, topic)
	var seen []sighting
	known := map[int64]bool{}
	eventually(t, l.time+catchUpDeadline, "the table has everything", func() bool {
		// eventually waits too long between two looks: they are made here.
		for until := time.Now().Add(10 * lookEvery); time.Now().Before(until); wait(t, lookEvery) {
			m := loadTable(t, table)
			now := time.Now()
			if !known[m.Current] {
				known[m.Current] = true
				seen = append(seen, sighting{now, positions(t, m)})
			}
			if feed.ended() && m.total() >= int64(produced(t, topic)) {
				return true
			}
		}
		return false
	})
	require.Zero(t, feed.wait(time.Minute))
	return compare(t, topic, first, seen)
}

// sighting is a snapshot when the reader first saw it.
type sighting struct {
	at        time.Time
	positions map[string]uint64
}

// compare reads the topic from the first offsets on and finds for each record the sighting that has it.
func compare(t *testing.T, topic string, first kadm.ListedOffsets, seen []sighting) delays {
	t.Helper()
	last := ends(t, topic)
	from := map[int32]kgo.Offset{}
	left := 0
	first.Each(func(o kadm.ListedOffset) {
		from[o.Partition] = kgo.NewOffset().At(o.Offset)
		end, _ := last.Lookup(topic, o.Partition)
		left += int(end.Offset - o.Offset)
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(env.stack.Brokers()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	require.NoError(t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	d := make(delays, 0, left)
	next := map[int32]int{} // the sighting that the partition has reached
	for len(d) < left {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			i := next[r.Partition]
			for i < len(seen) && seen[i].positions[strconv.Itoa(int(r.Partition))] <= uint64(r.Offset) {
				i++
			}
			require.Less(t, i, len(seen), "a record that no snapshot has")
			next[r.Partition] = i
			d = append(d, seen[i].at.Sub(r.Timestamp))
		})
	}
	slices.Sort(d)
	return d
}

func ends(t *testing.T, topic string) kadm.ListedOffsets {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(env.stack.Brokers()))
	require.NoError(t, err)
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listed, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	require.NoError(t, err)
	return listed
}
