package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ingestd/ingestd/internal/failure"
)

// OffsetsAt gives, for every partition of the topics, the first offset whose record is not older than at; the end where
// there is none.
func (c *Client) OffsetsAt(ctx context.Context, at time.Time, topics ...string) (map[Partition]int64, error) {
	list, err := c.adm.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
	if err != nil {
		return nil, Classify(err, "asking for offsets at a time")
	}
	out := map[Partition]int64{}
	for topic, parts := range list {
		for p, o := range parts {
			if o.Err != nil {
				return nil, Classify(o.Err, "asking for offsets of "+topic)
			}
			out[Partition{topic, p}] = o.Offset
		}
	}
	return out, nil
}

// The places of what is read of a record batch's header.
const (
	batchLastDelta = 23
	batchHeader    = 27
)

// BatchEnd gives the offset behind the record batch that holds an offset. It reads the batch's header only: the batch
// may be too large to be unpacked.
func (c *Client) BatchEnd(ctx context.Context, t Topic, partition int32, offset int64) (int64, error) {
	op := fmt.Sprintf("reading the batch of %s/%d at offset %d", t.Name, partition, offset)
	leader, err := c.leader(ctx, t.Name, partition)
	if err != nil {
		return 0, Classify(err, op)
	}
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = 1 << 20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = t.Name, t.ID
	rp := kmsg.NewFetchRequestTopicPartition()
	// A broker gives the first batch whole, whatever its size.
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = partition, offset, 1
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := c.exact(ctx, leader, req)
	if err != nil {
		return 0, Classify(err, op)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, failure.New(failure.Retry, "E_KAFKA", "try again", "%s: the broker says nothing", op)
	}
	p := &resp.Topics[0].Partitions[0]
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
		return 0, Classify(err, op)
	}
	for b := p.RecordBatches; len(b) >= batchHeader; {
		size := int64(binary.BigEndian.Uint32(b[8:])) + 12
		end := int64(binary.BigEndian.Uint64(b)) + int64(int32(binary.BigEndian.Uint32(b[batchLastDelta:]))) + 1
		if end > offset {
			return end, nil
		}
		if size >= int64(len(b)) {
			break
		}
		b = b[size:]
	}
	return 0, failure.New(failure.Fatal, "E_NO_BATCH", "there is nothing to pass: the partition ends there", "%s: there is none", op)
}
