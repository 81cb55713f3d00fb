package demo

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

// written gives the lines of a progress after it has seen events; at counts seconds.
func written(t *testing.T, events ...event.Event) []string {
	t.Helper()
	p := newProgress(func() time.Time { return second(0) }, tables)
	for _, e := range events {
		p.Emit(e)
	}
	p.finish()
	p.note("too late")
	var out strings.Builder
	p.write(&out)
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func second(n int) time.Time { return time.Date(2030, 1, 2, 3, 4, n, 0, time.UTC) }

func landed(table string, at int, records, rows int64) event.CommitDone {
	return event.CommitDone{
		Table: table, Result: event.CommitLanded, Rows: rows, Files: 2, Bytes: 3 << 20, At: second(at), Oldest: second(at - 1),
		Counts: outcome.Counts{outcome.Written: rows, outcome.Ignored: records - rows},
	}
}

func TestProgressLines(t *testing.T) {
	lag := func(n int64, partition int32) event.Event {
		return event.LagObserved{Table: clicksTopic, Topic: clicksTopic, Partition: partition, Lag: n}
	}
	got := written(t,
		lag(30_000, 0), lag(20_000, 1),
		landed(clicksTopic, 10, 40_000, 39_000),
		event.CommitDone{Table: clicksTopic, Result: event.CommitLanded, At: second(11)}, // offsets only
		event.CommitDone{Table: clicksTopic, Result: event.CommitFenced, Files: 3, At: second(11)},
		landed(clicksTopic, 20, 5_000, 5_000), // the lag is still the one from before both
		lag(100, 0), lag(0, 1),
		landed(clicksTopic, 22, 100, 100),
		event.StateChanged{Table: logsTopic, To: event.Running, At: second(23)},
		event.StateChanged{Table: logsTopic, To: event.Failed, Code: "E_DECODE", Reason: "record 7", Hint: "look at it", At: second(24)},
		event.StateChanged{Table: logsTopic, To: event.Degraded, Code: "E_STORE", Reason: "gone", At: second(24)},
		event.SourceTrouble{Source: "main", Reason: "reading", Err: errors.New("away"), At: second(25)},
	)
	require.Equal(t, []string{
		"03:04:10  shop.clicks +39,000 rows  4,000 records/s  lag 10,000  freshness 1.0s  2 files, 3.0 MiB",
		"03:04:20  shop.clicks +5,000 rows  500 records/s  lag 5,000  freshness 1.0s  2 files, 3.0 MiB",
		"03:04:22  shop.clicks +100 rows  50 records/s  lag 0  freshness 1.0s  2 files, 3.0 MiB",
		"03:04:24  shop.logs is failed: record 7 [E_DECODE] — look at it",
		"03:04:24  shop.logs is degraded: gone [E_STORE]",
		"03:04:25  source main: reading: away",
	}, got)
}

func TestProgressIsReadyWhenEveryTableHasRows(t *testing.T) {
	p := newProgress(time.Now, tables)
	ready := func() bool { return stopped(p.ready) }
	p.Emit(landed(clicksTopic, 1, 1, 1))
	p.Emit(landed(clicksTopic, 2, 1, 1))
	require.False(t, ready())
	p.Emit(landed(logsTopic, 3, 1, 1))
	require.True(t, ready())
	p.Emit(landed(logsTopic, 4, 1, 1))
}

// A terminal that does not scroll costs lines, never the daemon's time.
func TestProgressNeverBlocks(t *testing.T) {
	p := newProgress(time.Now, tables)
	for i := range 10 * waitingLines {
		p.Emit(landed(clicksTopic, i%60, 1, 1))
	}
	require.Len(t, p.lines, waitingLines)
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		require.Equal(t, want, thousands(n))
	}
	for n, want := range map[int64]string{12: "12 B", 2048: "2.0 KiB", 3 << 20: "3.0 MiB", 5 << 29: "2.5 GiB"} {
		require.Equal(t, want, size(n))
	}
	require.Equal(t, "-", freshness(event.CommitDone{At: second(1)}))
	require.Equal(t, "1 file", files(1))
}
