package compaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

const location = "mem://lake/db/t/"

// littered is a table whose files have times, with a rewrite whose old files are still in its history, four days ago.
func littered(t check) *world {
	w := newWorld(t)
	w.cat.Files.Clock = w.now
	tbl := w.create(nil)
	for range 5 {
		w.add(tbl, "a", 3)
	}
	w.remove(1, 7)
	_, err := w.rewrite(Library{})
	require.NoError(t, err)
	w.add(tbl, "b", 2)
	w.pass(96 * time.Hour)
	return w
}

func (w *world) orphans() *RemoveOrphanFiles {
	return &RemoveOrphanFiles{Table: w.open(commit.Upkeep{Disabled: true}), Env: Env{Now: w.now}}
}

// put places a file that is so old.
func (w *world) put(name string, age time.Duration, text string) {
	clock := w.cat.Files.Clock
	w.cat.Files.Clock = func() time.Time { return w.now().Add(-age) }
	w.cat.Files.Put(name, []byte(text))
	w.cat.Files.Clock = clock
}

// TestRemoveOrphanFiles: what nothing refers to goes when it is old enough, and nothing else.
func TestRemoveOrphanFiles(t *testing.T) {
	w := littered(t)
	needed := w.cat.Files.Names()
	w.put(location+"data/place=a/killed.parquet", 73*time.Hour, "x")
	w.put(location+"metadata/killed-m0.avro", 100*time.Hour, "xy")
	w.put(location+"data/.00000.parquet.123.tmp", 100*time.Hour, "x")
	orphans := []string{location + "data/.00000.parquet.123.tmp", location + "data/place=a/killed.parquet", location + "metadata/killed-m0.avro"}
	w.put(location+"data/place=a/young.parquet", 71*time.Hour, "x")
	w.put(location+"data/_SUCCESS", 100*time.Hour, "x")
	w.put(location+".spark/staging/x.parquet", 100*time.Hour, "x")
	w.put(location+"metadata/version-hint.text", 100*time.Hour, "3")
	w.put("mem://lake/db/t2/data/x.parquet", 100*time.Hour, "x")
	before := w.cat.Files.Names()

	run := w.orphans()
	run.DryRun = true
	res, err := run.Run(w.ctx)
	require.NoError(t, err)
	require.Equal(t, orphans, slices.Sorted(slices.Values(res.Orphans)))
	require.EqualValues(t, 4, res.Bytes)
	require.Equal(t, 1, res.Young)
	require.Equal(t, before, w.cat.Files.Names())

	res, err = w.orphans().Run(w.ctx)
	require.NoError(t, err)
	require.Equal(t, orphans, slices.Sorted(slices.Values(res.Orphans)))
	require.Subset(t, w.cat.Files.Names(), needed)
	require.Len(t, w.cat.Files.Names(), len(before)-3)
	w.exact()
}

// What expires is an orphan once nothing lists it: a process that was killed between the two leaves no litter.
func TestOrphansOfExpiredSnapshots(t *testing.T) {
	w := littered(t)
	tbl, err := w.cat.LoadTable(w.ctx, ident)
	require.NoError(t, err)
	var gone []any
	for _, s := range tbl.Metadata().Snapshots() {
		if s.SnapshotID != tbl.CurrentSnapshot().SnapshotID {
			gone = append(gone, s.SnapshotID)
		}
	}
	require.NoError(t, w.cat.Rewrite(func(m map[string]any) {
		m["snapshots"] = slices.DeleteFunc(m["snapshots"].([]any), func(s any) bool {
			return fmt.Sprint(s.(map[string]any)["snapshot-id"]) != fmt.Sprint(tbl.CurrentSnapshot().SnapshotID)
		})
		m["snapshot-log"] = []any{}
	}, ident...))
	require.NotEmpty(t, gone)
	res, err := w.orphans().Run(w.ctx)
	require.NoError(t, err)
	data := 0
	for _, f := range res.Orphans {
		if isData(f) {
			data++
		}
	}
	require.GreaterOrEqual(t, data, 5)
	w.exact()
	w.noLitter()
}

