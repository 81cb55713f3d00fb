package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CommitGroup publishes offsets under a consumer group. A member commits with its generation, so that a member that was
// thrown out cannot overwrite its successor's; without membership the group is only a name.
func (c *Client) CommitGroup(ctx context.Context, group string, offsets map[Partition]int64, member bool) error {
	if member {
		return c.commitAsMember(ctx, offsets)
	}
	set := kadm.Offsets{}
	for p, at := range offsets {
		set.AddOffset(p.Topic, p.Partition, at, -1)
	}
	resp, err := c.adm.CommitOffsets(ctx, group, set)
	if err == nil {
		err = resp.Error()
	}
	return Classify(err, "publishing offsets of group "+group)
}

func (c *Client) commitAsMember(ctx context.Context, offsets map[Partition]int64) error {
	set := map[string]map[int32]kgo.EpochOffset{}
	for p, at := range offsets {
		if set[p.Topic] == nil {
			set[p.Topic] = map[int32]kgo.EpochOffset{}
		}
		set[p.Topic][p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
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
