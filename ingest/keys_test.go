package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
)

// keyed produces an event with each key, nil for none, and one without a value.
func (w *world) keyed(topic string, keys ...[]byte) {
	w.t.Helper()
	i := 0
	w.produceEach(topic, 0, len(keys), func(at int64) *kgo.Record {
		i++
		return &kgo.Record{Key: keys[i-1], Value: []byte(`{"id":` + string(rune('0'+at)) + `}`)}
	})
}

func TestRawKeys(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.keyed("a", []byte("k1"), nil, []byte{})
	table := w.jsonTable("t", "a")
	table.Key = KeyOptions{Format: FormatRaw, Column: "_key"}
	require.NoError(t, w.catchUp(w.options(table)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, []string{"", "(null)", "azE="}, w.column("t", "_key"), "an empty key is no null")
}

func TestJSONKeys(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.keyed("a", []byte(`{"id":7}`), nil, []byte(`{"id":8}`))
	schema, err := jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
	}})
	require.NoError(t, err)
	table := w.jsonTable("t", "a")
	table.Key = KeyOptions{Format: FormatJSON, Schema: schema, Prefix: "_key_", Column: "_key"}
	o := w.options(table)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, []string{"(null)", "7", "8"}, w.column("t", "_key_id"))
	w.sendUncounted("a", &kgo.Record{Key: []byte("rubbish"), Value: []byte(`{"id":1}`)})
	err = w.catchUp(w.options(table))
	require.ErrorContains(t, err, "offset 3")
	table.Errors.Decode = Skip
	require.NoError(t, w.catchUp(w.options(table)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"), "a bad key takes the whole row back")
	w.proven("t")
}

func TestAvroKeys(t *testing.T) {
	w := newWorld(t, 1, "records", "scalars")
	r := w.newRegistry()
	record := r.register("records-key", `{"type":"record","name":"k","fields":[{"name":"id","type":"long"},{"name":"region","type":"string"}]}`)
	scalar := r.register("scalars-key", `"string"`)
	w.keyed("records", framed(record.ID, avroString(avroEvent(5), "eu")), nil)
	w.keyed("scalars", framed(scalar.ID, avroString(nil, "k")), nil)
	records, scalars := w.jsonTable("records", "records"), w.jsonTable("scalars", "scalars")
	for _, table := range []*TableOptions{&records, &scalars} {
		table.Key = KeyOptions{Format: FormatAvro, Prefix: "_key_", Column: "_key"}
	}
	require.NoError(t, w.catchUp(w.avroOptions(r, records, scalars)))
	require.Equal(t, w.expected("records"), w.rows("records", "records"))
	require.Equal(t, []string{"(null)", "5"}, w.column("records", "_key_id"))
	require.Equal(t, []string{"(null)", "eu"}, w.column("records", "_key_region"))
	require.Equal(t, w.expected("scalars"), w.rows("scalars", "scalars"))
	require.Equal(t, []string{"(null)", "k"}, w.column("scalars", "_key"))
	w.proven("records")
}

// TestOneSchemaForKeyAndValue: the same id in both halves of a record is taken into use for each of them.
func TestOneSchemaForKeyAndValue(t *testing.T) {
	w := newWorld(t, 1, "a")
	r := w.newRegistry()
	v1 := r.schema("a-value", "name")
	_, err := r.Register("a-key", "", v1.Text)
	require.NoError(t, err)
	table := w.avroTable("t", "a")
	table.Key = KeyOptions{Format: FormatAvro, Prefix: "_key_", Column: "_key"}
	produce := func(id int, values ...string) {
		w.produceEach("a", 0, 3, func(at int64) *kgo.Record {
			b := framed(id, avroEvent(at, values...))
			return &kgo.Record{Key: b, Value: b}
		})
	}
	produce(v1.ID, "n")
	require.NoError(t, w.catchUp(w.avroOptions(r, table)))
	v2 := r.schema("a-value", "name", "city")
	w.produceEach("a", 0, 1, func(at int64) *kgo.Record {
		return &kgo.Record{Key: framed(v2.ID, avroEvent(at, "n", "c")), Value: framed(v1.ID, avroEvent(at, "n"))}
	})
	produce(v2.ID, "n", "c")
	require.NoError(t, w.catchUp(w.avroOptions(r, table)))
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	require.Equal(t, 4, w.nulls("t", "city"))
}

func TestColumnsThatMeetAreRefused(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 1)
	table := w.jsonTable("t", "a")
	table.Key = KeyOptions{Format: FormatRaw, Column: "name"}
	err := w.catchUp(w.options(table))
	require.Equal(t, "E_COLUMN_TWICE", failure.CodeOf(err))
	require.Contains(t, failure.HintOf(err), "key.column")
}

// TestRawRecords: key, value, headers and timestamp as they are; a null value is a row, since nothing is decoded.
func TestRawRecords(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.sendUncounted("a",
		&kgo.Record{Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}}},
		&kgo.Record{Value: nil}, &kgo.Record{Key: []byte{}, Value: []byte{}})
	table := w.jsonTable("t", "a")
	table.Value = ValueOptions{Format: FormatRaw}
	o := w.options(table)
	require.NoError(t, w.catchUp(o))
	require.Equal(t, []string{"", "(null)", "aw=="}, w.column("t", "key"))
	require.Equal(t, []string{"", "(null)", "dg=="}, w.column("t", "value"))
	require.Equal(t, []string{"[]", "[]", `[{"key":"h","value":"MQ=="},{"key":"h","value":null}]`}, w.column("t", "headers"))
	require.Zero(t, w.nulls("t", "timestamp"))
	require.EqualValues(t, 3, o.Events.(*recorder).counts("t")[outcome.Written])
	w.proven("t")
}
