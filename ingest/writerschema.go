package ingest

import (
	"context"
	"fmt"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
)

// SchemaSearch looks for the writer schema a new table is made from.
type SchemaSearch struct {
	Registry schemareg.Registry
	Client   *kafka.Client
	Topics   []kafka.Topic
	// Records lets it look at the first record where the registry has no subject of the topic.
	Records bool
}

// Find gives the newest schema of the usual subject of the topics, or that of the first record, or nil.
func (f SchemaSearch) Find(ctx context.Context, half schemareg.Part) (*WriterSchema, error) {
	for _, topic := range f.Topics {
		subject := topic.Name + "-" + half.String()
		text, err := f.Registry.Latest(ctx, subject)
		if err == nil {
			return foundSchema(text, fmt.Sprintf("subject %s, version %d", subject, text.Version))
		}
		if failure.CodeOf(err) != schemareg.CodeNotFound {
			return nil, err
		}
	}
	if !f.Records {
		return nil, nil
	}
	for _, topic := range f.Topics {
		s, err := f.peek(ctx, topic, half)
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// peek reads the schema of the first record of any partition; nil if there is none yet.
func (f SchemaSearch) peek(ctx context.Context, topic kafka.Topic, half schemareg.Part) (*WriterSchema, error) {
	ends, err := f.Client.Offsets(ctx, topic.Name)
	if err != nil {
		return nil, err
	}
	for i := range topic.Partitions {
		probe, err := f.Client.Fetch(ctx, topic, i, ends[kafka.Partition{Topic: topic.Name, Partition: i}].Start, probeBytes)
		if err != nil {
			return nil, err
		}
		for _, r := range probe.Records {
			bytes := r.Value
			if half == schemareg.Key {
				bytes = r.Key
			}
			if r.Attrs.IsControl() || bytes == nil {
				continue
			}
			ref, _, err := schemareg.Frame(half, bytes, r.Headers)
			if err != nil {
				// The record will be met again on the way, where the policy of its stage decides.
				continue
			}
			text, err := schemareg.Find(ctx, f.Registry, ref)
			if err != nil {
				return nil, err
			}
			return foundSchema(text, fmt.Sprintf("schema %s of the record at %s/%d, offset %d", ref, topic.Name, i, r.Offset))
		}
	}
	return nil, nil
}

func foundSchema(text *schemareg.Schema, origin string) (*WriterSchema, error) {
	s, err := ParseSchema(text)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", origin, err)
	}
	return &WriterSchema{s, origin}, nil
}
