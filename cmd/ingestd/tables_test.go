package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

const controlConfig = `pipeline: p
sources: {main: {type: kafka, brokers: ["%s"]}}
catalog: {type: sqlite, path: "%[2]s/catalog.db", warehouse: "%[2]s/warehouse"}
tables:
  - {name: db.t, topics: [a], value: {format: raw}}
admin: {listen: "off"}
`

// lost is a table that was filled, and whose topic has lost what comes next.
func lost(t *testing.T) (file string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "a"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	dir := t.TempDir()
	file = filepath.Join(dir, "ingestd.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, controlConfig, c.ListenAddrs()[0], dir), 0o600))
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("a"))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	produce := func(n int) {
		for range n {
			require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr())
		}
	}
	produce(5)
	r := command(t, "run", "-c", file, "--until-latest")
	require.Zero(t, r.code, r.err)
	produce(5)
	gone := kadm.Offsets{}
	gone.AddOffset("a", 0, 8, -1)
	_, err = kadm.NewClient(cl).DeleteRecords(t.Context(), gone)
	require.NoError(t, err)
	return file
}

// The way of an operator: what has halted, what would be done, doing exactly that, and the proof.
func TestTablesAcceptLoss(t *testing.T) {
	file := lost(t)
	r := command(t, "run", "-c", file, "--until-latest")
	require.Equal(t, failure.ExitFailed, r.code)

	r = command(t, "tables", "-c", file)
	require.Equal(t, failure.ExitFailed, r.code)
	require.Contains(t, r.out, "db.t: unattended [E_OFFSET_EXPIRED]")
	require.Contains(t, r.out, "to resolve it: ingestd tables accept-loss db.t\n")

	r = command(t, "tables", "accept-loss", "db.t", "-c", file, "--dry-run")
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "would be done: a/0: from 5 to 8, 3 offsets given up")
	require.Contains(t, r.out, "nothing is changed yet")
	require.Contains(t, r.out, "ingestd tables accept-loss db.t --config="+file+" --reason=WHY --at=")

	var plan decisionReport
	r = command(t, "tables", "accept-loss", "db.t", "-c", file, "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(r.out), &plan))
	require.False(t, plan.Done)
	require.Equal(t, []ingest.PlannedMove{{Topic: "a", Partition: "0", From: 5, To: 8, Lost: 3}}, plan.Moves)

	r = command(t, "tables", "accept-loss", "db.t", "-c", file, "--reason", "ticket 12", "--at", "0123456789abcdef")
	require.Equal(t, failure.ExitFailed, r.code)
	require.Contains(t, r.err, "["+commit.CodeControlStale+"]")

	r = command(t, "tables", "accept-loss", "db.t", "-c", file, "--reason", "ticket 12", "--by", "ann", "--at", plan.At, "-o", "json")
	require.Zero(t, r.code, r.err)
	var done decisionReport
	require.NoError(t, json.Unmarshal([]byte(r.out), &done))
	require.True(t, done.Done)
	require.Equal(t, "ann", done.Record.By)
	require.NotEmpty(t, done.Snapshot)

	r = command(t, "run", "-c", file, "--until-latest")
	require.Zero(t, r.code, r.err)
	r = command(t, "verify", "-c", file, "--against-source")
	require.Zero(t, r.code, r.out)
	require.Contains(t, r.out, "offsets 5 to 7 were given up by ann on ")
	require.Contains(t, r.out, "ticket 12")
	r = command(t, "tables", "-c", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "accept-loss by ann: a/0: from 5 to 8, 3 offsets given up (ticket 12)")
	require.NotContains(t, r.out, "to resolve it")
}

func TestTablesUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		r := command(t, append([]string{"tables"}, args...)...)
		require.Equal(t, failure.ExitUsage, r.code, r.err)
		require.Contains(t, r.err, want)
	}
	f("accepts 1 arg", "resume", "-c", "x")
	f("no configuration", "resume", "t")
	f("exclude each other", "resume", "t", "--at", "x", "--yes")
	f("exclude each other", "resume", "t", "--at", "x", "--dry-run")
	f("say why with --reason", "resume", "t", "--yes")
	f("say how far with --to", "rewind", "t")
}

// Every command that a halt names exists, and the verbs are the same everywhere.
func TestRemediesExist(t *testing.T) {
	a := &app{}
	for _, code := range []string{
		commit.CodeRolledBack, commit.CodeReplaced, commit.CodeRecreated, commit.CodeStateAmbiguous, commit.CodeStateLost, commit.CodeStateUnreadable,
		"E_OFFSET_EXPIRED", "E_LOG_TRUNCATED", "E_BATCH_TOO_LARGE", "E_TOPIC_RECREATED", "E_CLUSTER_CHANGED", "E_SCHEMA_ILLEGAL",
	} {
		words := strings.Fields(ingest.Remedy(code, "db.t"))
		require.NotEmpty(t, words, code)
		c, rest, err := a.root().Find(words[1:])
		require.NoError(t, err)
		require.Equal(t, words[2], c.Name(), code)
		require.Equal(t, "db.t", rest[0])
		require.NoError(t, c.ParseFlags(rest[1:]), "%s: %s", code, words)
	}
	tables, _, err := a.root().Find([]string{"tables"})
	require.NoError(t, err)
	var verbs []string
	for _, c := range tables.Commands() {
		verbs = append(verbs, c.Name())
	}
	require.ElementsMatch(t, event.Verbs(), verbs)
}

func TestQuoted(t *testing.T) {
	require.Equal(t, "a/0=5", quoted("a/0=5"))
	require.Equal(t, `'it'\''s'`, quoted("it's"))
	require.Equal(t, "''", quoted(""))
}
