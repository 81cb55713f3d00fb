package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// open loads the table, or brings it to life with the start positions of its topics in it, and equips the lanes.
func (o *owner) open(ctx context.Context) error {
	t, err := commit.Open(ctx, o.pipeline.opts.Catalog, o.spec(), commit.Env{Now: o.now, Events: event.Func(o.observe)})
	if err != nil {
		return err
	}
	if t.Exists() {
		err = o.extend(ctx, t)
	} else {
		err = o.create(ctx, t)
	}
	if err == nil && len(o.opts.SortBy) > 0 {
		err = sorted(ctx, t, o.opts.SortBy)
	}
	if err != nil {
		return err
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

// sorted makes an order the table's, if it has the columns for it.
func sorted(ctx context.Context, t *commit.Table, by []table.SortTerm) error {
	fields, err := table.Fields(t.Schema())
	if err != nil {
		return err
	}
	if err := table.CheckSort(by, fields); err != nil {
		return err
	}
	return t.Sort(ctx, by)
}

// spec says which table to open, and as whom.
func (o *owner) spec() commit.Spec {
	return commit.Spec{
		Identifier: o.opts.Identifier, Pipeline: o.pipeline.opts.Pipeline, Branch: o.opts.Branch, Writer: o.pipeline.opts.Writer,
		MayCreate: o.opts.Create.Auto, ConfigHash: meaningHash(o.opts.Meaning), AcceptConfig: o.opts.AcceptMeaning,
		Upkeep: o.opts.Upkeep,
	}
}

// dress reads the table's columns and gives them to the lanes.
func (o *owner) dress() (err error) {
	if o.shape, err = o.newShape(); err != nil {
		return err
	}
	if err := o.opts.Create.Readers.Check(ContentsOf(o.table, o.opts.Branch, o.shape.layout.Fields)); err != nil {
		return err
	}
	return o.equip()
}

// ContentsOf is what a table holds, as far as readers differ about it.
func ContentsOf(t *commit.Table, branch string, fields []column.Field) table.Contents {
	meta := t.Metadata()
	s := meta.SnapshotByName(cmp.Or(branch, icetable.MainBranch))
	return table.Contents{
		Name: t.Name(), Readers: meta.Properties()[table.ReadersProperty], FormatVersion: meta.Version(), Fields: fields, Spec: t.PartitionSpec(),
		Deletes: s != nil && s.Summary != nil && s.Summary.Properties.GetInt("total-delete-files", 0) > 0,
	}
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
	if err := table.CheckBloomFilters(fields, o.opts.Create.Properties); err != nil {
		return err
	}
	if err := table.CheckSort(o.opts.SortBy, fields); err != nil {
		return err
	}
	readers := o.opts.Create.Readers
	c := commit.Creation{Fields: fields, SortBy: o.opts.SortBy, Properties: iceberg.Properties{table.ReadersProperty: readers.String()}, FormatVersion: readers.FormatVersion()}
	maps.Copy(c.Properties, o.opts.Create.Properties)
	terms, err := o.opts.Create.Terms(fields)
	if err != nil {
		return err
	}
	for _, p := range terms {
		if err := readers.CheckTerm(p, fields); err != nil {
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

// propose lists the columns of a new table, as its readers can read them.
func (o *owner) propose(ctx context.Context) ([]column.Field, error) {
	list, err := o.opts.Fillings(func(half schemareg.Part) (*WriterSchema, error) { return o.firstSchema(ctx, half) })
	if err != nil {
		return nil, err
	}
	if err := o.opts.CheckFillings(list); err != nil {
		return nil, err
	}
	var fields []column.Field
	for _, part := range list {
		fields = append(fields, part.Fields...)
	}
	return o.opts.Create.Readers.Fields(fields), nil
}

// schemaPause is how long the birth of a table waits between two looks for its schema.
const schemaPause = 2 * time.Second

// firstSchema finds the writer schema a new table is made from. Without one the table waits: a topic without a schema
// has no columns yet. A table that starts at the latest offsets never looks at records, because its start must be fixed
// before anything is read.
func (o *owner) firstSchema(ctx context.Context, half schemareg.Part) (*WriterSchema, error) {
	search := SchemaSearch{Registry: o.registry(), Client: o.source.client, Records: o.opts.Start == Earliest}
	for _, name := range o.topicNames() {
		search.Topics = append(search.Topics, o.topics[name])
	}
	for {
		if s, err := search.Find(ctx, half); s != nil || err != nil {
			return s, err
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
			o.obstruct(obstacleCommit, e.Err)
		}
	}
	o.events.Emit(e)
}
