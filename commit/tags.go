package commit

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"
)

// Tags keep time travel longer than the history does: an hourly tag names the table as it was when that hour (UTC)
// began, a daily one as it was when that day began. They are made and removed in the rounds of upkeep, so that the
// snapshot a tag is for has not expired yet; every process finds the same ones. An hour without a commit before it
// has none.
const (
	hourlyPrefix, hourlyLayout = "ingestd-hourly-", "2006-01-02T15"
	dailyPrefix, dailyLayout   = "ingestd-daily-", "2006-01-02"
	day                        = 24 * time.Hour
)

// calendar is one kind of tags.
type calendar struct {
	prefix, layout string
	step           time.Duration
	keep           int
}

func (u Upkeep) calendars() []calendar {
	return []calendar{
		{hourlyPrefix, hourlyLayout, time.Hour, u.Hourly},
		{dailyPrefix, dailyLayout, day, u.Daily},
	}
}

func (c calendar) name(at time.Time) string { return c.prefix + at.Format(c.layout) }

// parse gives the time that a tag of this kind stands for. What is not spelled exactly as ours is somebody else's.
func (c calendar) parse(name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, c.prefix)
	at, err := time.ParseInLocation(c.layout, text, time.UTC)
	return at, ok && err == nil && c.name(at) == name
}

// tagging is what a round does to the tags.
type tagging struct {
	add  map[string]table.SnapshotRef
	drop map[string]bool
}

// retag plans the tags of a round: those that are missing along the line (head first), and those of ours that are too
// old. Tags belong to the main branch of a table of ours; other people's are never touched.
func (t *Table) retag(v *view, line []*table.Snapshot) tagging {
	plan := tagging{add: map[string]table.SnapshotRef{}, drop: map[string]bool{}}
	if t.spec.Branch != table.MainBranch || !t.caps.Refs {
		return plan
	}
	refs := map[string]table.SnapshotRef{}
	for name, ref := range v.meta.Refs() {
		refs[name] = ref
	}
	for _, c := range t.spec.Upkeep.calendars() {
		now := t.env.Now().UTC().Truncate(c.step)
		oldest := now.Add(-time.Duration(max(0, c.keep-1)) * c.step)
		for name, ref := range refs {
			if at, ours := c.parse(name); ours && ref.SnapshotRefType == table.TagRef && (c.keep <= 0 || at.Before(oldest)) {
				plan.drop[name] = true
			}
		}
		c.missing(line, now, refs, &plan)
	}
	return plan
}

// missing adds the tags that are not there yet. It walks back in time along the line, beside the boundaries.
func (c calendar) missing(line []*table.Snapshot, now time.Time, refs map[string]table.SnapshotRef, plan *tagging) {
	at := 0
	age := (time.Duration(c.keep) * c.step).Milliseconds()
	for i := range c.keep {
		boundary := now.Add(-time.Duration(i) * c.step)
		for at < len(line) && line[at].TimestampMs >= boundary.UnixMilli() {
			at++
		}
		if at == len(line) {
			return
		}
		s := line[at]
		if _, there := refs[c.name(boundary)]; there || s.TimestampMs < boundary.Add(-c.step).UnixMilli() {
			continue
		}
		plan.add[c.name(boundary)] = table.SnapshotRef{SnapshotID: s.SnapshotID, SnapshotRefType: table.TagRef, MaxRefAgeMs: &age}
	}
}

// updates are the plan's, in the order of the names.
func (p tagging) updates() (out []table.Update) {
	for _, name := range slices.Sorted(maps.Keys(p.drop)) {
		out = append(out, table.NewRemoveSnapshotRefUpdate(name))
	}
	for _, name := range slices.Sorted(maps.Keys(p.add)) {
		ref := p.add[name]
		out = append(out, table.NewSetSnapshotRefUpdate(name, ref.SnapshotID, ref.SnapshotRefType, *ref.MaxRefAgeMs, 0, 0))
	}
	return out
}

// freed are the snapshots that only the dropped tags have kept: no branch descends from them.
func (t *Table) freed(v *view, plan tagging, named map[int64]bool) (out []*table.Snapshot) {
	if len(plan.drop) == 0 {
		return nil
	}
	lines := map[int64]bool{}
	for _, ref := range v.meta.Refs() {
		if ref.SnapshotRefType == table.BranchRef {
			ancestors(v.meta, v.meta.SnapshotByID(ref.SnapshotID), func(s *table.Snapshot) bool {
				lines[s.SnapshotID] = true
				return true
			})
		}
	}
	seen := map[int64]bool{}
	for name, ref := range v.meta.Refs() {
		id := ref.SnapshotID
		if plan.drop[name] && !seen[id] && !named[id] && !lines[id] {
			seen[id] = true
			out = append(out, v.meta.SnapshotByID(id))
		}
	}
	return out
}
