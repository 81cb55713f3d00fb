package table

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"golang.org/x/sync/errgroup"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/transform"
)

const (
	dataPathProperty   = "write.data.path"
	targetSizeProperty = "write.target-file-size-bytes"
	defaultTargetSize  = 512 << 20
	defaultUploads     = 4
	cleanupTimeout     = 30 * time.Second
)

// AssemblerOptions are what an Assembler is bound to: the table as it was loaded.
type AssemblerOptions struct {
	Layout *column.Layout
	Schema *iceberg.Schema
	// Spec is the partition spec the parts were cut with; nil is unpartitioned.
	Spec       *iceberg.PartitionSpec
	Location   string
	Properties iceberg.Properties
	Store      store.Store
	// SortOrderID is the table's name for the order of the parts' rows; 0 = none.
	SortOrderID int
	// Uploads bounds the files written at once; 0 = 4.
	Uploads int
}

// Assembler makes data files of parts. It may be used by several goroutines.
type Assembler struct {
	opts  AssemblerOptions
	spec  iceberg.PartitionSpec
	dir   string
	limit int64
	modes metricsModes
	meta  map[string]string
}

// NewAssembler prepares the writing of data files for one table schema.
func NewAssembler(opts AssemblerOptions) (*Assembler, error) {
	a := &Assembler{opts: opts, spec: *iceberg.UnpartitionedSpec, limit: defaultTargetSize, modes: newMetricsModes(opts.Layout, opts.Properties)}
	if opts.Spec != nil {
		a.spec = *opts.Spec
	}
	if a.opts.Uploads <= 0 {
		a.opts.Uploads = defaultUploads
	}
	if n, err := strconv.ParseInt(opts.Properties[targetSizeProperty], 10, 64); err == nil && n > 0 {
		a.limit = n
	}
	a.dir = strings.TrimRight(opts.Properties[dataPathProperty], "/")
	if a.dir == "" {
		a.dir = strings.TrimRight(opts.Location, "/") + "/data"
	}
	var err error
	a.meta, err = FooterOf(opts.Schema)
	return a, err
}

// FooterOf is what the footer of a data file says about the table: its schema.
func FooterOf(sc *iceberg.Schema) (map[string]string, error) {
	text, err := json.Marshal(sc)
	if err != nil {
		return nil, failure.Wrap(err, failure.Fatal, codeSchema, "", "writing schema %d as text", sc.ID)
	}
	return map[string]string{"iceberg.schema": string(text)}, nil
}

// Files are the data files of one batch, ready to be committed.
type Files struct {
	Data  []iceberg.DataFile
	Rows  int64
	Bytes int64
	// Repaired counts strings that were not UTF-8 and were stored with replacement characters.
	Repaired int64
}

// Assemble writes one file per partition (more where one would pass the table's target size, or where sorted parts
// overlap) and describes them.
// id makes the paths unique: it belongs to this call alone. Parts may come from several writers; those of one
// partition stay in their order, if they are not sorted. On an error no file of the call remains, as far as the store lets us remove them.
func (a *Assembler) Assemble(ctx context.Context, id string, parts []Part) (Files, error) {
	plan := a.plan(id, parts)
	files := Files{Data: make([]iceberg.DataFile, len(plan))}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(a.opts.Uploads)
	for i := range plan {
		g.Go(func() (err error) {
			files.Data[i], err = a.write(gctx, &plan[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Files{}, errors.Join(err, a.remove(ctx, plan))
	}
	for i := range plan {
		files.Rows += files.Data[i].Count()
		files.Bytes += files.Data[i].FileSizeBytes()
		files.Repaired += plan[i].repaired
	}
	return files, nil
}

// plannedFile is one file to be written.
type plannedFile struct {
	path   string
	tuple  transform.Tuple
	chunks []*parquet.Chunk
	bytes  int64

	repaired int64 // known when it is written
}

// plan groups parts by partition into files, in the order in which the partitions appear. Sorted parts whose rows
// overlap get files of their own: a file is in order as a whole.
func (a *Assembler) plan(id string, parts []Part) []plannedFile {
	if a.opts.SortOrderID != 0 {
		parts = byFirst(parts)
	}
	var plan []plannedFile
	open := map[string][]int{} // key of the tuple -> the files that may take more
	for _, p := range parts {
		key := p.Tuple.Key()
		at := slices.IndexFunc(open[key], func(i int) bool { return a.takes(&plan[i], p.Chunk) })
		if at < 0 {
			if a.opts.SortOrderID == 0 {
				open[key] = open[key][:0]
			}
			at = len(open[key])
			open[key] = append(open[key], len(plan))
			plan = append(plan, plannedFile{path: a.path(id, len(plan), p.Tuple), tuple: p.Tuple})
		}
		f := &plan[open[key][at]]
		f.chunks = append(f.chunks, p.Chunk)
		f.bytes += p.Chunk.Bytes
	}
	return plan
}

// path is data/partition/00000-id.parquet.
func (a *Assembler) path(id string, ordinal int, t transform.Tuple) string {
	dir := a.dir
	if p := t.Path(); p != "" {
		dir += "/" + p
	}
	return fmt.Sprintf("%s/%05d-%s.parquet", dir, ordinal, id)
}

// footerBytes is what a file has beside its chunks, roughly: the store wants to know what to expect.
const footerBytes = 16 << 10

func (a *Assembler) write(ctx context.Context, f *plannedFile) (iceberg.DataFile, error) {
	var m parquet.Metrics
	err := a.opts.Store.Put(ctx, f.path, f.bytes+footerBytes, func(w io.Writer) (err error) {
		m, err = parquet.WriteFile(w, a.opts.Layout, f.chunks, a.meta)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("writing a data file: %w", err)
	}
	f.repaired = m.Repaired
	a.modes.apply(&m)
	values := f.tuple.Values()
	if len(values) != a.spec.NumFields() {
		return nil, failure.New(failure.Fatal, codeParts, "", "describing %s: %d partition values for a spec of %d fields",
			f.path, len(values), a.spec.NumFields())
	}
	b, err := iceberg.NewDataFileBuilder(a.spec, iceberg.EntryContentData, f.path, iceberg.ParquetFile, values, nil, nil, m.Rows, m.FileSize)
	if err != nil {
		return nil, failure.Wrap(err, failure.Fatal, codeParts, "", "describing %s", f.path)
	}
	b.ColumnSizes(m.ColumnSizes).ValueCounts(m.ValueCounts).NullValueCounts(m.NullCounts).NaNValueCounts(m.NaNCounts)
	b.LowerBoundValues(m.Lower).UpperBoundValues(m.Upper).SplitOffsets(m.SplitOffsets).SortOrderID(a.opts.SortOrderID)
	return b.Build(), nil
}

// remove takes back the files of a failed call. They belong to nobody yet: no commit has named them.
func (a *Assembler) remove(ctx context.Context, plan []plannedFile) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	var err error
	for i := range plan {
		if e := a.opts.Store.Delete(ctx, plan[i].path); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}
