package rewrite

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
)

// unit is a row group of an input.
type unit struct {
	input, group int
	first, rows  int64 // position of its first row in the file
	bytes        int64
}

// run is the state of a rewrite.
type run struct {
	inputs  []Input
	opts    Options
	units   []unit  // that are left
	rows    []int64 // of each input
	workers []*worker
	result  *Result
	in, out int64   // bytes of inputs that are done, and of the outputs made of them
	columns []int64 // bytes of each column of all inputs
}

// prepare reads all footers, so that what cannot be read is refused before anything is written. They are read again when
// it is their turn; keeping those of many files would take more memory than the pages.
func (r *run) prepare(ctx context.Context) error {
	room := make([]byte, tailBytes)
	r.columns = make([]int64, len(r.opts.Layout.Leaves))
	for i := range r.inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := open(ctx, &r.inputs[i], i, r.opts.Layout, room)
		if err != nil {
			return err
		}
		var first int64
		for g := range f.meta.RowGroups {
			rg := &f.meta.RowGroups[g]
			u := unit{input: i, group: g, first: first, rows: rg.NumRows}
			for c := range rg.Columns {
				u.bytes += rg.Columns[c].MetaData.TotalCompressedSize
			}
			for leaf, col := range f.source {
				if col >= 0 {
					r.columns[leaf] += rg.Columns[col].MetaData.TotalCompressedSize
				}
			}
			first += rg.NumRows
			r.units = append(r.units, u)
		}
		r.rows = append(r.rows, first)
		f.close()
	}
	for range r.opts.Workers {
		w, err := newWorker(&r.opts)
		if err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	return nil
}

func (r *run) close() {
	for _, w := range r.workers {
		w.dec.Close()
	}
}

// groupBytes is how many input bytes become a row group. All workers and the one that waits to be written hold a column,
// at worst the largest ones, and twice that is what the collector lets lie.
func (r *run) groupBytes() int64 {
	o := &r.opts
	all, held := int64(1), int64(1)
	for i, n := range slices.SortedFunc(slices.Values(r.columns), func(a, b int64) int { return cmp.Compare(b, a) }) {
		all += n
		if i <= o.Workers {
			held += n
		}
	}
	n := int64(float64(o.Memory) / 2 * float64(all) / float64(held))
	return min(max(min(n, o.TargetBytes), minGroup), maxGroup)
}

// live is the number of rows that are left of some row groups.
func (r *run) live(units []unit) (n int64) {
	for i := range units {
		u := &units[i]
		n += u.rows - int64(len(r.inputs[u.input].deleted(u.first, u.first+u.rows)))
	}
	return n
}

// output makes the next file of as many row groups as it takes.
func (r *run) output(ctx context.Context) error {
	units := r.units[:r.share()]
	rows := r.live(units)
	for i := range units {
		r.result.Deleted += units[i].rows
	}
	r.result.Deleted -= rows
	if rows > 0 {
		if err := r.create(ctx, units, rows); err != nil {
			return err
		}
	}
	r.in += sum(units)
	r.opts.Progress(r.in)
	r.units = r.units[len(units):]
	return nil
}

func (r *run) create(ctx context.Context, units []unit, rows int64) error {
	o := Output{Path: r.opts.Name()}
	a := &attempt{run: r}
	size, err := r.opts.Create(ctx, o.Path, func(w io.Writer) error {
		*a = attempt{run: r, done: r.in}
		return a.write(ctx, w, units)
	})
	if err != nil {
		return err
	}
	o.Metrics = a.metrics
	if size != o.Metrics.FileSize || rows != o.Metrics.Rows {
		return fmt.Errorf("writing %s: it has %d bytes and %d rows, not %d and %d", o.Path, size, o.Metrics.Rows, o.Metrics.FileSize, rows)
	}
	r.result.PagesMerged += a.merged
	r.result.PagesCopied += a.copied
	r.result.Rows += rows
	r.result.Outputs = append(r.result.Outputs, o)
	r.out += size
	return nil
}

func sum(units []unit) (n int64) {
	for i := range units {
		n += units[i].bytes
	}
	return n
}

// share is how many of the row groups left become the next output: an equal part of them, such that outputs are about as
// large as they should be. What rewriting saves is known from the outputs before.
func (r *run) share() int {
	total := sum(r.units)
	expected := float64(total)
	if r.in > 0 && r.out > 0 {
		expected *= float64(r.out) / float64(r.in)
	}
	return part(r.units, total, int64(expected/float64(r.opts.TargetBytes)+0.999))
}

// part is how many units are one of so many equal parts of the total.
func part(units []unit, total, parts int64) int {
	var n int64
	k := 0
	for k < len(units) && (k == 0 || n+units[k].bytes/2 <= total/max(1, parts)) {
		n += units[k].bytes
		k++
	}
	return k
}
