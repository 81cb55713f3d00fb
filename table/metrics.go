package table

import (
	"maps"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// The table properties that say which statistics go into manifests.
const (
	metricsDefault    = "write.metadata.metrics.default"
	metricsColumn     = "write.metadata.metrics.column."
	metricsMaxColumns = "write.metadata.metrics.max-inferred-column-defaults"
	// defaultMaxColumns is Iceberg's: a table of a thousand columns would otherwise carry them all in every entry
	// of every manifest.
	defaultMaxColumns = 100
)

// metricsModes says for each field id what of its statistics is kept. Bounds are always those of truncate(16);
// modes with another length, and full, get them as well, since shorter bounds are allowed everywhere.
type metricsModes struct {
	dropAll    map[int]bool // nothing is
	dropBounds map[int]bool // counts are
}

func newMetricsModes(l *column.Layout, props iceberg.Properties) metricsModes {
	limit, err := strconv.Atoi(props[metricsMaxColumns])
	if err != nil {
		limit = defaultMaxColumns
	}
	fallback, explicit := props[metricsDefault]
	m := metricsModes{dropAll: map[int]bool{}, dropBounds: map[int]bool{}}
	for i, name := range leafNames(l) {
		id := l.Leaves[i].FieldID
		mode, ok := props[metricsColumn+name]
		switch {
		case ok:
		case explicit || i < limit:
			mode = fallback
		default:
			mode = "none"
		}
		switch strings.ToLower(mode) {
		case "none":
			m.dropAll[id] = true
		case "counts":
			m.dropBounds[id] = true
		}
	}
	return m
}

// KeepMetrics drops the statistics that the table's properties do not want in manifests.
func KeepMetrics(l *column.Layout, props iceberg.Properties, m *parquet.Metrics) {
	newMetricsModes(l, props).apply(m)
}

// leafNames gives the dotted name of each leaf as Iceberg spells it: without Parquet's repeated groups.
func leafNames(l *column.Layout) []string {
	names := make([]string, len(l.Leaves))
	var walk func(n *column.Node, name string)
	walk = func(n *column.Node, name string) {
		if n.Leaf >= 0 {
			names[n.Leaf] = name
		}
		for _, c := range n.Children {
			walk(c, name+"."+c.Field.Name)
		}
	}
	for _, n := range l.Nodes {
		walk(n, n.Field.Name)
	}
	return names
}

func (m metricsModes) apply(x *parquet.Metrics) {
	for _, counts := range []map[int]int64{x.ColumnSizes, x.ValueCounts, x.NullCounts, x.NaNCounts} {
		drop(counts, m.dropAll)
	}
	for _, bounds := range []map[int][]byte{x.Lower, x.Upper} {
		drop(bounds, m.dropAll)
		drop(bounds, m.dropBounds)
	}
}

func drop[V any](m map[int]V, ids map[int]bool) {
	maps.DeleteFunc(m, func(id int, _ V) bool { return ids[id] })
}
