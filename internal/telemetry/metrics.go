package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ingestd/ingestd/internal/event"
)

// Build says what binary this is.
type Build struct{ Version, Revision, Go string }

// MetricsOptions say which series exist.
type MetricsOptions struct {
	// Tables and Sources are the names of the configuration, the only ones that become labels.
	Tables, Sources []string
	Build           Build
	Now             func() time.Time
}

// Metrics counts events.
type Metrics struct {
	registry *prometheus.Registry
	now      func() time.Time
	tables   map[string]*tableMetrics
	sources  map[string]prometheus.Counter
	paused   map[string]prometheus.Gauge

	buffer, bufferLimit, reloadOK, reloadTime prometheus.Gauge
}

// NewMetrics makes all series.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), now: o.Now,
		tables: map[string]*tableMetrics{}, sources: map[string]prometheus.Counter{}, paused: map[string]prometheus.Gauge{},
	}
	b := newBuilder(m.registry)
	for _, name := range o.Tables {
		m.tables[name] = newTableMetrics(b, name, o.Now())
	}
	for _, name := range o.Sources {
		m.sources[name] = b.counter(sourceTroubles, name)
		m.paused[name] = b.gauge(partitionsPaused, name)
	}
	m.buffer, m.bufferLimit = b.gauge(bufferBytes), b.gauge(bufferLimitBytes)
	m.reloadOK, m.reloadTime = b.gauge(reloadOK), b.gauge(reloadTime)
	m.reloaded(true, o.Now())
	b.gauge(buildInfo, o.Build.Version, o.Build.Revision, o.Build.Go).Set(1)
	m.registry.MustRegister(newDerived(m), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Gatherer gives the metrics to tests and to other exporters.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Freshness is the value of ingestd_table_freshness_seconds; not ok while nothing is known of the table.
func (m *Metrics) Freshness(table string) (age time.Duration, ok bool) {
	t := m.tables[table]
	if t == nil {
		return 0, false
	}
	return t.freshness(m.now())
}

// Emit implements event.Sink. Events of tables and sources that are not in the configuration are dropped.
func (m *Metrics) Emit(e event.Event) {
	switch e := e.(type) {
	case event.SourceTrouble:
		if c := m.sources[e.Source]; c != nil {
			c.Inc()
		}
	case event.Backpressure:
		m.buffer.Set(float64(e.BytesHeld))
		m.bufferLimit.Set(float64(e.BytesLimit))
		if g := m.paused[e.Source]; g != nil {
			g.Set(float64(e.Paused))
		}
	case event.ConfigReloaded:
		m.reloaded(e.OK, e.At)
	default:
		if t := m.tables[tableOf(e)]; t != nil {
			t.emit(e)
		}
	}
}

// tableOf is the table an event is about.
func tableOf(e event.Event) string {
	switch e := e.(type) {
	case event.CommitDone:
		return e.Table
	case event.CommitRetried:
		return e.Table
	case event.StateChanged:
		return e.Table
	case event.SchemaChanged:
		return e.Table
	case event.TableCreated:
		return e.Table
	case event.LagObserved:
		return e.Table
	case event.GroupOffsets:
		return e.Table
	case event.Rewound:
		return e.Table
	case event.ControlObeyed:
		return e.Table
	case event.MaintenanceDone:
		return e.Table
	case event.MaintenanceLooked:
		return e.Table
	}
	return ""
}

func (m *Metrics) reloaded(ok bool, at time.Time) {
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.Set(seconds(at))
}

// seconds is a time in Prometheus' unit.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
