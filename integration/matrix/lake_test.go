package matrix

import (
	"context"
	"os"
	"testing"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/schemareg/avro"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/transform"
)

// namespace holds all tables of the matrix.
const namespace = "matrix"

// lake is a SQLite catalog with a local warehouse.
type lake struct {
	dir    string
	cat    catalog.Catalog
	stores *store.Stores
}

func newLake(t testing.TB) *lake {
	t.Helper()
	l := &lake{dir: scratch(t)}
	var err error
	l.cat, err = catalog.Open(t.Context(), catalog.Options{Type: catalog.SQLite, Path: l.dir + "/catalog.db", Warehouse: l.dir + "/warehouse"})
	require.NoError(t, err)
	l.stores, err = store.Open(store.Options{})
	require.NoError(t, err)
	return l
}

// scratch is a folder in memory where there is one: the catalog syncs each commit.
func scratch(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "matrix-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// write makes a case's table, on the product's way: encoded records through the compiled program into a writer, its
// parts into files, the files into commits. Two commits of several row groups each, where the table has no partitions.
func (l *lake) write(t testing.TB, c *theCase) *icetable.Table {
	t.Helper()
	key := state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: c.Name}, Partition: "0"}
	tbl, err := commit.Open(t.Context(), l.cat, commit.Spec{Identifier: []string{namespace, c.Name}, Pipeline: "matrix", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	creation := commit.Creation{Fields: c.Fields, Properties: c.Properties, FormatVersion: c.Format, Start: []commit.Step{{Key: key, To: "0"}}}
	if c.PartitionBy != "" {
		term, err := transform.Parse(c.PartitionBy)
		require.NoError(t, err)
		require.NoError(t, term.Check(c.Fields))
		creation.PartitionBy = []commit.PartitionField{{Column: term.Column, Transform: term.Iceberg(), Name: term.Name()}}
	}
	require.NoError(t, tbl.Create(t.Context(), creation))
	w := l.filler(t, c, tbl)
	half := len(c.rows) / 2
	w.commit(t.Context(), t, key, "0", "1", c.rows[:half])
	w.commit(t.Context(), t, key, "1", "2", c.rows[half:])
	loaded, err := l.cat.LoadTable(t.Context(), icetable.Identifier{namespace, c.Name})
	require.NoError(t, err)
	return loaded
}

// filler is what writing one table takes.
type filler struct {
	tbl       *commit.Table
	records   *records
	writer    *table.Writer
	program   *avro.Program
	assembler *table.Assembler
	rewriter  *rewriter // nil: files stay as they are
}

func (l *lake) filler(t testing.TB, c *theCase, tbl *commit.Table) *filler {
	t.Helper()
	fields, err := table.Fields(tbl.Schema())
	require.NoError(t, err)
	layout, err := column.NewLayout(fields)
	require.NoError(t, err)
	enc, err := parquet.NewEncoder(c.Options)
	require.NoError(t, err)
	spec := tbl.PartitionSpec()
	f := &filler{tbl: tbl, records: newRecords(t, c.Fields)}
	f.writer, err = table.NewWriter(table.WriterOptions{Layout: layout, Spec: &spec, Encoder: enc, Blooms: table.BloomFilters(layout, tbl.Properties())})
	require.NoError(t, err)
	schema, err := avro.Parse(f.records.schema)
	require.NoError(t, err)
	f.program, err = avro.Compile(schema, f.writer.Set(), avro.CompileOptions{})
	require.NoError(t, err)
	st, err := l.stores.For(tbl.Location())
	require.NoError(t, err)
	f.assembler, err = table.NewAssembler(table.AssemblerOptions{
		Layout: layout, Schema: tbl.Schema(), Spec: &spec, Location: tbl.Location(), Properties: tbl.Properties(), Store: st,
	})
	require.NoError(t, err)
	if c.Rewritten {
		f.rewriter = &rewriter{layout: layout, options: c.Options, spec: spec, location: tbl.Location()}
	}
	return f
}

func (f *filler) commit(ctx context.Context, t testing.TB, key state.Key, from, to state.Position, rows [][]any) {
	t.Helper()
	var parts []table.Part
	for i, row := range rows {
		require.NoError(t, f.program.Decode(f.records.encode(t, row)))
		if i%15 == 14 {
			require.NoError(t, f.writer.Absorb())
		}
		if i == len(rows)/3 {
			cut, err := f.writer.Cut()
			require.NoError(t, err)
			parts = append(parts, cut...)
		}
	}
	cut, err := f.writer.Cut()
	require.NoError(t, err)
	files, err := f.assembler.Assemble(ctx, uuid.NewString(), append(parts, cut...))
	require.NoError(t, err)
	if f.rewriter != nil {
		files.Data = f.rewriter.rewrite(ctx, t, files.Data)
	}
	step := commit.Step{Key: key, From: from, To: to, Added: files.Rows}
	step.Counts[outcome.Written] = files.Rows
	result, err := f.tbl.Commit(ctx, commit.FileSet{Files: files.Data, Added: files.Rows, Steps: []commit.Step{step}, SchemaID: f.tbl.Schema().ID})
	require.NoError(t, err)
	require.Equal(t, commit.Landed, result.Outcome)
}
