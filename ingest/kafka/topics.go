package kafka

import (
	"context"
	"regexp"
	"sort"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ingestd/ingestd/internal/failure"
)

// Topic is what the cluster says of one topic.
type Topic struct {
	Name string
	// ID is the topic's UUID; zero where the broker knows none.
	ID         [16]byte
	Partitions int32
}

// Topics describes the named topics. A topic that does not exist is a Config failure naming it.
func (c *Client) Topics(ctx context.Context, names ...string) ([]Topic, error) {
	meta, err := c.adm.Metadata(ctx, names...)
	if err != nil {
		return nil, Classify(err, "asking the cluster for its topics")
	}
	out := make([]Topic, 0, len(names))
	for _, name := range names {
		t, ok := meta.Topics[name]
		if !ok {
			return nil, failure.New(failure.Config, "E_TOPIC_UNKNOWN", "create the topic or correct `topics` of the table", "topic %q does not exist", name)
		}
		if t.Err != nil {
			return nil, Classify(t.Err, "asking for topic "+name)
		}
		out = append(out, Topic{Name: name, ID: t.ID, Partitions: int32(len(t.Partitions))})
	}
	return out, nil
}

// TopicNow describes a topic as a broker knows it this moment. What Topics says may be some time old: the client keeps
// answers for as long as its shortest pause between two questions.
func (c *Client) TopicNow(ctx context.Context, name string) (Topic, error) {
	req, named := kmsg.NewPtrMetadataRequest(), kmsg.NewMetadataRequestTopic()
	named.Topic = &name
	req.Topics = append(req.Topics, named)
	resp, err := req.RequestWith(ctx, c.Kgo)
	if err == nil && len(resp.Topics) > 0 {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		return Topic{}, Classify(err, "asking for topic "+name)
	}
	if len(resp.Topics) == 0 {
		return Topic{}, failure.New(failure.Retry, "E_KAFKA_UNAVAILABLE", "", "the broker's answer does not name topic %q", name)
	}
	t := resp.Topics[0]
	return Topic{Name: name, ID: t.TopicID, Partitions: int32(len(t.Partitions))}, nil
}

// Matching describes the topics whose whole name matches re; internal topics are left out.
func (c *Client) Matching(ctx context.Context, re *regexp.Regexp) ([]Topic, error) {
	meta, err := c.adm.Metadata(ctx)
	if err != nil {
		return nil, Classify(err, "asking the cluster for its topics")
	}
	var out []Topic
	for name, t := range meta.Topics {
		if t.IsInternal || t.Err != nil || re.FindString(name) != name {
			continue
		}
		out = append(out, Topic{Name: name, ID: t.ID, Partitions: int32(len(t.Partitions))})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// Ends are the offsets that bound a partition.
type Ends struct {
	// Start is the first offset the broker still has.
	Start int64
	// Stable is the last stable offset: the end for a reader of committed records.
	Stable int64
	// High is the high watermark; High - Stable is what open transactions hold back.
	High int64
}

// Partition names a partition of a topic.
type Partition struct {
	Topic     string
	Partition int32
}

// Offsets asks for the ends of every partition of the topics.
func (c *Client) Offsets(ctx context.Context, topics ...string) (map[Partition]Ends, error) {
	starts, err := c.adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		return nil, Classify(err, "asking for start offsets")
	}
	stable, err := c.adm.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, Classify(err, "asking for stable end offsets")
	}
	high, err := c.adm.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, Classify(err, "asking for end offsets")
	}
	out := map[Partition]Ends{}
	for topic, parts := range starts {
		for p, s := range parts {
			e, _ := stable.Lookup(topic, p)
			h, _ := high.Lookup(topic, p)
			for _, err := range []error{s.Err, e.Err, h.Err} {
				if err != nil {
					return nil, Classify(err, "asking for offsets of "+topic)
				}
			}
			out[Partition{topic, p}] = Ends{Start: s.Offset, Stable: e.Offset, High: h.Offset}
		}
	}
	return out, nil
}

// Compacted says whether the broker removes records of a topic by key.
func (c *Client) Compacted(ctx context.Context, topic string) (bool, error) {
	configs, err := c.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return false, Classify(err, "asking for the configuration of topic "+topic)
	}
	for _, r := range configs {
		if r.Err != nil {
			return false, Classify(r.Err, "asking for the configuration of topic "+topic)
		}
		for _, kv := range r.Configs {
			if kv.Key == "cleanup.policy" && kv.Value != nil {
				return strings.Contains(*kv.Value, "compact"), nil
			}
		}
	}
	return false, nil
}
