package ingest

import (
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

func long(name string) column.Field {
	return column.Field{Name: name, Type: column.Type{Kind: column.Long}}
}

func text(name string) column.Field {
	return column.Field{Name: name, Type: column.Type{Kind: column.String}}
}

func declare(t *testing.T, unknown jsonrec.Unknown, fields ...column.Field) *jsonrec.Schema {
	t.Helper()
	s, err := jsonrec.NewSchema(jsonrec.Config{Fields: fields, Unknown: unknown})
	require.NoError(t, err)
	return s
}

// TestFieldsLikeKeyColumnsAreRefusedAtBirth: a value's field whose name is the key's would be taken for the key's.
func TestFieldsLikeKeyColumnsAreRefusedAtBirth(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	r.schema("a-key", "name")
	for field, key := range map[string]KeyOptions{
		"_key_city":        {Format: FormatAvro, Prefix: "_key_", Column: "_key"},
		"_KEY_city":        {Format: FormatAvro, Prefix: "_key_", Column: "_key"},
		"_key":             {Format: FormatRaw, Column: "_key"},
		"k_id":             {Format: FormatJSON, Prefix: "k_", Schema: eventSchema(t)},
		"_kafka_topic":     {},
		"_kafka_offset":    {},
		"_kafka_partition": {Format: FormatRaw, Column: "_key"},
	} {
		r.schema("a-value", "name", field)
		table := w.avroTable("t", "a")
		table.Key = key
		err := w.catchUp(w.avroOptions(r, table))
		require.Equal(t, CodeColumnTwice, failure.CodeOf(err), "%s: %v", field, err)
		require.ErrorContains(t, err, "db.t")
		require.ErrorContains(t, err, field)
		setting := "key."
		if strings.HasPrefix(field, "_kafka") {
			setting = "audit_columns"
		}
		require.Contains(t, failure.HintOf(err), setting)
	}
}

// TestKeysLikeAuditingColumnsAreRefused: a prefix may make an auditing column of a key's field.
func TestKeysLikeAuditingColumnsAreRefused(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 1)
	table := w.jsonTable("t", "a")
	table.Key = KeyOptions{Format: FormatJSON, Prefix: "_kafka_", Schema: declare(t, jsonrec.Refuse, text("topic"))}
	err := w.catchUp(w.options(table))
	require.Equal(t, CodeColumnTwice, failure.CodeOf(err), "%v", err)
	require.Contains(t, failure.HintOf(err), "key.prefix")
}

// TestNewFieldsLikeKeyColumnsStopTheTable: a newer schema of the values brings such a field. What lies before the first
// record of it is committed, a policy may leave the records out, and without add_columns the field is no column at all.
func TestNewFieldsLikeKeyColumnsStopTheTable(t *testing.T) {
	for _, field := range []string{"_key_city", "_key", "_kafka_topic"} {
		w := newWorld(t, 1, "a")
		r := w.newRegistry()
		k, v1, v2 := r.schema("a-key", "name"), r.schema("a-value", "name"), r.schema("other", "name", field)
		for _, v := range [][]byte{framed(v1.ID, avroEvent(0, "n")), framed(v2.ID, avroEvent(1, "n", "lost"))} {
			w.sendUncounted("a", &kgo.Record{Key: framed(k.ID, avroEvent(7, "k")), Value: v})
		}
		strict, lenient, fixed := w.avroTable("strict", "a"), w.avroTable("lenient", "a"), w.avroTable("fixed", "a")
		lenient.Errors.Registry = Skip
		fixed.AddColumns = false
		for _, table := range []*TableOptions{&strict, &lenient, &fixed} {
			table.Key = KeyOptions{Format: FormatAvro, Prefix: "_key_", Column: "_key"}
		}
		o := w.avroOptions(r, strict, lenient, fixed)
		rec := o.Events.(*recorder)
		err := w.catchUp(o)
		require.Equal(t, CodeColumnTwice, failure.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, "field "+field+" of the value")
		rec.failed("strict", CodeColumnTwice)
		require.Len(t, w.rows("strict", "a"), 1)
		require.EqualValues(t, 1, rec.counts("lenient")[outcome.Skipped])
		require.EqualValues(t, 2, rec.counts("fixed")[outcome.Written])
		require.Equal(t, []string{"7", "7"}, w.column("fixed", "_key_id"))
	}
}

