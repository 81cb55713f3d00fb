package table

import (
	"fmt"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/transform"
)

// WriterOptions are what a Writer is bound to.
type WriterOptions struct {
	Layout *column.Layout
	// Spec is the table's partition spec; nil or one without fields is unpartitioned.
	Spec *iceberg.PartitionSpec
	// Encoder belongs to the Writer's goroutine; all its writers may share it.
	Encoder *parquet.Encoder
	// Blooms are the Bloom filters of each row group.
	Blooms []parquet.Bloom
	// Order sorts the rows of each row group; empty leaves them as they come.
	Order []column.SortKey
	// RowGroupBytes ends a row group at this encoded size; 0 = 128 MiB.
	RowGroupBytes int64
	// MaxOpen bounds the open partitions; 0 = 500.
	MaxOpen int
	// MaxOpenBytes bounds the memory of open partitions; 0 = 64 MiB. An unpartitioned table has one row group, which
	// RowGroupBytes bounds. Rows that are to be sorted wait unencoded, so there it bounds that one too.
	MaxOpenBytes int64
}

const (
	defaultRowGroupBytes = 128 << 20
	defaultMaxOpen       = 500
	defaultMaxOpenBytes  = 64 << 20
	// absorbRows is how many rows wait in an open partition before they go into its dictionaries: doing that for
	// each row of a batch that hits many partitions would cost more than the decoding.
	absorbRows = 256
	// maxTuples is when the dictionary of tuples is forgotten after a cut.
	maxTuples = 10_000
)

// Part is a finished row group of one partition.
type Part struct {
	// Tuple is the partition; the zero Tuple for an unpartitioned table.
	Tuple transform.Tuple
	Chunk *parquet.Chunk
}

// Writer collects one lane's rows of one table in open row groups: a single one, into which programs append
// directly, or one per partition, filled from a staging set.
//
// A bad record is taken back by truncating the set to the rows it had before (Set().Truncate). After an error of
// Absorb or Cut only Reset helps; both fail for programs that broke the rules of package column, never for data.
type Writer struct {
	opts   WriterOptions
	direct *parquet.RowGroup // unpartitioned
	spread *partitions       // partitioned
	parts  []Part            // finished before the cut
	bytes  int64             // encoded, of parts
	rows   int64             // absorbed since the last cut
}

// NewWriter makes an empty Writer.
func NewWriter(opts WriterOptions) (*Writer, error) {
	if opts.RowGroupBytes <= 0 {
		opts.RowGroupBytes = defaultRowGroupBytes
	}
	if opts.MaxOpen <= 0 {
		opts.MaxOpen = defaultMaxOpen
	}
	if opts.MaxOpenBytes <= 0 {
		opts.MaxOpenBytes = defaultMaxOpenBytes
	}
	for _, b := range opts.Blooms {
		if err := b.Check(opts.Layout); err != nil {
			return nil, failure.Wrap(err, failure.Fatal, codeParts, "", "preparing a writer")
		}
	}
	for _, k := range opts.Order {
		if err := column.CheckSortKey(opts.Layout, k); err != nil {
			return nil, failure.Wrap(err, failure.Fatal, codeParts, "", "preparing a writer")
		}
	}
	w := &Writer{opts: opts}
	if opts.Spec == nil || opts.Spec.NumFields() == 0 {
		w.direct = w.newRowGroup()
		return w, nil
	}
	p, err := transform.Compile(opts.Spec, opts.Layout)
	if err != nil {
		return nil, err
	}
	w.spread = &partitions{w: w, tuples: p, staging: column.NewSet(opts.Layout), open: map[uint32]*partition{}}
	return w, nil
}

// newRowGroup makes an empty row group of the table.
func (w *Writer) newRowGroup() *parquet.RowGroup {
	g := parquet.NewRowGroup(w.opts.Layout, w.opts.Encoder)
	g.Filtered(w.opts.Blooms)
	g.Sorted(w.opts.Order)
	return g
}

// Set is where programs append; it is the same for the Writer's whole life.
func (w *Writer) Set() *column.Set {
	if w.direct != nil {
		return w.direct.Set()
	}
	return w.spread.staging
}

