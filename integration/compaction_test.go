//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// awaitCompaction waits until the broker has thrown most of a topic away and throws no more, and sums what is left.
func awaitCompaction(t *testing.T, topic string, produced int64) contents {
	t.Helper()
	var last, now contents
	settled := 0
	eventually(t, 3*time.Minute, "the topic is compacted and settled", func() bool {
		last, now = now, readTopic(t, topic)
		if now == last && now.rows < produced/2 {
			settled++
		} else {
			settled = 0
		}
		// The cleaner looks twice a second; the reads between take a while as well.
		return settled >= 10
	})
	t.Logf("%d of %d records are left", now.rows, produced)
	return now
}

// readTopic reads a topic of JSON events from start to end.
func readTopic(t *testing.T, topic string) contents {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(env.stack.Brokers()), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(t, err)
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	require.NoError(t, err)
	open := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			open[o.Partition] = o.Offset
		}
	})
	var c contents
	var cents, millis int64
	seen := map[int64]bool{}
	for len(open) > 0 {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			var e struct {
				ID       int64 `json:"event_id"`
				Amount   float64
				Duration float64
			}
			require.NoError(t, json.Unmarshal(r.Value, &e))
			c.rows++
			seen[e.ID] = true
			cents += int64(math.Round(e.Amount * 100))
			millis += int64(math.Round(e.Duration * 1000))
			// The newest record of a partition is never compacted away.
			if r.Offset >= open[r.Partition]-1 {
				delete(open, r.Partition)
			}
		})
	}
	c.distinct = int64(len(seen))
	c.amount, c.duration = float64(cents)/100, math.Round(float64(millis)/10)/100
	return c
}
