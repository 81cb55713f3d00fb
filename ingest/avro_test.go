package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

func TestAvroTableFromTheLatestSubject(t *testing.T) {
	w := newWorld(t, 2, "a")
	r := w.newRegistry()
	old := r.schema("a-value", "name")
	newest := r.schema("a-value", "name", "city")
	w.produceAvro("a", 0, old, 20, "n")
	w.produceAvro("a", 1, newest, 30, "n", "c")
	require.NoError(t, w.catchUp(w.avroOptions(r, w.avroTable("t", "a"))))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, 20, w.nulls("t", "city"), "the table is born with the newest schema's columns")
	require.Len(t, w.load("t").Metadata().Schemas(), 1)
	f, ok := w.load("t").Schema().FindFieldByName("id")
	require.True(t, ok)
	require.Equal(t, "the number", f.Doc)
	w.proven("t")
}

func TestAvroTableFromTheFirstRecord(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	s := r.schema("some other subject", "name")
	w.sendUncounted("a", &kgo.Record{Value: nil}, &kgo.Record{Value: []byte("no frame")})
	w.produceAvro("a", 0, s, 5, "n")
	table := w.avroTable("t", "a")
	table.Errors.Frame = Skip
	o := w.avroOptions(r, table)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	c := o.Events.(*recorder).counts("t")
	require.EqualValues(t, 1, c[outcome.Ignored])
	require.EqualValues(t, 1, c[outcome.Skipped])
}

// TestLatestWaitsForASubject: a table that starts at the end cannot take its columns from a record, and what is
// produced before there is a schema lies before its start.
func TestLatestWaitsForASubject(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	s := r.schema("elsewhere", "name")
	w.produceAvro("a", 0, s, 5, "n")
	w.produced = map[string]string{}
	table := w.avroTable("t", "a")
	table.Start = Latest
	o := w.avroOptions(r, table)
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.await("the table is pending", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.To == event.Pending && s.Code == "E_NO_SCHEMA"
	})
	_, err := r.Register("a-value", "", s.Text)
	require.NoError(t, err)
	rec.await("the table is born", func(e event.Event) bool { _, ok := e.(event.TableCreated); return ok })
	rec.await("the table runs", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.To == event.Running
	})
	w.produceAvro("a", 0, s, 7, "n")
	rec.landed("t", 7)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}

