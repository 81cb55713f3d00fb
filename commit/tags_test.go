package commit

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// newCalendar is a bench whose clock is ahead of the machine's, with which the library stamps metadata.
func newCalendar(t *testing.T) *bench {
	b := newBench(t)
	b.mu.now = time.Now().UTC().Truncate(day).Add(2 * day)
	return b
}

// later moves the clock.
func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.now = b.mu.now.Add(d)
}

// tagged opens a table with short history and few tags.
func (b *bench) tagged(writer string) *Table {
	s := spec(writer)
	s.Upkeep = Upkeep{Every: 5, KeepMin: 4, KeepMax: 40, MaxAge: 30 * time.Minute, Grace: time.Nanosecond, Hourly: 6, Daily: 3}
	return b.openSpec(s)
}

// ref names a snapshot as somebody else would.
func (b *bench) ref(name string, id int64, kind table.RefType) {
	b.t.Helper()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)[name] = map[string]any{"snapshot-id": json.Number(strconv.FormatInt(id, 10)), "type": string(kind)}
	}, ident...))
}

// past is what the model knows of one commit.
type past struct {
	id   int64
	at   time.Time
	upTo int
}

// at is the newest commit before a boundary, if it is not older than a step.
func wanted(all []past, boundary time.Time, step time.Duration) (past, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at.Before(boundary) {
			return all[i], !all[i].at.Before(boundary.Add(-step))
		}
	}
	return past{}, false
}

// ourTags lists the tags of both calendars.
func ourTags(meta table.Metadata) map[string]int64 {
	out := map[string]int64{}
	for name, ref := range meta.Refs() {
		if strings.HasPrefix(name, "ingestd-") {
			out[name] = ref.SnapshotID
		}
	}
	return out
}

