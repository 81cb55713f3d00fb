package table_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/transform"
)

// TB is what *testing.T and *rapid.T have in common.
type TB interface {
	require.TestingT
	Helper()
}

// lake is a SQLite catalog with a local warehouse.
type lake struct {
	ctx    context.Context
	cat    *sqlcat.Catalog
	stores *store.Stores
	n      int
}

func newLake(t *testing.T) *lake {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", "file:"+dir+"/c.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_txlock=immediate")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	cat, err := sqlcat.NewCatalog("c", db, sqlcat.SQLite, iceberg.Properties{"warehouse": "file://" + dir + "/wh"})
	require.NoError(t, err)
	require.NoError(t, cat.CreateNamespace(t.Context(), icetable.Identifier{"db"}, nil))
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	return &lake{ctx: t.Context(), cat: cat, stores: s}
}

// lakeTable is a created table with what writing it needs.
type lakeTable struct {
	*lake
	tbl    *icetable.Table
	layout *column.Layout
	spec   iceberg.PartitionSpec
}

// create makes a table; terms are partition_by entries.
func (l *lake) create(t TB, fields []column.Field, props iceberg.Properties, terms ...string) *lakeTable {
	sc, err := table.Schema(0, fields)
	require.NoError(t, err)
	var parts []iceberg.PartitionField
	for i, text := range terms {
		term, err := transform.Parse(text)
		require.NoError(t, err)
		require.NoError(t, term.Check(fields))
		src, ok := sc.FindFieldByName(term.Column)
		require.True(t, ok)
		parts = append(parts, iceberg.PartitionField{SourceIDs: []int{src.ID}, FieldID: 1000 + i, Name: term.Name() + "_p", Transform: term.Iceberg()})
	}
	spec := iceberg.NewPartitionSpec(parts...)
	if props == nil {
		props = iceberg.Properties{}
	}
	if props["format-version"] == "" {
		props["format-version"] = "2"
		if strings.Contains(sc.String(), "_ns") {
			props["format-version"] = "3"
		}
	}
	l.n++
	tbl, err := l.cat.CreateTable(l.ctx, icetable.Identifier{"db", fmt.Sprintf("t%d", l.n)}, sc,
		catalog.WithPartitionSpec(&spec), catalog.WithProperties(props))
	require.NoError(t, err)
	loaded, err := table.Fields(tbl.Schema())
	require.NoError(t, err)
	layout, err := column.NewLayout(loaded)
	require.NoError(t, err)
	return &lakeTable{lake: l, tbl: tbl, layout: layout, spec: tbl.Spec()}
}

func (lt *lakeTable) writer(t TB, tune func(*table.WriterOptions)) *table.Writer {
	enc, err := parquet.NewEncoder(parquet.Options{PageRows: 50})
	require.NoError(t, err)
	opts := table.WriterOptions{Layout: lt.layout, Spec: &lt.spec, Encoder: enc}
	if tune != nil {
		tune(&opts)
	}
	w, err := table.NewWriter(opts)
	require.NoError(t, err)
	return w
}

func (lt *lakeTable) assemble(t TB, parts []table.Part) table.Files {
	st, err := lt.stores.For(lt.tbl.Location())
	require.NoError(t, err)
	a, err := table.NewAssembler(table.AssemblerOptions{
		Layout: lt.layout, Schema: lt.tbl.Schema(), Spec: &lt.spec, Location: lt.tbl.Location(), Properties: lt.tbl.Properties(), Store: st,
	})
	require.NoError(t, err)
	files, err := a.Assemble(lt.ctx, uuid.NewString(), parts)
	require.NoError(t, err)
	return files
}

// commit appends the files as our committer does: staged, mended, sent.
func (lt *lakeTable) commit(t TB, files table.Files) {
	staged := lt.stage(t, files)
	fs, err := lt.tbl.FS(lt.ctx)
	require.NoError(t, err)
	_, err = table.MendManifestList(fs, lt.tbl.Metadata(), snapshotOf(t, staged))
	require.NoError(t, err)
	lt.send(t, staged)
}

func (lt *lakeTable) stage(t TB, files table.Files) icetable.TableCommit {
	tx := lt.tbl.NewTransaction()
	require.NoError(t, tx.NewRowDelta(nil).AddRows(files.Data...).Commit(lt.ctx))
	staged, err := tx.TableCommit()
	require.NoError(t, err)
	return staged
}

func (lt *lakeTable) send(t TB, staged icetable.TableCommit) {
	_, _, err := lt.cat.CommitTable(lt.ctx, lt.tbl.Identifier(), staged.Requirements, staged.Updates)
	require.NoError(t, err)
	lt.tbl, err = lt.cat.LoadTable(lt.ctx, lt.tbl.Identifier())
	require.NoError(t, err)
}

func snapshotOf(t TB, staged icetable.TableCommit) *icetable.Snapshot {
	for _, u := range staged.Updates {
		if u.Action() != icetable.UpdateAddSnapshot {
			continue
		}
		var w struct{ Snapshot *icetable.Snapshot }
		b, err := json.Marshal(u)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &w))
		return w.Snapshot
	}
	require.FailNow(t, "nothing staged")
	return nil
}

// scan reads the table, or what a filter leaves of it, by the value of its first column.
func (lt *lakeTable) scan(t TB, opts ...icetable.ScanOption) map[int64][]any {
	out := map[int64][]any{}
	_, records, err := lt.tbl.Scan(opts...).ToArrowRecords(lt.ctx)
	require.NoError(t, err)
	for rec, err := range records {
		require.NoError(t, err)
		for i := range int(rec.NumRows()) {
			row := make([]any, rec.NumCols())
			for k := range row {
				row[k] = arrowValue(rec.Column(k), i)
			}
			id := row[0].(int64)
			require.NotContains(t, out, id, "a row twice")
			out[id] = row
		}
		rec.Release()
	}
	return out
}