func TestOrphansAreRefused(t *testing.T) {
	other := `{"table-uuid":"00000000-0000-0000-0000-000000000001"}`
	for name, c := range map[string]struct {
		change func(w *world, r *RemoveOrphanFiles)
		code   string
	}{
		"younger than a day": {func(_ *world, r *RemoveOrphanFiles) { r.OlderThan = 23 * time.Hour }, CodeOrphanAge},
		"gc.enabled": {func(w *world, _ *RemoveOrphanFiles) {
			require.NoError(w.t, w.cat.Rewrite(func(m map[string]any) { m["properties"].(map[string]any)["gc.enabled"] = "false" }, ident...))
		}, commit.CodeGC},
		"a table of the catalog below": {func(_ *world, r *RemoveOrphanFiles) {
			r.Others = func(context.Context) (map[string]string, error) {
				return map[string]string{"db.u": "s3a://lake/db/t/nested/", "db.t2": "mem://lake/db/t2"}, nil
			}
		}, CodeNested},
		"a table in the same place": {func(_ *world, r *RemoveOrphanFiles) {
			r.Others = func(context.Context) (map[string]string, error) {
				return map[string]string{"db.u": "mem://lake/db/t"}, nil
			}
		}, CodeNested},
		"a catalog that does not say": {func(_ *world, r *RemoveOrphanFiles) {
			r.Others = func(context.Context) (map[string]string, error) { return nil, errors.New("away") }
		}, CodeOrphans},
		"metadata of another table below": {func(w *world, _ *RemoveOrphanFiles) {
			w.put(location+"nested/metadata/00001-x.metadata.json", time.Hour, other)
		}, CodeNested},
		"metadata of another table in the same place": {func(w *world, _ *RemoveOrphanFiles) {
			w.put(location+"metadata/00001-x.metadata.json", time.Hour, other)
		}, CodeNested},
		"metadata that cannot be read": {func(w *world, _ *RemoveOrphanFiles) {
			w.put(location+"metadata/00001-x.metadata.json", time.Hour, "{")
		}, CodeNested},
		"a manifest that cannot be read": {func(w *world, _ *RemoveOrphanFiles) {
			for _, f := range w.cat.Files.Names() {
				if strings.HasSuffix(f, ".avro") && !strings.Contains(f, "snap-") {
					w.cat.Files.Put(f, []byte("rubbish"))
				}
			}
		}, CodeOrphans},
	} {
		t.Run(name, func(t *testing.T) {
			w := littered(t)
			w.put(location+"data/place=a/killed.parquet", 100*time.Hour, "x")
			r := w.orphans()
			c.change(w, r)
			before := w.cat.Files.Names()
			_, err := r.Run(w.ctx)
			require.Equal(t, c.code, failure.CodeOf(err), "%v", err)
			require.Equal(t, before, w.cat.Files.Names())
		})
	}
}

// A batch that was uploaded long ago and commits while orphans are looked for keeps its files.
func TestOrphansThatAreCommittedMeanwhile(t *testing.T) {
	w := littered(t)
	tbl := w.open(commit.Upkeep{Disabled: true})
	late := w.write(tbl, "a", 2)
	w.pass(96 * time.Hour)
	r := w.orphans()
	r.DryRun = true
	once := false
	r.Env.Progress = func(p Progress) {
		if strings.HasPrefix(p.Step, "listed") && !once {
			once = true
			w.commitFiles(tbl, late, "a", 2)
		}
	}
	res, err := r.Run(w.ctx)
	require.NoError(t, err)
	require.Empty(t, res.Orphans)
	w.exact()
}

// TestExpireSnapshots goes by the table's properties.
func TestExpireSnapshots(t *testing.T) {
	w := littered(t)
	for _, c := range []struct {
		age  time.Duration
		keep int
		left int
	}{
		{5 * 24 * time.Hour, 1, 9}, // nothing is that old
		{time.Hour, 4, 4},
		{time.Hour, 1, 1},
	} {
		require.NoError(t, w.cat.Rewrite(func(m map[string]any) {
			m["properties"].(map[string]any)["history.expire.max-snapshot-age-ms"] = fmt.Sprint(c.age.Milliseconds())
			m["properties"].(map[string]any)["history.expire.min-snapshots-to-keep"] = fmt.Sprint(c.keep)
		}, ident...))
		run := ExpireSnapshots{Table: w.open(commit.Upkeep{Disabled: true}), Env: Env{Now: w.now}}
		res, err := run.Run(w.ctx)
		require.NoError(t, err)
		require.Equal(t, c.left, len(w.cat.Table(ident...).Snapshots()), "%+v", res)
		w.exact()
	}
	w.noLitter()
}
