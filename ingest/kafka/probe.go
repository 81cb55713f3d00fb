package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Probe is what one fetch from an exact offset showed.
type Probe struct {
	// Records are the committed records and markers found, oldest first.
	Records []*kgo.Record
	// Next is the offset behind everything the answer covered. It moves past a compacted hole or an aborted tail even
	// when there is no record to show, which is how the end of such a topic is reached.
	Next int64
	Ends Ends
}

// Fetch reads once from an exact offset, beside the consumer. It serves the questions a consumer cannot answer: is
// there anything behind this offset, and what is the first record. The answer holds at most about maxBytes.
func (c *Client) Fetch(ctx context.Context, t Topic, partition int32, offset int64, maxBytes int32) (Probe, error) {
	leaders, err := c.leaders(ctx, t.Name)
	if err != nil {
		return Probe{}, Classify(err, place{t, partition, offset}.String())
	}
	return c.fetchFrom(ctx, leaders, place{t, partition, offset}, maxBytes)
}

// place is an offset in a log.
type place struct {
	Topic
	partition int32
	offset    int64
}

// String says what is done there.
func (p place) String() string {
	return fmt.Sprintf("probing %s/%d at offset %d", p.Name, p.partition, p.offset)
}

// fetchFrom is Fetch for somebody who knows the leaders.
func (c *Client) fetchFrom(ctx context.Context, leaders map[Partition]leading, at place, maxBytes int32) (Probe, error) {
	op := at.String()
	from, ok := leaders[Partition{at.Name, at.partition}]
	if !ok {
		from.err = kerr.UnknownTopicOrPartition
	}
	if from.err != nil {
		return Probe{}, Classify(from.err, op)
	}
	resp, err := c.exact(ctx, from.node, exactFetch(at, maxBytes))
	if err != nil {
		return Probe{}, Classify(err, op)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return Probe{}, Classify(err, op)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return Probe{Next: at.offset}, nil
	}
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: at.offset, IsolationLevel: kgo.ReadCommitted(), Topic: at.Name, Partition: at.partition,
	}, &resp.Topics[0].Partitions[0], c.decompressor(), nil)
	if fp.Err != nil && !IsLater(fp.Err) {
		return Probe{}, Classify(fp.Err, op)
	}
	return Probe{Records: fp.Records, Next: max(next, at.offset), Ends: Ends{fp.LogStartOffset, fp.LastStableOffset, fp.HighWatermark}}, nil
}

// exactFetch asks for one partition.
func exactFetch(at place, maxBytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	// The partition's limit decides. The in-memory broker forgets to name aborted transactions when the request's does.
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 0, 0, 2*maxBytes, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = at.Name, at.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = at.partition, at.offset, maxBytes
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// exact sends a fetch of one partition to a broker.
func (c *Client) exact(ctx context.Context, broker int32, fetch *kmsg.FetchRequest) (*kmsg.FetchResponse, error) {
	var req kmsg.Request = fetch
	if fetch.Topics[0].TopicID == [16]byte{} {
		req = namedFetch{fetch}
	}
	answer, err := c.Kgo.Broker(int(broker)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	return answer.(*kmsg.FetchResponse), nil
}

// namedFetch is a fetch of a topic whose id nobody knows: later versions of the request have ids instead of names.
type namedFetch struct{ *kmsg.FetchRequest }

// MaxVersion implements kmsg.Request.
func (namedFetch) MaxVersion() int16 { return 12 }

// probeInflated is how much of an answer is decompressed, and a batch on top: a few records tell enough.
const probeInflated = 1 << 20

// decompressor is the consumer's, which refuses what is larger than a batch may be.
func (c *Client) decompressor() kgo.Decompressor {
	switch d := c.Kgo.OptValue(kgo.WithDecompressor).(type) {
	case *inflater:
		return &inflater{Decompressor: d.Decompressor, most: probeInflated, largest: d.largest}
	case kgo.Decompressor:
		return d
	}
	return kgo.DefaultDecompressor()
}

// leading is the broker that serves a partition, or why none does.
type leading struct {
	node int32
	err  error
}

func (c *Client) leaders(ctx context.Context, topics ...string) (map[Partition]leading, error) {
	meta, err := c.adm.Metadata(ctx, topics...)
	if err != nil {
		return nil, err
	}
	out := map[Partition]leading{}
	for _, name := range topics {
		t, ok := meta.Topics[name]
		if !ok {
			return nil, kerr.UnknownTopicOrPartition
		}
		if t.Err != nil {
			return nil, t.Err
		}
		for i, p := range t.Partitions {
			out[Partition{name, i}] = leading{p.Leader, p.Err}
		}
	}
	return out, nil
}

func (c *Client) leader(ctx context.Context, topic string, partition int32) (int32, error) {
	all, err := c.leaders(ctx, topic)
	if err != nil {
		return 0, err
	}
	p, ok := all[Partition{topic, partition}]
	if !ok {
		return 0, kerr.UnknownTopicOrPartition
	}
	return p.node, p.err
}
