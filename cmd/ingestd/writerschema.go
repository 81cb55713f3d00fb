package main

import (
	"context"
	"fmt"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
)

// peekBytes is how much is read to see one record.
const peekBytes = 1 << 20

// writerSchema is a schema with where it was found.
type writerSchema struct {
	*avro.Schema
	origin string
}

// findSchema looks for the writer schema as the birth of a table does: the newest one of the usual subject, or that of
// the first record. Nil means that there is neither.
func (e *environment) findSchema(ctx context.Context, t ingest.TableOptions, part schemareg.Part) (*writerSchema, error) {
	registry, err := e.registry(t.Source)
	if err != nil {
		return nil, err
	}
	topics, err := e.topics(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		subject := topic.Name + "-" + part.String()
		text, err := registry.Latest(ctx, subject)
		if err == nil {
			return parseFound(text, fmt.Sprintf("subject %s, version %d", subject, text.Version))
		}
		if failure.CodeOf(err) != schemareg.CodeNotFound {
			return nil, err
		}
	}
	for _, topic := range topics {
		s, err := e.firstRecordSchema(ctx, t.Source, topic, part)
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, nil
}

// firstRecordSchema finds the schema of the first record of any partition; nil if there is none.
func (e *environment) firstRecordSchema(ctx context.Context, source string, topic kafka.Topic, part schemareg.Part) (*writerSchema, error) {
	client, err := e.kafka(ctx, source)
	if err != nil {
		return nil, err
	}
	ends, err := client.Offsets(ctx, topic.Name)
	if err != nil {
		return nil, err
	}
	for i := range topic.Partitions {
		probe, err := client.Fetch(ctx, topic, i, ends[kafka.Partition{Topic: topic.Name, Partition: i}].Start, peekBytes)
		if err != nil {
			return nil, err
		}
		for _, r := range probe.Records {
			bytes := r.Value
			if part == schemareg.Key {
				bytes = r.Key
			}
			if r.Attrs.IsControl() || bytes == nil {
				continue
			}
			ref, _, err := schemareg.Frame(part, bytes, r.Headers)
			if err != nil {
				continue
			}
			text, err := schemareg.Find(ctx, e.source(source).Registry, ref)
			if err != nil {
				return nil, err
			}
			return parseFound(text, fmt.Sprintf("schema %s of the record at %s/%d, offset %d", ref, topic.Name, i, r.Offset))
		}
	}
	return nil, nil
}

func parseFound(text *schemareg.Schema, origin string) (*writerSchema, error) {
	if text.Type != schemareg.Avro {
		return nil, failure.New(failure.Config, avro.CodeUnsupported, "declare the value format as json or raw", "the schema of %s is of type %s", origin, text.Type)
	}
	s, err := avro.Parse(text.Text, text.Texts()...)
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", origin, err)
	}
	return &writerSchema{s, origin}, nil
}
