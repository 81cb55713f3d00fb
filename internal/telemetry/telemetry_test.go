package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the tests happen.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// logged runs f with a sink and gives the lines it wrote, without the time.
func logged(t *testing.T, console bool, f func(*LogSink)) []string {
	t.Helper()
	var out bytes.Buffer
	log, _, err := NewLogger(LogOptions{Level: "info", Console: console, Output: &out})
	require.NoError(t, err)
	f(NewLogSink(log))
	var lines []string
	for line := range strings.Lines(out.String()) {
		if console {
			_, line, _ = strings.Cut(line, "\t")
			lines = append(lines, strings.TrimSuffix(line, "\n"))
			continue
		}
		var fields map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		require.NotEmpty(t, fields["time"])
		start := strings.Index(line, `,"time":"`)
		end := start + len(`,"time":"`) + strings.Index(line[start+len(`,"time":"`):], `"`) + 1
		lines = append(lines, strings.TrimSpace(line[:start]+line[end:]))
	}
	return lines
}

func landed() event.CommitDone {
	e := event.CommitDone{
		Table: "shop.clicks", Result: event.CommitLanded, SnapshotID: 1<<62 + 1, CommitID: "c1", Rows: 90, Files: 2, Bytes: 4096,
		Took: 250 * time.Millisecond, Flushed: 100 * time.Millisecond, Oldest: noon.Add(-12 * time.Second), At: noon,
	}
	e.Counts[outcome.Written] = 90
	return e
}

func TestOneLinePerEvent(t *testing.T) {
	f := func(e event.Event, want ...string) {
		t.Helper()
		require.Equal(t, want, logged(t, false, func(s *LogSink) { s.Emit(e) }))
	}
	commit := landed()
	f(commit, `{"level":"info","msg":"committed","table":"shop.clicks","snapshot_id":"4611686018427387905","commit_id":"c1",`+
		`"rows":90,"files":2,"bytes":4096,"took":0.25,"flushed":0.1,"lag":12}`)
	commit.Counts[outcome.Skipped], commit.Counts[outcome.Control], commit.Conflicts = 3, 1, 2
	f(commit, `{"level":"info","msg":"committed","table":"shop.clicks","snapshot_id":"4611686018427387905","commit_id":"c1",`+
		`"rows":90,"files":2,"bytes":4096,"took":0.25,"flushed":0.1,"lag":12,"outcomes":{"written":90,"skipped":3,"control":1},`+
		`"conflicts":2,"unknowns":0}`)
	progress := landed()
	progress.Files, progress.Counts = 0, outcome.Counts{outcome.Unseen: 7}
	f(progress, `{"level":"info","msg":"progress committed","table":"shop.clicks","snapshot_id":"4611686018427387905",`+
		`"commit_id":"c1","offsets":7,"took":0.25}`)
	fenced := landed()
	fenced.Result = event.CommitFenced
	f(fenced, `{"level":"warn","msg":"commit fenced: another writer holds these offsets, the batch is dropped and read again",`+
		`"table":"shop.clicks","records":90}`)
	failed := landed()
	failed.Result = event.CommitFailed
	f(failed, `{"level":"error","msg":"commit failed","table":"shop.clicks","records":90,"took":0.25}`)

	f(event.StateChanged{Table: "t", From: event.Pending, To: event.Running},
		`{"level":"info","msg":"table is running","table":"t","from":"pending","to":"running"}`)
	f(event.StateChanged{Table: "t", From: event.Running, To: event.Degraded, Reason: "slow"},
		`{"level":"warn","msg":"table is degraded","table":"t","from":"running","to":"degraded","reason":"slow"}`)
	f(event.StateChanged{Table: "t", From: event.Running, To: event.Failed, Code: "E_X", Reason: "gone\n", Hint: "run y"},
		`{"level":"error","msg":"table is failed","table":"t","from":"running","to":"failed","code":"E_X","reason":"gone\n","hint":"run y"}`)
	f(event.TableCreated{Table: "t", Location: "s3://b/t"}, `{"level":"info","msg":"table created","table":"t","location":"s3://b/t"}`)
	f(event.SchemaChanged{Table: "t", Added: []string{"a", "b.c"}}, `{"level":"info","msg":"columns added","table":"t","columns":["a","b.c"]}`)
	f(event.ControlObeyed{Table: "t", Verb: "resume", By: "ann", Reason: "mended"},
		`{"level":"warn","msg":"obeying an operator's decision","table":"t","verb":"resume","by":"ann","reason":"mended"}`)
	f(event.Rewound{Table: "t", Reason: "fenced"}, `{"level":"warn","msg":"cursors set back to the table's state","table":"t","reason":"fenced"}`)
	f(event.CommitRetried{Table: "t", Attempt: 2, Reason: "conflict", Err: failure.New(failure.Retry, "E_BUSY", "wait", "busy")},
		`{"level":"warn","msg":"commit retried","error":"busy","code":"E_BUSY","hint":"wait","table":"t","attempt":2,"reason":"conflict"}`)
	f(event.CommitRetried{Table: "t", Attempt: 1, Reason: "conflict"},
		`{"level":"warn","msg":"commit retried","table":"t","attempt":1,"reason":"conflict"}`)
	f(event.SourceTrouble{Source: "main", Reason: "asking", Err: errors.New("no route")},
		`{"level":"warn","msg":"source in trouble","error":"no route","source":"main","reason":"asking"}`)
	group := event.GroupOffsets{Table: "t", Source: "main", Group: "g", Topic: "a", Partition: 1, Published: 9, Stored: 5}
	f(group)
	group.Ahead = 2
	f(group, `{"level":"error","msg":"group offsets are above the table's: commits have left the table","table":"t","source":"main","group":"g",`+
		`"topic":"a","partition":1,"group_offset":9,"table_offset":5,"partitions":2}`)
	group.Ahead, group.Foreign = 0, 1
	f(group, `{"level":"warn","msg":"group offsets that somebody else has set are ignored: the table decides; `+"`ingestd tables rewind`"+` sets it back","table":"t",`+
		`"source":"main","group":"g","topic":"a","partition":1,"group_offset":9,"table_offset":5,"partitions":1}`)
	f(event.Backpressure{Source: "main", Paused: 3, BytesHeld: 1, BytesLimit: 9, LargestHeld: "t"},
		`{"level":"warn","msg":"partitions paused: more waits for them than the lanes have decoded","source":"main","paused":3,"held_bytes":1,"limit_bytes":9,"largest":"t"}`)
	f(event.Backpressure{Source: "main", Paused: 3, BytesHeld: 10, BytesLimit: 9, LargestHeld: "t", Spent: true},
		`{"level":"warn","msg":"partitions paused: the memory budget is spent","source":"main","paused":3,"held_bytes":10,"limit_bytes":9,"largest":"t"}`)
	f(event.Backpressure{BytesHeld: 10, BytesLimit: 90})
	f(event.LagObserved{Table: "t", Lag: 10})
	f(event.ConfigReloaded{OK: true})
}

