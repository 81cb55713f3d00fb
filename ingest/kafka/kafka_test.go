package kafka

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/failure"
)

func cluster(t *testing.T, topics ...string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, topics...))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func connect(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *Client {
	t.Helper()
	cl, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs()}, opts...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func produce(t *testing.T, c *kfake.Cluster, topic string, partition int32, n int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer cl.Close()
	for i := range n {
		require.NoError(t, cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Append(nil, i)}).FirstErr())
	}
}

func TestTopicsAndOffsets(t *testing.T) {
	c := cluster(t, "a", "ab", "b")
	cl := connect(t, c)
	produce(t, c, "a", 1, 3)
	require.NotEmpty(t, cl.Cluster())
	topics, err := cl.Topics(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 2, topics[0].Partitions)
	require.NotZero(t, topics[0].ID)
	matched, err := cl.Matching(t.Context(), regexp.MustCompile("a.?"))
	require.NoError(t, err)
	require.Len(t, matched, 2)
	ends, err := cl.Offsets(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, Ends{0, 3, 3}, ends[Partition{"a", 1}])
	require.Equal(t, Ends{0, 0, 0}, ends[Partition{"a", 0}])
}

func TestGroupOffsets(t *testing.T) {
	cl := connect(t, cluster(t, "a"))
	none, err := cl.GroupOffsets(t.Context(), "g")
	require.NoError(t, err, "the group does not exist yet")
	require.Empty(t, none)
	want := map[Partition]GroupOffset{{"a", 1}: {At: 7, Note: "note"}}
	require.NoError(t, cl.CommitGroup(t.Context(), "g", want, false))
	got, err := cl.GroupOffsets(t.Context(), "g")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestUnknownTopicIsNamed(t *testing.T) {
	cl := connect(t, cluster(t, "a"))
	_, err := cl.Topics(t.Context(), "nope")
	require.ErrorContains(t, err, "nope")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, "E_TOPIC_UNKNOWN", failure.CodeOf(err))
}

func TestFetchReadsFromAnExactOffset(t *testing.T) {
	c := cluster(t, "a")
	cl := connect(t, c)
	produce(t, c, "a", 0, 5)
	topics, err := cl.Topics(t.Context(), "a")
	require.NoError(t, err)
	probe, err := cl.Fetch(t.Context(), topics[0], 0, 3, 1<<20)
	require.NoError(t, err)
	require.Len(t, probe.Records, 2)
	require.EqualValues(t, 3, probe.Records[0].Offset)
	require.EqualValues(t, 5, probe.Next)
	end, err := cl.Fetch(t.Context(), topics[0], 0, 5, 1<<20)
	require.NoError(t, err)
	require.Empty(t, end.Records)
	require.EqualValues(t, 5, end.Next)
}

// TestSeekDropsWhatWasBuffered is what rewinds rest on: after removing and adding a partition no record of the time
// before is handed out.
func TestSeekDropsWhatWasBuffered(t *testing.T) {
	c := cluster(t, "a")
	produce(t, c, "a", 0, 50)
	cl := connect(t, c, append(Consuming(Fetch{}, 1), kgo.MaxConcurrentFetches(1))...)
	at := func(o int64) map[string]map[int32]kgo.Offset {
		return map[string]map[int32]kgo.Offset{"a": {0: kgo.NewOffset().At(o)}}
	}
	cl.Kgo.AddConsumePartitions(at(0))
	first := cl.Kgo.PollRecords(t.Context(), 5).Records()
	require.NotEmpty(t, first)
	for round := range 5 {
		cl.Kgo.RemoveConsumePartitions(map[string][]int32{"a": {0}})
		cl.Kgo.AddConsumePartitions(at(int64(round)))
		got := cl.Kgo.PollRecords(t.Context(), 3).Records()
		require.EqualValues(t, round, got[0].Offset)
	}
}

func TestPositionRoundTrip(t *testing.T) {
	for _, o := range []int64{0, 1, 127, 128, 1 << 40} {
		got, err := DecodePosition(EncodePosition(o))
		require.NoError(t, err)
		require.Equal(t, o, got)
	}
	for _, bad := range []string{"", "\x80", "\x01\x01", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		_, err := DecodePosition(bad)
		require.Error(t, err, "%x", bad)
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add(Fingerprint{3, 17, 1700000000000, 42}.Encode())
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		fp, ok := DecodeFingerprint(b)
		if !ok {
			return
		}
		again, ok := DecodeFingerprint(fp.Encode())
		if !ok || again != fp {
			t.Fatalf("%x reads as %+v, again as %+v", b, fp, again)
		}
	})
}

func TestUnreachableBroker(t *testing.T) {
	_, err := Connect(t.Context(), Options{Brokers: []string{"127.0.0.1:1"}})
	require.Equal(t, failure.ExitRetry, failure.ExitCode(err), "%v", err)
	require.Equal(t, "E_KAFKA_UNREACHABLE", failure.CodeOf(err))
}

func TestWrongPassword(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "right"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	_, err = Connect(t.Context(), Options{Brokers: c.ListenAddrs(), SASL: SASL{Mechanism: "PLAIN", Username: "u", Password: "wrong"}})
	require.Equal(t, failure.ExitConfig, failure.ExitCode(err), "%v", err)
	// This fake closes the connection where a real broker answers with an authentication error.
	require.Contains(t, []string{"E_KAFKA_AUTH", "E_KAFKA_HANDSHAKE"}, failure.CodeOf(err))
	require.NotContains(t, err.Error(), "wrong")
	cl, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs(), SASL: SASL{Mechanism: "PLAIN", Username: "u", Password: "right"}})
	require.NoError(t, err)
	cl.Close()
}

func TestUnknownMechanism(t *testing.T) {
	_, err := Connect(t.Context(), Options{Brokers: []string{"x:1"}, SASL: SASL{Mechanism: "GSSAPI"}})
	require.Equal(t, failure.ExitConfig, failure.ExitCode(err))
}
