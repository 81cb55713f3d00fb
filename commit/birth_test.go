package commit

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
)

func withProperty(k, v string) catalog.CreateTableOpt {
	return catalog.WithProperties(iceberg.Properties{k: v})
}

func TestTableThatDoesNotExist(t *testing.T) {
	b := newBench(t)
	w := b.open("w1")
	require.False(t, w.Exists())
	require.Nil(t, w.State())
	require.NoError(t, w.Refresh(b.ctx))
	s := spec("w1")
	s.MayCreate = false
	_, err := Open(b.ctx, b.cat, s, b.env())
	require.Equal(t, CodeMissing, failure.CodeOf(err))
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

// staged turns a bench into one whose catalog prepares tables.
func stagedOpen(b *bench, writer string) *Table {
	t, err := Open(b.ctx, committest.Staging{Catalog: b.cat}, spec(writer), b.env())
	require.NoError(b.t, err)
	return t
}

func TestBirthIsOneCommitWhereTheCatalogCan(t *testing.T) {
	onFormats(t, birthIsOneCommitWhereTheCatalogCan)
}

func birthIsOneCommitWhereTheCatalogCan(t *testing.T, format int) {
	t.Helper()
	b := newBenchOf(t, format)
	var calls []committest.Call
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		calls = append(calls, c)
		return apply()
	}
	w := stagedOpen(b, "w1")
	require.NoError(t, w.Create(b.ctx, Creation{FormatVersion: format, Fields: fields(), Start: starts(2)}))
	require.Len(t, calls, 1)
	require.Len(t, calls[0].Requirements, 1)
	require.Equal(t, "assert-create", calls[0].Requirements[0].GetType())
	require.Equal(t, map[string]int{"0": 0, "1": 0}, b.exact("main"))
	require.Equal(t, w.State(), b.open("w2").State())
	b.commit(w, step(0, 0, 10))
	b.exact("main")
	require.IsType(t, event.TableCreated{}, b.events[0])
}

// The first look after birth finds start positions, whatever answer was lost and whoever else creates.
func TestBirthUnderFaults(t *testing.T) { onFormats(t, birthUnderFaults) }

func birthUnderFaults(t *testing.T, format int) {
	t.Helper()
	for name, open := range map[string]func(*bench, string) *Table{"staged": stagedOpen, "two steps": func(b *bench, w string) *Table { return b.open(w) }} {
		for fname, f := range map[string]fault{"lost": lost, "lost as 409": lostAs409, "dropped": dropped} {
			t.Run(name+" "+fname, func(t *testing.T) {
				b := newBenchOf(t, format)
				b.on(map[int]fault{1: f})
				w := open(b, "w1")
				require.NoError(t, w.Create(b.ctx, Creation{FormatVersion: format, Fields: fields(), Start: starts(2)}))
				require.Equal(t, map[string]int{"0": 0, "1": 0}, b.exact("main"))
				b.commit(w, step(0, 0, 10), step(1, 0, 3))
				b.exact("main")
			})
		}
		t.Run(name+" two creators", func(t *testing.T) {
			b := newBenchOf(t, format)
			w1, w2 := open(b, "w1"), open(b, "w2")
			once := false
			b.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
				if !once {
					once = true
					later := Creation{FormatVersion: format, Fields: fields(), Start: []Step{{Key: key(0), To: pos(100)}, {Key: key(2), To: pos(0)}}}
					require.NoError(t, w2.Create(b.ctx, later))
				}
				return apply()
			}
			require.NoError(t, w1.Create(b.ctx, Creation{FormatVersion: format, Fields: fields(), Start: starts(2)}))
			require.NoError(t, w2.Refresh(b.ctx))
			require.Equal(t, w1.State(), w2.State())
			require.Len(t, w1.State().Entries, 3)
			e, _ := w1.State().Find(key(0))
			require.Equal(t, pos(100), e.Position, "the winner's start stands")
		})
	}
}

// A crash between the table and its first snapshot: the next process adds the snapshot.
func TestHalfBornTable(t *testing.T) {
	b := newBench(t)
	b.patience = 0
	b.cat.OnCommit = func(context.Context, committest.Call, func() committest.Answer) committest.Answer {
		return committest.Answer{Err: errLost}
	}
	require.Error(t, b.open("w1").Create(b.ctx, Creation{Fields: fields(), Start: starts(2)}))
	require.Nil(t, headOf(b.cat.Table(ident...), "main"))
	b.cat.OnCommit = nil
	b.ctx = context.Background()
	w := b.open("w2")
	require.True(t, w.Exists())
	require.NoError(t, w.Begin(b.ctx, starts(2)))
	b.commit(w, step(0, 0, 10))
	require.Equal(t, map[string]int{"0": 10, "1": 0}, b.exact("main"))
}

