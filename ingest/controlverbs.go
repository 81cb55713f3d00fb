package ingest

import (
	"context"
	"strconv"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// resume takes the branch's history as it is.
func (p *planner) resume() error {
	if failure.CodeOf(p.s.Halt) != commit.CodeRolledBack || p.s.Mirror == nil {
		return nil
	}
	for _, e := range p.s.Mirror.Entries {
		now, met := p.s.State.Find(e.Key)
		from, err := kafka.DecodePosition(string(e.Position))
		if err != nil {
			return err
		}
		switch to, err := kafka.DecodePosition(string(now.Position)); {
		case !met:
			p.warn("%s/%s was begun after the state that the branch shows: it is begun again", e.Stream.Topic, e.Partition)
		case err == nil && to != from:
			p.warn("%s/%s goes on at %d; the rows up to %d were rolled back and are read again", e.Stream.Topic, e.Partition, to, from)
		}
	}
	return nil
}

// rewind sets positions back.
func (p *planner) rewind(ctx context.Context) error {
	entries, err := p.entries()
	if err != nil {
		return err
	}
	target, err := p.target(ctx)
	if err != nil {
		return err
	}
	var moves []state.Move
	for _, e := range entries {
		to, ok := target(e.id)
		switch {
		case !ok || to == e.at:
		case to > e.at:
			return p.refuse("to leave offsets out: ingestd tables accept-loss "+p.s.Table, "%s/%d stands at %d, before %d", e.id.Topic, e.id.Partition, e.at, to)
		case to < e.ends.Start:
			return p.refuse("rewind to "+strconv.FormatInt(e.ends.Start, 10)+" or later", "%s/%d begins at %d", e.id.Topic, e.id.Partition, e.ends.Start)
		default:
			moves = append(moves, state.Move{Key: e.Key, From: e.Position, To: position(to), Anew: true})
			p.warn("%s/%d: rows of offsets %d to %d are in the table already: read again they are there twice, unless they were removed",
				e.id.Topic, e.id.Partition, to, e.at-1)
		}
	}
	if len(moves) == 0 {
		return p.refuse("ingestd status names the positions", "there is nothing to set back")
	}
	if !p.req.AllowDuplicates {
		return p.refuse("remove the rows first if need be, then add --allow-duplicates", "rows would be there twice: %s", p.plan.Warnings[0])
	}
	for _, m := range sortMoves(moves) {
		p.move(m)
	}
	return nil
}

// acceptLoss gives offsets up: those named, those the broker no longer has, or those a rollback took away.
func (p *planner) acceptLoss(ctx context.Context) error {
	if failure.CodeOf(p.s.Halt) == commit.CodeRolledBack {
		return p.leaveOut()
	}
	entries, err := p.entries()
	if err != nil {
		return err
	}
	if p.req.Batch && len(entries) > 1 {
		return p.refuse("name one: --topic T --partition P", "a batch is in one partition, and %d are meant", len(entries))
	}
	target := func(kafka.Partition) (int64, bool) { return 0, false }
	if p.req.To != "" {
		if target, err = p.target(ctx); err != nil {
			return err
		}
	}
	for _, e := range entries {
		to, ok := target(e.id)
		switch {
		case p.req.Batch:
			if to, err = p.b.BatchEnd(ctx, e.topic, e.id.Partition, e.at); err != nil {
				return err
			}
		case !ok && p.req.To != "":
			continue
		case !ok:
			to = min(max(e.at, e.ends.Start), e.ends.High)
		}
		if err := p.giveUp(e, to); err != nil {
			return err
		}
	}
	if len(p.plan.Moves) == 0 {
		return p.refuse("to leave out what is there, say how far: --to OFFSET, or --batch", "the broker has everything that comes next")
	}
	return nil
}

// giveUp moves one partition over what is lost.
func (p *planner) giveUp(e entry, to int64) error {
	switch {
	case to == e.at:
	case to > e.ends.High:
		return p.refuse("go no further than "+strconv.FormatInt(e.ends.High, 10), "%s/%d ends at %d", e.id.Topic, e.id.Partition, e.ends.High)
	case to > e.at:
		p.move(state.Move{Key: e.Key, From: e.Position, To: position(to), Lost: to - e.at})
		p.warn("%s/%d: offsets %d to %d will never be read; they are counted as unseen", e.id.Topic, e.id.Partition, e.at, to-1)
	case e.at > e.ends.High:
		p.move(state.Move{Key: e.Key, From: e.Position, To: position(to), Anew: true})
		p.warn("%s/%d: the broker has lost offsets %d to %d and gives them out again; their rows stay in the table beside the new ones",
			e.id.Topic, e.id.Partition, to, e.at-1)
	default:
		return p.refuse("to read again: ingestd tables rewind "+p.s.Table, "%s/%d stands at %d, behind %d", e.id.Topic, e.id.Partition, e.at, to)
	}
	return nil
}

// leaveOut gives up what a rollback took away: positions stay where they were, rows do not come back.
func (p *planner) leaveOut() error {
	if p.s.Mirror == nil {
		return p.refuse("ingestd tables resume "+p.s.Table, "it has no mirror that says how far it was")
	}
	for _, e := range p.s.Mirror.Entries {
		now, met := p.s.State.Find(e.Key)
		if !met || now.Position == e.Position || !p.chosen(e.Key) {
			continue
		}
		from, err := kafka.DecodePosition(string(now.Position))
		if err != nil {
			return err
		}
		to, err := kafka.DecodePosition(string(e.Position))
		if err != nil {
			return err
		}
		if to > from {
			p.move(state.Move{Key: e.Key, From: now.Position, To: e.Position, Lost: to - from})
			p.warn("%s/%s: the rows of offsets %d to %d were rolled back and are not read again", e.Stream.Topic, e.Partition, from, to-1)
		}
	}
	if len(p.plan.Moves) == 0 {
		return p.refuse("ingestd tables resume "+p.s.Table, "the rollback took no rows of offsets away")
	}
	return nil
}

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
	for _, t := range p.topics {
		x := successor{topic: t}
		for _, e := range p.s.State.Entries {
			if e.Stream.Source != p.table.Source || e.Stream.Topic != t.Name || e.Stream == p.stream(t) {
				continue
			}
			old, err := p.entry(e, t)
			if err != nil {
				return nil, err
			}
			x.old = append(x.old, old)
			x.elsewhere = x.elsewhere || e.Stream.Cluster != p.b.Cluster()
		}
		if len(x.old) > 0 {
			out = append(out, x)
		}
	}
	return out, nil
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
	for _, t := range p.topics {
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