// Five days of commits: every hour and every day of the last ones has its tag, each names the table as it was then, and
// its rows can be read; nothing else outlives the history, and other people's tags are left alone.
func TestTagsKeepTimeTravel(t *testing.T) {
	b := newCalendar(t)
	w := b.tagged("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	b.ref("release", w.view.head.SnapshotID, table.TagRef)
	b.ref("ingestd-hourly-mine", w.view.head.SnapshotID, table.TagRef)
	var all []past
	seen := map[int64]bool{w.view.head.SnapshotID: true}
	n := 0
	for i := range 5 * 24 * 4 {
		b.later(15*time.Minute - 20*time.Second)
		if hour := i / 4 % 24; hour == 3 || hour == 4 {
			continue // nothing happens at night
		}
		b.commit(w, step(0, n*10, n*10+10))
		n++
		meta := b.cat.Table(ident...)
		for _, s := range meta.Snapshots() { // the commit, and the round after it
			if !seen[s.SnapshotID] {
				seen[s.SnapshotID] = true
				all = append(all, past{s.SnapshotID, time.UnixMilli(s.TimestampMs).UTC(), n * 10})
			}
		}
		require.LessOrEqual(t, len(meta.Snapshots()), 6+3+2+4+10, "snapshots after %d commits", n)
		if head := headOf(meta, "main"); head.Summary.Operation == table.OpReplace {
			b.checkTags(all, meta)
		}
	}
	b.exact("main")
	refs := map[string]bool{}
	for name := range b.cat.Table(ident...).Refs() {
		refs[name] = true
	}
	require.True(t, refs["release"] && refs["ingestd-hourly-mine"], "other people's tags")
	for _, f := range b.cat.Files.Names() {
		if strings.Contains(f, "/snap-") {
			refs[f] = false
		}
	}
	require.Len(t, refs, len(b.cat.Table(ident...).Snapshots())+len(ourTags(b.cat.Table(ident...)))+2, "manifest lists: those of the retained snapshots")
}

// checkTags compares the tags after a round with the model.
func (b *bench) checkTags(all []past, meta table.Metadata) {
	b.t.Helper()
	now := time.UnixMilli(headOf(meta, "main").TimestampMs).UTC()
	want := map[string]int64{"ingestd-hourly-mine": meta.SnapshotByName("release").SnapshotID}
	for _, c := range w6h3d() {
		for i := range c.keep {
			boundary := now.Truncate(c.step).Add(-time.Duration(i) * c.step)
			p, ok := wanted(all, boundary, c.step)
			if !ok {
				continue
			}
			want[c.name(boundary)] = p.id
			live := b.live(meta.SnapshotByID(p.id))["0"]
			rows := 0
			for _, r := range live {
				rows += r[1] - r[0]
			}
			require.Equal(b.t, p.upTo, rows, "%s", c.name(boundary))
		}
	}
	require.Equal(b.t, want, ourTags(meta))
}

func w6h3d() []calendar { return Upkeep{Hourly: 6, Daily: 3}.calendars() }

// A round whose answer is lost, or that is late or sent in vain, leaves the same tags and takes no file of theirs.
func TestTagsUnderFaults(t *testing.T) {
	for name, f := range map[string]fault{"lost": lost, "lost as 409": lostAs409, "dropped": dropped} {
		t.Run(name, func(t *testing.T) {
			b := newCalendar(t)
			w := b.tagged("w1")
			require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
			faults := map[int]fault{}
			for i := 3; i < 400; i += 3 {
				faults[i] = f
			}
			b.patience = 1000
			b.on(faults)
			for i := range 60 {
				b.later(20 * time.Minute)
				b.commit(w, step(0, i*10, i*10+10))
			}
			meta := b.cat.Table(ident...)
			require.GreaterOrEqual(t, len(ourTags(meta)), 6)
			for tag, id := range ourTags(meta) {
				require.NotEmpty(t, b.live(meta.SnapshotByID(id)), tag)
			}
			b.exact("main")
		})
	}
}

// Tags are for the main branch of tables of ours, on catalogs that have them, unless they are switched off.
func TestTagsWhereTheyBelong(t *testing.T) {
	f := func(name string, tags bool, change func(*Spec, *bench)) {
		t.Run(name, func(t *testing.T) {
			b := newCalendar(t)
			s := spec("w1")
			s.Upkeep = Upkeep{Every: 3, KeepMin: 4, KeepMax: 40, MaxAge: time.Minute, Grace: time.Nanosecond}
			w := b.openSpec(s)
			require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
			change(&s, b)
			w = b.openSpec(s)
			if s.Branch != "" {
				require.NoError(t, w.Begin(b.ctx, starts(1)))
			}
			for i := range 12 {
				b.later(40 * time.Minute)
				b.commit(w, step(0, i*10, i*10+10))
			}
			require.Equal(t, tags, len(ourTags(b.cat.Table(ident...))) > 0)
		})
	}
	f("ours", true, func(*Spec, *bench) {})
	f("off", false, func(s *Spec, _ *bench) { s.Upkeep.Hourly, s.Upkeep.Daily = -1, -1 })
	f("another branch", false, func(s *Spec, _ *bench) { s.Branch = "audit" })
	f("another's table", false, func(_ *Spec, b *bench) { b.property(CreatedByKey, nil) })
}

// Switching tags off takes ours away and nothing else.
func TestTagsSwitchedOff(t *testing.T) {
	b := newCalendar(t)
	w := b.tagged("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	b.ref("release", w.view.head.SnapshotID, table.TagRef)
	b.ref("ingestd-daily-2020-01-01", w.view.head.SnapshotID, table.BranchRef)
	for i := range 20 {
		b.later(30 * time.Minute)
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.Greater(t, len(ourTags(b.cat.Table(ident...))), 2)
	s := w.spec
	s.Upkeep.Hourly, s.Upkeep.Daily = -1, -1
	w = b.openSpec(s)
	for i := 20; i < 30; i++ {
		b.commit(w, step(0, i*10, i*10+10))
	}
	got := ourTags(b.cat.Table(ident...))
	require.Len(t, got, 1, "%v", got)
	require.Contains(t, got, "ingestd-daily-2020-01-01", "a branch is not a tag of ours")
	b.exact("main")
}

// What is not spelled exactly as ours is somebody else's.
func TestTagNames(t *testing.T) {
	hourly, daily := w6h3d()[0], w6h3d()[1]
	at := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	require.Equal(t, "ingestd-hourly-2026-11-22T20", hourly.name(at))
	require.Equal(t, "ingestd-daily-2026-11-22", daily.name(at))
	got, ok := hourly.parse(hourly.name(at))
	require.True(t, ok)
	require.Equal(t, at, got)
	for _, name := range []string{"ingestd-hourly-", "ingestd-hourly-2026-11-22", "ingestd-hourly-2026-11-22T2", "ingestd-hourly-2026-11-22T20:00", "release", "ingestd-hourly-2026-13-01T00", fmt.Sprint(daily.name(at))} {
		_, ok := hourly.parse(name)
		require.False(t, ok, name)
	}
}
