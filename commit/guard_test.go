package commit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

func TestGuards(t *testing.T) {
	b := newBench(t)
	w := b.open("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(2), PartitionBy: []PartitionField{{Column: "name", Transform: iceberg.IdentityTransform{}}}}))
	spec := w.PartitionSpec()
	field := spec.Field(0).FieldID
	good := func() FileSet {
		fs := FileSet{Steps: []Step{step(0, 0, 10)}, Added: 10, SchemaID: w.Schema().ID}
		fs.Files = []iceberg.DataFile{b.written(dataFile(t, spec, w.Location()+"/data/x-p0-0-10.parquet", 10, map[int]any{field: nil}))}
		return fs
	}
	f := func(want string, spoil func(*FileSet)) {
		t.Helper()
		fs := good()
		spoil(&fs)
		_, err := w.Commit(b.ctx, fs)
		require.ErrorContains(t, err, want)
		require.Equal(t, CodeFileSet, failure.CodeOf(err))
		require.Equal(t, failure.Fatal, failure.ClassOf(err))
	}
	f("no steps", func(fs *FileSet) { fs.Steps = nil })
	f("twice", func(fs *FileSet) { fs.Files = append(fs.Files, fs.Files[0]) })
	f("hold 10 rows, the batch says 11", func(fs *FileSet) { fs.Added = 11 })
	f("its steps 9", func(fs *FileSet) { fs.Steps[0].Added = 9 })
	f("lacks the partition value of name", func(fs *FileSet) {
		fs.Files[0] = dataFile(t, spec, "mem://y", 10, nil)
	})
	f("2 partition values for 1", func(fs *FileSet) {
		fs.Files[0] = dataFile(t, spec, "mem://y", 10, map[int]any{field: "a", 7: "b"})
	})
	f("partition spec 9", func(fs *FileSet) {
		fs.Files[0] = dataFile(t, iceberg.NewPartitionSpecID(9), "mem://y", 10, nil)
	})
	f("schema 8", func(fs *FileSet) { fs.SchemaID = 8 })
	f("side outputs", func(fs *FileSet) { fs.Side = []SideFile{{}} })
	f("moves nothing", func(fs *FileSet) {
		*fs = FileSet{Steps: []Step{{Key: key(0), From: pos(0), To: pos(0)}}}
	})
	f("not a Parquet data file", func(fs *FileSet) {
		d, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentPosDeletes, "mem://d", iceberg.ParquetFile, map[int]any{field: nil}, nil, nil, 10, 10)
		require.NoError(t, err)
		fs.Files[0] = d.Build()
	})
	_, err := w.Commit(b.ctx, good())
	require.NoError(t, err)
	f("twice", func(fs *FileSet) { fs.Steps = []Step{step(0, 10, 20)} })
	b.exact("main")
}

func TestPathsAreRememberedWithinBounds(t *testing.T) {
	var p paths
	for i := range 5 {
		var files []iceberg.DataFile
		for j := range pathsKept / 2 {
			files = append(files, dataFile(t, *iceberg.UnpartitionedSpec, string(rune('a'+i))+string(rune('0'+j)), 1, nil))
		}
		p.add(files)
	}
	require.Len(t, p.known, pathsKept)
	require.Len(t, p.order, pathsKept)
	require.False(t, p.known["a0"])
	require.True(t, p.known["e0"])
}

// A clock that is wrong, or goes backwards, stops nobody, and the table's times never go backwards.
func TestClockSkew(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	at := 0
	last := int64(0)
	for _, skew := range []time.Duration{0, 10 * time.Minute, -20 * time.Minute, time.Hour, -3 * time.Hour, 0} {
		b.mu.now = b.mu.now.Add(skew)
		b.commit(w, step(0, at, at+10))
		at += 10
		ts := headOf(b.cat.Table(ident...), "main").TimestampMs
		require.Greater(t, ts, last)
		last = ts
	}
	require.NoError(t, w.Begin(b.ctx, []Step{{Key: key(1), To: pos(0)}}))
	require.Equal(t, 60, b.exact("main")["0"])
}

