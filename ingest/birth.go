package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/schemareg/rawrec"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/transform"
)

// open loads the table, or brings it to life with the start positions of its topics in it, and equips the lanes.
func (o *owner) open(ctx context.Context) error {
	t, err := commit.Open(ctx, o.pipeline.opts.Catalog, o.spec(), commit.Env{Now: o.now, Events: event.Func(o.observe)})
	if err != nil {
		return err
	}
	if !t.Exists() {
		if err := o.create(ctx, t); err != nil {
			return err
		}
	}
	o.table = t
	o.known.table, o.known.mark = t.Metadata().TableUUID(), t.ControlMark()
	if err := o.dress(); err != nil {
		o.table = nil // a table without columns on the lanes has not been opened
		return err
	}
	o.progressed = o.now()
	return nil
}

// spec says which table to open, and as whom.
func (o *owner) spec() commit.Spec {
	return commit.Spec{
		Identifier: o.opts.Identifier, Pipeline: o.pipeline.opts.Pipeline, Branch: o.opts.Branch, Writer: o.pipeline.opts.Writer,
		MayCreate: o.opts.Create.Auto, ConfigHash: meaningHash(o.opts.Meaning), AcceptConfig: o.opts.AcceptMeaning,
	}
}

// dress reads the table's columns and gives them to the lanes.
func (o *owner) dress() (err error) {
	if o.shape, err = o.newShape(); err != nil {
		return err
	}
	if err := o.opts.Create.Readers.CheckFields(o.shape.layout.Fields); err != nil {
		return err
	}
	return o.equip()
}

func meaningHash(meaning string) state.Hash {
	sum := sha256.Sum256([]byte(meaning))
	return state.Hash(sum[:len(state.Hash{})])
}

// create is the birth of the table: its columns come from the declared schema, or from the writer schema.
func (o *owner) create(ctx context.Context, t *commit.Table) error {
	fields, err := o.propose(ctx)
	if err != nil {
		return err
	}
	readers := o.opts.Create.Readers
	c := commit.Creation{Fields: fields, Properties: iceberg.Properties{table.ReadersProperty: readers.String()}, FormatVersion: readers.FormatVersion()}
	maps.Copy(c.Properties, o.opts.Create.Properties)
	for _, text := range o.opts.Create.PartitionBy {
		p, err := transform.Parse(text)
		if err != nil {
			return err
		}
		if err := p.Check(fields); err != nil {
			return err
		}
		c.PartitionBy = append(c.PartitionBy, commit.PartitionField{Column: p.Column, Transform: p.Iceberg(), Name: p.Name()})
	}
	for _, topic := range o.topics {
		steps, err := o.starts(ctx, topic, nil)
		if err != nil {
			return err
		}
		c.Start = append(c.Start, steps...)
	}
	return t.Create(ctx, c)
}

// propose lists the columns of a new table: value, key, audit.
func (o *owner) propose(ctx context.Context) ([]column.Field, error) {
	fields, err := o.proposeValue(ctx)
	if err != nil {
		return nil, err
	}
	key, err := o.proposeKey(ctx)
	if err != nil {
		return nil, err
	}
	fields = append(fields, key...)
	if o.opts.Value.NullRows {
		for i := range fields {
			fields[i].Required = false
		}
	}
	if o.opts.Audit {
		fields = append(fields, table.AuditFields(o.severalTopics())...)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			return nil, failure.New(failure.Config, "E_COLUMN_TWICE", "set key.prefix or key.column, or audit_columns: false",
				"table %s would have two columns %q", o.name, f.Name)
		}
		seen[f.Name] = true
	}
	return o.opts.Create.Readers.Fields(fields), nil
}

func (o *owner) severalTopics() bool { return o.opts.Pattern != nil || len(o.opts.Topics) > 1 }

func (o *owner) proposeValue(ctx context.Context) ([]column.Field, error) {
	switch o.opts.Value.Format {
	case FormatJSON:
		return o.opts.Value.Schema.Fields(), nil
	case FormatRaw:
		return rawrec.Fields(), nil
	default:
		s, err := o.firstSchema(ctx, schemareg.Value)
		if err != nil {
			return nil, err
		}
		return s.Fields()
	}
}

func (o *owner) proposeKey(ctx context.Context) ([]column.Field, error) {
	k := o.opts.Key
	switch k.Format {
	case FormatRaw:
		return []column.Field{{Name: k.Column, Doc: "record key", Type: column.Type{Kind: column.Binary}}}, nil
	case FormatJSON:
		return prefixed(k.Schema.Fields(), k.Prefix), nil
	case FormatAvro:
		s, err := o.firstSchema(ctx, schemareg.Key)
		if err != nil {
			return nil, err
		}
		fields, err := s.FieldsAs(k.Naming(s))
		return prefixed(fields, ""), err
	}
	return nil, nil
}

func prefixed(fields []column.Field, prefix string) []column.Field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].Name = prefix + out[i].Name
		// Tombstones and keyless records exist: a key column never refuses a row.
		out[i].Required = false
	}
	return out
}

// schemaPause is how long the birth of a table waits between two looks for its schema.
const schemaPause = 2 * time.Second

// firstSchema finds the writer schema a new table is made from: the newest of the usual subject, or that of the first
// record. With neither, the table waits: a topic without a schema has no columns yet. A table that starts at the
// latest offsets never looks at records, because its start must be fixed before anything is read.
func (o *owner) firstSchema(ctx context.Context, half schemareg.Part) (*avro.Schema, error) {
	for {
		for _, name := range o.topicNames() {
			text, err := o.registry().Latest(ctx, name+"-"+half.String())
			if err == nil {
				return parseSchema(text)
			}
			if failure.CodeOf(err) != schemareg.CodeNotFound {
				return nil, err
			}
		}
		if o.opts.Start == Earliest {
			s, err := o.peek(ctx, half)
			if s != nil || err != nil {
				return s, err
			}
		}
		missing := failure.New(failure.Halt, "E_NO_SCHEMA",
			"register a schema under the topic's subject, or produce a first record", "there is no %s schema for topics %v", half, o.topicNames())
		if o.pipeline.opts.UntilLatest {
			return nil, missing
		}
		o.setState(event.Pending, missing)
		timer := time.NewTimer(schemaPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// peek reads the schema of the first record of any partition; nil if there is none yet.
func (o *owner) peek(ctx context.Context, half schemareg.Part) (*avro.Schema, error) {
	ends, err := o.source.client.Offsets(ctx, o.topicNames()...)
	if err != nil {
		return nil, err
	}
	for id, e := range ends {
		probe, err := o.source.client.Fetch(ctx, o.topics[id.Topic], id.Partition, e.Start, probeBytes)
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
			return o.fetch(ctx, ref)
		}
	}
	return nil, nil
}

// observe keeps the table's status up to date with what its commits report.
func (o *owner) observe(e event.Event) {
	switch e := e.(type) {
	case event.CommitDone:
		if e.Result == event.CommitLanded {
			o.status.committed(e)
		}
	case event.CommitRetried:
		// A conflict is another writer's success, not an obstacle.
		if e.Attempt > quietRetries && !errors.Is(e.Err, icetable.ErrCommitFailed) {
			o.setState(event.Degraded, e.Err)
		}
	}
	o.events.Emit(e)
}
