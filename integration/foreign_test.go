//go:build integration && full

package integration

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/beltran/gohive"
	"github.com/stretchr/testify/require"
	_ "github.com/trinodb/trino-go-client/trino"
)

// Spark and Trino maintain a table while it is being fed and maintained by us: nothing is lost, nothing is there twice,
// every engine reads the same, and the ledger holds.
func TestForeignMaintenance(t *testing.T) {
	startParts(t, "trino", "spark", "thrift")
	const n, rate = 200_000, 2500
	topic := unique(t, "foreign")
	table := "it." + topic
	produce(t, produceDeadline, "-n", "1000", "-avro", topic)
	config := writeConfig(t, settings{Pipeline: topic, Interval: time.Second, Tables: []tableSettings{{Name: table, Topic: topic}}})
	untilLatest(t, config)
	feed := start(t, "eventgen", generatorArgs([]string{"-n", strconv.Itoa(n), "-skip", "1000", "-avro", topic, "-rate", strconv.Itoa(rate)})...)
	daemon := start(t, "ingestd", "run", "-c", config)
	spark, trino := sparkSession(t), trinoSession(t)
	ours := func() {
		t.Helper()
		run(t, catchUpDeadline, "ingestd", "maintain", "rewrite-data-files", table, "-c", config, "-o", "json",
			"--option", "min-input-files=2", "--option", "busy-min-input-files=2")
	}
	for _, step := range []func(){
		ours,
		func() {
			spark("CALL lake.system.rewrite_data_files(table => '%s', options => map('min-input-files', '2'))", table)
		},
		ours,
		func() { trino("ALTER TABLE lake.%s EXECUTE optimize", table) },
		func() { spark("CALL lake.system.rewrite_manifests(table => '%s')", table) },
		ours,
		func() { trino("ALTER TABLE lake.%s EXECUTE optimize_manifests", table) },
		func() { trino("ALTER TABLE lake.%s EXECUTE expire_snapshots(retention_threshold => '7d')", table) },
		func() {
			spark("CALL lake.system.expire_snapshots(table => '%s', older_than => current_timestamp(), retain_last => 1)", table)
		},
		ours,
		func() { trino("ALTER TABLE lake.%s EXECUTE remove_orphan_files(retention_threshold => '7d')", table) },
		func() { spark("CALL lake.system.remove_orphan_files(table => '%s', prefix_listing => true)", table) },
		func() { spark("CALL lake.system.rewrite_position_delete_files(table => '%s')", table) },
		ours,
	} {
		step()
		require.False(t, daemon.ended(), "the daemon goes on")
	}
	require.Zero(t, feed.wait(3*time.Minute))
	daemon.terminate(drainDeadline)
	untilLatest(t, config)
	readers := append(lakeReaders(), sparkReader(t, "new"), sparkReader(t, "old"),
		reading{"light", "read_trino.py", []string{"--port", env.stack.Value("TRINO_PORT")}})
	assertContents(t, table, firstEvents(t, n), readers)
	assertVerified(t, config, table)
}

// sparkSession runs statements on Spark's Thrift server.
func sparkSession(t *testing.T) func(statement string, args ...any) {
	t.Helper()
	port, err := strconv.Atoi(env.stack.Value("THRIFT_PORT"))
	require.NoError(t, err)
	config := gohive.NewConnectConfiguration()
	config.Username = "operator"
	conn, err := gohive.Connect("127.0.0.1", port, "NONE", config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return func(statement string, args ...any) {
		t.Helper()
		cursor := conn.Cursor()
		defer cursor.Close()
		cursor.Exec(t.Context(), fmt.Sprintf(statement, args...))
		require.NoError(t, cursor.Err, statement)
	}
}

// trinoSession runs statements on Trino.
func trinoSession(t *testing.T) func(statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("trino", "http://operator@127.0.0.1:"+env.stack.Value("TRINO_PORT"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return func(statement string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(statement, args...))
		require.NoError(t, err, statement)
	}
}
