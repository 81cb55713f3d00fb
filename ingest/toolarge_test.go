package ingest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// sendLarge appends a batch of one record of so many bytes.
func (w *world) sendLarge(topic string, bytes int32, codec kgo.CompressionCodec) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(bytes+1<<20), kgo.ProducerBatchCompression(codec), kgo.BrokerMaxWriteBytes(2*bytes+8<<20))
	require.NoError(w.t, err)
	defer cl.Close()
	value := append([]byte(`{"id":1,"name":"`+strings.Repeat("x", int(bytes))), `"}`...)
	require.NoError(w.t, cl.ProduceSync(context.WithoutCancel(w.t.Context()), &kgo.Record{Topic: topic, Value: value}).FirstErr())
}

// TestBatchTooLarge: a batch that explodes when it is decompressed, and one that is too large as it is. The table takes
// everything before it and stops, the other tables of the source go on.
func TestBatchTooLarge(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes int32
		codec kgo.CompressionCodec
		says  string
	}{
		{"decompressed", 8 << 20, kgo.ZstdCompression(), "reading a/0: the batch of offsets 10 to 10 is larger, decompressed, than the 1048576 bytes"},
		{"as it is", 34 << 20, kgo.NoCompression(), "reading a/0: the next batch is larger than the 33554432 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, "b")
			require.NoError(t, w.cluster.CreateTopic("a", 1, map[string]string{"max.message.bytes": "100000000"}))
			w.produce("a", 0, 10)
			w.sendLarge("a", c.bytes, c.codec)
			w.produce("b", 0, 10)
			o := w.options(w.jsonTable("t", "a"), w.jsonTable("u", "b"))
			o.Sources[0].Fetch = kafka.Fetch{MaxBytes: 1 << 20, MaxBatchBytes: 1 << 20}
			rec := o.Events.(*recorder)
			p, wait := w.start(o)
			rec.failed("t", "E_BATCH_TOO_LARGE")
			w.produce("b", 0, 10)
			rec.landed("u", 20)
			p.Drain()
			err := wait()
			require.ErrorContains(t, err, c.says)
			require.Contains(t, failure.HintOf(err), "consumer.max_batch_bytes")
			require.Equal(t, w.expected("a"), w.rows("t", "a"), "what lies before it is committed")
			require.Equal(t, w.expected("b"), w.rows("u", "b"))
		})
	}
}
