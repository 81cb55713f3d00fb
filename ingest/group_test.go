package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
)

func (w *world) groupOptions(name string) (Options, *recorder) {
	o := w.options(w.jsonTable("t", "a"))
	o.Writer = name
	o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
	return o, o.Events.(*recorder)
}

func (r *recorder) commits() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if c, ok := e.(event.CommitDone); ok && c.Result == event.CommitLanded {
			n++
		}
	}
	return n
}

// TestGroupSharesPartitions: two processes share a topic, partitions move when one comes and when one goes, and the
// table equals the topic throughout.
func TestGroupSharesPartitions(t *testing.T) {
	w := newWorld(t, 4, "a")
	round := func() {
		for p := range int32(4) {
			w.produce("a", p, 5)
		}
	}
	one, first := w.groupOptions("one")
	p1, wait1 := w.start(one)
	round()
	first.landed("t", 20)
	two, second := w.groupOptions("two")
	p2, wait2 := w.start(two)
	deadline := time.Now().Add(30 * time.Second)
	for before := first.commits(); second.commits() < 3 || first.commits() < before+3; {
		require.True(t, time.Now().Before(deadline), "both commit: %d and %d", first.commits(), second.commits())
		round()
		sync := len(w.expected("a"))
		require.Eventually(t, func() bool { return len(w.rows("t", "a")) == sync }, 20*time.Second, 20*time.Millisecond, "round is committed")
	}
	p1.Drain()
	require.NoError(t, wait1())
	round()
	want := len(w.expected("a"))
	require.Eventually(t, func() bool { return len(w.rows("t", "a")) >= want }, 20*time.Second, 20*time.Millisecond)
	p2.Drain()
	require.NoError(t, wait2())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}