func TestConsoleLines(t *testing.T) {
	lines := logged(t, true, func(s *LogSink) {
		s.Emit(event.StateChanged{Table: "t", From: "pending", To: "running", Reason: "a\tb\x1b[31m"})
	})
	require.Equal(t, []string{"INFO\ttable is running\t" + `{"table": "t", "from": "pending", "to": "running", "reason": "a\tb\u001b[31m"}`}, lines)
}

func TestLevels(t *testing.T) {
	var out bytes.Buffer
	log, level, err := NewLogger(LogOptions{Level: "warn", Output: &out})
	require.NoError(t, err)
	log.Info("one")
	level.SetLevel(zap.DebugLevel)
	log.Debug("two")
	require.NotContains(t, out.String(), "one")
	require.Contains(t, out.String(), "two")

	_, _, err = NewLogger(LogOptions{Level: "loud"})
	require.EqualError(t, err, `setting up the log: unrecognized level: "loud"`)
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

func TestRepeatedWarningsAreCounted(t *testing.T) {
	lines := logged(t, false, func(s *LogSink) {
		for i := range 25 {
			at := noon.Add(time.Duration(i) * time.Second)
			s.Emit(event.SourceTrouble{Source: "main", Reason: "asking", At: at})
			s.Emit(event.Backpressure{Paused: i % 2, At: at})
		}
		s.Emit(event.SourceTrouble{Source: "other", Reason: "asking", At: noon})
	})
	require.Len(t, lines, 3+3+1)
	require.Contains(t, lines[2], `"repeated":9`)
	require.NotContains(t, lines[6], "repeated")
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter()
	for i := range 3 * maxQuiet {
		ok, _ := l.allow(fmt.Sprint(i), noon)
		require.True(t, ok)
	}
	require.LessOrEqual(t, len(l.mu.seen), maxQuiet)
}

// TestConcurrentEvents is for the race detector.
func TestConcurrentEvents(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	var out bytes.Buffer
	log, _, err := NewLogger(LogOptions{Level: "info", Output: &out})
	require.NoError(t, err)
	sink := event.Fanout{m, NewLogSink(log)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 50 {
				sink.Emit(landed())
				sink.Emit(event.LagObserved{Table: "shop.clicks", Topic: "clicks", Partition: int32(i), Lag: int64(i), At: noon})
				sink.Emit(event.StateChanged{Table: "shop.clicks", To: event.Running, At: noon})
				m.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 200, value(t, m, commitsByResult, labelTable, "shop.clicks", labelResult, "ok"))
}
