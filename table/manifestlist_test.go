package table_test

import (
	"fmt"
	"testing"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

func TestEmptyStringsOfPartitionsKeepTheirBounds(t *testing.T) {
	l := newLake(t)
	fields := []column.Field{
		{Name: "rid", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "x", Type: column.Type{Kind: column.String}},
	}
	write := func(lt *lakeTable, values ...any) icetable.TableCommit {
		w := lt.writer(t, nil)
		for i, v := range values {
			appendRow(w.Set(), []any{int64(i), v})
		}
		return lt.stage(t, lt.assemble(t, cut(t, w)))
	}
	found := func(lt *lakeTable, v string) int {
		tasks, err := lt.tbl.Scan(icetable.WithRowFilter(iceberg.EqualTo(iceberg.Reference("x"), v))).PlanFiles(lt.ctx)
		require.NoError(t, err)
		return len(tasks)
	}
	mend := func(lt *lakeTable, staged icetable.TableCommit) bool {
		fs, err := lt.tbl.FS(lt.ctx)
		require.NoError(t, err)
		mended, err := table.MendManifestList(fs, lt.tbl.Metadata(), snapshotOf(t, staged))
		require.NoError(t, err)
		return mended
	}

	broken := l.create(t, fields, nil, "x")
	broken.send(t, write(broken, "a", "", "b", nil))
	require.Zero(t, found(broken, "a"), "iceberg-go has been mended: MendManifestList can go")

	whole := l.create(t, fields, nil, "x")
	require.True(t, table.MayNeedMending(whole.spec, whole.tbl.Schema()))
	staged := write(whole, "a", "", "b", nil)
	require.True(t, mend(whole, staged))
	require.False(t, mend(whole, staged), "once is enough")
	whole.send(t, staged)
	staged = write(whole, "", nil)
	require.True(t, mend(whole, staged), "both bounds")
	whole.send(t, staged)
	staged = write(whole, "c", nil)
	require.False(t, mend(whole, staged), "nothing to mend, also not in what is carried forward")
	whole.send(t, staged)
	staged = write(whole, nil, nil)
	require.False(t, mend(whole, staged), "all null is rightly without bounds")
	whole.send(t, staged)
	for v, files := range map[string]int{"a": 1, "b": 1, "c": 1, "": 2, "d": 0} {
		require.Equal(t, files, found(whole, v), "%q", v)
	}

	rowIDs(t, l, fields, write, mend)

	day := l.create(t, fields, nil, "bucket(2, x)")
	require.False(t, table.MayNeedMending(day.spec, day.tbl.Schema()))
}

// In format version 3 the list gives row ids: mended ones give the same, to what is mended and to what stands beside it.
func rowIDs(t *testing.T, l *lake, fields []column.Field, write func(*lakeTable, ...any) icetable.TableCommit, mend func(*lakeTable, icetable.TableCommit) bool) {
	t.Helper()
	lt := l.create(t, fields, iceberg.Properties{"format-version": "3"}, "x")
	for i, values := range [][]any{{"a", "b"}, {"", "c", "d"}, {"e"}, {"", nil}, {"f"}} {
		staged := write(lt, values...)
		fs, err := lt.tbl.FS(lt.ctx)
		require.NoError(t, err)
		ids := func() map[string]int64 {
			out := map[string]int64{}
			manifests, err := snapshotOf(t, staged).Manifests(fs)
			require.NoError(t, err)
			for _, m := range manifests {
				out[m.FilePath()] = *m.FirstRowID()
			}
			return out
		}
		before := ids()
		require.Equal(t, values[0] == "", mend(lt, staged))
		require.Equal(t, before, ids())
		require.Len(t, before, i+1)
		lt.send(t, staged)
	}
	require.EqualValues(t, 9, lt.tbl.Metadata().NextRowID())
	tasks, err := lt.tbl.Scan(icetable.WithRowFilter(iceberg.EqualTo(iceberg.Reference("x"), ""))).PlanFiles(lt.ctx)
	require.NoError(t, err)
	require.Len(t, tasks, 2)
}

// Of several new manifests one is mended: the others stand beside it with the ids they had.
func TestMendedListsKeepRowIDs(t *testing.T) {
	l := newLake(t)
	lt := l.create(t, []column.Field{{Name: "rid", Required: true, Type: column.Type{Kind: column.Long}}, {Name: "x", Type: column.Type{Kind: column.String}}},
		iceberg.Properties{"format-version": "3"}, "x")
	fs, err := lt.tbl.FS(lt.ctx)
	require.NoError(t, err)
	files := fs.(iceio.WriteFileIO)
	first, seq := int64(100), int64(1)
	snap := &icetable.Snapshot{SnapshotID: 7, SequenceNumber: seq, FirstRowID: &first, ManifestList: lt.tbl.Location() + "/metadata/list.avro"}
	var manifests []iceberg.ManifestFile
	for i, value := range []string{"b", "", "c"} {
		var rows []iceberg.ManifestEntry
		for k, v := range []string{value, "z"} {
			b, err := iceberg.NewDataFileBuilder(lt.spec, iceberg.EntryContentData, fmt.Sprintf("f%d-%d.parquet", i, k), iceberg.ParquetFile, map[int]any{1000: v}, nil, nil, int64(i+2), 10)
			require.NoError(t, err)
			rows = append(rows, iceberg.NewManifestEntryBuilder(iceberg.EntryStatusADDED, &snap.SnapshotID, b.Build()).Build())
		}
		path := fmt.Sprintf("%s/metadata/m%d.avro", lt.tbl.Location(), i)
		out, err := files.Create(path)
		require.NoError(t, err)
		m, err := iceberg.WriteManifest(path, out, 3, lt.spec, lt.tbl.Schema(), snap.SnapshotID, rows)
		require.NoError(t, err)
		require.NoError(t, out.Close())
		manifests = append(manifests, m)
	}
	out, err := files.Create(snap.ManifestList)
	require.NoError(t, err)
	require.NoError(t, iceberg.WriteManifestList(3, out, snap.SnapshotID, nil, &seq, first, manifests))
	require.NoError(t, out.Close())

	mended, err := table.MendManifestList(fs, lt.tbl.Metadata(), snap)
	require.NoError(t, err)
	require.True(t, mended)
	again, err := snap.Manifests(fs)
	require.NoError(t, err)
	require.Len(t, again, 3)
	for i, id := range []int64{100, 104, 110} {
		require.Equal(t, id, *again[i].FirstRowID())
		require.NotNil(t, again[i].Partitions()[0].LowerBound)
	}
}
