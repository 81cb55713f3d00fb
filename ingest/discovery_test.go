package ingest

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

func (w *world) createTopic(name string, partitions int32) {
	w.t.Helper()
	require.NoError(w.t, w.cluster.CreateTopic(name, partitions, nil))
}

func (w *world) patternTable(name, pattern string) TableOptions {
	t := w.jsonTable(name)
	t.Topics, t.Pattern = nil, regexp.MustCompile(pattern)
	return t
}

// TestTopicsThatAppearLater: a pattern finds topics created while running, with one process and in a group, where the
// member has to ask for them.
func TestTopicsThatAppearLater(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, 2, "shop-a", "other")
			w.produce("shop-a", 0, 10)
			w.produce("other", 0, 5)
			o := w.options(w.patternTable("t", "shop-.*"), w.jsonTable("u", "other"))
			o.Discovery = 50 * time.Millisecond
			if mode == "group" {
				o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
			}
			rec := o.Events.(*recorder)
			p, wait := w.start(o)
			rec.landed("t", 10)
			rec.landed("u", 5)
			w.createTopic("shop-b", 2)
			w.produce("shop-b", 0, 10)
			w.produce("shop-b", 1, 10)
			w.createTopic("not-shop", 1)
			rec.landed("t", 30)
			_, err := w.admin().CreatePartitions(t.Context(), 1, "shop-a")
			require.NoError(t, err)
			w.produce("shop-a", 2, 10)
			rec.landed("t", 40)
			w.produce("other", 1, 5)
			rec.landed("u", 10)
			began := time.Now()
			p.Drain()
			require.NoError(t, wait())
			require.Less(t, time.Since(began), 4*time.Second, "nobody waits for the group")
			require.Equal(t, w.expected("shop-a", "shop-b"), w.rows("t", ""))
			require.Equal(t, w.expected("other"), w.rows("u", "other"))
			w.proven("t")
		})
	}
}

// TestPatternWithoutTopics: nothing matches, so there is nothing to wait for.
func TestPatternWithoutTopics(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		w := newWorld(t, 1, "a")
		w.produce("a", 0, 5)
		o := w.options(w.patternTable("t", "nothing-.*"), w.jsonTable("u", "a"))
		if mode == "group" {
			o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
		}
		require.NoError(t, w.catchUp(o), mode)
		require.Equal(t, w.expected("a"), w.rows("u", "a"))
	}
}

// TestDeletedTopicStopsItsTableOnly: the other tables of the source go on, find new partitions, and reach ends that
// only a probe sees.
func TestDeletedTopicStopsItsTableOnly(t *testing.T) {
	for _, mode := range []string{"direct", "group"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t, 1, "a", "b")
			w.produce("a", 0, 10)
			w.produce("b", 0, 10)
			o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b"))
			o.Discovery = 50 * time.Millisecond
			if mode == "group" {
				o.Sources[0].Group = &GroupOptions{SessionTimeout: 6 * time.Second}
			}
			rec := o.Events.(*recorder)
			p, wait := w.start(o)
			rec.landed("t", 10)
			rec.landed("u", 10)
			require.NoError(t, w.cluster.DeleteTopic("a"))
			rec.failed("t", "E_TOPIC_MISSING")
			_, err := w.admin().CreatePartitions(t.Context(), 1, "b")
			require.NoError(t, err)
			w.produce("b", 1, 10)
			rec.landed("u", 20)
			p.Drain()
			require.Equal(t, "E_TOPIC_MISSING", failure.CodeOf(wait()))
			require.Equal(t, w.expected("b"), w.rows("u", "b"))
		})
	}
}

// TestBirthAfterRecordsWereDeleted: a table that is born while records expire begins where the topic does.
func TestBirthAfterRecordsWereDeleted(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 20)
	o := w.options(w.jsonTable("ahead", "a"))
	require.NoError(t, w.catchUp(o))
	gate := &gatedCatalog{Catalog: w.catalog}
	gate.block("behind")
	o = w.options(w.jsonTable("ahead", "a"), w.jsonTable("behind", "a"))
	o.Catalog = gate
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.await("the table ahead runs", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Table == "db.ahead" && s.To == event.Running
	})
	require.NoError(t, w.cluster.DeleteRecords("a", 0, 15))
	gate.open()
	w.produce("a", 0, 10)
	rec.landed("behind", 15)
	rec.landed("ahead", 10)
	p.Drain()
	require.NoError(t, wait())
	require.Len(t, w.rows("behind", "a"), 15, "a table that is born now begins where the topic does")
}

// TestOffsetsThatExpireWhileRunning: the table that still wants them halts, the other table of the topic goes on.
func TestOffsetsThatExpireWhileRunning(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 20)
	o := w.options(w.jsonTable("ahead", "a"), w.jsonTable("behind", "a"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("ahead", 20)
	rec.landed("behind", 20)
	require.NoError(t, w.cluster.DeleteRecords("a", 0, 20))
	o1 := p.byName["db.behind"]
	o1.do(func(context.Context) {
		o1.each(func(s *sink) {
			for _, b := range s.bindings {
				b.rewind(5)
				b.partition.reseek()
			}
		})
	})
	rec.failed("behind", codeExpired)
	w.produce("a", 0, 10)
	rec.landed("ahead", 30)
	p.Drain()
	require.Equal(t, codeExpired, failure.CodeOf(wait()))
	require.Equal(t, w.expected("a"), w.rows("ahead", "a"))
}

// TestAssignedTwiceIsReadOnce: an assignment that was on its way when the table was started anew asks for what the new
// start has been given.
func TestAssignedTwiceIsReadOnce(t *testing.T) {
	w := newWorld(t, 2, "a")
	o := w.options(w.jsonTable("t", "a"))
	p, wait := w.start(o)
	w.produce("a", 0, 5)
	o.recorder().landed("t", 5)
	tab, parts := p.byName["db.t"], p.feeds[0].all()
	tab.do(func(ctx context.Context) { tab.assign(ctx, parts) })
	w.produce("a", 1, 5)
	o.recorder().landed("t", 10)
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	p.Drain()
	require.NoError(t, wait())
	w.proven("t")
}
