package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/events"
)

const schemaID = 7

func broker(t *testing.T) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// registry is a schema registry that gives every subject the same id and notes the schema.
func registry(t *testing.T) (url string, schema *string) {
	t.Helper()
	schema = new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Schema string }
		if json.NewDecoder(r.Body).Decode(&body) != nil || r.URL.Path != "/subjects/a-value/versions" {
			http.Error(w, "what?", http.StatusNotFound)
			return
		}
		*schema = body.Schema
		_, _ = io.WriteString(w, `{"id":`+strconv.Itoa(schemaID)+`}`)
	}))
	t.Cleanup(s.Close)
	return s.URL, schema
}

// consume reads the committed records of a topic up to its end.
func consume(t *testing.T, address, topic string) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	require.NoError(t, err)
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	require.NoError(t, err)
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	var records []*kgo.Record
	next := map[int32]int64{}
	for left > 0 {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			left -= r.Offset + 1 - next[r.Partition] // aborted records are skipped
			next[r.Partition] = r.Offset + 1
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
		})
	}
	return records
}

func TestBothFormatsHoldTheSet(t *testing.T) {
	address := broker(t)
	url, schema := registry(t)
	const n, skip = 500, 100
	require.NoError(t, run(t.Context(), []string{
		"-n", strconv.Itoa(n), "-skip", strconv.Itoa(skip), "-brokers", address, "-registry", url,
		"-avro", "a", "-json", "j", "-partitions", "3", "-recreate",
	}))
	require.Equal(t, events.Schema, *schema)
	avro, text := consume(t, address, "a"), consume(t, address, "j")
	require.Len(t, avro, n-skip)
	require.Len(t, text, n-skip)
	want := map[string]bool{}
	g := events.NewGenerator()
	var e events.Event
	for i := range n {
		g.Next(&e)
		if i >= skip {
			want[string(events.AppendAvro(nil, schemaID, &e))] = true
			want[string(events.AppendJSON(nil, &e))] = true
		}
	}
	for _, r := range append(avro, text...) {
		require.True(t, want[string(r.Value)])
		delete(want, string(r.Value))
		require.Nil(t, r.Key)
	}
	require.Empty(t, want)
	require.EqualValues(t, schemaID, binary.BigEndian.Uint32(avro[0].Value[1:5]))
}

// Every third transaction is aborted and repeated: committed records are the set, once, and offsets have holes.
func TestAbortedTransactionsAreRepeated(t *testing.T) {
	address := broker(t)
	const n = 500
	require.NoError(t, run(t.Context(), []string{
		"-n", strconv.Itoa(n), "-brokers", address, "-json", "j", "-partitions", "1",
		"-transactional", "tx", "-tx-records", "50", "-abort-every", "3", "-abort-tail",
	}))
	seen := map[int64]int{}
	var last int64
	for _, r := range consume(t, address, "j") {
		var e struct {
			ID int64 `json:"event_id"`
		}
		require.NoError(t, json.Unmarshal(r.Value, &e))
		seen[e.ID]++
		last = r.Offset
	}
	require.Len(t, seen, n)
	for id, times := range seen {
		require.Equal(t, 1, times, "event %d", id)
	}
	require.Greater(t, last, int64(n+2*50), "three aborted transactions lie between")
}

func TestKeysFollowTheEvents(t *testing.T) {
	address := broker(t)
	require.NoError(t, run(t.Context(), []string{
		"-n", "200", "-brokers", address, "-json", "j", "-keys", "10", "-compact", "-partitions", "2",
	}))
	partitions := map[string]int32{}
	for _, r := range consume(t, address, "j") {
		if p, ok := partitions[string(r.Key)]; ok {
			require.Equal(t, p, r.Partition, "a key stays in its partition")
		}
		partitions[string(r.Key)] = r.Partition
	}
	require.Len(t, partitions, 10)
}

func TestUsage(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		_, err := parse(args)
		require.ErrorContains(t, err, want)
	}
	f("name a topic")
	f("unexpected argument", "-json", "j", "more")
	f("-compact needs -keys", "-json", "j", "-compact")
	f("need -transactional", "-json", "j", "-abort-every", "2")
}
