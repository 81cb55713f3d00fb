package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// derived collects the metrics that depend on the time of asking.
type derived struct {
	metrics                *Metrics
	freshness, lag, halted *prometheus.Desc
}

// isDerived says that a metric belongs to the collector and has no vector.
func isDerived(name string) bool {
	return name == tableFreshness || name == partitionLag || name == tableHalted
}

func newDerived(m *Metrics) *derived {
	c := &derived{metrics: m}
	for _, d := range definitions() {
		desc := prometheus.NewDesc(d.name, d.help, d.labels, nil)
		switch d.name {
		case tableFreshness:
			c.freshness = desc
		case partitionLag:
			c.lag = desc
		case tableHalted:
			c.halted = desc
		}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *derived) Describe(out chan<- *prometheus.Desc) {
	out <- c.freshness
	out <- c.lag
	out <- c.halted
}

// Collect implements prometheus.Collector.
func (c *derived) Collect(out chan<- prometheus.Metric) {
	now := c.metrics.now()
	for name, t := range c.metrics.tables {
		if age, ok := t.freshness(now); ok {
			out <- prometheus.MustNewConstMetric(c.freshness, prometheus.GaugeValue, age.Seconds(), name)
		}
		if code := t.halted(); code != "" {
			out <- prometheus.MustNewConstMetric(c.halted, prometheus.GaugeValue, 1, name, code)
		}
		for _, m := range t.lags(c.lag) {
			out <- m
		}
	}
}

// lags are the series of the partitions. freshness has just dropped those that left.
func (t *tableMetrics) lags(desc *prometheus.Desc) []prometheus.Metric {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []prometheus.Metric
	for p, o := range t.mu.lag {
		out = append(out, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(o.lag),
			t.name, p.topic, strconv.Itoa(int(p.number))))
	}
	return out
}
