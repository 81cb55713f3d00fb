package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each retained snapshot repeats the positions of all partitions in metadata.json, which every commit writes and every
// load reads: what a partition takes there is bounded. Positions are eight characters here, more than those of Kafka.
func TestBytesPerPartitionAndSnapshot(t *testing.T) {
	const few, many, commits, limit = 1, 1001, 10, 22
	grown := func(name string, partitions int) float64 {
		l := newLine(t, openSQLite(t, t.TempDir()), name, partitions)
		l.commit(t)
		l.commit(t)
		from := l.costs[1].metadata
		for range commits {
			l.commit(t)
		}
		return float64(l.costs[len(l.costs)-1].metadata-from) / commits
	}
	alone, all := grown("few", few), grown("many", many)
	per := (all - alone) / (many - few)
	t.Logf("a snapshot takes %.0f bytes, and %.1f for each partition", alone, per)
	require.LessOrEqual(t, per, float64(limit))
}
