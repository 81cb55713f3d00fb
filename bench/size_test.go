package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/integration/events"
	"github.com/ingestd/ingestd/table/parquet"
)

// Speed is only claimed at a file size not larger than that of other writers for the same rows: 25.6 bytes per event.
func TestFilesOfTheEventSetAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("draws a million events")
	}
	recs := eventSet(1_000_000)
	f := func(o parquet.Options, limit float64) {
		t.Helper()
		p, err := avroPipeline(events.Schema, o)
		require.NoError(t, err)
		m, err := p.run(recs, io.Discard)
		require.NoError(t, err)
		require.EqualValues(t, len(recs), m.Rows)
		perRow := float64(m.FileSize) / float64(m.Rows)
		t.Logf("%s: %.2f bytes per row", o.Encoding, perRow)
		require.LessOrEqual(t, perRow, limit)
	}
	f(parquet.Options{}, 25.6)
	f(parquet.Options{Encoding: parquet.Delta}, 24.4)
}

// The pipelines that are compared do the same work: row counts and sizes of the same order.
func TestCandidatesRun(t *testing.T) {
	cands, err := candidates(options{records: 2000, events: 2000})
	require.NoError(t, err)
	require.Len(t, cands, 8)
	results, err := measure(cands, 1, 0)
	require.NoError(t, err)
	for _, r := range results {
		require.Positive(t, r.nanos, r.name)
		require.InDelta(t, 50, r.bytes, 30, r.name)
	}
	require.NoError(t, report(io.Discard, results[:1]))
}

func TestGatesFail(t *testing.T) {
	slow := result{candidate: candidate{name: "ours", base: "naive", gate: 6}, ratio: 5.5}
	require.ErrorContains(t, report(io.Discard, []result{slow}), "ours is 5.5 times as fast as naive; the gate is 6.0")
	leaky := result{candidate: candidate{name: "ours", noAlloc: true}, allocs: 1}
	require.ErrorContains(t, report(io.Discard, []result{leaky}), "ours allocates 1.00 times per record")
}
