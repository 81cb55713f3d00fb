package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/outcome"
)

// metamorphicBudget bounds the test by time; each run is a history of its own.
const metamorphicBudget = 12 * time.Second

// TestSameTopicSameTable: whatever the number of lanes, the triggers, the restarts and a rival in the group, the tables
// equal their topics and every offset is accounted for once.
func TestSameTopicSameTable(t *testing.T) {
	deadline := time.Now().Add(metamorphicBudget)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(deadline) {
			return
		}
		runs++
		t.Run(fmt.Sprint(runs), func(t *testing.T) { history(t, rt) })
		if t.Failed() {
			rt.Fatal("see the run's own log")
		}
	})
	require.Positive(t, runs)
}

// history is one random life of two topics and three tables.
func history(t *testing.T, rt *rapid.T) {
	draw := func(name string, least, most int) int { return rapid.IntRange(least, most).Draw(rt, name) }
	w := newWorld(t, 3, "a", "b")
	group := rapid.Bool().Draw(rt, "group")
	tables := []TableOptions{w.jsonTable("both", "a", "b"), w.jsonTable("a", "a"), w.jsonTable("b", "b")}
	for i := range tables {
		tables[i].Errors = Policies{Decode: Skip, Convert: Skip}
	}
	options := func() Options {
		o := w.options(tables...)
		o.Lanes = draw("lanes", 1, 4)
		o.Memory = int64(draw("memory in KiB", 64, 4096)) << 10
		o.Trigger = Trigger{
			Interval: time.Duration(draw("interval in ms", 1, 80)) * time.Millisecond, MaxRows: int64(draw("max rows", 0, 60)),
			ProgressInterval: time.Duration(draw("progress in ms", 10, 1000)) * time.Millisecond,
		}
		if group {
			o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
		}
		return o
	}
	some := func() {
		for _, topic := range []string{"a", "b"} {
			for p := range int32(3) {
				w.produce(topic, p, draw("records", 0, 40))
			}
			w.sendUncounted(topic, []*kgo.Record{{Key: []byte("k")}, rubbish()}[:draw("others", 0, 2)]...)
		}
	}
	some()
	for range draw("restarts", 1, 3) {
		p, wait := w.start(options())
		if group && rapid.Bool().Draw(rt, "rival") {
			rival, end := w.start(options())
			some()
			rival.pass(t, draw("commits of the rival", 0, 2))
			rival.Drain()
			require.NoError(t, end())
		}
		some()
		p.pass(t, draw("commits", 0, 4))
		p.Drain()
		require.NoError(t, wait())
	}
	require.NoError(t, w.catchUp(options()))
	require.Equal(t, w.expected("a", "b"), w.rows("both", ""))
	require.Equal(t, w.expected("a"), w.rows("a", "a"))
	require.Equal(t, w.expected("b"), w.rows("b", "b"))
	for _, o := range tables {
		w.proven(o.Identifier[1])
	}
	w.accounted("both", "a", "b")
}

// pass waits a little for commits, without insisting: a member may have been given nothing.
func (p *Pipeline) pass(t *testing.T, commits int) {
	t.Helper()
	deadline := time.NewTimer(300 * time.Millisecond)
	defer deadline.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		var n int64
		for _, s := range p.Status() {
			n += s.Commits
		}
		if n >= int64(commits) {
			return
		}
		select {
		case <-look.C:
		case <-deadline.C:
			return
		}
	}
}

// accounted checks that the outcomes in a table's state add up to its topics, offset by offset.
func (w *world) accounted(name string, topics ...string) {
	w.t.Helper()
	r := w.verify(name, "ledger")
	var total, want int64
	for _, p := range r.Partitions {
		var sum int64
		for _, o := range outcome.All() {
			sum += p.Counts[o.String()]
		}
		require.Equal(w.t, p.Position-p.Start, sum, "%s/%s", p.Topic, p.Partition)
		total += sum
	}
	for id, next := range w.next {
		for _, topic := range topics {
			if id.Topic == topic {
				want += next
			}
		}
	}
	require.Equal(w.t, want, total)
}