// TestDeclaredKeyOwnsItsColumnsOnly: the columns of a JSON key are known, so a value may use its prefix.
func TestDeclaredKeyOwnsItsColumnsOnly(t *testing.T) {
	for _, prefix := range []string{"_key_", ""} {
		w := newWorld(t, 1, "a")
		w.sendUncounted("a", &kgo.Record{Key: []byte(`{"region":5}`), Value: []byte(`{"id":0,"_key_city":6}`)})
		options := w.jsonTable("t", "a")
		options.Value.Schema = declare(t, jsonrec.Refuse, long("id"), long("_key_city"))
		options.Key = KeyOptions{Format: FormatJSON, Prefix: prefix, Column: "_key", Schema: declare(t, jsonrec.Refuse, long("region"))}
		require.NoError(t, w.catchUp(w.options(options)))
		require.Equal(t, []string{"6"}, w.column("t", "_key_city"))
		require.Equal(t, []string{"5"}, w.column("t", prefix+"region"))
	}
}

// TestNewKeyFieldsBecomeColumns: a newer schema of the keys is no less than one of the values.
func TestNewKeyFieldsBecomeColumns(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	k1 := r.schema("a-key", "name")
	key := func(id int, values ...string) {
		w.produceEach("a", 0, 1, func(at int64) *kgo.Record {
			return &kgo.Record{Key: framed(id, avroEvent(at, values...)), Value: []byte(`{"id":` + string(rune('0'+at)) + `}`)}
		})
	}
	key(k1.ID, "n")
	table := w.jsonTable("t", "a")
	table.AddColumns = true
	table.Key = KeyOptions{Format: FormatAvro, Prefix: "_key_", Column: "_key"}
	require.NoError(t, w.catchUp(w.avroOptions(r, table)))
	key(r.schema("a-key", "name", "city").ID, "n", "Oslo")
	require.NoError(t, w.catchUp(w.avroOptions(r, table)))
	require.Equal(t, []string{"(null)", "Oslo"}, w.column("t", "_key_city"))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.evolvedFirst("t")
	w.proven("t")
}

// TestTopicBecomesAColumn: a table of one topic gets another. Rows before do not know their topic, those after do.
func TestTopicBecomesAColumn(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.produce("a", 0, 2)
	one := w.jsonTable("t", "a")
	one.AddColumns = true
	require.NoError(t, w.catchUp(w.options(one)))
	w.produce("a", 0, 1)
	w.produce("b", 0, 1)
	two := one
	two.Topics = []string{"a", "b"}
	fixed := two
	fixed.AddColumns = false
	err := w.catchUp(w.options(fixed))
	require.ErrorContains(t, err, "_kafka_topic")
	require.Contains(t, failure.HintOf(err), "add_columns")
	o := w.options(two)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, []string{"(null)", "(null)", "a", "b"}, w.column("t", table.AuditTopic))
	require.Equal(t, 1, o.Events.(*recorder).evolved("t"), "one change, reported once")
	w.evolvedFirst("t")
	w.proven("t")
	require.NoError(t, w.catchUp(w.options(two)))
	require.Len(t, w.load("t").Metadata().Schemas(), 2, "nothing is added twice")
}

// TestNoTopicWithoutTheOthers: whoever made a table without auditing columns did not want them.
func TestNoTopicWithoutTheOthers(t *testing.T) {
	w := newWorld(t, 1, "a", "b")
	w.produce("a", 0, 1)
	table := w.jsonTable("t", "a", "b")
	table.Audit, table.AddColumns = false, true
	require.NoError(t, w.catchUp(w.options(table)))
	table.Audit = true
	require.NoError(t, w.catchUp(w.options(table)))
	require.Len(t, w.load("t").Metadata().Schemas(), 1)
}

func (r *recorder) evolved(table string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if s, ok := e.(event.SchemaChanged); ok && s.Table == "db."+table {
			n++
		}
	}
	return n
}

// TestDeclaredFieldsBecomeColumns: the schema in the configuration gains fields, at the top and below, and a rest.
func TestDeclaredFieldsBecomeColumns(t *testing.T) {
	w := newWorld(t, 1, "a")
	place := func(members ...column.Field) column.Field {
		return column.Field{Name: "place", Type: column.Type{Kind: column.Struct, Fields: members}}
	}
	w.sendUncounted("a", &kgo.Record{Key: []byte(`{"id":1}`), Value: []byte(`{"id":0,"place":{"city":"Oslo"}}`)})
	options := w.jsonTable("t", "a")
	options.AddColumns = true
	options.Value.Schema = declare(t, jsonrec.Refuse, long("id"), place(text("city")))
	require.NoError(t, w.catchUp(w.options(options)))
	w.sendUncounted("a", &kgo.Record{Key: []byte(`{"region":2}`),
		Value: []byte(`{"id":1,"place":{"city":"Rome","street":"s"},"at":"01:02:03","new":{"x":[1]}}`)})
	at := column.Field{Name: "at", Type: column.Type{Kind: column.Time}}
	options.Value.Schema = declare(t, jsonrec.Rest, long("id"), place(text("city"), text("street")), at)
	required := long("region")
	required.Required = true
	options.Key = KeyOptions{Format: FormatJSON, Prefix: "_key_", Schema: declare(t, jsonrec.Refuse, required)}
	choice, err := table.Choose([]string{"spark"})
	require.NoError(t, err)
	options.Create.Readers = choice
	o := w.options(options)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, []string{"(null)", "2"}, w.column("t", "_key_region"))
	require.Equal(t, []string{"(null)", "3723000000"}, w.column("t", "at"), "spark reads no time")
	require.Equal(t, []string{"(null)", `{"new":{"x":[1]}}`}, w.column("t", "_rest"))
	require.Equal(t, []string{`{"city":"Oslo","street":null}`, `{"city":"Rome","street":"s"}`}, w.column("t", "place"))
	require.Equal(t, 1, o.Events.(*recorder).evolved("t"))
	w.evolvedFirst("t")
	w.proven("t")
}

