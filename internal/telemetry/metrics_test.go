package telemetry

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

var rewrite = flag.Bool("rewrite", false, "write docs/METRICS.md instead of comparing it")

func newTestMetrics(now func() time.Time) *Metrics {
	return NewMetrics(MetricsOptions{
		Tables: []string{"shop.clicks", "shop.logs"}, Sources: []string{"main"},
		Build: Build{Version: "v1.2.3", Revision: "abc", Go: "go1.26"}, Now: now,
	})
}

// series is everything m exposes of ours: name and labels to value (histograms: number of observations). Values are
// whole numbers in all tests.
func series(t require.TestingT, m *Metrics) map[string]int64 {
	families, err := m.Gatherer().Gather()
	require.NoError(t, err)
	out := map[string]int64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "ingestd_") {
			continue
		}
		for _, s := range f.GetMetric() {
			key := f.GetName()
			for _, l := range s.GetLabel() {
				key += " " + l.GetName() + "=" + l.GetValue()
			}
			out[key] = int64(s.GetCounter().GetValue()+s.GetGauge().GetValue()) + int64(s.GetHistogram().GetSampleCount())
		}
	}
	return out
}

// value is one series; it must exist. Labels come in pairs.
func value(t require.TestingT, m *Metrics, name string, labels ...string) int64 {
	var pairs []string
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, " "+labels[i]+"="+labels[i+1])
	}
	slices.Sort(pairs)
	v, ok := series(t, m)[name+strings.Join(pairs, "")]
	require.True(t, ok, "there is no series %s %v", name, labels)
	return v
}

// TestConsumedIsTheSumOfOutcomes holds the identity of docs/METRICS.md over any history of commits.
func TestConsumedIsTheSumOfOutcomes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newTestMetrics(func() time.Time { return noon })
		var settled outcome.Counts
		rows := int64(0)
		for range rapid.IntRange(0, 10).Draw(t, "commits") {
			e := landed()
			e.Result = rapid.SampledFrom([]event.CommitResult{event.CommitLanded, event.CommitFenced, event.CommitFailed}).Draw(t, "result")
			for o := range e.Counts {
				e.Counts[o] = rapid.Int64Range(0, 1000).Draw(t, "count")
			}
			m.Emit(e)
			m.Emit(event.CommitRetried{Table: e.Table})
			if e.Result == event.CommitLanded {
				settled.Add(e.Counts)
				rows += e.Rows
			}
		}
		consumed, sum := value(t, m, recordsConsumed, labelTable, "shop.clicks"), int64(0)
		for _, o := range outcome.All() {
			if o.IsRecord() {
				sum += value(t, m, recordsByOutcome, labelTable, "shop.clicks", labelOutcome, o.String())
				continue
			}
			require.Equal(t, settled[o], value(t, m, offsetsNoRecord, labelTable, "shop.clicks", labelKind, o.String()))
		}
		require.Equal(t, consumed, sum)
		require.Equal(t, settled.Records(), consumed, "only commits that landed count")
		require.Equal(t, rows, value(t, m, rowsAdded, labelTable, "shop.clicks"))
		require.Zero(t, value(t, m, recordsConsumed, labelTable, "shop.logs"))
	})
}

func TestEventsBecomeMetrics(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	e := landed()
	e.Conflicts, e.Unknowns = 2, 1
	for _, e := range []event.Event{
		e, event.CommitRetried{Table: "shop.clicks"}, event.Rewound{Table: "shop.clicks"}, event.SourceTrouble{Source: "main"},
		event.SchemaChanged{Table: "shop.clicks", Added: []string{"a"}}, event.TableCreated{Table: "shop.clicks"},
		event.StateChanged{Table: "shop.clicks", To: event.Running},
		event.Backpressure{Source: "main", Paused: 2, BytesHeld: 100, BytesLimit: 200},
		event.Backpressure{Source: "other", Paused: 0, BytesHeld: 100, BytesLimit: 200},
		event.GroupOffsets{Table: "shop.clicks", Ahead: 3},
		event.LagObserved{Table: "shop.clicks", Topic: "clicks", Partition: 3, Lag: 7, At: noon},
		event.ConfigReloaded{OK: false, At: noon.Add(time.Minute)},
	} {
		m.Emit(e)
	}
	got, table := series(t, m), "table=shop.clicks"
	for key, want := range map[string]int64{
		commitsByResult + " result=ok " + table: 1, commitConflicts + " " + table: 2, commitUnknowns + " " + table: 1,
		commitRetries + " " + table: 1, commitDuration + " " + table: 1, flushDuration + " " + table: 1,
		filesWritten + " content=data " + table: 2, fileBytesWritten + " " + table: 4096, rewinds + " " + table: 1,
		schemaChanges + " kind=columns_added " + table: 1, sourceTroubles + " source=main": 1,
		tableState + " state=running " + table: 1, tableState + " state=pending " + table: 0,
		tableState + " state=pending table=shop.logs": 1, bufferBytes: 100, bufferLimitBytes: 200,
		partitionsPaused + " source=main": 2, groupAhead + " table=shop.clicks": 3,
		partitionLag + " partition=3 " + table + " topic=clicks": 7, tableLatency + " " + table: 12,
		tableFreshness + " " + table: 12, tableLastCommit + " " + table: noon.Unix(),
		reloadOK: 0, reloadTime: noon.Unix(), buildInfo + " goversion=go1.26 revision=abc version=v1.2.3": 1,
	} {
		require.Contains(t, got, key)
		require.Equal(t, want, got[key], key)
	}
}

