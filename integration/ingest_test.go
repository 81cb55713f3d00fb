//go:build integration

package integration

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	produceDeadline = 5 * time.Minute
	catchUpDeadline = 6 * time.Minute
	drainDeadline   = 60 * time.Second
)

// untilLatest runs the daemon until it has caught up with the topics' ends.
func untilLatest(t *testing.T, config string) *process {
	t.Helper()
	return run(t, catchUpDeadline, "ingestd", "run", "-c", config, "--until-latest")
}

// assertVerified lets ingestd prove a table against its topic.
func assertVerified(t *testing.T, config, table string) {
	t.Helper()
	p := run(t, catchUpDeadline, "ingestd", "verify", table, "-c", config, "--against-source", "-o", "json")
	require.True(t, json.Valid([]byte(p.out.String())), p.out.String())
}

// Five million events in Avro and in JSON go through the real components into REST and S3, with a SIGTERM in the
// middle, a kill -9 after it, and a last run to the end.
func TestEventsSurviveRestarts(t *testing.T) {
	avro, text := unique(t, "avro"), unique(t, "json")
	produce(t, produceDeadline, "-n", strconv.Itoa(*scale), "-avro", avro, "-json", text)
	tables := []string{"it." + avro, "it." + text}
	config := writeConfig(t, settings{Pipeline: avro, Interval: time.Second, Tables: []tableSettings{
		{Name: tables[0], Topic: avro}, {Name: tables[1], Topic: text, JSON: true},
	}})

	first := start(t, "ingestd", "run", "-c", config)
	awaitRows(t, catchUpDeadline, tables[0], 1)
	first.terminate(drainDeadline)
	afterTerm := loadTable(t, tables[0]).total() + loadTable(t, tables[1]).total()
	require.Positive(t, afterTerm)
	require.Less(t, afterTerm, int64(2**scale), "SIGTERM came too late to mean anything")

	second := start(t, "ingestd", "run", "-c", config)
	eventually(t, catchUpDeadline, "more rows after the restart", func() bool {
		return loadTable(t, tables[0]).total()+loadTable(t, tables[1]).total() > afterTerm
	})
	second.kill()

	untilLatest(t, config)
	want := firstEvents(t, *scale)
	for _, table := range tables {
		assertContents(t, table, want, lakeReaders())
		assertVerified(t, config, table)
	}
}

// A reader of committed records sees each event once, and reaches the end of a topic that ends in an aborted transaction.
// A second table takes them in format version 3.
func TestTransactionsWithAborts(t *testing.T) {
	const n = 200_000
	topic := unique(t, "tx")
	produce(t, produceDeadline, "-n", strconv.Itoa(n), "-avro", topic, "-transactional", topic, "-abort-every", "3", "-abort-tail")
	table := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Tables: []tableSettings{{Name: table, Topic: topic}, {Name: table + "_v3", Topic: topic, Format: 3}}})
	untilLatest(t, config)
	require.Equal(t, 3, loadTable(t, table+"_v3").FormatVersion)
	for _, name := range []string{table, table + "_v3"} {
		assertContents(t, name, firstEvents(t, n), lakeReaders())
		assertVerified(t, config, name)
	}
}

// What log compaction took away is neither lost nor waited for.
func TestCompactedTopic(t *testing.T) {
	const n, keys = 200_000, 1000
	topic := unique(t, "compacted")
	produce(t, produceDeadline, "-n", strconv.Itoa(n), "-json", topic, "-partitions", "2", "-compact", "-keys", strconv.Itoa(keys))
	left := awaitCompaction(t, topic, n)
	table := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Tables: []tableSettings{{Name: table, Topic: topic, JSON: true}}})
	untilLatest(t, config)
	assertContents(t, table, left, lakeReaders())
	assertVerified(t, config, table)
}

// The same through TLS and SCRAM-SHA-512, on both sides.
func TestSecureListener(t *testing.T) {
	const n = 100_000
	topic := unique(t, "secure")
	produce(t, produceDeadline, append(secure(), "-n", strconv.Itoa(n), "-avro", topic)...)
	table := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Secure: true, Tables: []tableSettings{{Name: table, Topic: topic}}})
	untilLatest(t, config)
	assertContents(t, table, firstEvents(t, n), lakeReaders())
}