// The library stamps what it stages with the machine's clock. In a bubble that clock says the year 2000, a quarter of
// a century before everything in the table; commits, upkeep and schema changes go on.
func TestMachineClockFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		w := b.createTended(1)
		env := b.env()
		env.Now = time.Now
		behind, err := Open(b.ctx, b.cat, tended("w2"), env)
		require.NoError(t, err)
		for i := range 25 {
			b.commit(behind, step(0, i*10, i*10+10))
		}
		// Staging a schema change works as well. The catalog in memory stamps it with its own clock, which is ours, so
		// that it cannot be carried out here.
		b.cat.OnCommit = func(_ context.Context, c committest.Call, _ func() committest.Answer) committest.Answer {
			require.Equal(t, "add-schema", c.Updates[0].Action())
			return committest.Answer{Err: failure.New(failure.Config, "E_SEEN", "", "seen")}
		}
		require.Equal(t, "E_SEEN", failure.CodeOf(behind.Evolve(b.ctx, []AddColumn{long("extra")})))
		b.cat.OnCommit = nil
		require.NoError(t, w.Refresh(b.ctx))
		b.commit(w, step(0, 250, 260))
		require.Equal(t, map[string]int{"0": 260}, b.exact("main"))
	})
}

func TestConfigEpochs(t *testing.T) {
	b := newBench(t)
	with := func(writer string, hash byte, accept bool) Spec {
		s := spec(writer)
		s.ConfigHash, s.AcceptConfig = state.Hash{hash}, accept
		return s
	}
	old := b.openSpec(with("old", 1, false))
	require.NoError(t, old.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	require.Equal(t, state.Epoch{N: 1, Hash: state.Hash{1}}, old.State().Epoch)
	b.commit(old, step(0, 0, 10))
	require.EqualValues(t, 1, old.State().Epoch.N)

	// A restart with another configuration: the next epoch, and the process that still has the old one stops.
	next := b.openSpec(with("new", 2, false))
	b.commit(next, step(0, 10, 20))
	require.EqualValues(t, 2, next.State().Epoch.N)
	_, err := old.Commit(b.ctx, b.batch(old, step(0, 20, 30)))
	require.Equal(t, CodeConfigEpoch, failure.CodeOf(err))
	require.Equal(t, failure.Halt, failure.ClassOf(err))

	// A process that comes back with the old one is refused, unless told otherwise.
	_, err = Open(b.ctx, b.cat, with("back", 1, false), b.env())
	require.Equal(t, CodeConfigSuperseded, failure.CodeOf(err))
	require.Equal(t, failure.Config, failure.ClassOf(err))
	back := b.openSpec(with("back", 1, true))
	b.commit(back, step(0, 20, 30))
	require.Equal(t, state.Epoch{N: 3, Hash: state.Hash{1}, Superseded: []state.Hash{{2}}}, back.State().Epoch)

	// Two that start at once with different configurations: one of them stops.
	a, c := b.openSpec(with("a", 4, false)), b.openSpec(with("c", 5, false))
	b.commit(a, step(0, 30, 40))
	_, err = c.Commit(b.ctx, b.batch(c, step(0, 40, 50)))
	require.Equal(t, CodeConfigEpoch, failure.CodeOf(err))

	// Several processes with the same one work side by side.
	d := b.openSpec(with("d", 4, false))
	b.commit(d, step(0, 40, 50))
	b.commit(a, step(0, 50, 60))
	require.EqualValues(t, 4, a.State().Epoch.N)

	// Without a hash nothing is compared and the epoch is carried.
	none := b.open("none")
	b.commit(none, step(0, 60, 70))
	require.EqualValues(t, 4, none.State().Epoch.N)
	b.exact("main")
}

func TestTooLargeAStateHalts(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	s := step(0, 0, 0)
	s.From, s.To = pos(0), state.Position(make([]byte, state.MaxPosition+1))
	_, err := w.Progress(b.ctx, []Step{s})
	require.Equal(t, CodeStateSize, failure.CodeOf(err))
	require.Equal(t, failure.Halt, failure.ClassOf(err))
}

// Trouble with the table's files is waited out; what was half written is removed.
func TestMetadataFilesCannotBeWritten(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	before := len(b.cat.Files.Names())
	n := 0
	b.cat.Files.OnCreate = func(string) error {
		if n++; n <= 4 && n != 1 {
			return errLost
		}
		return nil
	}
	b.commit(w, step(0, 0, 10))
	require.Len(t, b.cat.Files.Names(), before+3, "a data file, a manifest and a list")
	require.Equal(t, map[string]int{"0": 10}, b.exact("main"))
	b.cat.Files.OnCreate = func(string) error { return failure.New(failure.Config, "E_BUCKET", "create it", "no bucket") }
	_, err := w.Commit(b.ctx, b.batch(w, step(0, 10, 20)))
	require.Equal(t, "E_BUCKET", failure.CodeOf(err))
	require.Equal(t, "create it", failure.HintOf(err))
}
