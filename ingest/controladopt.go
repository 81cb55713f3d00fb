package ingest

import (
	"context"
	"strconv"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// adopt takes over what has a new identity.
func (p *planner) adopt(ctx context.Context) error {
	moved, err := p.successors()
	if err != nil {
		return err
	}
	switch {
	case p.s.Halt != nil:
		return p.adoptHistory(ctx)
	case len(moved) > 0:
		return p.adoptStreams(ctx, moved)
	case p.req.To != "" && p.nameless():
		return p.again(ctx)
	case len(p.s.State.Entries) > 0:
		return p.refuse("to have halted daemons look again: ingestd tables resume "+p.s.Table, "nothing of it has a new identity")
	case p.req.To == "start":
		return nil // an empty record says that the new table is meant
	}
	return p.beginAll(ctx)
}

// successor is a topic that has the name of one the table knows, and another identity.
type successor struct {
	topic kafka.Topic
	old   []entry
	// elsewhere: it is in another cluster.
	elsewhere bool
}

func (p *planner) successors() ([]successor, error) {
	var out []successor
	for _, t := range p.on.Topics {
		x := successor{topic: t}
		for _, e := range p.s.State.Entries {
			if e.Stream.Source != p.table.Source || e.Stream.Topic != t.Name || e.Stream == p.stream(t) || e.Closed {
				continue
			}
			old, err := p.entry(e, t)
			if err != nil {
				return nil, err
			}
			x.old = append(x.old, old)
			x.elsewhere = x.elsewhere || !alike(e.Stream.Cluster, p.on.Cluster)
		}
		if len(x.old) > 0 {
			out = append(out, x)
		}
	}
	return out, nil
}

// nameless says that the table knows partitions whose topics have no ids: a new topic looks like the old one.
func (p *planner) nameless() bool {
	for _, e := range p.s.State.Entries {
		if e.Stream.ID == ([16]byte{}) && e.Stream.Source == p.table.Source {
			return true
		}
	}
	return false
}

// again closes the books of every partition and begins them at another place, under the same identity.
func (p *planner) again(ctx context.Context) error {
	entries, err := p.entries()
	if err != nil {
		return err
	}
	target, err := p.target(ctx)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if to, ok := target(e.id); ok && to != e.at {
			p.move(state.Move{Key: e.Key, From: e.Position, To: position(to), Anew: true})
		}
	}
	return nil
}

// adoptStreams closes the books of topics that were replaced and begins those of their successors.
func (p *planner) adoptStreams(ctx context.Context, list []successor) error {
	var moves []state.Move
	for _, x := range list {
		if x.elsewhere && p.req.To == "" {
			return p.refuse("say where to go on: --from stored if the new cluster holds the same records at the same offsets, else earliest, latest, an offset or a time",
				"topic %s is in another cluster now", x.topic.Name)
		}
		stored := map[int32]int64{}
		for _, e := range x.old {
			moves = append(moves, state.Move{Key: e.Key, From: e.Position})
			stored[e.id.Partition] = e.at
		}
		begun, err := p.begin(ctx, x.topic, stored)
		if err != nil {
			return err
		}
		moves = append(moves, begun...)
		p.warn("topic %s: what was read of its predecessor stays in the table", x.topic.Name)
	}
	for _, m := range sortMoves(moves) {
		p.move(m)
	}
	return nil
}

// begin begins every partition of a topic where the request says.
func (p *planner) begin(ctx context.Context, t kafka.Topic, stored map[int32]int64) ([]state.Move, error) {
	target := func(id kafka.Partition) (int64, bool) { return p.ends[id].Start, true }
	if p.req.To == "stored" {
		target = func(id kafka.Partition) (int64, bool) {
			at, ok := stored[id.Partition]
			if !ok {
				at = p.ends[id].Start // a partition that the table had not met
			}
			return at, true
		}
	} else if p.req.To != "" {
		var err error
		if target, err = p.target(ctx); err != nil {
			return nil, err
		}
	}
	var moves []state.Move
	for i := range t.Partitions {
		id := kafka.Partition{Topic: t.Name, Partition: i}
		k := state.Key{Stream: p.stream(t), Partition: strconv.Itoa(int(i))}
		if _, met := p.s.State.Find(k); met {
			continue
		}
		at, ok := target(id)
		if e := p.ends[id]; !ok || at < e.Start || at > e.High {
			return nil, p.refuse("name a place that the broker has", "%s/%d has offsets %d to %d, and is to go on at %d", t.Name, i, e.Start, e.High, at)
		}
		moves = append(moves, state.Move{Key: k, To: position(at)})
	}
	return moves, nil
}

// adoptHistory gives positions to a table whose history does not say any.
func (p *planner) adoptHistory(ctx context.Context) error {
	c := &p.plan.Control
	code := failure.CodeOf(p.s.Halt)
	switch p.req.To {
	case "":
		return p.refuse("say where to go on: --from stored, earliest, latest, an offset, a time, or start (as configured)", "its history does not say where it stood [%s]", code)
	case "stored":
		c.Base = commit.BaseMirror
		if p.s.Mirror == nil && len(p.s.State.Entries) > 0 {
			c.Base = commit.BaseLineage
		}
		// Rows that were replaced are not the ones that were counted.
		c.Fresh = code == commit.CodeReplaced
		if p.s.Mirror == nil && c.Base == commit.BaseMirror {
			return p.refuse("--from earliest, latest, an offset, a time, or start", "nothing of its positions is left")
		}
		return nil
	}
	c.Base = commit.BaseNothing
	p.s.State = &state.State{Pipeline: p.s.State.Pipeline, Branch: p.s.State.Branch, Epoch: p.s.State.Epoch}
	if p.req.To == "start" {
		return nil
	}
	return p.beginAll(ctx)
}

// beginAll begins every partition of the table.
func (p *planner) beginAll(ctx context.Context) error {
	if p.req.To == "" || p.req.To == "stored" {
		return p.refuse("--from earliest, latest, an offset, a time, or start (as configured)", "nothing of its positions is left")
	}
	var moves []state.Move
	for _, t := range p.on.Topics {
		begun, err := p.begin(ctx, t, nil)
		if err != nil {
			return err
		}
		moves = append(moves, begun...)
	}
	if len(moves) == 0 {
		return p.refuse("wait for its topics", "it has no topic to read")
	}
	for _, m := range sortMoves(moves) {
		p.move(m)
	}
	return nil
}
