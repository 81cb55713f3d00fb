package kafka

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Batches a thousand times as large as what is sent for them: between two polls no more than may wait is decompressed,
// and one batch; every record arrives, in order.
func TestDecompressionIsBounded(t *testing.T) {
	const partitions, records, size = 3, 40, 1 << 20
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "dense"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	producer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(size+1<<10))
	require.NoError(t, err)
	t.Cleanup(producer.Close)
	value := bytes.Repeat([]byte("again "), size/6)
	for i := range partitions * records {
		r := &kgo.Record{Topic: "dense", Partition: int32(i % partitions), Key: []byte(strconv.Itoa(i / partitions)), Value: value}
		require.NoError(t, producer.ProduceSync(t.Context(), r).FirstErr())
	}
	f := Fetch{MaxBatchBytes: 4 << 20}
	cl := connect(t, c, Consuming(f, 1)...)
	from := map[int32]kgo.Offset{}
	for p := range int32(partitions) {
		from[p] = kgo.NewOffset().At(0)
	}
	cl.Kgo.AddConsumePartitions(map[string]map[int32]kgo.Offset{"dense": from})
	next, later := map[int32]int{}, 0
	for seen := 0; seen < partitions*records; {
		fetches := cl.Kgo.PollFetches(t.Context())
		cl.Polled()
		held := 0
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if IsLater(p.Err) {
				later++
				return
			}
			require.NoError(t, p.Err)
			for _, r := range p.Records {
				require.Equal(t, strconv.Itoa(next[p.Partition]), string(r.Key))
				next[p.Partition]++
				seen++
				held += len(r.Value)
				r.Recycle()
			}
		})
		require.LessOrEqual(t, int64(held), f.Queue()+2*size)
	}
	topics, err := cl.Topics(t.Context(), "dense")
	require.NoError(t, err)
	probe, err := cl.Fetch(t.Context(), topics[0], 0, 7, 1<<20)
	require.NoError(t, err)
	require.NotEmpty(t, probe.Records)
	require.Less(t, len(probe.Records), 4, "a probe needs no more")
	require.EqualValues(t, 7+len(probe.Records), probe.Next)
	t.Logf("%d partitions were told to come later", later)
	require.Positive(t, later)
}
