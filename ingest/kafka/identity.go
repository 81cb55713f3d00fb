package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"golang.org/x/sync/errgroup"

	"github.com/ingestd/ingestd/internal/failure"
)

// Memory is what is known of a log from reading it: the newest record that was seen.
type Memory struct {
	Topic     Topic
	Partition int32
	Last      Fingerprint
}

// Divergence is the proof that a log is not the one that was read: it was cut off and grew again, or it is another
// topic's.
type Divergence struct {
	Memory
	// EpochEnd is where the leader says that the record's epoch ended, -1 when the record itself is the proof.
	EpochEnd int64
	// Found is the fingerprint of the record that stands in its place.
	Found Fingerprint
}

// String says what differs.
func (d Divergence) String() string {
	if d.EpochEnd >= 0 {
		return fmt.Sprintf("record %d was read in leader epoch %d, which now ends at offset %d", d.Last.Offset, d.Last.LeaderEpoch, d.EpochEnd)
	}
	return fmt.Sprintf("record %d had timestamp %d and checksum %08x, the broker now has one with timestamp %d and checksum %08x",
		d.Last.Offset, d.Last.TimestampMS, d.Last.CRC, d.Found.TimestampMS, d.Found.CRC)
}

const (
	// recognizing is how many records are fetched at a time, each with the batch it lies in.
	recognizing = 8
	// recordBytes is how much is asked for to see one record: a broker sends whole batches, and always one.
	recordBytes = 4 << 10
)

// Recognize holds logs against what is remembered of them and gives the first proof that one is another. Nothing is
// proven by what cannot be seen: a record that was compacted, deleted or never committed, a broker that knows no leader
// epochs. The caller has checked that the logs reach behind the records.
func (c *Client) Recognize(ctx context.Context, list []Memory) (*Divergence, error) {
	if len(list) == 0 {
		return nil, nil
	}
	if d, err := c.compareEpochs(ctx, list); d != nil || err != nil {
		return d, err
	}
	return c.compareRecords(ctx, list)
}

// compareEpochs asks the leaders where the epochs of the records ended. Whoever was elected although it lacked the
// records writes in a later epoch from an offset below them.
func (c *Client) compareEpochs(ctx context.Context, list []Memory) (*Divergence, error) {
	const op = "asking for the ends of leader epochs"
	var req kadm.OffsetForLeaderEpochRequest
	for _, m := range list {
		if m.Last.LeaderEpoch >= 0 {
			req.Add(m.Topic.Name, m.Partition, m.Last.LeaderEpoch)
		}
	}
	if len(req) == 0 {
		return nil, nil
	}
	ends, err := c.adm.OffsetForLeaderEpoch(ctx, req)
	if err != nil {
		return nil, transient(ctx, err, op)
	}
	for _, m := range list {
		e, ok := ends[m.Topic.Name][m.Partition]
		if !ok || m.Last.LeaderEpoch < 0 {
			continue
		}
		if e.Err != nil {
			if err := transient(ctx, e.Err, op); err != nil {
				return nil, err
			}
			continue
		}
		if e.LeaderEpoch >= 0 && e.EndOffset >= 0 && e.EndOffset <= m.Last.Offset {
			return &Divergence{Memory: m, EpochEnd: e.EndOffset}, nil
		}
	}
	return nil, nil
}

// transient passes on an error that may pass. Any other one is no answer: old brokers do not know the question, or
// want other rights for it.
func transient(ctx context.Context, err error, op string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err = Classify(err, op); failure.ClassOf(err) == failure.Retry {
		return err
	}
	return nil
}

// compareRecords looks at the records themselves.
func (c *Client) compareRecords(ctx context.Context, list []Memory) (*Divergence, error) {
	names := map[string]bool{}
	var topics []string
	for _, m := range list {
		if !names[m.Topic.Name] {
			names[m.Topic.Name] = true
			topics = append(topics, m.Topic.Name)
		}
	}
	leaders, err := c.leaders(ctx, topics...)
	if err != nil {
		return nil, Classify(err, "asking for the leaders of partitions")
	}
	found := make([]*Divergence, len(list))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(recognizing)
	for i, m := range list {
		g.Go(func() (err error) {
			found[i], err = c.compareRecord(gctx, leaders, m)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, d := range found {
		if d != nil {
			return d, nil
		}
	}
	return nil, nil
}

func (c *Client) compareRecord(ctx context.Context, leaders map[Partition]leading, m Memory) (*Divergence, error) {
	probe, err := c.fetchFrom(ctx, leaders, place{m.Topic, m.Partition, m.Last.Offset}, recordBytes)
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange), IsTooLarge(err):
		return nil, nil // deleted since, or read under another limit
	case err != nil:
		return nil, err
	case len(probe.Records) == 0 || probe.Records[0].Offset != m.Last.Offset:
		return nil, nil // compacted since, or not committed
	}
	r := probe.Records[0]
	now := FingerprintOf(r.LeaderEpoch, r.Offset, r.Timestamp.UnixMilli(), r.Key, r.Value)
	if now.TimestampMS == m.Last.TimestampMS && now.CRC == m.Last.CRC {
		return nil, nil
	}
	return &Divergence{Memory: m, EpochEnd: -1, Found: now}, nil
}
