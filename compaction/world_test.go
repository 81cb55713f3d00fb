package compaction

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table/column"
)

var ident = icetable.Identifier{"db", "t"}

// check is what rapid.T and testing.T have in common.
type check interface {
	require.TestingT
	Helper()
	Logf(string, ...any)
}

// world is a catalog and files in memory, a clock that moves when it is told to, and a table of ids in places.
type world struct {
	t   check
	ctx context.Context
	cat *committest.Catalog
	mu  struct {
		sync.Mutex
		now time.Time
		ids int
	}
	// model is what the table holds: ids by place.
	model map[int64]string
	next  int64
	// own: the files are written as ingest writes them.
	own bool
}

func newWorld(t check) *world {
	w := &world{t: t, ctx: context.Background(), cat: committest.New(), model: map[int64]string{}}
	// The library stamps what has no snapshot with the machine's clock: the world's has to be behind it.
	w.mu.now = time.Now().Add(-30 * 24 * time.Hour)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.now = w.mu.now.Add(d)
}

func (w *world) env() commit.Env {
	return commit.Env{
		Now: func() time.Time { w.pass(time.Millisecond); return w.now() },
		Wait: func(ctx context.Context, d time.Duration) error {
			w.pass(d)
			return ctx.Err()
		},
		NewID: func() string {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.mu.ids++
			return fmt.Sprint("id-", w.mu.ids)
		},
		Jitter: func() float64 { return 0 },
	}
}

func (w *world) open(upkeep commit.Upkeep) *commit.Table {
	w.t.Helper()
	t, err := commit.Open(w.ctx, w.cat, commit.Spec{Identifier: ident, Pipeline: "p", MayCreate: true, Upkeep: upkeep}, w.env())
	require.NoError(w.t, err)
	return t
}

// create makes the table, partitioned by place.
func (w *world) create(props iceberg.Properties) *commit.Table {
	w.t.Helper()
	t := w.open(commit.Upkeep{Disabled: true})
	// zstd keeps goroutines for the whole process, which no test with its own clock may share.
	all := iceberg.Properties{"write.delete.mode": "merge-on-read", "write.parquet.compression-codec": "snappy"}
	for k, v := range props {
		all[k] = v
	}
	require.NoError(w.t, t.Create(w.ctx, commit.Creation{
		Fields: []column.Field{
			{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
			{Name: "place", Type: column.Type{Kind: column.String}},
		},
		PartitionBy: []commit.PartitionField{{Column: "place", Transform: iceberg.IdentityTransform{}}},
		Properties:  all, Location: "mem://lake/db/t", Start: []commit.Step{{Key: streamKey(), To: position(0)}},
	}))
	w.restamp()
	require.NoError(w.t, t.Refresh(w.ctx))
	return t
}

// restamp gives what was stamped with the machine's clock the world's time.
func (w *world) restamp() {
	w.t.Helper()
	w.pass(time.Millisecond)
	now := w.now().UnixMilli()
	stamp := func(m any, key string) {
		if ms, err := m.(map[string]any)[key].(json.Number).Int64(); err == nil && ms > now {
			m.(map[string]any)[key] = json.Number(strconv.FormatInt(now, 10))
		}
	}
	require.NoError(w.t, w.cat.Rewrite(func(m map[string]any) {
		stamp(m, "last-updated-ms")
		for _, list := range []string{"snapshots", "snapshot-log", "metadata-log"} {
			entries, _ := m[list].([]any)
			for _, e := range entries {
				stamp(e, "timestamp-ms")
			}
		}
	}, ident...))
}

func streamKey() state.Key {
	return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "t"}, Partition: "0"}
}

func position(n int64) state.Position { return state.Position("@" + strconv.FormatInt(n, 10)) }

// write makes data files of n new rows in one place, as another program would; it does not commit them.
func (w *world) write(t *commit.Table, place string, n int64) []iceberg.DataFile {
	w.t.Helper()
	if w.own {
		return w.writeOwn(t, place, n)
	}
	sc, err := icetable.SchemaToArrowSchema(t.Schema(), nil, true, false)
	require.NoError(w.t, err)
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(w.next + i)
		b.Field(1).(*array.StringBuilder).Append(place)
	}
	var out []iceberg.DataFile
	for f, err := range icetable.WriteRecords(w.ctx, t.Iceberg(), sc, func(yield func(arrow.RecordBatch, error) bool) { yield(b.NewRecordBatch(), nil) }) {
		require.NoError(w.t, err)
		out = append(out, f)
	}
	return out
}

