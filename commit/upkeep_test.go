package commit

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
)

// tended opens a table whose upkeep is quick to see.
func tended(writer string) Spec {
	s := spec(writer)
	s.Upkeep = Upkeep{Every: 10, KeepMin: 15, KeepMax: 30, MaxAge: time.Minute, Grace: time.Nanosecond}
	return s
}

func (b *bench) createTended(n int) *Table {
	w := b.openSpec(tended("w1"))
	require.NoError(b.t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(n), FormatVersion: b.format}))
	return w
}

// History and metadata stay flat however many commits there are, everything in use stays, and the books agree.
func TestUpkeepKeepsTheTableFlat(t *testing.T) {
	for name, heads := range map[string]bool{"lineage": false, "heads only": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.cat.HeadsOnly = heads
			w := b.createTended(1)
			for i := range 150 {
				b.commit(w, step(0, i*10, i*10+10))
				head := headOf(b.cat.Table(ident...), "main")
				require.LessOrEqual(t, len(b.manifests(head)), 14, "manifests after %d commits", i)
			}
			meta := b.cat.Table(ident...)
			require.Equal(t, map[string]int{"0": 1500}, b.exact("main"))
			require.Equal(t, w.State(), b.open("w2").State())
			var lists, manifests, known int
			for _, f := range b.cat.Files.Names() {
				switch {
				case strings.Contains(f, "/snap-"):
					lists++
				case !strings.Contains(f, "/data/"):
					manifests++
				}
			}
			seen := map[string]bool{}
			for _, s := range meta.Snapshots() {
				for _, m := range b.manifests(&s) {
					if !seen[m.path] {
						known++
					}
					seen[m.path] = true
				}
			}
			if heads {
				return // that catalog keeps its history to itself
			}
			require.LessOrEqual(t, len(meta.Snapshots()), 30+11)
			require.GreaterOrEqual(t, len(meta.Snapshots()), 15)
			require.Equal(t, len(meta.Snapshots()), lists, "manifest lists of expired snapshots are gone")
			require.Equal(t, known, manifests, "and manifests that nobody lists")
			l, err := VerifyLedger(b.ctx, w.Iceberg(), LedgerOptions{Pipeline: "p"})
			require.NoError(t, err)
			require.Empty(t, l.Findings)
			require.False(t, l.Complete)
			require.Positive(t, l.Carried)
			require.EqualValues(t, 1500, l.Rows)
		})
	}
}

// What branches and tags name, and what other pipelines' mirrors point to, is kept.
func TestUpkeepKeepsWhatIsInUse(t *testing.T) {
	b := newBench(t)
	w := b.createTended(1)
	q := tended("q")
	q.Pipeline = "q"
	require.NoError(t, b.openSpec(q).Begin(b.ctx, starts(1)))
	carrier := headOf(b.cat.Table(ident...), "main").SnapshotID
	b.commit(w, step(0, 0, 10))
	tagged := headOf(b.cat.Table(ident...), "main").SnapshotID
	require.NoError(t, b.cat.Rewrite(func(m map[string]any) {
		m["refs"].(map[string]any)["v1"] = map[string]any{"type": "tag", "snapshot-id": json.Number(jsonInt(tagged))}
	}, ident...))
	audit := tended("w2")
	audit.Branch = "audit"
	a := b.openSpec(audit)
	require.NoError(t, a.Begin(b.ctx, starts(1)))
	b.commit(a, step(0, 0, 7))
	// Within KeepMax the other pipeline's carrier stays.
	for i := 1; i < 25; i++ {
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.NotNil(t, b.cat.Table(ident...).SnapshotByID(carrier))
	_, err := Open(b.ctx, b.cat, q, b.env())
	require.NoError(t, err)
	// Beyond it the mirror speaks for it.
	for i := 25; i < 80; i++ {
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.NotNil(t, b.cat.Table(ident...).SnapshotByID(tagged))
	require.Equal(t, map[string]int{"0": 800}, b.exact("main"))
	late, err := Open(b.ctx, b.cat, q, b.env())
	require.NoError(t, err)
	require.Len(t, late.State().Entries, 1)
	again := b.openSpec(audit)
	e, _ := again.State().Find(key(0))
	require.Equal(t, pos(7), e.Position)
	b.commit(again, step(0, 7, 9))
}

// Faults in a round of upkeep lose nothing and remove nothing that is in use.
func TestUpkeepUnderFaults(t *testing.T) { onFormats(t, upkeepUnderFaults) }

func upkeepUnderFaults(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.createTended(1)
	n := 0
	rounds := 0
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		if !isReplace(c) {
			return apply()
		}
		rounds++
		switch n++; n % 4 {
		case 0:
			return lost(c, apply)
		case 1:
			return dropped(c, apply)
		case 2:
			b.foreignAppend()
		}
		return apply()
	}
	for i := range 80 {
		b.commit(w, step(0, i*10, i*10+10))
		for _, s := range b.cat.Table(ident...).Snapshots() {
			b.manifests(&s)
		}
	}
	require.Greater(t, rounds, 8)
	require.Equal(t, map[string]int{"0": 800}, b.exact("main"))
	require.Less(t, len(b.manifests(headOf(b.cat.Table(ident...), "main"))), 25)
}

// A round lands, its answer is lost, and before anybody looks another process commits on top. In a catalog that shows
// heads only it cannot be found then; not found is not absent, and its manifests are in use.
func TestLostRoundOfUpkeepThatIsHidden(t *testing.T) {
	b := newBench(t)
	b.cat.HeadsOnly = true
	w1, w2 := b.createTended(2), b.openSpec(tended("w2"))
	hidden := 0
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		a := apply()
		if !isReplace(c) || hidden > 0 {
			return a
		}
		hidden++
		b.commit(w2, step(1, 0, 10))
		return committest.Answer{Err: errLost}
	}
	for i := range 30 {
		b.commit(w1, step(0, i*10, i*10+10))
		b.exact("main")
	}
	require.Equal(t, 1, hidden)
	require.Equal(t, map[string]int{"0": 300, "1": 10}, b.exact("main"))
}