// Where an asserted absence proves nothing, a first commit goes only to a table that this process has created.
func TestNoNullPinToAForeignTable(t *testing.T) {
	b := newBench(t)
	require.NoError(t, b.cat.CreateNamespace(b.ctx, ident[:1], nil))
	sc, err := schema(fields())
	require.NoError(t, err)
	_, err = b.cat.CreateTable(b.ctx, ident, sc)
	require.NoError(t, err)
	weak := weakCatalog{b.cat}
	b.cat.IgnoreNullPins = true
	w, err := Open(b.ctx, weak, spec("w1"), b.env())
	require.NoError(t, err)
	err = w.Begin(b.ctx, starts(1))
	require.Equal(t, CodeEmpty, failure.CodeOf(err))
	require.Equal(t, failure.Config, failure.ClassOf(err))
	_, err = w.Commit(b.ctx, b.batch(w, Step{Key: key(0), To: pos(0)}))
	require.Equal(t, CodeEmpty, failure.CodeOf(err))
	b.foreignAppend()
	require.NoError(t, w.Begin(b.ctx, starts(1)))
	b.commit(w, step(0, 0, 10))
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
}

type weakCatalog struct{ *committest.Catalog }

func (weakCatalog) Capabilities() Capabilities { return Capabilities{} }

func TestCreation(t *testing.T) {
	b := newBench(t)
	w := b.open("w1")
	day, err := iceberg.ParseTransform("day")
	require.NoError(t, err)
	cols := []column.Field{
		{Name: "ts", Required: true, Type: column.Type{Kind: column.TimestampTZ}},
		{Name: "user", Type: column.Type{Kind: column.Struct, Fields: []column.Field{
			{Name: "id", Type: column.Type{Kind: column.Long}},
			{Name: "tags", Type: column.Type{Kind: column.List, Fields: []column.Field{{Name: "element", Type: column.Type{Kind: column.String}}}}},
		}}},
		{Name: "m", Type: column.Type{Kind: column.Map, Fields: []column.Field{{Name: "key", Required: true, Type: column.Type{Kind: column.String}}, {Name: "value", Type: column.Type{Kind: column.Decimal, Precision: 9, Scale: 2}}}}},
	}
	require.NoError(t, w.Create(b.ctx, Creation{
		Fields:        cols,
		PartitionBy:   []PartitionField{{Column: "ts", Transform: day}, {Column: "user.id", Transform: iceberg.BucketTransform{NumBuckets: 4}}, {Column: "ts", Transform: iceberg.VoidTransform{}, Name: "nothing"}},
		Properties:    iceberg.Properties{"write.parquet.compression-codec": "zstd", "write.metadata.previous-versions-max": "5"},
		FormatVersion: 3,
		Location:      "mem://elsewhere/t",
	}))
	meta := b.cat.Table(ident...)
	require.Equal(t, 3, meta.Version())
	require.Equal(t, "mem://elsewhere/t", w.Location())
	require.NotNil(t, headOf(meta, "main"), "a table of ours is never without a snapshot")
	spec := meta.PartitionSpec()
	require.Equal(t, "ts_day", spec.Field(0).Name)
	require.Equal(t, "user.id_bucket", spec.Field(1).Name)
	require.Equal(t, "nothing", spec.Field(2).Name)
	props := w.Properties()
	require.Equal(t, "10", props["commit.retry.num-retries"])
	require.Equal(t, "true", props["write.metadata.delete-after-commit.enabled"])
	require.Equal(t, "5", props["write.metadata.previous-versions-max"], "the caller's come last")
	require.Equal(t, "zstd", props["write.parquet.compression-codec"])
	require.Equal(t, "p/main", props[CreatedByKey])
	f, ok := w.Schema().FindFieldByName("user.tags.element")
	require.True(t, ok)
	require.Equal(t, iceberg.PrimitiveTypes.String, f.Type)
	f, ok = w.Schema().FindFieldByName("m.value")
	require.True(t, ok)
	require.Equal(t, "decimal(9, 2)", f.Type.String())
}

func TestCreationRefuses(t *testing.T) {
	b := newBench(t)
	w := b.open("w1")
	err := w.Create(b.ctx, Creation{Fields: fields(), PartitionBy: []PartitionField{{Column: "nope", Transform: iceberg.IdentityTransform{}}}})
	require.Equal(t, "E_PARTITION", failure.CodeOf(err))
	err = w.Create(b.ctx, Creation{Fields: fields(), PartitionBy: []PartitionField{{Column: "name", Transform: iceberg.DayTransform{}}}})
	require.ErrorContains(t, err, "cannot be applied")
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

func TestNestedNamespaceIsCreated(t *testing.T) {
	b := newBench(t)
	s := spec("w1")
	s.Identifier = table.Identifier{"a", "b", "t"}
	w, err := Open(b.ctx, b.cat, s, b.env())
	require.NoError(t, err)
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields()}))
	all, _ := b.cat.ListNamespaces(b.ctx, nil)
	require.Equal(t, "[[a] [a b]]", fmt.Sprint(all))
}