// add commits n new rows in one place, in a file.
func (w *world) add(t *commit.Table, place string, n int64) {
	w.t.Helper()
	require.NoError(w.t, t.Refresh(w.ctx))
	w.commitFiles(t, w.write(t, place, n), place, n)
}

// commitFiles commits files that write has made.
func (w *world) commitFiles(t *commit.Table, files []iceberg.DataFile, place string, n int64) {
	w.t.Helper()
	res, err := t.Commit(w.ctx, commit.FileSet{
		Files: files, Added: n, SchemaID: t.Schema().ID,
		Steps: []commit.Step{{Key: streamKey(), From: position(w.next), To: position(w.next + n), Counts: outcome.Counts{outcome.Written: n}, Added: n}},
	})
	require.NoError(w.t, err)
	require.Equal(w.t, commit.Landed, res.Outcome)
	for i := range n {
		w.model[w.next+i] = place
	}
	w.next += n
}

// foreign commits as another engine would.
func (w *world) foreign(op func(*icetable.Transaction) error) {
	w.t.Helper()
	tbl, err := w.cat.LoadTable(w.ctx, ident)
	require.NoError(w.t, err)
	tx := tbl.NewTransaction()
	require.NoError(w.t, op(tx))
	tc, err := tx.TableCommit()
	require.NoError(w.t, err)
	_, _, err = w.cat.CommitTable(w.ctx, ident, tc.Requirements, tc.Updates)
	require.NoError(w.t, err)
	w.restamp()
}

// remove deletes rows as another engine would: by position.
func (w *world) remove(ids ...int64) {
	w.t.Helper()
	if len(ids) == 0 {
		return
	}
	w.foreign(func(tx *icetable.Transaction) error {
		return tx.Delete(w.ctx, iceberg.IsIn(iceberg.Reference("id"), ids...), nil)
	})
	for _, id := range ids {
		delete(w.model, id)
	}
}

// rows reads a snapshot, 0 for the newest.
func (w *world) rows(snapshot int64) map[int64]string {
	w.t.Helper()
	tbl, err := w.cat.LoadTable(w.ctx, ident)
	require.NoError(w.t, err)
	var opts []icetable.ScanOption
	if snapshot != 0 {
		opts = append(opts, icetable.WithSnapshotID(snapshot))
	}
	got, err := tbl.Scan(opts...).ToArrowTable(w.ctx)
	require.NoError(w.t, err)
	defer got.Release()
	out, n := map[int64]string{}, 0
	r := array.NewTableReader(got, 0)
	defer r.Release()
	for r.Next() {
		rec := r.RecordBatch()
		for i := range int(rec.NumRows()) {
			out[rec.Column(0).(*array.Int64).Value(i)] = rec.Column(1).(*array.String).Value(i)
			n++
		}
	}
	require.Len(w.t, out, n, "a row is there twice")
	return out
}

// exact compares the table with the model, and every snapshot's references with the files there are.
func (w *world) exact() {
	w.t.Helper()
	require.Equal(w.t, w.model, w.rows(0))
	meta := w.cat.Table(ident...)
	for _, s := range meta.Snapshots() {
		require.True(w.t, w.cat.Files.Has(s.ManifestList), "manifest list of snapshot %d is gone", s.SnapshotID)
		manifests, err := s.Manifests(w.cat.Files)
		require.NoError(w.t, err)
		for _, m := range manifests {
			require.True(w.t, w.cat.Files.Has(m.FilePath()))
			for e, err := range m.Entries(w.cat.Files, true) {
				require.NoError(w.t, err)
				require.True(w.t, w.cat.Files.Has(e.DataFile().FilePath()), "file %s of snapshot %d is gone", e.DataFile().FilePath(), s.SnapshotID)
			}
		}
	}
}

// live are the paths of the newest snapshot's data files.
func (w *world) live() (out []string) {
	w.t.Helper()
	tbl, err := w.cat.LoadTable(w.ctx, ident)
	require.NoError(w.t, err)
	tasks, err := tbl.Scan().PlanFiles(w.ctx)
	require.NoError(w.t, err)
	for _, t := range tasks {
		out = append(out, t.File.FilePath())
	}
	slices.Sort(out)
	return out
}

// rewrite is a run of rewrite_data_files by a process of its own.
func (w *world) rewrite(e Engine) (*RewriteResult, error) {
	run := &RewriteDataFiles{Table: w.open(commit.Upkeep{Disabled: true}), Engine: e, Options: map[string]string{"busy-min-input-files": "2", "min-input-files": "2"}, Env: Env{Now: w.now}}
	return run.Run(w.ctx)
}
