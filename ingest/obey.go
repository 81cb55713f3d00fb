package ingest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// DefaultRecheck is how often a table that has halted, or has nothing to commit, is looked at: an operator may have
// decided something.
const DefaultRecheck = 15 * time.Second

// known is what an owner has seen of its table, to tell whether the situation has changed since.
type known struct {
	// table is the uuid, zero while the table was never opened; mark stands for the control records that it had.
	table uuid.UUID
	mark  string
	// looked is when the table was last looked at without a commit; absent is how many such looks in a row have not
	// found it.
	looked time.Time
	absent int
}

// untilLook is how long until the table should be looked at. A bounded run ends instead.
func (o *owner) untilLook() time.Duration {
	if o.pipeline.opts.UntilLatest || o.table == nil && !o.status.failed() {
		return never
	}
	now := o.now()
	// As with commits, a clock that was set back must not put it off.
	o.known.looked, o.progressed = earlier(o.known.looked, now), earlier(o.progressed, now)
	last := o.known.looked
	if o.progressed.After(last) {
		last = o.progressed
	}
	return last.Add(o.pipeline.opts.Recheck).Sub(now)
}

// look sees whether somebody has decided about the table: a halted one goes on when its situation has changed, an idle
// one obeys as one does that commits.
func (o *owner) look(ctx context.Context) {
	o.known.looked = o.now()
	if o.status.failed() {
		t, err := o.resolved(ctx)
		if t != nil {
			o.again(t)
		} else if failure.ClassOf(err) == failure.Halt {
			o.restate(err)
		}
		return
	}
	err := o.table.Refresh(ctx)
	switch {
	case err == nil:
		o.known.absent = 0
		o.obey()
	case failure.CodeOf(err) == commit.CodeDropped, failure.CodeOf(err) == commit.CodeMetadataMissing:
		// That something is gone is believed when it has been said several times.
		if o.known.absent++; o.known.absent >= missingLooks {
			o.halt(ctx, err)
		}
	case failure.ClassOf(err) == failure.Halt:
		o.halt(ctx, err)
	}
}

// resolved gives the table if what halted it has been decided: its history, which can be read again, a topic that turns
// out to be the right one, or anything else by a control record. Nothing but a control record leads into a new table of the same name.
func (o *owner) resolved(ctx context.Context) (*commit.Table, error) {
	t, err := commit.Open(ctx, o.pipeline.opts.Catalog, o.spec(), commit.Env{Now: o.now})
	if err != nil || !t.Exists() {
		return nil, err
	}
	decided := t.ControlMark() != "" && t.ControlMark() != o.known.mark
	same := o.known.table == uuid.UUID{} || o.known.table == t.Metadata().TableUUID()
	code := o.status.code()
	if decided || same && (commit.AboutHistory(code) || code == codeRecreated && o.rightTopics(ctx, t)) {
		return t, nil
	}
	return nil, nil
}

// rightTopics says that every topic that the table knows is the one it was filled from: a broker that lagged behind had
// named a predecessor. Ids never come back, so this cannot be said of a topic that was created again.
func (o *owner) rightTopics(ctx context.Context, t *commit.Table) bool {
	asked := map[state.Stream]bool{}
	for _, e := range t.State().Entries {
		s := e.Stream
		if s.Source != o.source.name || asked[s] {
			continue
		}
		asked[s] = true
		now, err := o.source.client.TopicNow(ctx, s.Topic)
		if err != nil || s.ID == [16]byte{} || now.ID != s.ID || !alike(s.Cluster, o.source.client.Cluster()) {
			return false
		}
	}
	return len(asked) > 0
}

// restate says that a halted table has another reason to stand still by now: a rollback may take back the very decision
// that would have let it go on, and whoever decided has to hear of it.
func (o *owner) restate(err error) {
	if change, changed := o.status.restate(o.change(event.Failed, err)); changed {
		o.events.Emit(change)
	}
}

// obey starts the table again when a control record has landed since it was opened. What the lanes hold was read under
// the old positions and is dropped, as after a fence.
func (o *owner) obey() (changed bool) {
	if o.table == nil || o.table.ControlMark() == o.known.mark {
		return false
	}
	// In its turn: whatever is under way ends first, and its commits are compared like all others.
	o.do(func(ctx context.Context) {
		if o.table == nil || o.status.failed() || ctx.Err() != nil || o.table.ControlMark() == o.known.mark {
			return
		}
		t := o.table
		o.detachAll()
		o.again(t)
	})
	return true
}

// again gives the table a new start: it is opened and assigned like one that this process meets for the first time.
func (o *owner) again(seen *commit.Table) {
	change := event.StateChanged{Table: o.name, To: event.Pending, Reason: "the reason of the halt is gone", At: o.now()}
	if r := seen.LastControl(); r != nil && seen.ControlMark() != o.known.mark {
		change.Reason = string(r.Verb) + " by " + r.By + ": " + r.Reason
		o.events.Emit(event.ControlObeyed{Table: o.name, Verb: string(r.Verb), By: r.By, Reason: r.Reason, At: o.now()})
	}
	change.From = o.status.revive(change)
	o.events.Emit(change)
	o.table, o.missed = nil, 0
	o.schemas.reconsider()
	clear(o.topics)
	clear(o.rivals)
	o.known.mark, o.known.looked, o.known.absent = seen.ControlMark(), o.now(), 0
	if f := o.feed(); f != nil {
		f.leave(o)
		f.lookSoon()
	}
}

// feed is the one that feeds this table.
func (o *owner) feed() *feed {
	for _, f := range o.pipeline.feeds {
		if f.source == o.source {
			return f
		}
	}
	return nil
}

// leave notes that a table no longer reads its partitions, until it asks again. It still counts as one of their
// readers: the group offset waits for it.
func (f *feed) leave(o *owner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.mu.partitions {
		if p.readers[o] {
			p.readers[o] = false
		}
	}
}

// rejoin has the group member forget topics that were created again and ask for them anew: the client would fetch from
// the old ones for ever.
func (f *feed) rejoin() (nothing bool) {
	nothing = len(f.stale) == 0
	for _, t := range f.stale {
		if f.renewed[t.Name] != t.ID {
			f.renewed[t.Name] = t.ID
			f.client.Kgo.PurgeTopicsFromConsuming(t.Name)
			f.client.Kgo.AddConsumeTopics(t.Name)
		}
	}
	f.stale = nil
	return nothing
}

// lookSoon looks for partitions out of turn.
func (f *feed) lookSoon() {
	select {
	case f.granted <- struct{}{}:
	default:
	}
}
