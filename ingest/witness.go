package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// The group offsets follow the tables, so one that is above a table's tells of commits that the table no longer has.
// That is said of the tables only which the publisher knew: a table that came later begins below what the others have.
// For that the publisher signs: beside each offset stand the tables that all have it.

const (
	codeGroupAhead = "E_GROUP_AHEAD"
	// signature begins what is written beside a group offset; the marks of the tables follow.
	signature = "ingestd/1 "
	// markBytes tells a few hundred tables apart; brokers allow some 4000 characters.
	markBytes = 4
	maxMarks  = 400
	// obstacleGroup is why a table is degraded while a group offset is above its own.
	obstacleGroup = "group offsets"
)

// markOf stands for a table in a signature.
func markOf(pipeline string, t *TableOptions) string {
	sum := sha256.Sum256([]byte(pipeline + "\x00" + t.Name() + "\x00" + t.Branch))
	return hex.EncodeToString(sum[:markBytes])
}

// sign lists the tables that read a partition. Without a complete list nobody is said to have the offset.
func (f *feed) sign(id kafka.Partition) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.mu.partitions[id]
	if p == nil || len(p.readers) > maxMarks {
		return signature
	}
	marks := make([]string, 0, len(p.readers))
	for o := range p.readers {
		marks = append(marks, o.mark)
	}
	slices.Sort(marks)
	return signature + strings.Join(marks, ",")
}

// signed says whether an offset was published by one of us, and as what a table had.
func signed(note, mark string) (ours, had bool) {
	marks, ours := strings.CutPrefix(note, signature)
	return ours, ours && slices.Contains(strings.Split(marks, ","), mark)
}

// witness asks for the group offsets. It comes before the table is looked at: a table only moves forward, so what is
// above it then has been lost.
func (o *owner) witness(ctx context.Context) (map[kafka.Partition]kafka.GroupOffset, error) {
	f := o.feed()
	if f == nil || f.opts.GroupID == "" {
		return nil, nil
	}
	list, err := f.client.GroupOffsets(ctx, f.opts.GroupID)
	if err != nil && failure.ClassOf(err) != failure.Retry {
		f.trouble("reading group offsets", err) // the rights may be missing; the table is the truth all the same
		return nil, ctx.Err()
	}
	return list, err
}

// heed compares the table's positions with the group offsets. Above them is an alarm, and a halt where nothing but the
// mirror speaks for the positions: the rows may be there. Below them is normal.
func (o *owner) heed(published map[kafka.Partition]kafka.GroupOffset, parts []*partition, starts []int64) error {
	if o.decided() {
		return nil
	}
	report := event.GroupOffsets{Table: o.name, Source: o.source.name, At: o.now()}
	if f := o.feed(); f != nil {
		report.Group = f.opts.GroupID
	}
	before := len(o.ahead)
	for i, p := range parts {
		g, ok := published[p.id]
		if !ok {
			continue
		}
		ours, had := signed(g.Note, o.mark)
		switch {
		case g.At > starts[i] && (had || !ours && o.counted(p)):
			o.ahead[p.id] = g.At
		case g.At < starts[i] && !ours:
			report.Foreign++
		default:
			continue
		}
		if report.Topic == "" || g.At > starts[i] {
			report.Topic, report.Partition, report.Published, report.Stored = p.id.Topic, p.id.Partition, g.At, starts[i]
		}
	}
	if report.Ahead = len(o.ahead); report.Ahead == before && report.Foreign == 0 {
		return nil
	}
	o.events.Emit(report)
	if len(o.ahead) == before {
		return nil
	}
	err := failure.New(failure.Halt, codeGroupAhead,
		"find out what the table lost (a catalog restored from a backup, a branch that was replaced, a table that was dropped): ingestd verify "+o.name+
			"; it goes on from its own offsets",
		"group %s had read %s/%d up to offset %d for table %s, which ends at %d: commits have left the table",
		report.Group, report.Topic, report.Partition, report.Published, o.name, report.Stored)
	if o.table.FromMirror() {
		return failure.Wrap(err, failure.Halt, codeGroupAhead,
			"its positions come from a table property alone; if its rows end there: ingestd tables resume "+o.name+", otherwise accept-loss",
			"no snapshot of table %s says where to go on", o.name)
	}
	o.obstruct(obstacleGroup, err)
	return nil
}

// decided says that the newest positions are an operator's: they may lie wherever.
func (o *owner) decided() bool {
	r, writers := o.table.LastControl(), o.table.State().Writers
	return r != nil && len(writers) > 0 && writers[0].CommitID == r.ID
}

// counted says whether the table has taken anything from a partition since it met it.
func (o *owner) counted(p *partition) bool {
	e, ok := o.table.State().Find(o.key(p))
	return ok && e.Counts.Offsets() > 0
}

// caughtUpWithGroup ends the alarm for partitions that have come to where the group was.
func (o *owner) caughtUpWithGroup() {
	before := len(o.ahead)
	for id, at := range o.ahead {
		if b := o.bound[id]; b == nil || b.committed.Load() >= at {
			delete(o.ahead, id)
		}
	}
	if len(o.ahead) == before {
		return
	}
	o.events.Emit(event.GroupOffsets{Table: o.name, Source: o.source.name, Ahead: len(o.ahead), At: o.now()})
	if len(o.ahead) == 0 {
		o.obstruct(obstacleGroup, nil)
	}
}
