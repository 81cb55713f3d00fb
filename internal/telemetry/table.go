package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

// lagMemory is how long a partition's lag is believed. Partitions that moved to another process are not reported any
// more, by anybody.
const lagMemory = time.Minute

// tableMetrics are the series of one table.
type tableMetrics struct {
	maintained maintenance
	name       string
	consumed   prometheus.Counter
	outcomes   [outcome.Count]prometheus.Counter

	rows, files, bytes, retries, conflicts, unknowns, columns, rewound prometheus.Counter

	commits    map[event.CommitResult]prometheus.Counter
	took       prometheus.Observer
	flushed    prometheus.Observer
	states     map[event.State]prometheus.Gauge
	decided    map[string]prometheus.Counter
	latency    prometheus.Gauge
	lastCommit prometheus.Gauge
	ahead      prometheus.Gauge
	started    time.Time

	mu struct {
		sync.Mutex
		// through: everything older than this is in the table, as far as the newest commit tells. Zero before.
		through time.Time
		lag     map[partition]observation
		state   event.State
		// code is why the table has halted, "" while it has not.
		code string
	}
}

// partition is a partition of a topic.
type partition struct {
	topic  string
	number int32
}

// observation is a lag at a time.
type observation struct {
	lag int64
	at  time.Time
}

// newTableMetrics makes the series of a table.
func newTableMetrics(b builder, name string, started time.Time) *tableMetrics {
	t := &tableMetrics{
		name: name, consumed: b.counter(recordsConsumed, name), rows: b.counter(rowsAdded, name),
		files: b.counter(filesWritten, name, contentData), bytes: b.counter(fileBytesWritten, name),
		retries: b.counter(commitRetries, name), conflicts: b.counter(commitConflicts, name),
		unknowns: b.counter(commitUnknowns, name), columns: b.counter(schemaChanges, name, kindColumnsAdded),
		rewound: b.counter(rewinds, name), took: b.histogram(commitDuration, name), flushed: b.histogram(flushDuration, name),
		latency: b.gauge(tableLatency, name), lastCommit: b.gauge(tableLastCommit, name),
		ahead: b.gauge(groupAhead, name), maintained: newMaintenance(b, name),
		commits: map[event.CommitResult]prometheus.Counter{}, states: map[event.State]prometheus.Gauge{}, decided: map[string]prometheus.Counter{}, started: started,
	}
	for _, o := range outcome.All() {
		if o.IsRecord() {
			t.outcomes[o] = b.counter(recordsByOutcome, name, o.String())
		} else {
			t.outcomes[o] = b.counter(offsetsNoRecord, name, o.String())
		}
	}
	for _, r := range []event.CommitResult{event.CommitLanded, event.CommitFenced, event.CommitFailed} {
		t.commits[r] = b.counter(commitsByResult, name, string(r))
	}
	for _, v := range event.Verbs() {
		t.decided[v] = b.counter(decisions, name, v)
	}
	for _, s := range event.States() {
		t.states[s] = b.gauge(tableState, name, string(s))
	}
	t.mu.lag = map[partition]observation{}
	t.enter(event.Pending)
	return t
}

// emit counts an event of the table.
func (t *tableMetrics) emit(e event.Event) {
	switch e := e.(type) {
	case event.CommitDone:
		t.commit(e)
	case event.CommitRetried:
		t.retries.Inc()
	case event.StateChanged:
		t.enter(e.To)
		t.halt(e)
	case event.ControlObeyed:
		if c := t.decided[e.Verb]; c != nil {
			c.Inc()
		}
	case event.SchemaChanged:
		t.columns.Inc()
	case event.Rewound:
		t.rewound.Inc()
	case event.GroupOffsets:
		t.ahead.Set(float64(e.Ahead))
	case event.LagObserved:
		t.observe(e)
	case event.MaintenanceDone:
		t.maintained.emit(e)
	case event.MaintenanceLooked:
		t.maintained.looked(e)
	}
}

// commit counts a commit. Only one that landed settles records.
func (t *tableMetrics) commit(e event.CommitDone) {
	if c := t.commits[e.Result]; c != nil {
		c.Inc()
	}
	t.took.Observe(e.Took.Seconds())
	t.conflicts.Add(float64(e.Conflicts))
	t.unknowns.Add(float64(e.Unknowns))
	if e.Result != event.CommitLanded {
		return
	}
	t.consumed.Add(float64(e.Counts.Records()))
	for o, n := range e.Counts {
		t.outcomes[o].Add(float64(n))
	}
	t.rows.Add(float64(e.Rows))
	t.files.Add(float64(e.Files))
	t.bytes.Add(float64(e.Bytes))
	t.lastCommit.Set(seconds(e.At))
	if e.Files > 0 {
		t.flushed.Observe(e.Flushed.Seconds())
	}
	if !e.Oldest.IsZero() {
		t.latency.Set(max(0, e.At.Sub(e.Oldest).Seconds()))
		t.reached(e.Oldest)
	}
}

// halt notes why the table has halted.
func (t *tableMetrics) halt(e event.StateChanged) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.code = ""
	if e.To == event.Failed {
		t.mu.code = e.Code
	}
}

// halted is the code of the reason, "" while the table has not halted.
func (t *tableMetrics) halted() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mu.code
}

func (t *tableMetrics) enter(s event.State) {
	t.mu.Lock()
	t.mu.state = s
	t.mu.Unlock()
	for state, g := range t.states {
		g.Set(0)
		if state == s {
			g.Set(1)
		}
	}
}

// reached notes that everything older than at is in the table: what is missing came behind the oldest record of the
// newest commit.
func (t *tableMetrics) reached(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.through = at
}

// observe notes the lag of a partition. Partitions are looked at in rounds, so one that is met again proves that all
// have been met, and only then no lag means that everything is there.
func (t *tableMetrics) observe(e event.LagObserved) {
	p := partition{e.Topic, e.Partition}
	t.mu.Lock()
	_, again := t.mu.lag[p]
	t.mu.lag[p] = observation{e.Lag, e.At}
	t.mu.Unlock()
	if total, _ := t.total(e.At); again && total == 0 {
		t.reached(e.At)
	}
}

// total adds up the lag of the partitions that were looked at lately, and forgets the others.
func (t *tableMetrics) total(now time.Time) (sum int64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p, o := range t.mu.lag {
		if now.Sub(o.at) > lagMemory {
			delete(t.mu.lag, p)
			continue
		}
		sum += o.lag
	}
	return sum, len(t.mu.lag) > 0
}

// freshness is how old data can be that the table does not show. A table that stopped is not looked at any more and
// grows older all the same.
func (t *tableMetrics) freshness(now time.Time) (time.Duration, bool) {
	sum, known := t.total(now)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case known && sum == 0:
		return 0, true
	case !known && t.mu.state != event.Failed:
		return 0, false
	case t.mu.through.IsZero(): // nothing committed yet: it is older than this process
		return max(0, now.Sub(t.started)), true
	}
	return max(0, now.Sub(t.mu.through)), true
}
