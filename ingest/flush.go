package ingest

import (
	"context"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
)

// flushed is one batch between cut and settlement.
type flushed struct {
	spans   []boundSpan
	files   []iceberg.DataFile
	rows    int64
	oldest  time.Time
	charged int64
	started time.Time
	// fragmented says that there were more partitions at once than fit into memory.
	fragmented bool
}

// flush cuts the lanes and commits what they took. Nil means landed, fenced and rewound, or nothing to do.
func (o *owner) flush(ctx context.Context) error {
	if o.table == nil || len(o.sinks) == 0 {
		return nil
	}
	cuts := make([]cut, len(o.sinks))
	o.each(func(s *sink) { cuts[s.lane.id] = s.cut() })
	return o.land(ctx, cuts, o.shape)
}

// land assembles cuts made under one shape, commits them and settles the outcome.
func (o *owner) land(ctx context.Context, cuts []cut, sh *shape) error {
	o.filling = time.Time{}
	f := &flushed{started: o.now()}
	var parts []table.Part
	for _, c := range cuts {
		f.charged += c.charged
		f.fragmented = f.fragmented || c.fragmented
		f.spans = append(f.spans, c.spans...)
		parts = append(parts, c.parts...)
		if f.oldest.IsZero() || !c.oldest.IsZero() && c.oldest.Before(f.oldest) {
			f.oldest = c.oldest
		}
		if c.err != nil {
			o.budget.charge(o.name, -f.charged)
			return c.err
		}
	}
	defer func() { o.budget.charge(o.name, -f.charged) }()
	if len(f.spans) == 0 {
		return nil
	}
	var files table.Files
	err := o.persist(ctx, "writing data files", func() (err error) {
		files, err = sh.assembler.Assemble(ctx, uuid.NewString(), parts)
		if failure.ClassOf(err) == failure.Retry && ctx.Err() == nil {
			// The table's credentials may have run out, and nobody else loads it anew while this is tried. What the look
			// says about the table is for the commit.
			_ = o.table.Refresh(ctx)
		}
		return err
	})
	if err != nil {
		return err
	}
	f.files, f.rows = files.Data, files.Rows
	return o.commit(ctx, f, sh)
}

// commit sends the batch and settles it. The commit handle reports what happened.
func (o *owner) commit(ctx context.Context, f *flushed, sh *shape) error {
	began := o.now()
	set := commit.FileSet{Files: f.files, Added: f.rows, SchemaID: sh.schemaID, Oldest: f.oldest, Flushed: began.Sub(f.started)}
	for _, s := range f.spans {
		set.Steps = append(set.Steps, o.step(s))
	}
	release := o.committing(len(f.files))
	res, err := o.table.Commit(ctx, set)
	release()
	if err != nil {
		return err
	}
	o.latency, o.known.absent = averaged(o.latency, res.Took), 0
	if res.Outcome == commit.Fenced {
		return o.fenced(ctx, f, res)
	}
	o.settle(f)
	o.obey()
	return nil
}

// step translates a span into the commit protocol's terms.
func (o *owner) step(s boundSpan) commit.Step {
	return commit.Step{
		Key:    o.key(s.partition),
		From:   state.Position(kafka.EncodePosition(s.from)),
		To:     state.Position(kafka.EncodePosition(s.to)),
		Counts: s.counts,
		Added:  s.rows,
		Note:   s.span.note(),
	}
}

// settle records what landed: the proven cursors, and the group offsets that may now follow.
func (o *owner) settle(f *flushed) {
	o.progressed = o.now()
	clear(o.rivals)
	for _, s := range f.spans {
		s.binding.committed.Store(s.to)
	}
	if f.fragmented {
		o.obstruct(obstacleFragments, errFragmented())
	} else {
		o.obstruct(obstacleFragments, nil)
	}
	o.caughtUpWithGroup()
	o.running()
	o.pipeline.acknowledge(o.source)
}

// errFragmented is the state of a table that works, and makes files nobody likes to read. It is the same each time.
func errFragmented() error {
	return failure.New(failure.Retry, "E_FRAGMENTED",
		"partition more coarsely (bucket, day instead of hour), or raise memory.limit; what is there can be compacted",
		"fragmented: records for more partitions arrive at once than fit into memory, so the smallest are written early and files are small")
}

// twinCommits is how many commits of one other writer prove that it is alive: the first may be the last act of a
// predecessor that was killed.
const twinCommits = 2

// fenced handles a batch somebody else was faster with: its files are dropped, the cursors go back to the table's.
func (o *owner) fenced(ctx context.Context, f *flushed, res commit.Result) error {
	if res.FilesDead {
		for _, file := range f.files {
			// What cannot be removed now is an orphan that maintenance finds later.
			_ = o.store().Delete(ctx, file.FilePath())
		}
	}
	if o.obey() {
		return nil
	}
	rival := writerOf(res)
	if !o.source.group {
		o.rivals[rival]++
		if o.rivals[rival] >= twinCommits {
			return failure.New(failure.Fatal, codeTwin,
				"stop the other process, or set consumer.mode: group to let several processes share the partitions",
				"another process (writer %s) is writing table %s for pipeline %q", rival, o.name, o.pipeline.opts.Pipeline)
		}
	}
	return o.rewind(ctx, "fenced by writer "+rival)
}

// writerOf names the writer of the commit that fenced us.
func writerOf(res commit.Result) string {
	for _, w := range res.State.Writers {
		if w.CommitID == res.By {
			return w.Writer
		}
	}
	return "unknown"
}

const codeTwin = "E_TWIN"

func isTwin(err error) bool { return failure.CodeOf(err) == codeTwin }