// TestPendingTableStopsAtOnce: a table that waits for its birth has nothing to commit and holds nobody up.
func TestPendingTableStopsAtOnce(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	r := w.newRegistry()
	w.produce("b", 0, 10)
	o := w.avroOptions(r, w.avroTable("t", "a"), w.jsonTable("u", "b"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.await("the table is pending", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Code == "E_NO_SCHEMA"
	})
	rec.landed("u", 10)
	began := time.Now()
	p.Drain()
	require.NoError(t, wait())
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestBoundedRunSaysThatThereIsNoSchema(t *testing.T) {
	w := newWorld(t, 1, "a")
	err := w.catchUp(w.avroOptions(w.newRegistry(), w.avroTable("t", "a")))
	require.Equal(t, "E_NO_SCHEMA", failure.CodeOf(err), "%v", err)
	require.NotEmpty(t, failure.HintOf(err))
}

// TestSchemaInHeaders: an id or a GUID in the header wins over the value, whose bytes are then the payload alone.
func TestSchemaInHeaders(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	s := r.schema("a-value", "name")
	header := func(v []byte) []kgo.RecordHeader {
		return []kgo.RecordHeader{{Key: "other", Value: []byte("x")}, {Key: schemareg.ValueHeader, Value: v}}
	}
	w.produceEach("a", 0, 5, func(at int64) *kgo.Record {
		return &kgo.Record{Value: avroEvent(at, "n"), Headers: header(append([]byte{1}, s.GUID[:]...))}
	})
	w.produceEach("a", 0, 5, func(at int64) *kgo.Record {
		return &kgo.Record{Value: avroEvent(at, "n"), Headers: header([]byte{0, 0, 0, 0, byte(s.ID)})}
	})
	w.produceAvro("a", 0, s, 5, "n")
	require.NoError(t, w.catchUp(w.avroOptions(r, w.avroTable("t", "a"))))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestColumnsComeFirst: a field of a newer schema becomes a column in a change of the metadata alone, before any file
// has it; records of the older schema go on fitting, in any order.
func TestColumnsComeFirst(t *testing.T) {
	w := newWorld(t, 2, "a")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	w.produceAvro("a", 0, v1, 10, "n")
	one, two, fixed := w.avroTable("one", "a"), w.avroTable("two", "a"), w.avroTable("fixed", "a")
	fixed.AddColumns = false
	o := w.avroOptions(r, one, two, fixed)
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	for _, name := range []string{"one", "two", "fixed"} {
		rec.landed(name, 10)
	}
	v2 := r.schema("a-value", "name", "city")
	v3 := r.schema("a-value", "name", "city", "street")
	for range 5 {
		w.produceAvro("a", 0, v2, 3, "n", "c")
		w.produceAvro("a", 0, v1, 3, "n")
		w.produceAvro("a", 1, v3, 3, "n", "c", "s")
	}
	for _, name := range []string{"one", "two", "fixed"} {
		rec.landed(name, 55)
	}
	p.Drain()
	require.NoError(t, wait())
	for _, name := range []string{"one", "two"} {
		require.Equal(t, w.expected("a"), w.rows(name, "a"))
		require.Equal(t, 10+15, w.nulls(name, "city"))
		require.Equal(t, 10+30, w.nulls(name, "street"))
		w.evolvedFirst(name)
		w.proven(name)
	}
	require.Equal(t, w.expected("a"), w.rows("fixed", "a"))
	_, ok := w.load("fixed").Schema().FindFieldByName("city")
	require.False(t, ok, "without add_columns the table stays as it is")
	w.proven("fixed")
}

// evolvedFirst checks that every snapshot was written under a schema that had been there before.
func (w *world) evolvedFirst(name string) {
	w.t.Helper()
	meta := w.load(name).Metadata()
	require.Greater(w.t, len(meta.Schemas()), 1)
	last := -1
	for _, s := range meta.Snapshots() {
		require.NotNil(w.t, s.SchemaID)
		require.GreaterOrEqual(w.t, *s.SchemaID, last, "snapshots follow the schemas")
		last = *s.SchemaID
	}
	require.Equal(w.t, meta.CurrentSchema().ID, last)
}

func (r *registry) illegal(subject string) *regserver.Schema {
	return r.register(subject, `{"type":"record","name":"event","fields":[{"name":"id","type":"string"}]}`)
}

// TestIllegalSchemaStopsItsTableOnly: what lies before the first record of it is committed; another table of the same
// topic, which has no use for the schema, reads on.
func TestIllegalSchemaStopsItsTableOnly(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	r := w.newRegistry()
	good := r.schema("a-value", "name")
	bad := r.illegal("elsewhere")
	w.produceAvro("a", 0, good, 10, "n")
	w.sendUncounted("a", &kgo.Record{Value: framed(bad.ID, avroString(nil, "text"))})
	w.produceAvro("a", 0, good, 4, "n")
	w.produce("b", 0, 20)
	strict, lenient, raw := w.avroTable("strict", "a"), w.avroTable("lenient", "a"), w.jsonTable("raw", "a")
	lenient.Errors.Registry = Skip
	raw.Value = ValueOptions{Format: FormatRaw}
	o := w.avroOptions(r, strict, lenient, raw, w.jsonTable("other", "b"))
	rec := o.Events.(*recorder)
	err := w.catchUp(o)
	require.Equal(t, codeIllegal, failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "offset 10")
	rec.failed("strict", codeIllegal)
	require.Len(t, w.rows("strict", "a"), 10)
	require.Equal(t, w.expected("a"), w.rows("lenient", "a"))
	require.EqualValues(t, 1, rec.counts("lenient")[outcome.Skipped])
	require.EqualValues(t, 15, rec.counts("raw")[outcome.Written], "a table that does not decode reads on")
	require.Equal(t, w.expected("b"), w.rows("other", "b"))
	w.proven("strict")
	w.proven("lenient")
}

// TestRegistryAway: the partition that needs a schema waits, others flow, and nothing is skipped when it is back.
func TestRegistryAway(t *testing.T) {
	w := newWorld(t, 2, "a", "b")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	w.produceAvro("a", 0, v1, 10, "n")
	table := w.avroTable("t", "a")
	table.Errors = Policies{Frame: Skip, Registry: Skip, Decode: Skip, Convert: Skip}
	o := w.avroOptions(r, table, w.jsonTable("u", "b"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 10)
	r.down.Store(true)
	v2 := r.schema("a-value", "name", "city")
	w.produceAvro("a", 0, v2, 10, "n", "c")
	rec.await("the table is degraded", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Table == "db.t" && s.To == event.Degraded && s.Code == schemareg.CodeUnavailable
	})
	w.produceAvro("a", 1, v1, 10, "n")
	w.produce("b", 0, 10)
	rec.landed("u", 10)
	rec.landed("t", 20)
	r.down.Store(false)
	rec.landed("t", 30)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, event.Stopped, p.Status()[0].State)
	require.EqualValues(t, 30, rec.counts("t")[outcome.Written])
	w.proven("t")
}

// TestUnknownSchemaIsWaitedFor: a registry's follower may lag behind the producer.
func TestUnknownSchemaIsWaitedFor(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	w.produceAvro("a", 0, v1, 5, "n")
	w.produceEach("a", 0, 5, func(at int64) *kgo.Record {
		return &kgo.Record{Value: framed(v1.ID+1, avroEvent(at, "n", "c"))}
	})
	o := w.avroOptions(r, w.avroTable("t", "a"))
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 5)
	rec.await("the table says what it waits for", func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.To == event.Degraded && s.Code == schemareg.CodeNotFound
	})
	require.Equal(t, v1.ID+1, r.schema("a-value", "name", "city").ID)
	rec.landed("t", 10)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestHaltedTableReleasesItsTopic: a table that halts while a partition waits for its schema does not leave the other
// tables of the topic waiting.
func TestHaltedTableReleasesItsTopic(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	w.produceAvro("a", 0, v1, 5, "n")
	raw := w.jsonTable("raw", "a")
	raw.Value = ValueOptions{Format: FormatRaw}
	o := w.avroOptions(r, w.avroTable("t", "a"), raw)
	rec := o.Events.(*recorder)
	p, wait := w.start(o)
	rec.landed("t", 5)
	rec.landed("raw", 5)
	w.sendUncounted("a", &kgo.Record{Value: framed(99, nil)})
	rec.landed("raw", 6)
	w.sendUncounted("a", &kgo.Record{Value: []byte{9}})
	p.byName["db.t"].fail(failure.New(failure.Halt, "E_TEST", "", "stopped by the test"))
	rec.failed("t", "E_TEST")
	rec.landed("raw", 7)
	p.Drain()
	require.ErrorContains(t, wait(), "stopped by the test")
}
