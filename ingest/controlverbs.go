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
	if err := p.recognize(ctx, entries); err != nil {
		return err
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
			if to, err = p.on.Broker.BatchEnd(ctx, e.topic, e.id.Partition, e.at); err != nil {
				return err
			}
		case !ok && p.req.To != "":
			continue
		case !ok:
			if to, err = p.reachable(e); err != nil {
				return err
			}
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

// reachable is the next offset that can be read.
func (p *planner) reachable(e entry) (int64, error) {
	at := min(max(e.at, e.ends.Start), e.ends.High)
	switch {
	case e.cut == nil || at != e.at:
		return at, nil
	case e.cut.EpochEnd < 0:
		return 0, p.refuse("say where to go on: --to OFFSET, or --to earliest", "%s/%d was replaced, and the broker does not say from where on: %s",
			e.id.Topic, e.id.Partition, e.cut)
	}
	return max(e.cut.EpochEnd, e.ends.Start), nil
}

// recognize finds the logs that are not the ones that were read.
func (p *planner) recognize(ctx context.Context, entries []entry) error {
	memories := make([]kafka.Memory, 0, len(entries))
	places := make([]int, 0, len(entries))
	for i, e := range entries {
		last, ok := kafka.DecodeFingerprint(p.s.Notes[e.Key])
		if ok && last != (kafka.Fingerprint{}) && last.Offset < e.at && last.Offset >= e.ends.Start && e.at <= e.ends.High {
			memories, places = append(memories, kafka.Memory{Topic: e.topic, Partition: e.id.Partition, Last: last}), append(places, i)
		}
	}
	any, err := p.on.Broker.Recognize(ctx, memories)
	if err != nil || any == nil {
		return err
	}
	for i := range memories {
		if entries[places[i]].cut, err = p.on.Broker.Recognize(ctx, memories[i:i+1]); err != nil {
			return err
		}
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
	case e.at > e.ends.High || e.cut != nil:
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
