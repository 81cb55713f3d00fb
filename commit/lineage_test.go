package commit

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// expire removes snapshots as another engine would, by its own choice.
func (b *bench) expire(gone func(i int, id int64) bool) {
	b.t.Helper()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		i := -1
		var removed []string
		m["snapshots"] = slices.DeleteFunc(m["snapshots"].([]any), func(s any) bool {
			i++
			n := s.(map[string]any)["snapshot-id"].(json.Number)
			id, _ := n.Int64()
			if gone(i, id) {
				removed = append(removed, n.String())
				return true
			}
			return false
		})
		log, _ := m["snapshot-log"].([]any)
		m["snapshot-log"] = slices.DeleteFunc(log, func(s any) bool {
			return slices.Contains(removed, s.(map[string]any)["snapshot-id"].(json.Number).String())
		})
	}, ident...))
}

func (b *bench) property(key string, value any) {
	b.t.Helper()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		props := m["properties"].(map[string]any)
		if value == nil {
			delete(props, key)
			return
		}
		props[key] = value
	}, ident...))
}

// The walk rules: what a history may look like, and what stops the table.
func TestWalkRules(t *testing.T) {
	mirrorKey := state.MirrorKey("p", "main")
	type world struct {
		*bench
		w   *Table
		ids []int64 // snapshots: birth, 0-10, 10-20, 20-30
	}
	f := func(name, code string, position int, change func(*world)) {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			x := &world{bench: b, w: b.create("w1", 1)}
			x.ids = append(x.ids, headOf(b.cat.Table(ident...), "main").SnapshotID)
			for i := range 3 {
				x.ids = append(x.ids, b.commit(x.w, step(0, i*10, i*10+10)).SnapshotID)
			}
			change(x)
			opened, err := Open(b.ctx, b.cat, spec("w2"), b.env())
			if code != "" {
				require.Error(t, err)
				require.Equal(t, code, failure.CodeOf(err), "%v", err)
				require.Equal(t, failure.Halt, failure.ClassOf(err))
				require.NotEmpty(t, failure.HintOf(err))
				_, err = x.w.Commit(b.ctx, b.batch(x.w, step(0, 30, 40)))
				require.Equal(t, code, failure.CodeOf(err), "the running process sees it too: %v", err)
				return
			}
			require.NoError(t, err)
			e, _ := opened.State().Find(key(0))
			require.Equal(t, position, at(e.Position))
		})
	}
	f("untouched", "", 30, func(*world) {})
	f("foreign snapshots on top", "", 30, func(x *world) { x.foreignAppend(); x.foreignAppend() })
	f("older snapshots expired", "", 30, func(x *world) { x.expire(func(i int, _ int64) bool { return i < 3 }) })
	f("our last snapshot expired below foreign ones", "", 30, func(x *world) {
		x.foreignAppend()
		x.expire(func(i int, _ int64) bool { return i < 4 })
	})
	f("rolled back to ours", CodeRolledBack, 0, func(x *world) { x.rollback(x.ids[1]) })
	f("rolled back to ours, then a foreign append", CodeRolledBack, 0, func(x *world) { x.rollback(x.ids[1]); x.foreignAppend() })
	f("rolled back to ours, ours expired", CodeRolledBack, 0, func(x *world) {
		x.rollback(x.ids[1])
		x.expire(func(_ int, id int64) bool { return id == x.ids[2] || id == x.ids[3] })
	})
	f("rollback accepted", "", 10, func(x *world) { x.rollback(x.ids[1]); x.decide(Control{Verb: Resume}) })
	f("rolled back again after it was accepted", CodeRolledBack, 0, func(x *world) {
		x.rollback(x.ids[2])
		x.decide(Control{Verb: Resume})
		x.rollback(x.ids[1])
	})
	f("rollback accepted, then expired", "", 10, func(x *world) {
		x.rollback(x.ids[1])
		x.decide(Control{Verb: Resume})
		x.foreignAppend()
		head := headOf(x.cat.Table(ident...), "main").SnapshotID
		x.expire(func(_ int, id int64) bool { return id != head })
	})
	f("branch gone, accepted", "", 0, func(x *world) {
		require.NoError(t, x.cat.Rewrite(func(m map[string]any) { delete(m["refs"].(map[string]any), "main"); m["current-snapshot-id"] = -1 }, ident...))
		x.decide(Control{Verb: Adopt, Base: BaseNothing})
	})
	f("rollback accepted by dropping the mirror", "", 10, func(x *world) { x.rollback(x.ids[1]); x.property(mirrorKey, nil) })
	f("history and mirror gone", CodeStateLost, 0, func(x *world) {
		x.foreignAppend()
		x.expire(func(i int, _ int64) bool { return i < 4 })
		x.property(mirrorKey, nil)
	})
	f("history kept by a tag, lineage expired", CodeStateAmbiguous, 0, func(x *world) { x.tagAndExpire() })
	f("history kept by a tag, accepted", "", 30, func(x *world) { x.tagAndExpire(); x.acceptMirror() })
	f("rolled back, foreign on top, lineage expired", CodeStateAmbiguous, 0, func(x *world) {
		x.rollback(x.ids[1])
		x.foreignAppend()
		x.expire(func(_ int, id int64) bool { return slices.Contains(x.ids[:3], id) })
	})
	f("branch gone", CodeReplaced, 0, func(x *world) {
		require.NoError(t, x.cat.Rewrite(func(m map[string]any) { delete(m["refs"].(map[string]any), "main"); m["current-snapshot-id"] = -1 }, ident...))
	})
	f("replaced by another engine", CodeReplaced, 0, func(x *world) {
		require.NoError(t, x.cat.Rewrite(func(m map[string]any) { delete(m["refs"].(map[string]any), "main"); m["current-snapshot-id"] = -1 }, ident...))
		x.foreignAppend()
	})
	f("summary changed by hand", CodeStateUnreadable, 0, func(x *world) { x.summary(x.ids[3], "AQRzaG9w") })
	f("state of a later release", CodeStateVersion, 0, func(x *world) { x.summary(x.ids[3], "AgICAgICAg") })
	f("mirror changed by hand", CodeStateUnreadable, 0, func(x *world) { x.property(mirrorKey, "1.2.3") })
	f("mirror of a later release", CodeStateVersion, 0, func(x *world) { x.property(mirrorKey, "2.x") })
	f("mirror dropped", "", 30, func(x *world) { x.property(mirrorKey, nil) })
}

