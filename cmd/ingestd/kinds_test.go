package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

const orderSchema = `{"type": "record", "name": "Order", "fields": [
	{"name": "id", "type": "long", "doc": "Number."},
	{"name": "at", "type": {"type": "int", "logicalType": "time-millis"}, "doc": "Time of day."},
	{"name": "note", "type": ["null", "string"], "default": null},
	{"name": "sums", "type": {"type": "map", "values": "double"}}]}`

const orderKeySchema = `{"type": "record", "name": "OrderKey", "fields": [{"name": "id", "type": "long"}, {"name": "shop", "type": "string"}]}`

// kindsConfig has a table of every kind: formats of values and keys, several topics, a pattern.
const kindsConfig = `pipeline: kinds
sources:
  main:
    brokers: [%q]
    registry: {urls: [%q]}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
admin: {listen: "off"}
tables:
  - name: k.avro_with_key
    topics: [orders]
    key: {format: avro}
    value: {format: avro, nulls: row}
    partition_by: ["bucket(4, id)", note]
  - name: k.raw
    topics: [orders, lines]
    value: {format: raw}
  - name: k.json_rest
    topics: [lines]
    key: {format: raw, column: who}
    value: {format: json, schema: [{name: n, type: long, required: true}, {name: when, from: t, type: timestamptz, unit: seconds}]}
    audit_columns: false
  - name: k.json_key
    topics_regex: "line.*"
    readers: [trino, duckdb]
    key: {format: json, prefix: "of_", schema: [{name: n, type: long}]}
    value: {format: json, unknown_fields: refuse, schema: [{name: n, type: long}, {name: t, type: long}, {name: extra, type: string}]}
  - name: k.time_for_everybody
    topics: [orders]
    value: {format: avro}
    readers: [duckdb, pyiceberg]
    parquet: {encoding: delta}
`

// everyKind is a broker and a registry with two topics, and a configuration for them in the working directory.
func everyKind(t *testing.T) (file string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "orders", "lines"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	registry := regserver.New()
	server := httptest.NewServer(registry.Handler())
	t.Cleanup(server.Close)
	value, err := registry.Register("orders-value", "AVRO", orderSchema)
	require.NoError(t, err)
	key, err := registry.Register("orders-key", "AVRO", orderKeySchema)
	require.NoError(t, err)

	cl, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer cl.Close()
	for i := range int32(10) {
		order := encode(t, uint32(value.ID), orderSchema, map[string]any{
			"id": int64(i), "at": i * 1000, "note": goavro.Union("string", fmt.Sprint("note ", i)), "sums": map[string]any{"net": 1.5},
		})
		orderKey := encode(t, uint32(key.ID), orderKeySchema, map[string]any{"id": int64(i), "shop": "north"})
		line := &kgo.Record{Topic: "lines", Partition: i % 2, Key: fmt.Appendf(nil, `{"n": %d}`, i), Value: fmt.Appendf(nil, `{"n": %d, "t": 1700000000, "extra": "x"}`, i)}
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: i % 2, Key: orderKey, Value: order}, line).FirstErr())
	}
	t.Chdir(t.TempDir())
	file = filepath.Join(".", "kinds.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, kindsConfig, cluster.ListenAddrs()[0], server.URL), 0o600))
	return file
}

// encode writes a value in the registry's framing, by another implementation of Avro.
func encode(t *testing.T, id uint32, schema string, value map[string]any) []byte {
	t.Helper()
	codec, err := goavro.NewCodec(schema)
	require.NoError(t, err)
	out, err := codec.BinaryFromNative(schemareg.AppendPrefix(nil, id), value)
	require.NoError(t, err)
	return out
}

// For every kind of table, explain foresees the columns that run creates.
func TestExplainForeseesEveryKind(t *testing.T) {
	file := everyKind(t)
	before := explained(t, file)
	golden(t, "kinds.txt", command(t, "explain", "-c", file).out)
	r := command(t, "run", "-c", file, "--until-latest")
	require.Zero(t, r.code, r.err)
	for i, after := range explained(t, file) {
		require.True(t, after.Exists)
		require.Equal(t, before[i].Columns, after.Columns, after.Table)
		require.Empty(t, after.Problems, after.Table)
		for _, p := range after.Partitions {
			require.Equal(t, p.End, p.Start, "%s has read everything", after.Table)
		}
	}
	v := decode[verification](t, command(t, "verify", "-c", file, "k.raw", "--against-source", "-o", "json").out)
	require.True(t, v.Verified)
	s := decode[statusReport](t, command(t, "status", "-c", file, "-o", "json").out)
	for _, table := range s.Tables {
		require.Equal(t, "caught up", table.Why, table.Table)
		require.EqualValues(t, 0, *table.LagRecords)
	}
}

