package kafka

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// GroupOffset is an offset published under a consumer group, with what its publisher says about it.
type GroupOffset struct {
	At   int64
	Note string
}

// CommitGroup publishes offsets under a consumer group. A member commits with its generation, so that a member that was
// thrown out cannot overwrite its successor's; without membership the group is only a name.
func (c *Client) CommitGroup(ctx context.Context, group string, offsets map[Partition]GroupOffset, member bool) error {
	if member {
		return c.commitAsMember(ctx, offsets)
	}
	set := kadm.Offsets{}
	for p, o := range offsets {
		set.Add(kadm.Offset{Topic: p.Topic, Partition: p.Partition, At: o.At, LeaderEpoch: -1, Metadata: o.Note})
	}
	resp, err := c.adm.CommitOffsets(ctx, group, set)
	if err == nil {
		err = resp.Error()
	}
	return Classify(err, "publishing offsets of group "+group)
}

// GroupOffsets reads what is published under a consumer group: nothing, when there is no such group yet.
func (c *Client) GroupOffsets(ctx context.Context, group string) (map[Partition]GroupOffset, error) {
	const op = "reading the offsets of group "
	resp, err := c.adm.FetchOffsets(ctx, group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, Classify(err, op+group)
	}
	out := map[Partition]GroupOffset{}
	for topic, parts := range resp {
		for i, o := range parts {
			if o.Err != nil {
				return nil, Classify(o.Err, op+group)
			}
			if o.At >= 0 {
				out[Partition{topic, i}] = GroupOffset{o.At, o.Metadata}
			}
		}
	}
	return out, nil
}

func (c *Client) commitAsMember(ctx context.Context, offsets map[Partition]GroupOffset) error {
	set := map[string]map[int32]kgo.EpochOffset{}
	for p, o := range offsets {
		if set[p.Topic] == nil {
			set[p.Topic] = map[int32]kgo.EpochOffset{}
		}
		set[p.Topic][p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: o.At}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			t := &req.Topics[i]
			for j := range t.Partitions {
				note := offsets[Partition{t.Topic, t.Partitions[j].Partition}].Note
				t.Partitions[j].Metadata = &note
			}
		}
		return nil
	})
	var failed error
	c.Kgo.CommitOffsetsSync(ctx, set, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			failed = err
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					failed = err
				}
			}
		}
	})
	return Classify(failed, "publishing offsets as a group member")
}