// tagAndExpire keeps our last snapshot by a tag while the snapshot between it and the head expires.
func (b *bench) tagAndExpire() {
	b.t.Helper()
	ours := headOf(b.cat.Table(ident...), "main").SnapshotID
	b.foreignAppend()
	between := headOf(b.cat.Table(ident...), "main").SnapshotID
	b.foreignAppend()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": json.Number(jsonInt(ours))}
	}, ident...))
	b.expire(func(_ int, id int64) bool { return id == between })
}

func (b *bench) summary(id int64, text string) {
	b.t.Helper()
	require.NoError(b.t, b.cat.Rewrite(func(m map[string]any) {
		for _, s := range m["snapshots"].([]any) {
			if n, _ := s.(map[string]any)["snapshot-id"].(json.Number).Int64(); n == id {
				s.(map[string]any)["summary"].(map[string]any)[state.SummaryKey] = text
			}
		}
	}, ident...))
}

// Rolled back to before our first snapshot: the head is an ancestor of what the mirror names.
func TestRolledBackBelowOurFirstSnapshot(t *testing.T) {
	b := newBench(t)
	w := b.create("w0", 0)
	b.property(state.MirrorKey("p", "main"), nil)
	head := headOf(b.cat.Table(ident...), "main").SnapshotID
	b.summary(head, "")
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) {
		for _, s := range m["snapshots"].([]any) {
			delete(s.(map[string]any)["summary"].(map[string]any), state.SummaryKey)
		}
	}, ident...))
	w = b.open("w1")
	require.Empty(t, w.State().Writers, "a table that never met us")
	require.NoError(t, w.Begin(b.ctx, starts(1)))
	b.commit(w, step(0, 0, 10))
	b.rollback(head)
	_, err := Open(b.ctx, b.cat, spec("w2"), b.env())
	require.Equal(t, CodeRolledBack, failure.CodeOf(err), "%v", err)
	b.decide(Control{Verb: Resume})
	again := b.open("w2")
	require.Empty(t, again.State().Entries, "what was rolled back is read again")
	require.NoError(t, again.Begin(b.ctx, starts(1)))
	b.commit(again, step(0, 0, 10))
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
}

// CREATE OR REPLACE TABLE keeps the uuid and starts a new history. Accepted, the table is filled from the start.
func TestReplacedAndAccepted(t *testing.T) {
	b := newBench(t)
	b.commit(b.create("w1", 1), step(0, 0, 10))
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) { delete(m["refs"].(map[string]any), "main"); m["current-snapshot-id"] = -1 }, ident...))
	b.foreignAppend()
	_, err := Open(b.ctx, b.cat, spec("w2"), b.env())
	require.Equal(t, CodeReplaced, failure.CodeOf(err))
	b.decide(Control{Verb: Adopt, Base: BaseNothing})
	w := b.open("w2")
	require.NoError(t, w.Begin(b.ctx, starts(1)))
	b.commit(w, step(0, 0, 5))
	require.Equal(t, map[string]int{"0": 5}, b.exact("main"))
}

