package compaction

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/google/uuid"

	"github.com/ingestd/ingestd/compaction/rewrite"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// CodeDamaged is a data file that is not what it was written as.
const CodeDamaged = "E_FILE_DAMAGED"

// Pages is the engine of package rewrite: files are put together page by page, in bounded memory. What it cannot read is
// left to Otherwise: equality deletes, deletion vectors, foreign encodings.
type Pages struct {
	// Parquet says how the files of a table are written, by the table's name.
	Parquet func(table string) parquet.Options
	// Store gives the store of a location.
	Store func(location string) (store.Store, error)
	// Memory bounds what a rewrite takes, Workers the columns at work at once; 0 = one per processor.
	Memory    int64
	Workers   int
	Otherwise Engine
}

// preload is the size of a file that is read from an object store at once.
const preload = 4 << 20

// Rewrite implements Engine.
func (p Pages) Rewrite(ctx context.Context, j Job) (Rewritten, error) {
	out, err := p.rewrite(ctx, j)
	var foreign rewrite.ErrUnsupported
	if !errors.As(err, &foreign) || p.Otherwise == nil {
		return out, damaged(err)
	}
	others, err := p.Otherwise.Rewrite(ctx, j)
	if err == nil {
		// What was begun before the page that could not be read.
		p.remove(ctx, j, out.Created)
		return others, nil
	}
	others.Created = append(others.Created, out.Created...)
	return others, err
}

// damaged says what to do about a file that is.
func damaged(err error) error {
	var d *rewrite.Damaged
	if errors.As(err, &d) {
		return failure.Wrap(err, failure.Fatal, CodeDamaged, "nothing was changed: restore the file from a copy, or delete its rows", "rewriting data files")
	}
	return err
}

func (p Pages) rewrite(ctx context.Context, j Job) (out Rewritten, err error) {
	fields, err := table.Fields(j.Table.Schema())
	if err != nil {
		return out, err
	}
	layout, err := column.NewLayout(fields)
	if err != nil {
		return out, err
	}
	fs, err := j.Table.FS(ctx)
	if err != nil {
		return out, err
	}
	inputs := make([]rewrite.Input, len(j.Tasks))
	for i, t := range j.Tasks {
		if inputs[i], err = input(ctx, fs, t); err != nil {
			return out, err
		}
	}
	st, err := p.Store(j.Table.Location())
	if err != nil {
		return out, err
	}
	meta, err := table.FooterOf(j.Table.Schema())
	if err != nil {
		return out, err
	}
	o := rewrite.Options{
		Layout: layout, Parquet: p.Parquet(strings.Join(j.Table.Identifier(), ".")), TargetBytes: j.Target, Memory: p.Memory, Workers: p.Workers, Meta: meta,
		Name: func() string {
			name := directory(j) + "/00000-" + uuid.NewString() + ".parquet"
			out.Created = append(out.Created, name)
			return name
		},
		Create: func(ctx context.Context, path string, write func(io.Writer) error) (int64, error) {
			if err := j.leaving(ctx, path); err != nil {
				return 0, err
			}
			return create(ctx, st, path, j.Target, write)
		},
	}
	if strings.Contains(j.Table.Location(), "://") && !strings.HasPrefix(j.Table.Location(), "file://") {
		o.Preload = preload
	}
	res, err := rewrite.Rewrite(ctx, inputs, o)
	if err != nil {
		return out, err
	}
	for i := range res.Outputs {
		f, err := describe(j, layout, &res.Outputs[i])
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, f)
	}
	return out, nil
}

// input is a file of the group with its deleted rows.
func input(ctx context.Context, fs iceio.IO, t icetable.FileScanTask) (rewrite.Input, error) {
	f := t.File
	in := rewrite.Input{Path: f.FilePath(), Size: f.FileSizeBytes(), NaNs: f.NaNValueCounts()}
	if len(t.EqualityDeleteFiles)+len(t.DeletionVectorFiles) > 0 {
		return in, rewrite.ErrUnsupported{Path: f.FilePath(), Why: "rows of it are deleted by equality or by a deletion vector"}
	}
	in.Open = func(context.Context) (io.ReaderAt, io.Closer, error) {
		r, err := fs.Open(f.FilePath())
		return r, r, err
	}
	var err error
	in.Deleted, err = positions(ctx, fs, t)
	return in, err
}

// create writes an output.
func create(ctx context.Context, st store.Store, path string, expected int64, write func(io.Writer) error) (int64, error) {
	var n counter
	err := st.Put(ctx, path, expected, func(w io.Writer) error {
		n = counter{w: w}
		return write(&n)
	})
	return n.n, err
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// directory is where the outputs go: beside the inputs, as far as those lie where the table's own files do.
func directory(j Job) string {
	data := strings.TrimRight(j.Table.Properties()[icetable.WriteDataPathKey], "/")
	if data == "" {
		data = strings.TrimRight(j.Table.Location(), "/") + "/data"
	}
	for _, t := range j.Tasks {
		name := t.File.FilePath()
		if strings.HasPrefix(name, data+"/") {
			return name[:strings.LastIndexByte(name, '/')]
		}
	}
	return data
}

// describe is an output in the manifest's terms.
func describe(j Job, l *column.Layout, o *rewrite.Output) (iceberg.DataFile, error) {
	spec := j.Table.Metadata().PartitionSpecByID(j.Group.Spec)
	if spec == nil {
		return nil, fmt.Errorf("describing %s: the table has no partition spec %d", o.Path, j.Group.Spec)
	}
	m := &o.Metrics
	table.KeepMetrics(l, j.Table.Properties(), m)
	b, err := iceberg.NewDataFileBuilder(*spec, iceberg.EntryContentData, o.Path, iceberg.ParquetFile, j.Tasks[0].File.Partition(), nil, nil, m.Rows, m.FileSize)
	if err != nil {
		return nil, fmt.Errorf("describing %s: %w", o.Path, err)
	}
	b.ColumnSizes(m.ColumnSizes).ValueCounts(m.ValueCounts).NullValueCounts(m.NullCounts).NaNValueCounts(m.NaNCounts)
	b.LowerBoundValues(m.Lower).UpperBoundValues(m.Upper).SplitOffsets(m.SplitOffsets).SortOrderID(0)
	return b.Build(), nil
}

// remove deletes what nobody will refer to.
func (p Pages) remove(ctx context.Context, j Job, paths []string) {
	st, err := p.Store(j.Table.Location())
	if err != nil {
		return
	}
	for _, name := range paths {
		if st.Delete(ctx, name) != nil {
			return // an orphan, for whoever looks for them
		}
	}
}
