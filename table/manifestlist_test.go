package table_test

import (
	"testing"

	"github.com/apache/iceberg-go"
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

	day := l.create(t, fields, nil, "bucket(2, x)")
	require.False(t, table.MayNeedMending(day.spec, day.tbl.Schema()))
}
