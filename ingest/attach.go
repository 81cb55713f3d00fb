package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// assign makes the table read partitions that are now this process's. Their start offsets come from the table; what
// the table has never met is registered in it first.
func (o *owner) assign(ctx context.Context, parts []*partition) {
	defer o.goals.assigned()
	if o.status.failed() || ctx.Err() != nil {
		return
	}
	opening := o.pipeline.opening
	err := o.persist(opening, "opening the table", func() error { return o.tryAssign(opening, parts) })
	switch {
	case errors.Is(err, errOutdated):
		o.giveBack(parts)
	case err != nil && opening.Err() == nil:
		o.halt(ctx, err)
	}
}

// giveBack ends an assignment: the next look makes another one of what it finds.
func (o *owner) giveBack(parts []*partition) {
	f := o.feed()
	f.mu.Lock()
	for _, p := range parts {
		p.readers[o] = false
		delete(o.topics, p.topic.Name)
	}
	f.mu.Unlock()
	f.lookSoon()
}

func (o *owner) tryAssign(ctx context.Context, parts []*partition) error {
	// A new start may have been overtaken by an assignment that was on its way, and asked for the same again.
	parts = slices.DeleteFunc(slices.Clone(parts), func(p *partition) bool { return p.lost.Load() || o.reads(p) })
	if len(parts) == 0 {
		return nil
	}
	for _, p := range parts {
		o.topics[p.topic.Name] = p.topic
	}
	published, err := o.witness(ctx)
	if err != nil {
		return err
	}
	if o.table == nil {
		if err := o.open(ctx); err != nil {
			return err
		}
	} else if err := o.table.Refresh(ctx); err != nil {
		return err
	}
	if err := o.checkIdentity(ctx); err != nil {
		return err
	}
	if err := o.begin(ctx); err != nil {
		return err
	}
	ends, err := o.source.client.Offsets(ctx, o.topicNames()...)
	if err != nil {
		return err
	}
	starts := make([]int64, len(parts))
	for i, p := range parts {
		if starts[i], err = o.position(p); err != nil {
			return err
		}
		if err := o.checkReachable(p, starts[i], ends[p.id]); err != nil {
			return err
		}
	}
	last := o.remembered()
	if err := o.recognize(ctx, parts, starts, last); err != nil {
		return err
	}
	if err := o.heed(published, parts, starts); err != nil {
		return err
	}
	// Nothing below fails, so that a repeated attempt never attaches twice.
	for i, p := range parts {
		o.attach(p, cursor{starts[i], last[p.id]}, ends[p.id].Stable)
	}
	o.running()
	return nil
}

// reads says that the table reads the partition already.
func (o *owner) reads(p *partition) bool {
	b := o.bound[p.id]
	return b != nil && b.partition == p
}

func (o *owner) topicNames() []string {
	names := make([]string, 0, len(o.topics))
	for name := range o.topics {
		names = append(names, name)
	}
	return names
}

// begin registers start positions for the partitions the table does not know. All partitions of a topic the table has
// never met start where the configuration says, resolved now; one that appears later starts at 0, so that nothing
// produced in between is missed.
func (o *owner) begin(ctx context.Context) error {
	var steps []commit.Step
	for _, t := range o.topics {
		fresh, err := o.starts(ctx, t, o.table.State())
		if err != nil {
			return err
		}
		steps = append(steps, fresh...)
	}
	if len(steps) == 0 {
		return nil
	}
	if err := o.table.Begin(ctx, steps); err != nil {
		return err
	}
	// An operator may have decided meanwhile that a topic's successor is read: then nothing was begun.
	return o.checkIdentity(ctx)
}

// starts lists the positions to register for one topic; st is nil for a table that is about to be born.
func (o *owner) starts(ctx context.Context, t kafka.Topic, st *state.State) ([]commit.Step, error) {
	known, stream := map[string]bool{}, streamOf(o.source, t, st)
	if st != nil {
		for _, e := range st.Entries {
			if e.Stream == stream {
				known[e.Partition] = true
			}
		}
	}
	if len(known) >= int(t.Partitions) {
		return nil, nil
	}
	ends, err := o.source.client.Offsets(ctx, t.Name)
	if err != nil {
		return nil, err
	}
	var steps []commit.Step
	for i := range t.Partitions {
		k := keyOf(stream, i)
		if known[k.Partition] {
			continue
		}
		at := int64(0)
		if len(known) == 0 {
			at = startOf(o.opts.Start, ends[kafka.Partition{Topic: t.Name, Partition: i}])
		}
		steps = append(steps, commit.Step{Key: k, To: state.Position(kafka.EncodePosition(at))})
	}
	return steps, nil
}

