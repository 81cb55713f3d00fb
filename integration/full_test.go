//go:build integration && full

package integration

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
)

// startParts adds heavy components to the stack.
func startParts(t *testing.T, parts ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stackDeadline)
	defer cancel()
	require.NoError(t, env.stack.Start(ctx, parts...))
}

// sparkReader is one Spark version on the REST catalog.
func sparkReader(t *testing.T, which string) reading {
	t.Helper()
	jars, err := os.ReadFile(filepath.Join(env.stack.Home(), "spark-"+which+".jars"))
	require.NoError(t, err)
	return reading{"spark-" + which, "read_spark.py", []string{
		"--rest", env.stack.Catalog(), "--s3", env.stack.ObjectStore(),
		"--name", "spark-" + which, "--jars", strings.TrimSpace(string(jars)),
	}}
}

// The heavy engines read what the light ones read: Spark, newest and oldest supported, and Trino.
func TestHeavyReaders(t *testing.T) {
	startParts(t, "spark", "trino")
	const n = 1_000_000
	avro, text := unique(t, "avro"), unique(t, "json")
	produce(t, produceDeadline, "-n", strconv.Itoa(n), "-avro", avro, "-json", text)
	tables := []tableSettings{{Name: "it." + avro, Topic: avro}, {Name: "it." + text, Topic: text, JSON: true}}
	untilLatest(t, writeConfig(t, settings{Pipeline: avro, Tables: tables}))
	readers := append(lakeReaders(), sparkReader(t, "new"), sparkReader(t, "old"),
		reading{"light", "read_trino.py", []string{"--port", env.stack.Value("TRINO_PORT")}})
	for _, table := range tables {
		assertContents(t, table.Name, firstEvents(t, n), readers)
	}
}

func TestNessieConforms(t *testing.T) {
	startParts(t, "nessie")
	conforms(t, "Nessie "+env.stack.Value("NESSIE_VERSION"), catalog.Options{
		Type: catalog.REST, URI: "http://127.0.0.1:" + env.stack.Value("NESSIE_PORT") + "/iceberg", Warehouse: "wh",
	})
}

// Nessie shows only the head of a table and knows no null pin: ingestion, restart and verification work all the same.
func TestNessie(t *testing.T) {
	startParts(t, "nessie")
	const n = 500_000
	topic := unique(t, "nessie")
	uri := "http://127.0.0.1:" + env.stack.Value("NESSIE_PORT") + "/iceberg"
	table := "it." + topic
	config := writeConfig(t, settings{
		Pipeline: topic, Catalog: uri, Warehouse: "wh", Interval: time.Second, Tables: []tableSettings{{Name: table, Topic: topic}},
	})
	for _, upTo := range []int{n / 2, n} {
		produce(t, produceDeadline, "-n", strconv.Itoa(upTo), "-skip", strconv.Itoa(upTo-n/2), "-avro", topic)
		untilLatest(t, config)
	}
	assertContents(t, table, firstEvents(t, n), []reading{
		{"light", "read_pyiceberg.py", []string{"--rest", uri, "--s3", env.stack.ObjectStore()}},
	})
}
