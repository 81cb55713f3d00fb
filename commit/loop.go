package commit

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// work is one thing to be committed, from the first look at the table until its outcome is known. Its commit id and
// its files stay the same over all attempts.
type work struct {
	commitID string
	files    []iceberg.DataFile
	schemaID int
	// changes gives what is to be applied to a state; Begin leaves out what others have begun.
	changes func(*state.State) []state.Change
	notes   map[state.Key][]byte
	// first asks for a snapshot even when nothing changes, so that a table of ours is never without one. created
	// says that this process has just made the table.
	first, created bool

	// control is an operator's decision, nil for batches.
	control *decision
	// replace is a rewrite, nil for everything else.
	replace *Replacement

	// before is the metadata as first looked at.
	before   table.Metadata
	attempts []*attempt
	// pending is the attempt that may be sent again.
	pending                    *attempt
	sends, conflicts, unknowns int
	// contended: the last error looks like somebody else's success. It decides how long to wait, nothing else.
	contended bool
	// refused counts definite refusals in a row, refusal is the last of them.
	refused int
	refusal error
}

// run is the one loop by which everything is committed:
//
//	load   look at the table
//	check  has it landed already? do all stored positions equal the batch's first ones?
//	build  a snapshot on the head that was checked, with the new positions in its summary
//	pin    assert that head
//	commit send it, once
//	settle an answer ends the loop; any error leads back to load
//
// Why not simpler: an error does not mean that nothing happened, whatever its text, so it decides nothing; a retry
// by the library or by a transport would move the pin to a head that was never checked; a lease would not stop a
// process that was paused while it held it. Equal positions and the pin together are enough: the catalog orders all
// commits, and each that it accepts moves a position from exactly where the one before left it.
func (t *Table) run(ctx context.Context, w *work) (Result, error) {
	started := t.env.Now()
	if err := t.load(ctx); err != nil {
		return Result{}, err
	}
	w.before = t.view.meta
	for n := 0; ; n++ {
		res, done, err := t.turn(ctx, w)
		if done || err != nil {
			res.CommitID = w.commitID
			res.Attempts, res.Conflicts, res.Unknowns = w.sends, w.conflicts, w.unknowns
			res.Took = t.env.Now().Sub(started)
			return res, err
		}
		if err := t.reload(ctx, w, n); err != nil {
			return Result{}, err
		}
	}
}

// turn is one round of the loop on the head last seen. It is not done when something failed: the table must be
// looked at again before anything is known.
func (t *Table) turn(ctx context.Context, w *work) (Result, bool, error) {
	v := t.view
	if snapshot, exact := w.landed(v, t.spec.Writer); snapshot != 0 {
		return t.land(ctx, w, snapshot, exact), true, nil
	}
	if w.refused >= stubborn {
		return Result{}, true, w.refusal
	}
	if w.control != nil {
		return t.controlTurn(ctx, w)
	}
	if w.replace != nil {
		return t.replaceTurn(ctx, w)
	}
	todo := w.changes(v.state)
	if len(todo) == 0 && !(w.first && v.head == nil) {
		return Result{Outcome: Landed, State: v.state}, true, nil
	}
	next, miss, err := v.state.Apply(todo)
	if err != nil {
		return Result{}, true, t.refuse("%v", err)
	}
	if miss != nil {
		return t.fence(ctx, w, miss), true, nil
	}
	if next.Epoch, err = t.epoch(v.state.Epoch); err != nil {
		return Result{}, true, err
	}
	if err := t.guardAgainst(v.meta, w.files, w.schemaID); err != nil {
		return Result{}, true, err
	}
	if v.head == nil && !w.created && !t.caps.NullPin {
		return Result{}, true, failure.New(failure.Config, CodeEmpty, "let ingestd create the table, or commit one snapshot with the engine that made it (an empty insert)",
			"table %s has no snapshot in branch %s, and this catalog cannot make a first commit safe", t.spec.name(), t.spec.Branch)
	}
	next.Committed(t.spec.Writer, w.commitID)
	if err := t.prepare(ctx, w, next); err != nil {
		if failure.ClassOf(err) == failure.Halt {
			return Result{}, true, err
		}
		w.answer(t.catalogError(err, "building a snapshot of"))
		t.retrying(w.sends, "build", err)
		return Result{}, false, nil
	}
	return t.send(ctx, w)
}

// prepare makes sure that the pending attempt fits the head: the same one is sent again as long as it can land.
func (t *Table) prepare(ctx context.Context, w *work, next *state.State) error {
	if w.pending.fits(t.view) {
		return nil
	}
	a, err := t.build(ctx, t.view, next, t.mergeNotes(w), addRows(w.files))
	if err != nil {
		return err
	}
	w.pending = a
	w.attempts = append(w.attempts, a)
	return nil
}

func (t *Table) mergeNotes(w *work) map[state.Key][]byte {
	notes := maps.Clone(t.view.notes)
	if notes == nil {
		notes = map[state.Key][]byte{}
	}
	maps.Copy(notes, w.notes)
	return notes
}

