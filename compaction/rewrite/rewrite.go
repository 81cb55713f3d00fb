package rewrite

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// Input is a file to be rewritten.
type Input struct {
	Path string
	Size int64
	// Open may be called several times.
	Open func(ctx context.Context) (io.ReaderAt, io.Closer, error)
	// Deleted are the positions of the rows that are gone, ascending.
	Deleted []int64
	// NaNs is the number of NaNs by field id, where the metadata of the table tell it. Pages of floating point columns
	// are copied as they stand only when it is zero; otherwise they must be looked into.
	NaNs map[int]int64
}

// Defaults and bounds of Options.
const (
	DefaultTarget = 512 << 20
	DefaultMemory = 256 << 20
	// DefaultDictBytes is more than a writer of small files has: the dictionary serves a large row group.
	DefaultDictBytes = 8 << 20

	minGroup = 1 << 20
	maxGroup = 128 << 20
)

// Options say what to make of the inputs.
type Options struct {
	// Layout is the schema of the outputs, with field ids. Inputs may lack optional top-level fields, and have others.
	Layout  *column.Layout
	Parquet parquet.Options
	// TargetBytes is how large an output may become, about; it ends with a row group of an input.
	TargetBytes int64
	// Memory bounds what the columns at work take: row groups are made small enough. A row group of an input is never
	// split, so larger ones need more.
	Memory int64
	// Preload reads files of up to so many bytes whole and at once, which suits object stores. A row group's files are then
	// in memory together, beside what Memory bounds.
	Preload int64
	Workers int // columns at work at once; 0 = one per processor
	// Name gives the path of the next output, Create makes it of what write writes, or leaves nothing behind. write may
	// be called again after it has failed.
	Name   func() string
	Create func(ctx context.Context, path string, write func(io.Writer) error) (size int64, err error)
	// Meta is written into the footers.
	Meta map[string]string
	// Progress is told how many bytes of the inputs are done.
	Progress func(done int64)
	// NoCopy decodes every page, as if none were fit to be copied.
	NoCopy bool
	// KeepMap asks for Result.Moves.
	KeepMap bool
}

// Output is a new file.
type Output struct {
	Path    string
	Metrics parquet.Metrics
}

// Result is what became of the inputs.
type Result struct {
	Outputs []Output
	Rows    int64 // that are left
	Deleted int64 // that are not
	// PagesCopied stayed as they were; PagesMerged is the number of output pages that were put together anew.
	PagesCopied, PagesMerged int64
	Moves                    *Moves
}

// Rewrite makes outputs of the inputs' rows, in order. With an error comes a Result whose Outputs are those that had been
// created before: nobody refers to them, and the caller may remove them.
func Rewrite(ctx context.Context, inputs []Input, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return &Result{}, err
	}
	r := &run{inputs: inputs, opts: o, result: &Result{}}
	defer r.close()
	if err := r.prepare(ctx); err != nil {
		return r.result, err
	}
	for len(r.units) > 0 {
		if err := r.output(ctx); err != nil {
			return r.result, err
		}
	}
	if o.KeepMap {
		r.result.Moves = newMoves(inputs, r.rows, r.result.Outputs)
	}
	return r.result, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Layout == nil || o.Name == nil || o.Create == nil {
		return o, errors.New("rewriting files: options without layout, name or create")
	}
	if o.TargetBytes <= 0 {
		o.TargetBytes = DefaultTarget
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Parquet.DictBytes == 0 {
		o.Parquet.DictBytes = DefaultDictBytes
	}
	if o.Parquet.PageRows == 0 {
		o.Parquet.PageRows = parquet.DefaultPageRows
	}
	if o.Parquet.PageBytes == 0 {
		o.Parquet.PageBytes = parquet.DefaultPageBytes
	}
	if o.Progress == nil {
		o.Progress = func(int64) {}
	}
	return o, nil
}

// atOnce is how much of the end of a file is read together with its footer.
func (o *Options) atOnce(size int64) int64 {
	if size <= o.Preload {
		return size
	}
	return min(size, tailBytes)
}