// Every kind of key and value is shown decoded; what the daemon would refuse is shown with its error.
func TestPreviewOfEveryKind(t *testing.T) {
	file := everyKind(t)
	show := func(table string) previewed {
		t.Helper()
		r := command(t, "preview", "-c", file, table, "-n", "1")
		require.Zero(t, r.code, r.err)
		return decode[previewed](t, r.out)
	}
	avro := show("k.avro_with_key")
	require.JSONEq(t, `{"id": 0, "shop": "north"}`, string(avro.Key))
	require.JSONEq(t, `{"id": 0, "at": "00:00:00", "note": "note 0", "sums": {"net": 1.5}}`, string(avro.Value))
	raw := show("k.raw")
	require.True(t, strings.HasPrefix(decode[string](t, string(raw.Value)), "base64:AAAAAAE") || raw.Topic == "lines", "%s", raw.Value)
	rest := show("k.json_rest")
	require.JSONEq(t, `"{\"n\": 0}"`, string(rest.Key))
	require.JSONEq(t, `{"n": 0, "t": 1700000000, "extra": "x"}`, string(rest.Value))
	require.Nil(t, rest.Error)
	key := show("k.json_key")
	require.JSONEq(t, `{"n": 0}`, string(key.Key))
	require.Nil(t, key.Error)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), "{name: extra, type: string}", "{name: other, type: string}", 1)), 0o600))
	refused := show("k.json_key")
	require.NotNil(t, refused.Error)
	require.Contains(t, refused.Error.Message, "extra")
	require.JSONEq(t, `{"n": 0, "t": 1700000000, "extra": "x"}`, string(refused.Value), "it is shown all the same")
}

// The broker answers, but not with what the configuration names.
func TestUnknownTopicAndMissingSubject(t *testing.T) {
	file := everyKind(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	change := func(old, replacement string) {
		t.Helper()
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600))
	}
	change("topics: [orders]", "topics: [oders]")
	r := command(t, "run", "-c", file)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, "[E_TOPIC_UNKNOWN] — create the topic or correct `topics` of the table\n")
	r = command(t, "validate", "-c", file)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.out, "E_TOPIC_UNKNOWN")
	require.NotContains(t, r.out, "is valid")

	change("topics: [orders]\n    value: {format: avro}\n    readers", "topics: [lines]\n    value: {format: avro}\n    readers")
	r = command(t, "validate", "-c", file)
	require.Zero(t, r.code, r.out)
	require.Contains(t, r.out, "warn")
	require.Contains(t, r.out, "lines-value")
	change(`topics_regex: "line.*"`, `topics_regex: "nothing.*"`)
	r = command(t, "validate", "-c", file)
	require.Zero(t, r.code, r.out)
	require.Contains(t, r.out, "no topic matches")
}

// Of a table that was created for other readers explain prints the plan; what cannot be undone ends run as well.
func TestReadersThatChangeLater(t *testing.T) {
	file := everyKind(t)
	require.Zero(t, command(t, "run", "-c", file, "--until-latest").code)
	for _, x := range explained(t, file) {
		require.Empty(t, x.Readers, x.Table)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	other := strings.NewReplacer("readers: [duckdb, pyiceberg]", "readers: [duckdb, spark]", "parquet: {encoding: delta}", "parquet: {encoding: compat}",
		"readers: [trino, duckdb]", "readers: [duckdb]")
	require.NoError(t, os.WriteFile(file, []byte(other.Replace(string(text))), 0o600))

	all := decode[struct{ Tables []explanation }](t, command(t, "explain", "-c", file, "-o", "json").out).Tables
	require.NotEmpty(t, tableOf(t, all, "k.json_key").Readers)
	for _, c := range tableOf(t, all, "k.json_key").Readers {
		require.False(t, c.Refused, c.Aspect)
	}
	shown := command(t, "explain", "-c", file, "k.time_for_everybody")
	require.Equal(t, failure.ExitConfig, shown.code)
	require.Contains(t, shown.out, "the table and who reads it")
	require.Regexp(t, `readers +duckdb,pyiceberg +duckdb,spark`, shown.out)
	require.Regexp(t, `encoding +compat or delta +compat +new files use compat, old files stay; those in delta spark`, shown.out)
	require.Regexp(t, `time +time: at +long, microseconds of the day +REFUSED: spark`, shown.out)
	r := command(t, "run", "-c", file, "--until-latest")
	require.NotZero(t, r.code)
	require.Contains(t, r.err+r.out, "ingestd explain k.time_for_everybody")
}
