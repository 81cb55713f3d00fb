package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/demo"
	"github.com/ingestd/ingestd/internal/failure"
)

const patience = time.Minute

// freePort lets the demo choose, so that tests do not meet on the usual one.
const freePort = "127.0.0.1:0"

// The demo needs nothing, ends by itself, proves every record, and says so in one JSON object.
func TestDemoProvesItself(t *testing.T) {
	dir := t.TempDir()
	for round := int64(1); round <= 2; round++ {
		d := start(t, "demo", "--dir", dir, "--records", "5000", "--until-caught-up", "-o", "json", "--listen", freePort)
		require.Zero(t, d.wait(patience))
		var s demo.Summary
		require.NoError(t, json.Unmarshal([]byte(d.out.String()), &s), "stdout is one object")
		require.EqualValues(t, 5000, s.Records)
		require.True(t, s.Verified)
		require.Equal(t, "source", s.Level)
		require.Positive(t, s.Seconds)
		require.Len(t, s.Tables, 2)
		var rows int64
		for _, table := range s.Tables {
			rows += table.Rows
			require.Positive(t, table.DataFiles)
			require.Positive(t, table.Bytes)
			require.Greater(t, table.Snapshots, 1)
			location, err := url.Parse(table.MetadataLocation)
			require.NoError(t, err)
			require.FileExists(t, location.Path)
		}
		require.Equal(t, round*5000, rows, "a second demo in the folder goes on where the first one was")
		require.Contains(t, d.errs.String(), "records/s", "progress goes to stderr")
	}
}

func TestDemoSummaryForPeople(t *testing.T) {
	d := start(t, "demo", "--dir", t.TempDir(), "--records", "1000", "--until-caught-up", "--listen", freePort)
	require.Zero(t, d.wait(patience))
	for _, want := range []string{"1,000 records in ", "verified (level source)", "shop.clicks 800 rows", "shop.logs   200 rows", "\nduckdb -c ", "\npython3 -c "} {
		require.Contains(t, d.out.String(), want)
	}
	require.Empty(t, d.errs.String())
}

// Everything that looks, beside one running daemon. The last part stops one of its tables.
func TestBesideADaemon(t *testing.T) {
	d := liveDemo(t, t.TempDir())
	t.Run("a taken port", func(t *testing.T) { testTakenPort(t, d) })
	t.Run("commands", func(t *testing.T) { testCommands(t, d) })
	t.Run("explain is what run does", func(t *testing.T) { testExplain(t, d) })
	t.Run("a stopped table", func(t *testing.T) { testStoppedTable(t, d) })
}

func testTakenPort(t *testing.T, d live) {
	conf, _, err := config.Load(d.config, config.Options{})
	require.NoError(t, err)
	other := start(t, "demo", "--dir", t.TempDir(), "--listen", conf.Admin.Listen)
	require.Equal(t, failure.ExitConfig, other.wait(patience))
	require.Contains(t, other.errs.String(), "[E_DEMO_LISTEN] — choose another address with --listen")
}

// live is a demo that goes on until it is ended.
type live struct {
	*child
	config string
}

func liveDemo(t *testing.T, dir string) live {
	t.Helper()
	d := start(t, "demo", "--dir", dir, "--records", "3000", "--listen", freePort)
	d.await("can be read now", patience)
	return live{d, filepath.Join(dir, "ingestd.yaml")}
}

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// Every command that looks works beside a running daemon.
func testCommands(t *testing.T, d live) {
	ok := func(args ...string) string {
		t.Helper()
		r := command(t, args...)
		require.Zero(t, r.code, "%v: %s%s", args, r.out, r.err)
		require.Empty(t, r.err)
		return r.out
	}
	v := decode[validation](t, ok("validate", "-c", d.config, "-o", "json"))
	require.True(t, v.Valid)
	for _, c := range v.Checks {
		require.Equal(t, statusOK, c.Status, "%+v", c)
	}
	require.Len(t, v.Checks, 8, "broker, two tables' topics, registry, catalog, two tables, storage: %+v", v.Checks)

	report := decode[verification](t, ok("verify", "-c", d.config, "--against-source", "-o", "json"))
	require.True(t, report.Verified)
	require.Contains(t, ok("verify", "-c", d.config), "shop.clicks: verified at level ledger")
	require.Contains(t, ok("verify", "-c", d.config, "--deep", "shop.logs"), "shop.logs: verified at level rows")

	status := decode[statusReport](t, ok("status", "-c", d.config, "-o", "json"))
	require.NotEmpty(t, status.Daemon)
	require.Len(t, status.Tables, 2)
	for _, s := range status.Tables {
		require.Equal(t, "running", s.State)
		require.NotEmpty(t, s.Why)
		require.NotNil(t, s.LagRecords)
		require.NotNil(t, s.LastCommit)
		require.Positive(t, s.Rows)
		require.Equal(t, s.Rows, s.Outcomes["written"])
	}
	alone := decode[statusReport](t, ok("status", "--admin", status.Daemon, "-o", "json", "shop.logs"))
	require.Len(t, alone.Tables, 1)
	require.Len(t, alone.Tables[0].Partitions, 2)
	require.Contains(t, ok("status", "-c", d.config), "running")
	require.Equal(t, failure.ExitFailed, command(t, "status", "--admin", status.Daemon, "nope").code)

	lines := strings.Split(strings.TrimSpace(ok("preview", "-c", d.config, "shop.clicks", "-n", "8")), "\n")
	require.Len(t, lines, 8)
	for _, line := range lines {
		p := decode[previewed](t, line)
		require.Nil(t, p.Error)
		require.Less(t, p.Offset, int64(2), "two of each partition")
		require.Equal(t, "id 1", p.Schema)
		require.Equal(t, decode[string](t, string(p.Key)), decode[map[string]any](t, string(p.Value))["session_id"])
	}
	last := strings.Split(strings.TrimSpace(ok("preview", "-c", d.config, "shop.logs", "-n", "2", "--from", "latest")), "\n")
	require.Len(t, last, 2)
	require.NotEmpty(t, decode[map[string]any](t, string(decode[previewed](t, last[1]).Value))["message"])
}

