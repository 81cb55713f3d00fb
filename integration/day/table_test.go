package day

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

const (
	// batchRows is how many rows a commit adds.
	batchRows = 40
	// topicPartitions are those whose positions each snapshot carries.
	topicPartitions = 4
)

// clock is the tables' own.
type clock struct{ now time.Time }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// grown is a table that grows, partitioned by hour, and what it has cost.
type grown struct {
	t         *testing.T
	name      string
	clock     *clock
	w         *commit.Table
	writer    *table.Writer
	assembler *table.Assembler
	engine    compaction.Engine
	commits   int
	// took are the times of the commits since the last measurement.
	took []time.Duration
	// ingested and rewritten are bytes of data files.
	ingested, rewritten int64
}

func grow(t *testing.T, cat catalog.Catalog, name string, c *clock) *grown {
	t.Helper()
	g := &grown{t: t, name: name, clock: c}
	var err error
	g.w, err = commit.Open(t.Context(), cat, commit.Spec{Identifier: icetable.Identifier{"day", name}, Pipeline: "p", MayCreate: true},
		commit.Env{Now: func() time.Time { return c.now }})
	require.NoError(t, err)
	start := make([]commit.Step, topicPartitions)
	for p := range start {
		start[p] = commit.Step{Key: key(p), To: position(0)}
	}
	require.NoError(t, g.w.Create(t.Context(), commit.Creation{
		Fields: []column.Field{
			{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
			{Name: "at", Required: true, Type: column.Type{Kind: column.TimestampTZ}},
			{Name: "page", Required: true, Type: column.Type{Kind: column.String}},
		},
		PartitionBy: []commit.PartitionField{{Column: "at", Transform: iceberg.HourTransform{}}},
		Start:       start,
	}))
	fields, err := table.Fields(g.w.Schema())
	require.NoError(t, err)
	layout, err := column.NewLayout(fields)
	require.NoError(t, err)
	encoder, err := parquet.NewEncoder(parquet.Options{})
	require.NoError(t, err)
	spec := g.w.PartitionSpec()
	g.writer, err = table.NewWriter(table.WriterOptions{Layout: layout, Spec: &spec, Encoder: encoder})
	require.NoError(t, err)
	stores, err := store.Open(store.Options{})
	require.NoError(t, err)
	st, err := stores.For(g.w.Location())
	require.NoError(t, err)
	g.engine = compaction.Pages{
		Parquet: func(string) parquet.Options { return parquet.Options{} },
		Store:   func(string) (store.Store, error) { return st, nil },
		Memory:  64 << 20,
	}
	g.assembler, err = table.NewAssembler(table.AssemblerOptions{
		Layout: layout, Schema: g.w.Schema(), Spec: &spec, Location: g.w.Location(), Properties: g.w.Properties(), Store: st,
	})
	require.NoError(t, err)
	return g
}

func key(p int) state.Key {
	return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "clicks", ID: [16]byte{1}}, Partition: fmt.Sprint(p)}
}

// position is that of every partition after n commits.
func position(n int) state.Position {
	return state.Position(fmt.Sprint(1_000_000 + n*batchRows/topicPartitions))
}

// batch writes a file of rows that have just come in.
func (g *grown) batch() commit.FileSet {
	g.t.Helper()
	set := g.writer.Set()
	for i := range batchRows {
		id := int64(g.commits*batchRows + i)
		set.Columns[0].AppendInt64(id)
		set.Columns[1].AppendInt64(g.clock.now.UnixMicro() + int64(i))
		set.Columns[2].AppendBytes([]byte("/shop/" + uuid.NewSHA1(uuid.Nil, fmt.Append(nil, id%1000)).String()))
	}
	require.NoError(g.t, g.writer.Absorb())
	parts, err := g.writer.Cut()
	require.NoError(g.t, err)
	files, err := g.assembler.Assemble(g.t.Context(), uuid.NewString(), parts)
	require.NoError(g.t, err)
	fs := commit.FileSet{Files: files.Data, Added: batchRows, SchemaID: g.w.Schema().ID}
	for p := range topicPartitions {
		const rows = batchRows / topicPartitions
		fs.Steps = append(fs.Steps, commit.Step{Key: key(p), From: position(g.commits), To: position(g.commits + 1),
			Counts: outcome.Counts{outcome.Written: rows}, Added: rows})
	}
	return fs
}

// commit adds a batch.
func (g *grown) commit() {
	g.t.Helper()
	fs := g.batch()
	began := time.Now()
	res, err := g.w.Commit(g.t.Context(), fs)
	g.took = append(g.took, time.Since(began))
	require.NoError(g.t, err)
	require.Equal(g.t, commit.Landed, res.Outcome)
	g.commits++
	for _, f := range fs.Files {
		g.ingested += f.FileSizeBytes()
	}
}

// maintain rewrites small files.
func (g *grown) maintain() {
	g.t.Helper()
	run := compaction.RewriteDataFiles{Table: g.w, Engine: g.engine, Env: compaction.Env{Now: func() time.Time { return g.clock.now }}}
	res, err := run.Run(g.t.Context())
	require.NoError(g.t, err)
	require.Zero(g.t, res.Failed)
	g.rewritten += res.AddedBytes
}

// amplification is how many bytes were written for a byte that came in.
func (g *grown) amplification() float64 { return float64(g.ingested+g.rewritten) / float64(g.ingested) }

// orphans are the files below the table's location that nothing in its metadata names.
func (g *grown) orphans() (out []string) {
	g.t.Helper()
	require.NoError(g.t, g.w.Refresh(g.t.Context()))
	known := g.referenced()
	root := strings.TrimPrefix(g.w.Location(), "file://")
	require.NoError(g.t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !known[path] {
			out = append(out, path)
		}
		return err
	}))
	return out
}

// referenced are the paths of all files that the metadata names.
func (g *grown) referenced() map[string]bool {
	g.t.Helper()
	known := map[string]bool{}
	add := func(location string) { known[strings.TrimPrefix(location, "file://")] = true }
	add(g.w.Iceberg().MetadataLocation())
	for entry := range g.w.Metadata().PreviousFiles() {
		add(entry.MetadataFile)
	}
	fs, err := g.w.Iceberg().FS(g.t.Context())
	require.NoError(g.t, err)
	for _, s := range g.w.Metadata().Snapshots() {
		add(s.ManifestList)
		manifests, err := s.Manifests(fs)
		require.NoError(g.t, err)
		for _, m := range manifests {
			if known[strings.TrimPrefix(m.FilePath(), "file://")] {
				continue
			}
			add(m.FilePath())
			for e, err := range m.Entries(fs, true) {
				require.NoError(g.t, err)
				add(e.DataFile().FilePath())
			}
		}
	}
	return known
}
