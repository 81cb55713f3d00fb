package ingest

import (
	"context"
	"errors"
	"sync"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// schemaCache holds the writer schemas of one table. Lanes read it, resolvers fill it; schemas are immutable.
type schemaCache struct {
	mu      sync.Mutex
	schemas map[missingSchema]*avro.Schema
	// refused are schemas that can never be used, with the reason.
	refused map[missingSchema]error
	// waiting are the partitions that wait for a schema on its way.
	waiting map[missingSchema][]func()
}

func newSchemaCache() *schemaCache {
	return &schemaCache{schemas: map[missingSchema]*avro.Schema{}, refused: map[missingSchema]error{}, waiting: map[missingSchema][]func(){}}
}

// get gives a schema, nil if it has not been fetched, or why it cannot be used. A schema that keys and values share is
// taken into use for each of them.
func (c *schemaCache) get(m missingSchema) (*avro.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.schemas[m], c.refused[m]
}

// wait adds a waiter and says whether it is the first, who has to fetch.
func (c *schemaCache) wait(m missingSchema, wake func()) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first = len(c.waiting[m]) == 0
	c.waiting[m] = append(c.waiting[m], wake)
	return first
}

func (c *schemaCache) settle(m missingSchema, s *avro.Schema, err error) {
	c.mu.Lock()
	if err != nil {
		c.refused[m] = err
	} else {
		c.schemas[m] = s
	}
	waiting := c.waiting[m]
	delete(c.waiting, m)
	c.mu.Unlock()
	runAll(waiting)
}

// abandon ends the waiting without an answer: whoever still wants the schema asks anew.
func (c *schemaCache) abandon(m missingSchema) {
	c.mu.Lock()
	waiting := c.waiting[m]
	delete(c.waiting, m)
	c.mu.Unlock()
	runAll(waiting)
}

// reconsider forgets why schemas could not be used: an operator may have changed that.
func (c *schemaCache) reconsider() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.refused)
}

// resolve fetches a writer schema in the background and wakes whoever waits for it. The registry being away delays
// the partitions that need it and nobody else.
func (o *owner) resolve(m missingSchema, wake func()) {
	if !o.schemas.wait(m, wake) {
		return
	}
	o.pipeline.group.Go(func(ctx context.Context) error {
		var s *avro.Schema
		what := "fetching schema " + m.ref.String()
		err := o.persist(ctx, what, func() (err error) {
			if o.status.failed() {
				return errStopped
			}
			s, err = o.fetch(ctx, m.ref)
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			o.do(func(ctx context.Context) { o.adopt(ctx, m, s) })
			return nil
		}
		o.obstruct(what, nil)
		if errors.Is(err, errStopped) {
			// The table may be given a new start, so this is no answer.
			o.schemas.abandon(m)
			return nil
		}
		o.schemas.settle(m, nil, err)
		return nil
	})
}

// errStopped ends the waiting for something that nobody wants any more.
var errStopped = errors.New("the table has stopped")

func (o *owner) fetch(ctx context.Context, ref schemareg.Ref) (*avro.Schema, error) {
	text, err := schemareg.Find(ctx, o.registry(), ref)
	if err != nil {
		return nil, err
	}
	return ParseSchema(text)
}

// ParseSchema reads a schema as the registry gives it out.
func ParseSchema(text *schemareg.Schema) (*avro.Schema, error) {
	if text.Type != schemareg.Avro {
		return nil, failure.New(failure.Halt, avro.CodeUnsupported, "only Avro schemas can be read; declare the value format as json or raw",
			"schema %s is of type %s", text.Ref, text.Type)
	}
	return avro.Parse(text.Text, text.Texts()...)
}

func (o *owner) registry() schemareg.Registry {
	for _, so := range o.pipeline.opts.Sources {
		if so.Name == o.source.name {
			return so.Registry
		}
	}
	return nil
}

// adopt takes a writer schema into use: columns it brings are added to the table first, in a commit of their own.
func (o *owner) adopt(ctx context.Context, m missingSchema, s *avro.Schema) {
	if ctx.Err() != nil {
		return
	}
	if o.table == nil || o.status.failed() {
		// It has halted or been told to start anew since the schema was asked for, and asks again when it reads again.
		o.schemas.abandon(m)
		return
	}
	err := o.persist(ctx, "adding columns", func() error { return o.addColumns(ctx, m.half, s) })
	switch {
	case err == nil:
		o.running()
		o.schemas.settle(m, s, nil)
	case stageOf(err) == stageRegistry:
		// The records decide: what lies before the first of them is committed, and a policy may leave them out.
		o.schemas.settle(m, nil, err)
	default:
		o.fail(err)
		o.do(func(context.Context) { o.schemas.abandon(m) })
	}
}

// addColumns makes the table able to hold everything the schema has, if that only takes optional columns.
func (o *owner) addColumns(ctx context.Context, half schemareg.Part, s *avro.Schema) error {
	changes, err := o.opts.On(o.table.Metadata().Version()).Changes(half, s, o.shape.layout)
	if err != nil {
		return err
	}
	if len(changes.Illegal) > 0 {
		x := changes.Illegal[0]
		return failure.New(failure.Halt, codeIllegal,
			"write the new schema to a new topic or table, or set errors.registry: skip to leave such records out",
			"schema %s does not fit table %s: %s", s.Name(), o.name, x)
	}
	if len(changes.Add) == 0 || !o.opts.AddColumns {
		return nil
	}
	if err := evolve(ctx, o.table, changes.Add); err != nil {
		return err
	}
	return o.reshape(ctx)
}

// extend gives a table that exists the columns that the configuration has gained, in a commit of their own.
func (o *owner) extend(ctx context.Context, t *commit.Table) error {
	fields, err := table.Fields(t.Schema())
	if err != nil {
		return err
	}
	layout, err := column.NewLayout(fields)
	if err != nil {
		return nil // newShape says why
	}
	add, err := o.opts.On(t.Metadata().Version()).Lacking(layout)
	if err != nil || len(add) == 0 {
		return err
	}
	return evolve(ctx, t, add)
}

func evolve(ctx context.Context, t *commit.Table, add []avro.AddColumn) error {
	list := make([]commit.AddColumn, len(add))
	for i, a := range add {
		list[i] = commit.AddColumn{Path: a.Path, Field: a.Field}
	}
	return t.Evolve(ctx, list)
}

const codeIllegal = "E_SCHEMA_ILLEGAL"

// reshape gives every lane columns of the table's new schema. What the lanes hold is cut under the old shape and
// committed: files of an earlier schema stay valid.
func (o *owner) reshape(ctx context.Context) error {
	next, err := o.newShape()
	if err != nil {
		return err
	}
	old := o.shape
	o.shape = next
	cuts := make([]cut, len(o.sinks))
	failures := make([]error, len(o.sinks))
	o.each(func(s *sink) {
		cuts[s.lane.id] = s.cut()
		failures[s.lane.id] = s.equip(next)
	})
	for _, err := range failures {
		if err != nil {
			for _, c := range cuts {
				o.budget.charge(o.name, -c.charged)
			}
			return err
		}
	}
	return o.land(ctx, cuts, old)
}
