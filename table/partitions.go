package table

import (
	"cmp"
	"slices"

	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/transform"
)

// partitions are the open row groups of a partitioned Writer.
//
// Their memory is bounded twice. Beyond MaxOpen partitions those that have been without rows the longest are
// finished early: late data touches an old partition once and moves on. Beyond MaxOpenBytes the largest are, which
// frees the most and makes the fewest small row groups; but when it is their number that takes the memory, the smallest
// are, and the others may still become something. What is finished early waits as encoded bytes for the cut.
//
// Sizes are kept by partition and brought up to date when it absorbs; in between the rows that wait count by the
// average of the staging set.
type partitions struct {
	w        *Writer
	tuples   *transform.Partitioner
	staging  *column.Set
	open     map[uint32]*partition // by ordinal of the tuple
	idle     []*parquet.RowGroup   // emptied, kept for their buffers
	tick     uint64
	held     int64 // bytes of open partitions
	kept     int64 // bytes of idle ones
	estimate int64 // encoded size of open partitions
	early    int   // finished early since the last cut

	dst     []*column.Set // scratch: target of each row
	touched []*partition  // scratch
}

// partition is one open row group.
type partition struct {
	ordinal  uint32
	group    *parquet.RowGroup
	bytes    int64
	estimate int64
	last     uint64 // tick of the last batch with rows for it
}

// absorb moves the staged rows to their partitions and gives their number.
func (p *partitions) absorb() (int, error) {
	rows := p.staging.Pending()
	if err := p.staging.Check(rows); err != nil {
		return 0, err
	}
	if rows == 0 {
		return 0, nil
	}
	p.tick++
	average := p.average(rows)
	p.target(p.tuples.Assign(p.staging, rows), average)
	p.staging.Scatter(p.dst)
	for _, t := range p.touched {
		if t.group.Set().Pending() < absorbRows {
			continue
		}
		if err := p.settle(t); err != nil {
			return 0, err
		}
	}
	return rows, p.bound()
}

// average is the size of a staged row, for the accounts only.
func (p *partitions) average(rows int) int64 {
	var n int64
	for _, c := range p.staging.Columns {
		n += int64(c.PageBytes())
	}
	return n/int64(rows) + int64(len(p.staging.Columns))
}

// target sets dst for each row and opens partitions as needed.
func (p *partitions) target(ordinals []uint32, average int64) {
	p.dst, p.touched = p.dst[:0], p.touched[:0]
	var t *partition
	for _, o := range ordinals {
		if t == nil || t.ordinal != o {
			t = p.at(o)
			if t.last != p.tick {
				t.last = p.tick
				p.touched = append(p.touched, t)
			}
		}
		t.bytes += average
		t.estimate += average / 2
		p.held += average
		p.estimate += average / 2
		p.dst = append(p.dst, t.group.Set())
	}
}

func (p *partitions) at(ordinal uint32) *partition {
	if t := p.open[ordinal]; t != nil {
		return t
	}
	t := &partition{ordinal: ordinal, group: p.take()}
	t.bytes = t.group.Bytes()
	p.held += t.bytes
	p.open[ordinal] = t
	return t
}

// take gives an empty row group, one with buffers if there is one.
func (p *partitions) take() *parquet.RowGroup {
	n := len(p.idle)
	if n == 0 {
		return p.w.newRowGroup()
	}
	g := p.idle[n-1]
	p.idle = p.idle[:n-1]
	p.kept -= g.Bytes()
	return g
}

// settle absorbs the rows that wait in a partition and brings the accounts up to date.
func (p *partitions) settle(t *partition) error {
	if err := t.group.Absorb(); err != nil {
		return err
	}
	bytes, estimate := t.group.Bytes(), t.group.Estimate()
	p.held += bytes - t.bytes
	p.estimate += estimate - t.estimate
	t.bytes, t.estimate = bytes, estimate
	if estimate >= p.w.opts.RowGroupBytes {
		return p.finish(t)
	}
	return nil
}

// bound finishes partitions early where there are too many or they are too large together.
func (p *partitions) bound() error {
	if len(p.open) > p.w.opts.MaxOpen {
		err := p.finishWhile(func(a, b *partition) int { return cmp.Compare(a.last, b.last) },
			func() bool { return len(p.open) > p.w.opts.MaxOpen-p.w.opts.MaxOpen/4 })
		if err != nil {
			return err
		}
	}
	if p.held <= p.w.opts.MaxOpenBytes {
		return nil
	}
	order := func(a, b *partition) int { return cmp.Compare(b.bytes, a.bytes) }
	if len(p.open) > manyOpen {
		order = func(a, b *partition) int { return cmp.Compare(a.bytes, b.bytes) }
	}
	return p.finishWhile(order, func() bool { return p.held > p.w.opts.MaxOpenBytes/2 })
}

// manyOpen is the number of open partitions above which their number is what takes the memory.
const manyOpen = 64

// finishWhile finishes open partitions in the given order as long as more says so.
func (p *partitions) finishWhile(order func(a, b *partition) int, more func() bool) error {
	for _, t := range p.sorted(order) {
		if !more() {
			return nil
		}
		if err := p.finish(t); err != nil {
			return err
		}
		p.early++
	}
	return nil
}

func (p *partitions) sorted(order func(a, b *partition) int) []*partition {
	all := make([]*partition, 0, len(p.open))
	for _, t := range p.open {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *partition) int {
		return cmp.Or(order(a, b), cmp.Compare(a.ordinal, b.ordinal))
	})
	return all
}

// finish ends a partition's row group.
func (p *partitions) finish(t *partition) error {
	if err := p.w.finish(p.tuples.Tuple(t.ordinal), t.group); err != nil {
		return err
	}
	p.release(t)
	return nil
}

// release forgets an emptied partition and keeps its buffers if they are small enough.
func (p *partitions) release(t *partition) {
	delete(p.open, t.ordinal)
	p.held -= t.bytes
	p.estimate -= t.estimate
	if n := t.group.Bytes(); p.kept+n <= p.w.opts.MaxOpenBytes/4 {
		p.kept += n
		p.idle = append(p.idle, t.group)
	}
}

// finishAll finishes every partition, in the order in which their tuples were first met.
func (p *partitions) finishAll() error {
	for _, t := range p.sorted(func(a, b *partition) int { return cmp.Compare(a.ordinal, b.ordinal) }) {
		if err := p.finish(t); err != nil {
			return err
		}
	}
	p.forget()
	return nil
}

// forget empties the dictionary of tuples when it has grown large. No partition is open.
func (p *partitions) forget() {
	p.early = 0
	if p.tuples.Len() > maxTuples {
		p.tuples.Reset()
	}
}

func (p *partitions) reset() {
	p.staging.Reset()
	for _, t := range p.open {
		t.group.Reset()
		p.release(t)
	}
	p.forget()
}

func (p *partitions) bytes() int64 {
	return p.held + p.kept + p.staging.Bytes() + p.tuples.Bytes()
}