func TestCatalogThatShowsHeadsOnly(t *testing.T) {
	b := newBench(t)
	b.cat.HeadsOnly = true
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	b.foreignAppend()
	w2 := b.open("w2")
	require.True(t, w2.FromMirror())
	e, _ := w2.State().Find(key(0))
	require.Equal(t, pos(10), e.Position)
	b.commit(w2, step(0, 10, 20))
	require.False(t, w2.FromMirror())
	require.Equal(t, map[string]int{"0": 20}, b.exact("main"))
}

func TestDroppedAndRecreated(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	fs := b.batch(w, step(0, 10, 20))
	require.NoError(t, b.cat.DropTable(b.ctx, ident))
	_, err := w.Commit(b.ctx, fs)
	require.Equal(t, CodeDropped, failure.CodeOf(err), "%v", err)
	require.Equal(t, CodeDropped, failure.CodeOf(w.Refresh(b.ctx)))
	b.create("w2", 1)
	_, err = w.Commit(b.ctx, fs)
	require.Equal(t, CodeRecreated, failure.CodeOf(err), "%v", err)
	require.Equal(t, map[string]int{"0": 0}, b.exact("main"))
}

// A table that disappears for a moment, as behind a proxy in trouble, is looked for again.
func TestPassingAbsenceIsNotBelieved(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	n := 0
	b.cat.OnLoad = func(context.Context, table.Identifier) error {
		if n++; n < stubborn {
			return failure.New(failure.Config, "E_X", "", "forbidden for now")
		}
		return nil
	}
	b.commit(w, step(0, 0, 10))
}

func TestPipelinesAndBranchesKeepApart(t *testing.T) { onFormats(t, pipelinesAndBranchesKeepApart) }

func pipelinesAndBranchesKeepApart(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	other := spec("w2")
	other.Pipeline = "q"
	q := b.openSpec(other)
	require.Empty(t, q.State().Entries, "another pipeline's positions are not ours")
	require.NoError(t, q.Begin(b.ctx, []Step{{Key: state.Key{Stream: state.Stream{Topic: "q"}, Partition: "0"}, To: pos(5)}}))
	b.commit(w, step(0, 10, 20))
	require.NoError(t, q.Refresh(b.ctx))
	require.Len(t, q.State().Entries, 1)
	branch := spec("w3")
	branch.Branch = "audit"
	a := b.openSpec(branch)
	require.Empty(t, a.State().Entries)
	require.NoError(t, a.Begin(b.ctx, starts(1)))
	b.commit(a, step(0, 0, 7))
	main, audit := headOf(b.cat.Table(ident...), "main"), headOf(b.cat.Table(ident...), "audit")
	require.NotEqual(t, main.SnapshotID, audit.SnapshotID)
	gap := ancestors(b.cat.Table(ident...), audit, func(s *table.Snapshot) bool { return s.SnapshotID != main.SnapshotID })
	require.False(t, gap, "the branch began at main's head")
	require.Len(t, b.live(audit)["0"], 3)
	require.Len(t, b.live(main)["0"], 2)
}

func TestBranchMustNotBeATag(t *testing.T) {
	b := newBench(t)
	b.create("w1", 1)
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": m["current-snapshot-id"]}
	}, ident...))
	s := spec("w2")
	s.Branch = "v1"
	_, err := Open(b.ctx, b.cat, s, b.env())
	require.Equal(t, CodeBranch, failure.CodeOf(err))
}

// A tag or branch elsewhere that moves is none of our business.
func TestTagsMayMove(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	b.commit(w, step(0, 0, 10))
	first := headOf(b.cat.Table(ident...), "main").SnapshotID
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": json.Number(jsonInt(first))}
	}, ident...))
	b.commit(w, step(0, 10, 20))
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) { delete(m["refs"].(map[string]any), "v1") }, ident...))
	b.commit(w, step(0, 20, 30))
	require.Equal(t, map[string]int{"0": 30}, b.exact("main"))
}

func TestOldFormatIsRefused(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.cat.CreateNamespace(b.ctx, ident[:1], nil))
	sc, err := schema(fields())
	require.NoError(t, err)
	_, err = b.cat.CreateTable(b.ctx, ident, sc, withProperty("format-version", "1"))
	require.NoError(t, err)
	_, err = Open(b.ctx, b.cat, spec("w"), b.env())
	require.Equal(t, CodeFormatVersion, failure.CodeOf(err))
	require.Equal(t, failure.Config, failure.ClassOf(err))
}