func TestMaintenanceBecomesMetrics(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	m.Emit(event.MaintenanceLooked{Table: "shop.clicks", Files: 9, Candidates: 7, Bytes: 100, Score: 50})
	m.Emit(event.MaintenanceDone{Table: "shop.clicks", Procedure: "rewrite_data_files", Result: event.MaintenanceOK, Files: 7, Added: 1, Bytes: 70, At: noon})
	got, table := series(t, m), " table=shop.clicks"
	for key, want := range map[string]int64{
		tableFiles + table: 9, maintenanceCandidates + table: 7, tableBytes + table: 100, maintenanceScore + table: 50,
		maintenanceFiles + table: 7, maintenanceBytes + table: 70,
		maintenanceRuns + " procedure=rewrite_data_files result=ok" + table: 1,
		maintenanceLast + " procedure=rewrite_data_files" + table:           noon.Unix(),
	} {
		require.Contains(t, got, key)
		require.Equal(t, want, got[key], key)
	}
}

// TestSeriesAreThereFromTheStartAndBounded: no event creates a series but those of partitions.
func TestSeriesAreThereFromTheStartAndBounded(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	before := slices.Sorted(maps.Keys(series(t, m)))
	for _, d := range definitions() {
		if !isDerived(d.name) {
			require.True(t, slices.ContainsFunc(before, func(s string) bool { return s == d.name || strings.HasPrefix(s, d.name+" ") }), d.name)
		}
	}
	for _, table := range []string{"shop.clicks", "unknown"} {
		e := landed()
		e.Table = table
		for _, e := range []event.Event{e, event.CommitRetried{Table: table}, event.StateChanged{Table: table, To: "odd"},
			event.SourceTrouble{Source: table}, event.LagObserved{Table: "unknown", Topic: "x"}} {
			m.Emit(e)
		}
	}
	require.Equal(t, before, slices.Sorted(maps.Keys(series(t, m))))
}

// A halted table says why; one that goes on says nothing.
func TestHaltsAndDecisions(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	key := tableHalted + " code=E_X table=shop.clicks"
	require.NotContains(t, series(t, m), key)
	m.Emit(event.StateChanged{Table: "shop.clicks", To: event.Failed, Code: "E_X"})
	require.EqualValues(t, 1, series(t, m)[key])
	m.Emit(event.ControlObeyed{Table: "shop.clicks", Verb: "resume"})
	m.Emit(event.StateChanged{Table: "shop.clicks", To: event.Pending})
	require.NotContains(t, series(t, m), key)
	require.EqualValues(t, 1, series(t, m)[decisions+" table=shop.clicks verb=resume"])
}

func TestFreshness(t *testing.T) {
	now := noon
	m := newTestMetrics(func() time.Time { return now })
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	f := func(after time.Duration, want time.Duration, known bool) {
		t.Helper()
		now = at(after)
		got, ok := m.Freshness("shop.clicks")
		require.Equal(t, known, ok)
		require.Equal(t, want, got)
		_, exposed := series(t, m)[tableFreshness+" table=shop.clicks"]
		require.Equal(t, known, exposed)
	}
	lag := func(after time.Duration, partition int32, n int64) {
		m.Emit(event.LagObserved{Table: "shop.clicks", Topic: "c", Partition: partition, Lag: n, At: at(after)})
	}
	f(0, 0, false) // nothing known: perhaps another process reads it
	lag(time.Second, 0, 100)
	f(5*time.Second, 5*time.Second, true) // a backlog of unknown age: at least since the start
	e := landed()
	e.Oldest, e.At = at(-time.Hour), at(10*time.Second)
	m.Emit(e)
	f(10*time.Second, time.Hour+10*time.Second, true) // the backlog shows its age
	lag(11*time.Second, 1, 3)
	lag(11*time.Second, 0, 0)
	f(11*time.Second, time.Hour+11*time.Second, true)
	lag(12*time.Second, 1, 0)
	f(12*time.Second, 0, true)
	f(50*time.Second, 0, true)
	lag(60*time.Second, 0, 0)
	lag(60*time.Second, 1, 1)
	f(61*time.Second, time.Second, true) // new data after an idle time is as old as the last look, not as the last commit
	f(200*time.Second, 0, false)         // nobody looks any more
	m.Emit(event.StateChanged{Table: "shop.clicks", To: event.Failed})
	f(201*time.Second, 141*time.Second, true) // because the table stopped

	_, ok := m.Freshness("unknown")
	require.False(t, ok)
}

func TestPartitionsThatLeaveLoseTheirSeries(t *testing.T) {
	now := noon
	m := newTestMetrics(func() time.Time { return now })
	m.Emit(event.LagObserved{Table: "shop.clicks", Topic: "c", Partition: 0, Lag: 1, At: noon})
	require.EqualValues(t, 1, value(t, m, partitionLag, labelTable, "shop.clicks", labelTopic, "c", labelPartition, "0"))
	now = noon.Add(lagMemory + time.Second)
	require.NotContains(t, series(t, m), partitionLag+" partition=0 table=shop.clicks topic=c")
}

func TestMetricsFollowTheConventions(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	m.Emit(event.LagObserved{Table: "shop.clicks", Topic: "c", At: noon})
	families, err := m.Gatherer().Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	for _, d := range definitions() {
		require.Contains(t, []string{counter, gauge, histogram}, d.kind)
		require.Regexp(t, `^[A-Z0-9].*\.$`, d.help)
	}
}

func TestHandlerServesText(t *testing.T) {
	m := newTestMetrics(func() time.Time { return noon })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `ingestd_build_info{goversion="go1.26",revision="abc",version="v1.2.3"} 1`)
	require.Contains(t, w.Body.String(), "go_goroutines")
}

func TestMetricsPageIsCurrent(t *testing.T) {
	const file = "../../docs/METRICS.md"
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(Markdown()), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, Markdown(), string(have), "run: go test ./internal/telemetry -rewrite")
}