func TestBeginAdoptsWhatOthersBegan(t *testing.T) {
	b := newBench(t)
	w1, w2 := b.create("w1", 1), b.open("w2")
	require.NoError(t, w1.Begin(b.ctx, []Step{{Key: key(1), To: pos(7), Note: []byte("n")}}))
	require.NoError(t, w2.Begin(b.ctx, []Step{{Key: key(1), To: pos(0)}, {Key: key(2), To: pos(3)}}))
	e, _ := w2.State().Find(key(1))
	require.Equal(t, pos(7), e.Position)
	e, _ = w2.State().Find(key(2))
	require.Equal(t, pos(3), e.Position)
	require.Equal(t, []byte("n"), w2.Notes()[key(1)])
	before := headOf(b.cat.Table(ident...), "main").SnapshotID
	require.NoError(t, w1.Begin(b.ctx, []Step{{Key: key(2), To: pos(9)}}))
	require.Equal(t, before, headOf(b.cat.Table(ident...), "main").SnapshotID, "nothing to begin, nothing committed")
	require.Equal(t, CodeFileSet, failure.CodeOf(w1.Begin(b.ctx, []Step{step(2, 3, 4)})))
}

// A topic was created again and an operator took its successor over. A process that was away since it looked for topics
// begins nothing of the old one, or what was read of it could be added a second time by another that was away as well.
func TestBeginLeavesOutWhatHasASuccessor(t *testing.T) {
	for name, other := range map[string]state.Stream{
		"created again":      {Source: "main", Cluster: "c", Topic: "t", ID: [16]byte{2}},
		"in another cluster": {Source: "main", Cluster: "d", Topic: "t", ID: [16]byte{1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			of := func(s state.Stream, p int) state.Key {
				k := key(p)
				k.Stream = s
				return k
			}
			first := state.Stream{Source: "main", Cluster: "c", Topic: "t", ID: [16]byte{1}}
			w, away := b.open("w1"), b.open("w2")
			require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: []Step{{Key: of(first, 0), To: pos(0)}}}))
			batch := func(s state.Stream, to int) FileSet {
				x := step(0, 0, to)
				x.Key = of(s, 0)
				return b.batch(w, x)
			}
			old := batch(first, 5)
			res, err := w.Commit(b.ctx, old)
			require.NoError(t, err)
			require.Equal(t, Landed, res.Outcome)
			b.decide(Control{Verb: Adopt, Moves: []state.Move{{Key: of(first, 0), From: pos(5)}, {Key: of(other, 0), To: pos(0)}}})
			require.NoError(t, away.Create(b.ctx, Creation{Fields: fields(), Start: []Step{{Key: of(first, 0), To: pos(0)}, {Key: of(first, 1), To: pos(0)}}}))
			require.Len(t, away.State().Entries, 1)
			require.Equal(t, of(other, 0), away.State().Entries[0].Key)
			res, err = away.Commit(b.ctx, batch(first, 5))
			require.NoError(t, err)
			require.Equal(t, Fenced, res.Outcome)
			// What has no id may be the same.
			require.NoError(t, away.Begin(b.ctx, []Step{{Key: of(state.Stream{Source: "main", Topic: "t"}, 2), To: pos(0)}}))
			require.Len(t, away.State().Entries, 2)
		})
	}
}

// A fan-out: a new table's birth holds its start positions, and a crash before its first commit loses nothing.
func TestNewTableBesideAnOldOne(t *testing.T) {
	b := newBench(t)
	old := b.create("w1", 1)
	b.commit(old, step(0, 0, 500))
	s := spec("w1")
	s.Identifier = table.Identifier{"db", "new"}
	fresh := b.openSpec(s)
	require.NoError(t, fresh.Create(b.ctx, Creation{Fields: fields(), Start: []Step{{Key: key(0), To: pos(500)}}}))
	again := b.openSpec(s)
	e, ok := again.State().Find(key(0))
	require.True(t, ok)
	require.Equal(t, pos(500), e.Position)
	require.Equal(t, state.Totals{}, e.Totals)
}

// TestBirthWhileTheStoreIsAway: the first snapshot of a table that does not exist yet cannot be written for a while.
func TestBirthWhileTheStoreIsAway(t *testing.T) {
	b := newBench(t)
	away := 3
	b.cat.Files.OnCreate = func(string) error {
		if away--; away >= 0 {
			return errLost
		}
		return nil
	}
	w := stagedOpen(b, "w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	require.Equal(t, map[string]int{"0": 0}, b.exact("main"))
}
