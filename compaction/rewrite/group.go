package rewrite

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/table/parquet"
)

// attempt is one try to write an output.
type attempt struct {
	run            *run
	out            *parquet.FileWriter
	metrics        parquet.Metrics
	copied, merged int64
	done           int64 // input bytes
}

// write makes a file of the units: row groups of about equal size.
func (a *attempt) write(ctx context.Context, w io.Writer, units []unit) (err error) {
	o := &a.run.opts
	if a.out, err = parquet.NewFileWriter(w, o.Layout, o.Parquet); err != nil {
		return err
	}
	for len(units) > 0 {
		total, size := sum(units), a.run.groupBytes()
		n := part(units, total, (total+size-1)/size)
		if err := a.group(ctx, units[:n]); err != nil {
			return err
		}
		units = units[n:]
	}
	a.metrics, err = a.out.Close(o.Meta)
	return err
}

// group writes a row group. The columns are made by the workers and written in order; no more of them are in memory than
// there are workers, and one.
func (a *attempt) group(ctx context.Context, units []unit) error {
	rows := a.run.live(units)
	if rows == 0 {
		return nil
	}
	g := &group{leaves: len(a.run.opts.Layout.Leaves)}
	defer g.close()
	if err := g.open(ctx, a.run, units); err != nil {
		return err
	}
	if err := a.out.Begin(rows); err != nil {
		return err
	}
	made := make([]chan *columnJob, g.leaves)
	for i := range made {
		made[i] = make(chan *columnJob, 1)
	}
	room := make(chan struct{}, len(a.run.workers)+1)
	var next atomic.Int64
	workers := rungroup.New(ctx)
	for _, w := range a.run.workers {
		workers.Go(func(ctx context.Context) error {
			for {
				select {
				case room <- struct{}{}:
				case <-ctx.Done():
					return ctx.Err()
				}
				i := int(next.Add(1)) - 1
				if i >= g.leaves {
					return nil
				}
				j := &columnJob{leaf: &a.run.opts.Layout.Leaves[i], at: i, group: g}
				if err := w.make(ctx, j); err != nil {
					return err
				}
				made[i] <- j
			}
		})
	}
	err := a.columns(workers.Context(), made, room)
	if err != nil {
		workers.Stop()
	}
	if e := workers.Wait(); e != nil {
		return e // the cause of the other
	}
	return err
}

// columns writes what the workers make.
func (a *attempt) columns(ctx context.Context, made []chan *columnJob, room chan struct{}) error {
	for i := range made {
		var j *columnJob
		select {
		case j = <-made[i]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := a.out.Column(j.out); err != nil {
			return err
		}
		<-room
		a.copied, a.merged, a.done = a.copied+j.copied, a.merged+j.merged, a.done+j.read
		a.run.opts.Progress(a.done)
	}
	return nil
}

// group is the inputs of a row group.
type group struct {
	leaves int
	parts  []piece
	files  []*file
}

// piece is a unit with its file.
type piece struct {
	unit
	file *file
}

func (g *group) open(ctx context.Context, r *run, units []unit) error {
	var f *file
	for _, u := range units {
		if f == nil || f.at != u.input {
			var err error
			in := &r.inputs[u.input]
			if f, err = open(ctx, in, u.input, r.opts.Layout, make([]byte, r.opts.atOnce(in.Size))); err != nil {
				return err
			}
			g.files = append(g.files, f)
		}
		if u.group >= len(f.meta.RowGroups) || f.meta.RowGroups[u.group].NumRows != u.rows {
			return &Damaged{Path: f.in.Path, Err: errChanged}
		}
		g.parts = append(g.parts, piece{unit: u, file: f})
	}
	return nil
}

func (g *group) close() {
	for _, f := range g.files {
		f.close()
	}
}