// send makes the one catalog call of a round.
func (t *Table) send(ctx context.Context, w *work) (Result, bool, error) {
	a := w.pending
	a.sent = true
	w.sends++
	old := t.view
	meta, location, err := t.deliver(ctx, a)
	if err == nil {
		err = t.look(table.New(a.ident, meta, location, old.tbl.FS, t.cat))
		if id := t.view.headID(); err == nil && (id == nil || *id != a.snapshot.SnapshotID) {
			// An answer that does not show the snapshot is no answer.
			err = fmt.Errorf("the catalog's answer shows head %v instead of %d", id, a.snapshot.SnapshotID)
		}
	}
	if err != nil {
		if failure.ClassOf(err) == failure.Halt {
			return Result{}, true, err
		}
		w.answer(t.catalogError(err, "committing to"))
		t.retrying(w.sends, "commit", err)
		return Result{}, false, nil
	}
	return t.land(ctx, w, a.snapshot.SnapshotID, true), true, nil
}

// answer notes what an error looks like. That decides nothing about the outcome; but a refusal that comes again and
// again, for a reason that time does not mend, ends the attempts once the table shows that none has landed.
func (w *work) answer(err error) {
	w.contended = errors.Is(err, table.ErrCommitFailed)
	if definite(err) {
		w.refused++
		w.refusal = err
		return
	}
	w.refused = 0
}

// reload waits a little and looks at the table until that succeeds. The wait comes first: a look that is as old as
// the wait would only meet the next conflict.
func (t *Table) reload(ctx context.Context, w *work, n int) error {
	pause := t.env.backoff(n, errorWaitMin, errorWaitMax)
	if w.contended {
		pause = t.env.backoff(w.conflicts, conflictWaitMin, conflictWaitMax)
	}
	if err := t.env.Wait(ctx, pause); err != nil {
		return w.orUnknown(ctx, t, err)
	}
	if err := t.load(ctx); err != nil {
		return w.orUnknown(ctx, t, err)
	}
	switch {
	case w.pending == nil || !w.pending.sent:
	case sameHead(w.pending.base, t.view):
		w.unknowns++
	default:
		w.conflicts++
	}
	return nil
}

// orUnknown turns the end of the context into an unknown outcome when something was sent.
func (w *work) orUnknown(ctx context.Context, t *Table, err error) error {
	if ctx.Err() != nil {
		return canceled(ctx, "committing to table "+t.spec.name(), w.sends > 0)
	}
	return err
}

// epoch is the config epoch of the next state. A configuration that the table has not seen starts a new one; a
// table that moved on to another configuration while we run stops us.
func (t *Table) epoch(cur state.Epoch) (state.Epoch, error) {
	switch hash := t.spec.ConfigHash; {
	case hash == state.Hash{} || hash == cur.Hash:
		return cur, nil
	case cur.N == t.opened:
		return cur.Next(hash), nil
	}
	return cur, t.spec.halt(CodeConfigEpoch, "restart this process with the configuration of the others",
		"another process writes it with a newer configuration (epoch %d)", cur.N)
}

// Commit makes one snapshot of the batch. A Fenced result is no error; an error means that the context ended, that
// the table halts, or that settings or rights must change.
func (t *Table) Commit(ctx context.Context, fs FileSet) (Result, error) {
	if err := t.guard(&fs); err != nil {
		return Result{}, err
	}
	steps := changes(fs.Steps)
	w := &work{commitID: t.env.NewID(), files: fs.Files, schemaID: fs.SchemaID, notes: notesOf(fs.Steps),
		changes: func(*state.State) []state.Change { return steps }}
	res, err := t.run(ctx, w)
	t.report(&fs, res, err)
	if err == nil && res.Outcome == Landed {
		t.paths.add(fs.Files)
		t.upkeep(ctx)
	}
	return res, err
}

// Progress commits positions without rows.
func (t *Table) Progress(ctx context.Context, steps []Step) (Result, error) {
	return t.Commit(ctx, FileSet{Steps: steps})
}

// Begin registers the start positions of partitions that the table has not met (From "", To the start). What others
// have begun meanwhile stays as they began it, and a stream whose place another one of its name has taken is not begun:
// read State afterwards.
func (t *Table) Begin(ctx context.Context, steps []Step) error {
	_, err := t.begin(ctx, steps, false)
	return err
}

func (t *Table) begin(ctx context.Context, steps []Step, created bool) (Result, error) {
	for _, s := range steps {
		if s.From != "" {
			return Result{}, t.refuse("partition %s of %s is begun at a position", s.Key.Partition, s.Key.Stream.Topic)
		}
	}
	all := changes(steps)
	w := &work{commitID: t.env.NewID(), notes: notesOf(steps), first: true, created: created,
		changes: func(st *state.State) (todo []state.Change) {
			for _, c := range all {
				// Begun once more, what an operator took out would stand at its start again, where old batches fit.
				if _, met := st.Find(c.Key); !met && !st.KnowsAnother(c.Key.Stream) {
					todo = append(todo, c)
				}
			}
			return todo
		}}
	return t.run(ctx, w)
}

func notesOf(steps []Step) map[state.Key][]byte {
	notes := map[state.Key][]byte{}
	for _, s := range steps {
		if len(s.Note) > 0 {
			notes[s.Key] = s.Note
		}
	}
	return notes
}
