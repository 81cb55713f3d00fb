package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

// status always says why nothing was committed.
func TestStatusSaysWhy(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	c := config.Commit{Interval: config.Duration(10 * time.Second), MaxBytes: 128 * config.MiB}
	lag := func(n int64) *int64 { return &n }
	committed := func(ago time.Duration) *commitStatus { return &commitStatus{At: now.Add(-ago)} }
	some := []partitionStatus{{Topic: "t", Partition: "0"}}
	f := func(want string, s tableStatus) {
		t.Helper()
		s.explain(c, now)
		require.Equal(t, want, s.Why)
	}
	f("record 7 cannot be read", tableStatus{State: "failed", Why: "record 7 cannot be read", LagRecords: lag(3)})
	f("waiting for a schema", tableStatus{State: "pending", Why: "waiting for a schema", LagRecords: lag(0)})
	f("the brokers do not say how much is left", tableStatus{State: unattended})
	f("the table does not exist yet, and its topics hold no records", tableStatus{State: unattended, LagRecords: lag(0)})
	f("no topic feeds the table", tableStatus{State: "running", Exists: true, LagRecords: lag(0)})
	f("nothing to commit: its topics hold no records after the table's start",
		tableStatus{State: "running", Exists: true, LagRecords: lag(0), Partitions: some})
	f("no record became a row: 5 ignored, 2 skipped, 1 unseen",
		tableStatus{State: "running", Exists: true, LagRecords: lag(0), Partitions: some, Outcomes: map[string]int64{"ignored": 5, "skipped": 2, "unseen": 1}})
	f("caught up", tableStatus{State: "running", Exists: true, LagRecords: lag(0), Partitions: some, Rows: 3})
	f("no daemon answers, 1 offset wait; run creates the table", tableStatus{State: unattended, LagRecords: lag(1)})
	f("no daemon answers, 12 offsets wait", tableStatus{State: unattended, Exists: true, LagRecords: lag(12)})
	f("12 offsets to go, nothing committed yet", tableStatus{State: "running", Exists: true, LagRecords: lag(12)})
	f("12 offsets to go; the last snapshot is 4s old, the next one is due after 10s or 128MiB",
		tableStatus{State: "running", Exists: true, LagRecords: lag(12), LastCommit: committed(4 * time.Second)})
	f("12 offsets to go; the last snapshot is 1m0s old", tableStatus{State: "running", Exists: true, LagRecords: lag(12), LastCommit: committed(time.Minute)})
}

const adminTable = `{"name": "shop.clicks", "state": "running", "lag_records": 7, "freshness_seconds": 1.5, "commits": 2, "rows": 9,
	"outcomes": {"written": 9}, "last_commit": {"snapshot_id": "42", "at": "2030-01-02T03:04:05Z", "rows": 4}, "later": true,
	"partitions": [{"topic": "clicks", "partition": 3, "lag_records": 7}]}`

// fakeAdmin answers as a daemon's listener does.
func fakeAdmin(t *testing.T, handlers map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, h := range handlers {
		mux.HandleFunc("GET "+path, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func answer(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // the test sees what is missing
	}
}

func TestStatusOfADaemonAlone(t *testing.T) {
	url := fakeAdmin(t, map[string]http.HandlerFunc{
		"/api/v1/tables":             answer(200, `{"tables": [`+adminTable+`]}`),
		"/api/v1/tables/shop.clicks": answer(200, adminTable),
	})
	r := command(t, "status", "--admin", strings.TrimPrefix(url, "http://"))
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "shop.clicks  running  7       1.5s       9     ?          2030-01-02 03:04:05, 4 rows\n")
	require.Contains(t, r.out, "shop.clicks: 7 offsets to go\n  records so far: 9 written\n")
}

func TestStatusOfADaemonThatDoesNotAnswer(t *testing.T) {
	f := func(code int, want, url string) {
		t.Helper()
		r := command(t, "status", "--admin", url)
		require.Equal(t, code, r.code)
		require.Empty(t, r.out)
		require.Contains(t, r.err, want)
	}
	f(failure.ExitRetry, "[E_ADMIN_UNREACHABLE] — is it running", "127.0.0.1:1")
	f(failure.ExitUsage, "is no address of an admin listener", "http://%zz")
	f(failure.ExitFailed, "[E_ADMIN_ANSWER]", fakeAdmin(t, nil))
	f(failure.ExitFailed, "[E_ADMIN_ANSWER]", fakeAdmin(t, map[string]http.HandlerFunc{"/api/v1/tables": answer(200, "<html>")}))
	f(failure.ExitFailed, "not now [E_X] — later", fakeAdmin(t, map[string]http.HandlerFunc{
		"/api/v1/tables": answer(500, `{"detail": "not now", "code": "E_X", "hint": "later"}`),
	}))
}

// --watch looks again until it is interrupted; that is no failure.
func TestStatusWatch(t *testing.T) {
	url := fakeAdmin(t, map[string]http.HandlerFunc{
		"/api/v1/tables":             answer(200, `{"tables": [`+adminTable+`]}`),
		"/api/v1/tables/shop.clicks": answer(200, adminTable),
	})
	w := start(t, "status", "--admin", url, "--watch")
	w.await("7 offsets to go", patience)
	require.NoError(t, w.cmd.Process.Signal(syscall.SIGINT))
	require.Zero(t, w.wait(patience))
	require.NotContains(t, w.out.String(), "\x1b", "nobody looks at a terminal")
}
