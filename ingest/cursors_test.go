package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
)

func (w *world) groupOffset(topic string, partition int32) int64 {
	w.t.Helper()
	got, err := w.admin().FetchOffsets(w.t.Context(), "g")
	require.NoError(w.t, err)
	o, ok := got.Lookup(topic, partition)
	if !ok {
		return -1
	}
	return o.At
}

// TestTableThatComesLater: a table configured later reads the topic from its start while the first one reads none of it
// again, and the group offset is what both have, from the new table's birth on.
func TestTableThatComesLater(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.produce("a", 0, 30)
	first := w.jsonTable("first", "a")
	require.NoError(t, w.catchUp(w.options(first)))
	require.EqualValues(t, 30, w.groupOffset("a", 0))
	w.produce("a", 0, 10)

	gate := &gatedCatalog{Catalog: w.catalog}
	gate.block("later")
	o := w.options(first, w.jsonTable("later", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("first", 10)
	p.Drain()
	require.NoError(t, wait())
	require.EqualValues(t, 30, w.groupOffset("a", 0), "nothing is published past a table that waits for its birth")

	gate.open()
	o = w.options(first, w.jsonTable("later", "a"))
	rec = o.Events.(*recorder)
	p, wait = w.start(o)
	w.produce("a", 0, 10)
	rec.landed("later", 50)
	rec.landed("first", 10)
	p.Drain()
	require.NoError(t, wait())
	require.EqualValues(t, 50, w.groupOffset("a", 0))
	for _, name := range []string{"first", "later"} {
		require.Equal(t, w.expected("a"), w.rows(name, "a"))
		w.proven(name)
	}
	require.EqualValues(t, 10, rec.counts("first").Offsets(), "the first table reads nothing twice")
}

// TestSlowTableHoldsTheGroupOffset: one table of a topic cannot commit; the other goes on, and the group offset waits.
func TestSlowTableHoldsTheGroupOffset(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	gate := &gatedCatalog{Catalog: w.catalog}
	o := w.options(w.jsonTable("fast", "a"), w.jsonTable("slow", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("fast", 10)
	rec.landed("slow", 10)
	require.Eventually(t, func() bool { return w.groupOffset("a", 0) == 10 }, eventually, tick)
	gate.block("slow")
	for range 3 {
		w.produce("a", 0, 10)
	}
	rec.landed("fast", 40)
	require.EqualValues(t, 10, w.groupOffset("a", 0))
	gate.open()
	rec.landed("slow", 40)
	require.Eventually(t, func() bool { return w.groupOffset("a", 0) == 40 }, eventually, tick)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, event.Stopped, p.Status()[1].State)
	require.Equal(t, w.expected("a"), w.rows("slow", "a"))
}
