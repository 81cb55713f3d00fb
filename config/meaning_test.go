package config

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMeaningIsStable pins the hashed text and its hash. A failure means that every daemon in the field sees a new
// meaning for unchanged files: find a way that keeps the old text.
func TestMeaningIsStable(t *testing.T) {
	data, err := os.ReadFile("testdata/everything.good.yml")
	require.NoError(t, err)
	c := parseText(t, string(data))
	var got strings.Builder
	for _, table := range c.Tables {
		got.WriteString("# " + table.Name + " " + table.MeaningHash() + "\n" + table.meaning() + "\n")
	}
	compareGolden(t, "testdata/meaning.txt", got.String())
	require.Equal(t, "f42251b8cd5a9bef83eeec89bce7db4a", parseText(t, minimal).Tables[0].MeaningHash())
}

// TestMeaning says which settings change what a row means.
func TestMeaning(t *testing.T) {
	table := func(text string) Table {
		return parseText(t, `pipeline: shop
sources: {main: {brokers: [h:1], registry: {urls: ["http://localhost:1"]}}, other: {brokers: [h:1]}}
catalog: {type: sqlite, path: catalog.db, warehouse: warehouse}
tables:
  - {name: a.filler, source: main, topics: [filler]}
  - {name: a.filler2, source: other, topics: [filler], value: {format: raw}}
  - {name: a.b, `+text+"}\n").Tables[2]
	}
	const base = "source: main, topics: [t, u], key: {format: raw}, value: {format: json, schema: [{name: id, type: long}, {name: ts, type: timestamp}]}"
	hash := table(base).MeaningHash()
	require.Len(t, hash, 2*meaningBytes)
	f := func(same bool, from, to string) {
		t.Helper()
		require.Contains(t, base, from)
		got := table(strings.Replace(base, from, to, 1)).MeaningHash()
		if same {
			require.Equal(t, hash, got)
		} else {
			require.NotEqual(t, hash, got)
		}
	}
	const same, other = true, false
	f(other, "source: main", "source: other")
	f(other, "topics: [t, u]", "topics: [t]")
	f(same, "topics: [t, u]", "topics: [u, t]")
	f(other, "topics: [t, u]", "topics_regex: t|u")
	f(other, "{format: raw}", "{format: off}")
	f(other, "{format: raw}", "{format: raw, column: k}")
	f(same, "{format: raw}", "{format: raw, column: _key}")
	f(other, "type: long", "type: int")
	f(other, "type: long", "type: long, required: true")
	f(same, "type: long", "type: long, required: false, doc: the id")
	f(other, "type: long", "type: long, from: ID")
	f(same, "type: long", "type: long, from: id")
	f(other, "type: timestamp", "type: timestamp, unit: millis")
	f(same, "type: timestamp", "type: timestamp, unit: iso")
	f(other, "type: timestamp", "type: list, element: {type: timestamp}")
	f(same, "[{name: id, type: long}, {name: ts, type: timestamp}]", "[{name: ts, type: timestamp}, {name: id, type: long}]")
	f(other, "format: json", "format: json, unknown_fields: refuse")
	f(same, "format: json", "format: json, invalid_text: refuse")
	f(other, "format: json", "format: json, invalid_text: replace")
	f(other, "format: json", "format: json, nulls: row")
	f(other, "source: main", "source: main, errors: {decode: skip}")
	f(other, "source: main", "source: main, audit_columns: false")
	f(same, "source: main", "source: main, start: latest, partition_by: [id], branch: b, readers: [duckdb], add_columns: false, parquet: {compression: lz4}, properties: {a: b}")
}
