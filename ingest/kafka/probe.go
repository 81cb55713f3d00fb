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
	op := fmt.Sprintf("probing %s/%d at offset %d", t.Name, partition, offset)
	leader, err := c.leader(ctx, t.Name, partition)
	if err != nil {
		return Probe{}, Classify(err, op)
	}
	req := kmsg.NewPtrFetchRequest()
	// The partition's limit decides. The in-memory broker forgets to name aborted transactions when the request's does.
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel = 0, 0, 2*maxBytes, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = t.Name, t.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partition, offset, maxBytes
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, c.Kgo.Broker(int(leader)))
	if err != nil {
		return Probe{}, Classify(err, op)
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return Probe{}, Classify(err, op)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return Probe{Next: offset}, nil
	}
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true, Offset: offset, IsolationLevel: kgo.ReadCommitted(), Topic: t.Name, Partition: partition,
	}, &resp.Topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	if fp.Err != nil {
		return Probe{}, Classify(fp.Err, op)
	}
	return Probe{Records: fp.Records, Next: max(next, offset), Ends: Ends{fp.LogStartOffset, fp.LastStableOffset, fp.HighWatermark}}, nil
}

func (c *Client) leader(ctx context.Context, topic string, partition int32) (int32, error) {
	meta, err := c.adm.Metadata(ctx, topic)
	if err != nil {
		return 0, err
	}
	t, ok := meta.Topics[topic]
	if !ok {
		return 0, kerr.UnknownTopicOrPartition
	}
	if t.Err != nil {
		return 0, t.Err
	}
	p, ok := t.Partitions[partition]
	if !ok {
		return 0, kerr.UnknownTopicOrPartition
	}
	return p.Leader, p.Err
}