func startOf(s Start, e kafka.Ends) int64 {
	if s == Latest {
		return e.Stable
	}
	return e.Start
}

// position is where the table's state says to read next.
func (o *owner) position(p *partition) (int64, error) {
	key := o.key(p)
	e, ok := o.table.State().Find(key)
	if !ok {
		return 0, failure.New(failure.Fatal, "E_STATE", "this is a bug", "table %s has no position for %s/%s", o.name, key.Stream.Topic, key.Partition)
	}
	at, err := kafka.DecodePosition(string(e.Position))
	if err != nil {
		return 0, fmt.Errorf("reading the position of %s/%s in table %s: %w", key.Stream.Topic, key.Partition, o.name, err)
	}
	return at, nil
}

// attach starts reading one partition at an offset the table carries; end is where it ends now, the goal of a
// bounded run.
func (o *owner) attach(p *partition, start cursor, end int64) {
	s := o.sinks[p.lane.id]
	b := newBinding(p, s, start.offset)
	b.remember(start.last)
	o.bound[p.id] = b
	o.goals.add(b, end)
	p.lane.ask(func() {
		s.bindings = append(s.bindings, b)
		p.bindings = append(p.bindings, b)
		p.reseek()
	})
}

// rewind drops what the lanes took since the last landed commit and sets every cursor to what the table says.
func (o *owner) rewind(ctx context.Context, reason string) error {
	if err := o.persist(ctx, "looking at the table", func() error { return o.table.Refresh(ctx) }); err != nil {
		return err
	}
	if o.obey() {
		// Somebody has decided about the table meanwhile, and its positions may be those of other topics.
		return nil
	}
	clear(o.streams)
	at, last := map[*binding]int64{}, o.remembered()
	for _, b := range o.bound {
		offset, err := o.position(b.partition)
		if err != nil {
			return err
		}
		at[b] = offset
	}
	o.each(func(s *sink) {
		s.drop()
		for _, b := range s.bindings {
			b.rewind(at[b])
			b.remember(last[b.partition.id])
			b.committed.Store(at[b])
			b.partition.reseek()
		}
	})
	o.events.Emit(event.Rewound{Table: o.name, Reason: reason, At: o.now()})
	return nil
}

// revoke gives partitions up that now belong to another process. What was taken of them is committed first if there is
// time; otherwise the comparison of positions decides whose batch lands.
func (o *owner) revoke(ctx context.Context, gone []*partition) {
	var mine []*binding
	for _, p := range gone {
		if b := o.bound[p.id]; b != nil && b.partition == p {
			mine = append(mine, b)
		}
	}
	if len(mine) == 0 {
		return
	}
	for _, b := range mine {
		o.freeze(b)
	}
	if err := o.flush(ctx); err != nil {
		o.halt(ctx, err)
		return
	}
	for _, b := range mine {
		o.release(b)
		delete(o.bound, b.partition.id)
		o.status.forgetLag(b.partition.id)
	}
}

// freeze stops a binding's consuming. Its span stays in the sink until the next cut, because the rows it took are
// mixed with the others' in the same columns.
func (o *owner) freeze(b *binding) {
	p := b.partition
	p.lane.ask(func() {
		b.detached = true
		p.bindings = withoutDetached(p.bindings)
		if len(p.bindings) == 0 {
			p.clear()
		}
		// What it waited for may never come; the other tables look for themselves.
		p.lane.unpark(p)
	})
}

// release ends a frozen binding whose span has been cut or dropped; a partition nobody reads is given back.
func (o *owner) release(b *binding) {
	p := b.partition
	unread := false
	p.lane.ask(func() {
		b.sink.forgetBinding(b)
		unread = len(p.bindings) == 0
		if unread && p.lost.Load() {
			p.lane.forget(p)
		}
	})
	o.goals.drop(b)
	if unread {
		o.source.release(p)
	}
}
