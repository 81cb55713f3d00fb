package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

func TestTopicBecomesTable(t *testing.T) {
	w := newWorld(t, 3, "events")
	for p := range int32(3) {
		w.produce("events", p, 1000)
	}
	require.NoError(t, w.catchUp(w.options(w.jsonTable("events", "events"))))
	require.Equal(t, w.expected("events"), w.rows("events", "events"))
	w.produce("events", 1, 10)
	require.NoError(t, w.catchUp(w.options(w.jsonTable("events", "events"))))
	require.Equal(t, w.expected("events"), w.rows("events", "events"), "a second run goes on where the table says")
}

func TestDrainCommitsWhatWasRead(t *testing.T) {
	w := newWorld(t, 1, "events")
	o := w.options(w.jsonTable("events", "events"))
	o.Trigger.Interval = time.Hour
	p, wait := w.start(o)
	w.produce("events", 0, 100)
	p.taken(t, "events", 100)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("events"), w.rows("events", "events"))
}

func TestSeveralTopicsIntoOneTableAndOneTopicIntoSeveral(t *testing.T) {
	w := newWorld(t, 2, "a", "b")
	for _, topic := range []string{"a", "b"} {
		w.produce(topic, 0, 50)
		w.produce(topic, 1, 70)
	}
	o := w.options(w.jsonTable("both", "a", "b"), w.jsonTable("only_a", "a"), w.jsonTable("also_a", "a"))
	require.NoError(t, w.catchUp(o))
	require.Equal(t, w.expected("a", "b"), w.rows("both", ""))
	require.Equal(t, w.expected("a"), w.rows("only_a", "a"))
	require.Equal(t, w.expected("a"), w.rows("also_a", "a"))
}

func TestBadRecordStopsItsTableOnly(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.produce("a", 0, 10)
	w.send(&kgo.Record{Topic: "a", Value: []byte(`{"id":"no number"}`)})
	w.next[keyA()]++
	w.produce("a", 0, 5)
	w.produce("b", 0, 20)
	strict, lenient := w.jsonTable("strict", "a"), w.jsonTable("lenient", "a")
	lenient.Errors = Policies{Decode: Skip, Convert: Skip}
	o := w.options(strict, lenient, w.jsonTable("other", "b"))
	err := w.catchUp(o)
	require.ErrorContains(t, err, "offset 10")
	require.Contains(t, failure.HintOf(err), "skip")
	require.Len(t, w.rows("strict", "a"), 10, "what lies before the record is committed")
	require.Len(t, w.rows("lenient", "a"), 15)
	require.Equal(t, w.expected("b"), w.rows("other", "b"))

	// Once the policy allows it the table goes on behind the record.
	strict.Errors = Policies{Decode: Skip, Convert: Skip}
	strict.Meaning = "changed"
	require.NoError(t, w.catchUp(w.options(strict)))
	require.Len(t, w.rows("strict", "a"), 15)
}

func TestNullValuesAreIgnoredOrRows(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.send(&kgo.Record{Topic: "a", Key: []byte("k")}, &kgo.Record{Topic: "a", Value: []byte(`{"id":7}`)})
	rows := w.jsonTable("rows", "a")
	rows.Value.NullRows = true
	rows.Key = KeyOptions{Format: FormatRaw, Column: "_key"}
	o := w.options(w.jsonTable("ignored", "a"), rows)
	rec := o.Events.(*recorder)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, []string{"a/0/1 id=7"}, w.rows("ignored", "a"))
	require.Equal(t, []string{"a/0/0 id=(null)", "a/0/1 id=7"}, w.rows("rows", "a"))
	require.EqualValues(t, 1, rec.counts("ignored")[outcome.Ignored])
	require.EqualValues(t, 2, rec.counts("rows")[outcome.Written])
}
