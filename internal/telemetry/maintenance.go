package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ingestd/ingestd/internal/event"
)

// maintenance are the series of a table's maintenance.
type maintenance struct {
	runs         map[string]prometheus.Counter
	last         map[string]prometheus.Gauge
	took         prometheus.Observer
	bytes, files prometheus.Counter
	// What the last look has found.
	live, size, small, score prometheus.Gauge
}

func newMaintenance(b builder, table string) maintenance {
	m := maintenance{
		runs: map[string]prometheus.Counter{}, last: map[string]prometheus.Gauge{}, took: b.histogram(maintenanceTook, table),
		bytes: b.counter(maintenanceBytes, table), files: b.counter(maintenanceFiles, table),
		live: b.gauge(tableFiles, table), size: b.gauge(tableBytes, table),
		small: b.gauge(maintenanceCandidates, table), score: b.gauge(maintenanceScore, table),
	}
	for _, p := range event.Procedures() {
		for _, r := range []event.MaintenanceResult{event.MaintenanceOK, event.MaintenanceFailed} {
			m.runs[p+string(r)] = b.counter(maintenanceRuns, table, p, string(r))
		}
		m.last[p] = b.gauge(maintenanceLast, table, p)
	}
	return m
}

// emit counts a procedure that has ended.
func (m maintenance) emit(e event.MaintenanceDone) {
	if c := m.runs[e.Procedure+string(e.Result)]; c != nil {
		c.Inc()
	}
	if g := m.last[e.Procedure]; g != nil && e.Result == event.MaintenanceOK {
		g.Set(seconds(e.At))
	}
	m.took.Observe(e.Took.Seconds())
	m.bytes.Add(float64(e.Bytes))
	m.files.Add(float64(e.Files))
}

// looked shows what a look has found.
func (m maintenance) looked(e event.MaintenanceLooked) {
	m.live.Set(float64(e.Files))
	m.size.Set(float64(e.Bytes))
	m.small.Set(float64(e.Candidates))
	m.score.Set(float64(e.Score))
}
