package telemetry

import "github.com/prometheus/client_golang/prometheus"

// builder makes and registers the vectors of the definitions.
type builder struct {
	counters   map[string]*prometheus.CounterVec
	gauges     map[string]*prometheus.GaugeVec
	histograms map[string]*prometheus.HistogramVec
}

func newBuilder(r prometheus.Registerer) builder {
	b := builder{map[string]*prometheus.CounterVec{}, map[string]*prometheus.GaugeVec{}, map[string]*prometheus.HistogramVec{}}
	for _, d := range definitions() {
		switch {
		case isDerived(d.name):
		case d.kind == counter:
			b.counters[d.name] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.name, Help: d.help}, d.labels)
			r.MustRegister(b.counters[d.name])
		case d.kind == gauge:
			b.gauges[d.name] = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.name, Help: d.help}, d.labels)
			r.MustRegister(b.gauges[d.name])
		default:
			opts := prometheus.HistogramOpts{Name: d.name, Help: d.help, Buckets: durationBuckets()}
			b.histograms[d.name] = prometheus.NewHistogramVec(opts, d.labels)
			r.MustRegister(b.histograms[d.name])
		}
	}
	return b
}

func (b builder) counter(name string, labels ...string) prometheus.Counter {
	return b.counters[name].WithLabelValues(labels...)
}

func (b builder) gauge(name string, labels ...string) prometheus.Gauge {
	return b.gauges[name].WithLabelValues(labels...)
}

func (b builder) histogram(name string, labels ...string) prometheus.Observer {
	return b.histograms[name].WithLabelValues(labels...)
}
