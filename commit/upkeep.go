package commit

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
)

// The defaults of Upkeep; what is exported is what `explain` tells.
const (
	defaultEvery   = 20
	DefaultKeepMin = 100
	DefaultKeepMax = 2000
	DefaultMaxAge  = 10 * time.Minute
	defaultGrace   = 6 * time.Hour
	// DefaultHourly and DefaultDaily are the numbers of tags.
	DefaultHourly = 24
	DefaultDaily  = 7
	// upkeepTries bounds the attempts of one round; the next round is never far.
	upkeepTries = 3
)

func (u Upkeep) withDefaults() Upkeep {
	if u.Every <= 0 {
		u.Every = defaultEvery
	}
	if u.KeepMin <= 0 {
		u.KeepMin = DefaultKeepMin
	}
	if u.KeepMax <= 0 {
		u.KeepMax = max(DefaultKeepMax, u.KeepMin)
	}
	if u.MaxAge <= 0 {
		u.MaxAge = DefaultMaxAge
	}
	if u.Grace <= 0 {
		u.Grace = defaultGrace
	}
	if u.Hourly == 0 {
		u.Hourly = DefaultHourly
	}
	if u.Daily == 0 {
		u.Daily = DefaultDaily
	}
	return u
}

// upkeep keeps a table of ours flat: every so many commits its small manifests are merged, tags are moved on with the
// calendar and the tail of its history is dropped, in one commit of their own that carries the state on. It is done by
// whoever finds it due, and its failures are nobody's problem: the next round finds the same work.
func (t *Table) upkeep(ctx context.Context) {
	if t.spec.Upkeep.Disabled || !t.ours() {
		return
	}
	t.landed++
	if !t.upkeepDue(t.view) {
		return
	}
	t.landed = 0
	for n := range upkeepTries {
		done, err := t.tend(ctx)
		if err == nil && done {
			return
		}
		if err != nil {
			t.retrying(n, "upkeep", err)
		}
		if t.load(ctx) != nil || t.env.Wait(ctx, t.env.backoff(n, conflictWaitMin, conflictWaitMax)) != nil {
			return
		}
	}
}

// ours says whether a pipeline of ours created the table. In other people's tables their own rules hold, and in one
// whose garbage nobody may collect. Nessie says so of every table, as its older commits need the files; a round there
// merges manifests and removes nothing.
func (t *Table) ours() bool {
	props := t.view.meta.Properties()
	kept := strings.EqualFold(props[table.GCEnabledKey], "false")
	return props[CreatedByKey] != "" && (!kept || t.caps.HeadsOnly)
}

// upkeepDue counts the snapshots since the last rewrite of manifests; every process sees the same number. Where the
// catalog shows no lineage each counts its own commits.
func (t *Table) upkeepDue(v *view) bool {
	n, rewritten := 0, false
	gap := ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		// A rewrite of data files is a replace as well, and merges no manifests.
		rewritten = s.Summary != nil && s.Summary.Operation == table.OpReplace && summaryCount(s, "deleted-data-files") == 0
		n++
		return !rewritten && n <= t.spec.Upkeep.Every
	})
	every := t.spec.Upkeep.Every
	return n > every || ((gap || t.caps.HeadsOnly) && t.landed >= every)
}

// tend makes one attempt at a round. It is done when its commit landed or when there was nothing to do.
func (t *Table) tend(ctx context.Context) (done bool, err error) {
	v := t.view
	a, err := t.build(ctx, v, v.state, v.notes, mergeManifests(v))
	merged := err == nil
	if errors.Is(err, errNothingToMerge) {
		a = &attempt{ident: v.tbl.Identifier(), base: v.headID()}
		a.pin(v, t.spec.Branch)
	} else if err != nil {
		return false, err
	}
	tags, expired := t.prune(v, a)
	if len(a.updates) == 0 {
		return true, nil
	}
	meta, location, err := t.cat.CommitTable(ctx, a.ident, a.requirements, a.updates)
	if err == nil {
		err = t.look(table.New(a.ident, meta, location, v.tbl.FS, t.cat))
	} else if lerr := t.load(ctx); lerr == nil {
		landed, absent := t.tended(a, merged, tags, expired)
		if !landed {
			if absent {
				t.remove(ctx, a.files)
			}
			return false, err
		}
		err = nil
	}
	if err != nil {
		return false, err
	}
	t.sweepMetadata(ctx, v.meta, t.view.meta)
	t.removeExpired(ctx, v, expired)
	t.removeDead(ctx)
	return true, nil
}