// TestOtherDeclarationsStopTheTable: what is not an optional column more is refused before anything is added.
func TestOtherDeclarationsStopTheTable(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 1)
	options := w.jsonTable("t", "a")
	options.AddColumns = true
	require.NoError(t, w.catchUp(w.options(options)))
	id := long("id")
	id.Required = true
	must := long("must")
	must.Required = true
	for _, fields := range [][]column.Field{
		{id, long("name"), long("new")}, // another type
		{id, text("name"), must},
		{text("name"), long("new")}, // a required column that nobody fills
		{id, text("name"), text("NAME")},
	} {
		options.Value.Schema = declare(t, jsonrec.Refuse, fields...)
		o := w.options(options)
		err := w.catchUp(o)
		require.Equal(t, jsonrec.CodeSchema, failure.CodeOf(err), "%v", err)
		require.NotEmpty(t, failure.HintOf(err))
		o.Events.(*recorder).failed("t", jsonrec.CodeSchema)
		require.Len(t, w.load("t").Metadata().Schemas(), 1)
	}
	options.Value.Schema = declare(t, jsonrec.Refuse, id, text("name"), long("new"))
	options.AddColumns = false
	err := w.catchUp(w.options(options))
	require.ErrorContains(t, err, "has no column new")
	require.Contains(t, failure.HintOf(err), "add_columns: true")
}

// TestRawKeyOfATableWithoutOne: a key that is asked for later is stored, not left out in silence.
func TestRawKeyOfATableWithoutOne(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.keyed("a", []byte("k"))
	table := w.jsonTable("t", "a")
	table.AddColumns = true
	require.NoError(t, w.catchUp(w.options(table)))
	w.keyed("a", []byte("k"))
	table.Key = KeyOptions{Format: FormatRaw, Column: "_key"}
	require.NoError(t, w.catchUp(w.options(table)))
	require.Equal(t, []string{"(null)", "aw=="}, w.column("t", "_key"))
}

// TestNewTimesAreWhatReadersRead: a column that comes with the records follows the readers as those of the birth do.
func TestNewTimesAreWhatReadersRead(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	w.produceAvro("a", 0, r.schema("a-value", "name"), 1, "n")
	options := w.avroTable("t", "a")
	var err error
	options.Create.Readers, err = table.Choose([]string{"spark"})
	require.NoError(t, err)
	require.NoError(t, w.catchUp(w.avroOptions(r, options)))
	s := r.register("a-value", `{"type":"record","name":"event","fields":[{"name":"id","type":"long"},
		{"name":"at","type":{"type":"long","logicalType":"time-micros"},"default":0}]}`)
	w.produceEach("a", 0, 1, func(at int64) *kgo.Record {
		return &kgo.Record{Value: framed(s.ID, append(avroEvent(at), 0x0e))}
	})
	require.NoError(t, w.catchUp(w.avroOptions(r, options)))
	f, ok := w.load("t").Schema().FindFieldByName("at")
	require.True(t, ok)
	require.Equal(t, iceberg.PrimitiveTypes.Int64, f.Type)
	require.Equal(t, []string{"(null)", "7"}, w.column("t", "at"))
}

// TestPartitionFieldsAreCheckedTogether: each is allowed, the two are not; nothing is created.
func TestPartitionFieldsAreCheckedTogether(t *testing.T) {
	w := newWorld(t, 1, "a")
	options := w.jsonTable("t", "a")
	options.Value.Schema = declare(t, jsonrec.Refuse, long("id"), column.Field{Name: "at", Type: column.Type{Kind: column.Date}})
	options.Create.PartitionBy = []string{"year(at)", "month(at)"}
	err := w.catchUp(w.options(options))
	require.ErrorContains(t, err, "by year(at) and by month(at): one is enough")
	_, err = w.catalog.LoadTable(t.Context(), []string{"db", "t"})
	require.Error(t, err)
}