func isReplace(c committest.Call) bool {
	text, _ := json.Marshal(c.Updates)
	return strings.Contains(string(text), `"operation":"replace"`)
}

// A process that falls behind, or comes while another one tends, is not fenced by upkeep.
func TestUpkeepFencesNobody(t *testing.T) {
	b := newBench(t)
	w1 := b.createTended(2)
	w2 := b.openSpec(tended("w2"))
	for i := range 40 {
		b.commit(w1, step(0, i*10, i*10+10))
		b.commit(w2, step(1, i*10, i*10+10))
	}
	require.Equal(t, map[string]int{"0": 400, "1": 400}, b.exact("main"))
}

// Other people's tables keep their history.
func TestUpkeepLeavesForeignTablesAlone(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.cat.CreateNamespace(b.ctx, ident[:1], nil))
	sc, err := schema(fields())
	require.NoError(t, err)
	_, err = b.cat.CreateTable(b.ctx, ident, sc, withProperty("commit.retry.num-retries", "7"))
	require.NoError(t, err)
	w := b.openSpec(tended("w1"))
	require.NoError(t, w.Begin(b.ctx, starts(1)))
	for i := range 60 {
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.Len(t, b.cat.Table(ident...).Snapshots(), 61)
	require.Equal(t, map[string]int{"0": 600}, b.exact("main"))
}

func TestUpkeepHonoursGCEnabled(t *testing.T) {
	b := newBench(t)
	w := b.openSpec(tended("w1"))
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1), Properties: map[string]string{"gc.enabled": "false"}}))
	for i := range 60 {
		b.commit(w, step(0, i*10, i*10+10))
	}
	require.Len(t, b.cat.Table(ident...).Snapshots(), 61)
}

// Metadata files that fall out of the table's log are removed by us where the catalog does not.
func TestSupersededMetadataFilesAreRemoved(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	for i := range 40 {
		tbl, err := b.cat.LoadTable(b.ctx, ident)
		require.NoError(t, err)
		require.NoError(t, b.cat.Files.WriteFile(tbl.MetadataLocation(), []byte("{}")))
		if i%5 == 4 {
			b.on(map[int]fault{1: lost})
		}
		b.commit(w, step(0, i*10, i*10+10))
		b.cat.OnCommit = nil
	}
	n := 0
	for _, f := range b.cat.Files.Names() {
		if strings.HasSuffix(f, ".metadata.json") {
			n++
		}
	}
	require.Equal(t, previousVersions, n)
}

// A summary of ours survives the library's rewrite of manifests, which writes no keys of its caller.
func TestUpkeepCarriesTheState(t *testing.T) { onFormats(t, upkeepCarriesTheState) }

func upkeepCarriesTheState(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	w := b.createTended(1)
	replaced := false
	for i := range 30 {
		b.commit(w, step(0, i*10, i*10+10))
		head := headOf(b.cat.Table(ident...), "main")
		h, err := state.DecodeHeader(head.Summary.Properties[state.SummaryKey])
		require.NoError(t, err)
		require.Equal(t, w.State().CommitID(), h.CommitID())
		if head.Summary.Operation == table.OpReplace {
			replaced = true
			m, err := state.DecodeMirror(b.cat.Table(ident...).Properties()[state.MirrorKey("p", "main")])
			require.NoError(t, err)
			require.Equal(t, head.SnapshotID, m.SnapshotID)
		}
	}
	require.True(t, replaced)
}