// prune adds to a round what it does to tags and history.
func (t *Table) prune(v *view, a *attempt) (tags tagging, expired []*table.Snapshot) {
	var line []*table.Snapshot
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		line = append(line, s)
		return true
	})
	tags = t.retag(v, line)
	a.updates = append(a.updates, tags.updates()...)
	carriers, named := t.inUse(v, tags)
	if expired = t.expirable(line, carriers, named); len(expired) > 0 {
		a.set(t.anchor(v, a, expired[0]))
	}
	expired = append(expired, t.freed(v, tags, named)...)
	if len(expired) > 0 {
		ids := make([]int64, len(expired))
		for i, s := range expired {
			ids[i] = s.SnapshotID
		}
		a.updates = append(a.updates, table.NewRemoveSnapshotsUpdate(ids, false))
	}
	return tags, expired
}

// anchor renews the mirrors of other pipelines on this branch whose snapshots the cut takes out of the lineage: they
// name the newest snapshot from now on, below which their state has not changed. Their next look would otherwise
// find a gap and could not tell a cut from a rollback.
func (t *Table) anchor(v *view, a *attempt, cut *table.Snapshot) iceberg.Properties {
	to := a.snapshot
	if to.SnapshotID == 0 {
		to = *v.head
	}
	below := map[int64]bool{}
	ancestors(v.meta, v.head, func(s *table.Snapshot) bool {
		below[s.SnapshotID] = s.SequenceNumber <= cut.SequenceNumber
		return true
	})
	props := iceberg.Properties{}
	for k, m := range mirrors(v.meta) {
		if !below[m.SnapshotID] || m.State.Branch != t.spec.Branch || m.State.Pipeline == t.spec.Pipeline {
			continue
		}
		m.SnapshotID, m.Sequence = to.SnapshotID, to.SequenceNumber
		if text, err := m.Encode(); err == nil {
			props[k] = text
		}
	}
	return props
}

// mirrors are those of all pipelines and branches, by property.
func mirrors(meta table.Metadata) map[string]*state.Mirror {
	out := map[string]*state.Mirror{}
	for k, text := range meta.Properties() {
		if !strings.HasPrefix(k, state.MirrorPrefix) {
			continue
		}
		if m, err := state.DecodeMirror(text); err == nil {
			out[k] = m
		}
	}
	return out
}

// tended looks for a round whose answer was lost. absent says that it is provably not there and can no longer get
// there: the head has moved, and its lineage reaches down to the base without it. Not found behind a cut is not absent;
// its manifests may be in use by those who came after.
func (t *Table) tended(a *attempt, merged bool, tags tagging, expired []*table.Snapshot) (landed, absent bool) {
	if !merged {
		landed = len(expired) > 0 && t.view.meta.SnapshotByID(expired[0].SnapshotID) == nil
		for name := range t.view.meta.Refs() {
			_, added := tags.add[name]
			landed = landed || len(expired) == 0 && added
		}
		return landed, false
	}
	based := false
	ancestors(t.view.meta, t.view.head, func(s *table.Snapshot) bool {
		landed = s.SnapshotID == a.snapshot.SnapshotID
		based = a.base != nil && s.SnapshotID == *a.base
		return !landed && !based
	})
	return landed, based && !sameHead(a.base, t.view)
}

// expirable is the tail of the branch's line (head first) that may go: beyond KeepMax, or beyond KeepMin and older than
// MaxAge; never the middle, never what a branch or tag names, and, within KeepMax, nothing from the newest carrier
// of any pipeline on.
func (t *Table) expirable(line []*table.Snapshot, carriers, named map[int64]bool) []*table.Snapshot {
	u := t.spec.Upkeep
	oldest := t.env.Now().Add(-u.MaxAge).UnixMilli()
	cut := min(u.KeepMin, len(line))
	for cut < len(line) && cut < u.KeepMax && line[cut].TimestampMs >= oldest {
		cut++
	}
	for i := min(len(line), u.KeepMax) - 1; i >= cut; i-- {
		if carriers[line[i].SnapshotID] {
			cut = i + 1
		}
	}
	var out []*table.Snapshot
	for _, s := range line[cut:] {
		if !named[s.SnapshotID] {
			out = append(out, s)
		}
	}
	return out
}

// inUse are the snapshots that the mirrors of all pipelines name, and those that belong to branches and tags: the
// named ones and, for branches, as many ancestors as we keep ourselves. Tags that go no longer count, those that come do.
func (t *Table) inUse(v *view, tags tagging) (carriers, named map[int64]bool) {
	carriers, named = map[int64]bool{}, map[int64]bool{}
	for _, m := range mirrors(v.meta) {
		carriers[m.SnapshotID] = true
	}
	for _, ref := range tags.add {
		named[ref.SnapshotID] = true
	}
	for name, ref := range v.meta.Refs() {
		if tags.drop[name] {
			continue
		}
		named[ref.SnapshotID] = true
		if name == t.spec.Branch || ref.SnapshotRefType != table.BranchRef {
			continue
		}
		n := 0
		ancestors(v.meta, v.meta.SnapshotByID(ref.SnapshotID), func(s *table.Snapshot) bool {
			named[s.SnapshotID] = true
			n++
			return n < t.spec.Upkeep.KeepMin
		})
	}
	return carriers, named
}