// Absorb ends a small batch of rows, about 500: they go to the row groups of their partitions.
func (w *Writer) Absorb() error {
	if w.direct != nil {
		if err := w.absorbDirect(); err != nil {
			return fmt.Errorf("absorbing a batch: %w", err)
		}
		return nil
	}
	n, err := w.spread.absorb()
	if err != nil {
		return fmt.Errorf("absorbing a batch: %w", err)
	}
	w.rows += int64(n)
	return nil
}

func (w *Writer) absorbDirect() error {
	before := w.direct.Rows()
	if err := w.direct.Absorb(); err != nil {
		return err
	}
	w.rows += w.direct.Rows() - before
	if w.direct.Estimate() < w.opts.RowGroupBytes && (len(w.opts.Order) == 0 || w.direct.Bytes() < w.opts.MaxOpenBytes) {
		return nil
	}
	return w.finish(transform.Tuple{}, w.direct)
}

// finish ends a row group; a row group without rows makes no part.
func (w *Writer) finish(t transform.Tuple, g *parquet.RowGroup) error {
	c, err := g.Finish()
	if err != nil {
		return err
	}
	if c.Rows > 0 {
		w.parts = append(w.parts, Part{Tuple: t, Chunk: c})
		w.bytes += c.Bytes
	}
	return nil
}

// partOverhead is what a part takes beside its encoded bytes: pages, index entries and statistics of its columns.
const partOverhead = 256 // per column

// Held is the memory that parts of a Cut hold.
func (w *Writer) Held(parts []Part) int64 {
	n := int64(len(parts)*len(w.opts.Layout.Leaves)) * partOverhead
	for _, p := range parts {
		n += p.Chunk.Bytes
	}
	return n
}

// Bytes is the memory held.
func (w *Writer) Bytes() int64 {
	n := w.bytes + int64(len(w.parts)*len(w.opts.Layout.Leaves))*partOverhead
	if w.direct != nil {
		return n + w.direct.Bytes()
	}
	return n + w.spread.bytes()
}

// Fragmented says that most of what a Cut would give now are small row groups that were finished before their time,
// because more partitions get rows at once than fit into memory.
func (w *Writer) Fragmented() bool {
	if w.spread == nil || w.spread.early < manyOpen {
		return false
	}
	return 2*w.spread.early >= len(w.parts)+len(w.spread.open) && w.bytes < smallPart*int64(len(w.parts))
}

// smallPart is the average size below which row groups are called small.
const smallPart = 1 << 20

// Rows is the number of rows absorbed since the last Cut or Reset.
func (w *Writer) Rows() int64 { return w.rows }

// Estimate is the encoded size of what would be cut now.
func (w *Writer) Estimate() int64 {
	if w.direct != nil {
		return w.bytes + w.direct.Estimate()
	}
	return w.bytes + w.spread.estimate
}

// Cut finishes all row groups and empties the Writer. Parts of one partition stand in the order of their rows.
func (w *Writer) Cut() ([]Part, error) {
	err := w.Absorb()
	if err != nil {
		return nil, err
	}
	if w.direct != nil {
		err = w.finish(transform.Tuple{}, w.direct)
	} else {
		err = w.spread.finishAll()
	}
	if err != nil {
		return nil, fmt.Errorf("finishing row groups: %w", err)
	}
	parts := w.parts
	w.parts, w.bytes, w.rows = nil, 0, 0
	return parts, nil
}

// Release gives the buffers of an empty Writer back, as after a Cut. They would be grown again by the next rows.
func (w *Writer) Release() {
	if w.direct != nil {
		w.direct.Release()
		return
	}
	w.spread.idle, w.spread.kept = nil, 0
	w.spread.staging.Release()
}

// Reset drops everything that was appended since the last Cut.
func (w *Writer) Reset() {
	w.parts, w.bytes, w.rows = nil, 0, 0
	if w.direct != nil {
		w.direct.Reset()
		return
	}
	w.spread.reset()
}