// What explain says of a table that does not exist is what run then does; and what it says afterwards, it has done.
func testExplain(t *testing.T, d live) {
	text, err := os.ReadFile(d.config)
	require.NoError(t, err)
	conf, _, err := config.Load(d.config, config.Options{})
	require.NoError(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "later.yaml")
	later := strings.NewReplacer(
		"pipeline: demo", "pipeline: later", conf.Catalog.Path, filepath.Join(dir, "later.db"), conf.Catalog.Warehouse, filepath.Join(dir, "later"),
		`"`+conf.Admin.Listen+`"`, `"off"`,
	).Replace(string(text))
	require.NoError(t, os.WriteFile(file, []byte(later), 0o600))

	before := explained(t, file)
	require.Contains(t, command(t, "explain", "-c", file).out, "shop.clicks (branch main) will be created")
	r := start(t, "run", "-c", file, "--until-latest")
	require.Zero(t, r.wait(patience))
	after := explained(t, file)
	for i := range before {
		b, a := before[i], after[i]
		require.False(t, b.Exists)
		require.True(t, a.Exists)
		require.Equal(t, b.Columns, a.Columns)
		require.Equal(t, b.Settings, a.Settings)
		require.Equal(t, b.Origins, a.Origins)
		require.Empty(t, a.Problems)
		for j := range b.Partitions {
			require.Zero(t, b.Partitions[j].Start)
			require.Equal(t, "start: earliest", b.Partitions[j].Why)
			require.GreaterOrEqual(t, a.Partitions[j].Start, b.Partitions[j].End)
			require.Equal(t, "stored in the table", a.Partitions[j].Why)
		}
	}
	require.Equal(t, []string{"day(ts)"}, before[0].PartitionBy)
	require.Equal(t, []string{"day(ts) as ts_day"}, after[0].PartitionBy)
	require.Contains(t, before[0].Origins[0].Origin, "subject shop.clicks-value, version 1")

	status := decode[statusReport](t, command(t, "status", "-c", file, "-o", "json").out)
	require.Empty(t, status.Daemon)
	require.Equal(t, unattended, status.Tables[0].State)
}

func explained(t *testing.T, file string) []explanation {
	t.Helper()
	r := command(t, "explain", "-c", file, "-o", "json")
	require.Zero(t, r.code, r.err)
	return decode[struct{ Tables []explanation }](t, r.out).Tables
}

// A record that cannot be read stops its table; status says at which one and why, preview shows it.
func testStoppedTable(t *testing.T, d live) {
	conf, _, err := config.Load(d.config, config.Options{})
	require.NoError(t, err)
	cl, err := kgo.NewClient(kgo.SeedBrokers(conf.Sources["main"].Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer cl.Close()
	broken := &kgo.Record{Topic: "shop.logs", Partition: 1, Key: []byte("k"), Value: []byte(`{"ts": "soon"}`)}
	require.NoError(t, cl.ProduceSync(t.Context(), broken).FirstErr())

	var s tableStatus
	require.Eventually(t, func() bool {
		s = decode[statusReport](t, command(t, "status", "-c", d.config, "-o", "json", "shop.logs").out).Tables[0]
		return s.State == "failed"
	}, patience, 100*time.Millisecond)
	require.Equal(t, failure.ExitFailed, command(t, "status", "-c", d.config).code)
	require.NotEmpty(t, s.Code)
	require.Contains(t, s.Why, "shop.logs")
	require.Positive(t, *s.LagRecords)

	r := command(t, "preview", "-c", d.config, "shop.logs", "--from", "table", "-n", "2")
	require.Zero(t, r.code, r.err)
	shown := false
	for line := range strings.Lines(r.out) {
		p := decode[previewed](t, line)
		if p.Offset != broken.Offset || p.Partition != 1 {
			continue
		}
		shown = true
		require.JSONEq(t, `{"ts": "soon"}`, string(p.Value))
		require.NotNil(t, p.Error)
		require.NotEmpty(t, p.Error.Code)
		require.Contains(t, p.Error.Message, "ts")
	}
	require.True(t, shown, "the table stopped at offset %d: %s", broken.Offset, r.out)
}

// However the demo ends, it goes on where it was: every record once.
func TestDemoSurvivesItsEnd(t *testing.T) {
	dir := t.TempDir()
	d := liveDemo(t, dir)
	require.NoError(t, d.cmd.Process.Kill())
	<-d.ended

	again := liveDemo(t, dir)
	r := command(t, "verify", "-c", again.config, "--against-source", "-o", "json")
	require.Zero(t, r.code, "%s%s", r.out, r.err)
	require.NoError(t, again.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, again.wait(patience), "an interrupt is a polite end")
}
