//go:build integration

package integration

import (
	"flag"
	"math/rand/v2"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ingestd/ingestd/integration/faultproxy"
)

var (
	kills    = flag.Int("kills", 30, "how often processes are killed, in all kinds of competition together")
	killSeed = flag.Uint64("kill-seed", 0, "seed of moments, victims and faults (0: another one every time)")
)

const (
	sigterm = syscall.SIGTERM
	// brokenShare is the share of calls to broker, catalog and store that break.
	brokenShare = 0.05
	killRate    = 3000 // events a second meanwhile
)

// Two processes compete for a table, every connection they have breaks now and then, and again and again one of them
// is killed and started anew. The table ends equal to the topic.
func TestKillsInAGroup(t *testing.T) { surviveKills(t, *kills*2/3, true) }

// The same with two processes that both think they are alone: they fence each other, stop themselves and are started
// again by their supervisors.
func TestKillsAmongTwins(t *testing.T) { surviveKills(t, *kills-*kills*2/3, false) }

func surviveKills(t *testing.T, times int, group bool) {
	seed := *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-kill-seed %d, %d kills", seed, times)
	rnd := rand.New(rand.NewPCG(seed, 1))
	topic := unique(t, "kills")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic) // the topic exists before its readers

	broker := faultproxy.New(faultproxy.Options{Seed: seed, Rate: brokenShare, LateFor: 3 * time.Second})
	s := settings{
		Pipeline: topic, Session: 6 * time.Second, Interval: 200 * time.Millisecond,
		Brokers: brokerProxy(t, broker), Tables: []tableSettings{{Name: table, Topic: topic}},
	}
	var all []*competitor
	for i, instance := range []string{"a", "b"} {
		if group {
			s.Group, s.Instance = topic, instance
		}
		all = append(all, compete(t, s, faultproxy.Options{Seed: seed + 1 + uint64(i), Rate: brokenShare, LateFor: 5 * time.Second}))
	}
	feed := start(t, "eventgen", generatorArgs([]string{
		"-n", strconv.Itoa(wholeSet), "-skip", "1000", "-avro", topic, "-rate", strconv.Itoa(killRate),
	})...)
	for range times {
		const longest = 6 * time.Second
		until := time.Now().Add(time.Duration(rnd.Int64N(int64(longest))))
		for time.Now().Before(until) {
			superviseAll(all)
			wait(t, 20*time.Millisecond)
		}
		all[rnd.IntN(len(all))].kill(rnd)
	}
	feed.signal(sigterm)
	require.Zero(t, feed.wait(time.Minute))
	n := produced(t, topic)
	eventually(t, catchUpDeadline, "the table has "+strconv.Itoa(n)+" rows", func() bool {
		superviseAll(all)
		return loadTable(t, table).total() >= int64(n)
	})
	broker.SetRate(0)
	for _, c := range all {
		c.end()
	}
	reportKills(t, broker, all)
	plain := settings{Pipeline: topic, Tables: []tableSettings{{Name: table, Topic: topic}}}
	assertVerified(t, writeConfig(t, plain), table)
	assertContents(t, table, firstEvents(t, n), lakeReaders()[1:2]) // DuckDB
}

func superviseAll(all []*competitor) {
	for _, c := range all {
		c.supervise()
	}
}

// reportKills logs what was done and wants all of it to have been done.
func reportKills(t *testing.T, broker *faultproxy.Injector, all []*competitor) {
	t.Helper()
	t.Logf("the broker's proxy:\n%s", broker.Histogram())
	for i, c := range all {
		h := c.in.Histogram()
		t.Logf("process %d: killed %d times (%d of them before a commit), ended by itself %v (exit code: times), landed %d commits\n%s",
			i, c.killed, c.barren, c.ends, c.landed, h)
		for _, name := range []string{"catalog", "store"} {
			require.Positive(t, h.Count(name, faultproxy.None), name)
		}
	}
	// What a run must have met grows with its length; a short one may be lucky.
	total, landed := 0, 0
	for _, c := range all {
		total += c.killed
		landed += c.landed
	}
	require.Positive(t, total)
	require.GreaterOrEqual(t, landed, total/2, "kills that hit processes at work")
	for _, f := range faultproxy.Broken() {
		n := 0
		for _, c := range all {
			n += c.in.Histogram().Count("", f)
		}
		require.GreaterOrEqual(t, n, total/20, "calls to catalog and store broken %s", f)
		require.GreaterOrEqual(t, broker.Histogram().Count("", f), total/20, "calls to the broker broken %s", f)
	}
}

// produced counts the records of a topic that is not written any more.
func produced(t *testing.T, topic string) int {
	t.Helper()
	n := 0
	ends(t, topic).Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	return n
}
