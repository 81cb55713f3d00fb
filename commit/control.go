package commit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// Verb is what an operator decides about a table.
type Verb string

// The verbs.
const (
	// Resume goes on with the table as it is: after a rollback, with the positions that were rolled back together
	// with the rows; otherwise it only has halted daemons look again.
	Resume Verb = "resume"
	// Rewind sets positions back, and what lies behind them is read once more.
	Rewind Verb = "rewind"
	// AcceptLoss gives up offsets that cannot be read.
	AcceptLoss Verb = "accept-loss"
	// Adopt takes over what has a new identity: a topic, a cluster, the table itself.
	Adopt Verb = "adopt"
)

// Base says which positions a decision starts from.
type Base string

// The bases.
const (
	// BaseLineage: those that the branch's history carries.
	BaseLineage Base = "lineage"
	// BaseMirror: those of the mirror property, for a history that no longer carries them.
	BaseMirror Base = "mirror"
	// BaseNothing: none.
	BaseNothing Base = "nothing"
)

// Codes of refused decisions.
const (
	CodeControlStale   = "E_CONTROL_STALE"
	CodeControlRefused = "E_CONTROL_REFUSED"
)

// controlWriter is the writer of all control records.
const controlWriter = "ingestd-control"

// Control is a decision of an operator, to be committed as a snapshot without rows.
type Control struct {
	Verb Verb
	Base Base
	// Fresh drops the counters of the base: the rows of the table are not the ones that were counted.
	Fresh bool
	Moves []state.Move
	// By, Reason and Text are written down: who decided, why, and what in words.
	By, Reason, Text string
	// Seen is the token of the situation the operator saw. Nothing is done in any other.
	Seen string
}

// Situation is what an operator looks at before a decision.
type Situation struct {
	Table string
	UUID  string
	// Head is the branch's snapshot, 0 for none.
	Head int64
	// Halt is why daemons refuse the table's history, nil when they do not.
	Halt error
	// State is what the lineage says, Mirror what the mirror says as of MirrorSnapshot; nil when it cannot be read.
	State, Mirror  *state.State
	MirrorSnapshot int64
	// Notes were stored with the positions, as far as they still belong to them.
	Notes map[state.Key][]byte
	// Records are the latest control records, oldest first; Forgotten the number of those before them.
	Records   []Record
	Forgotten int
}

// Decision is a control record that landed.
type Decision struct {
	Record   Record
	Snapshot int64
	State    *state.State
}

// Examine looks at a table whose history may be out of order.
func Examine(ctx context.Context, cat catalog.Catalog, spec Spec, env Env) (*Situation, error) {
	t, err := openForControl(ctx, cat, spec, env)
	if err != nil {
		return nil, err
	}
	return t.situation()
}

// Decide commits a decision. It goes the way of every commit, and what the operator saw is compared with the head
// that is built on, each time: so nothing lands that was decided about something else.
func Decide(ctx context.Context, cat catalog.Catalog, spec Spec, env Env, c Control) (*Decision, error) { //nolint:revive // what opening takes, and the decision
	t, err := openForControl(ctx, cat, spec, env)
	if err != nil {
		return nil, err
	}
	w := &work{commitID: t.env.NewID(), control: &decision{Control: c}}
	res, err := t.run(ctx, w)
	if err != nil {
		return nil, err
	}
	return &Decision{Record: w.control.record, Snapshot: res.SnapshotID, State: res.State}, nil
}

func openForControl(ctx context.Context, cat catalog.Catalog, spec Spec, env Env) (*Table, error) {
	t := newTable(cat, spec, env)
	t.spec.Writer, t.surveys = controlWriter, true
	tbl, err := cat.LoadTable(ctx, t.spec.Identifier)
	if isMissing(err) {
		return nil, failure.Wrap(err, failure.Fatal, CodeMissing, "restore it, or start ingestd to create it", "table %s does not exist", t.spec.name())
	}
	if err != nil {
		return nil, t.catalogError(err, "loading")
	}
	return t, t.adopt(tbl)
}

// survey makes a view of a table whose history is refused, for those who decide about it.
func (s *Spec) survey(tbl *table.Table, v *view, err error) (*view, error) {
	if err == nil || failure.ClassOf(err) != failure.Halt {
		return v, err
	}
	if v == nil {
		v = &view{tbl: tbl, meta: tbl.Metadata(), state: &state.State{Pipeline: s.Pipeline, Branch: s.Branch}}
		for name, ref := range v.meta.Refs() {
			if name == s.Branch {
				v.head = v.meta.SnapshotByID(ref.SnapshotID)
			}
		}
		if l, werr := s.walk(v.meta, v.head); werr == nil && l.ours != nil {
			v.state, v.carrier = l.state, l.ours.SnapshotID
		}
	}
	v.halt = err
	return v, nil
}

// situation describes the table as last seen.
func (t *Table) situation() (*Situation, error) {
	v := t.view
	s := &Situation{Table: t.spec.name(), UUID: v.meta.TableUUID().String(), Halt: v.halt, State: v.state, Notes: maps.Clone(v.notes)}
	if v.head != nil {
		s.Head = v.head.SnapshotID
	}
	// A mirror that cannot be read is a halt already, or hidden behind one.
	if m, err := t.spec.mirror(v.meta); err == nil && m != nil {
		s.Mirror, s.MirrorSnapshot = m.State, m.SnapshotID
	}
	l, err := t.spec.records(v.meta)
	s.Records, s.Forgotten = l.Records, l.Forgotten
	return s, err
}

// Token stands for the situation as far as a decision depends on it: the table, why it halts and on which head, and
// every position that moves.
func (s *Situation) Token(c Control) string {
	seen := struct {
		UUID, Verb, Base, Code string
		Fresh                  bool
		Head, Mirror           int64
		Moves                  []RecordStream
	}{UUID: s.UUID, Verb: string(c.Verb), Base: string(c.Base), Code: failure.CodeOf(s.Halt), Fresh: c.Fresh}
	if s.Halt != nil {
		seen.Head, seen.Mirror = s.Head, s.MirrorSnapshot
	}
	seen.Moves = c.record(nil)
	text, err := json.Marshal(seen)
	if err != nil {
		panic("BUG: a situation cannot be written: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// base is the state that a decision starts from.
func (s *Situation) base(c *Control) *state.State {
	base := s.State
	switch {
	case c.Base == BaseMirror:
		base = s.Mirror
	case c.Base == BaseNothing:
		base = &state.State{Pipeline: s.State.Pipeline, Branch: s.State.Branch, Epoch: s.State.Epoch}
	}
	if c.Fresh && base != nil {
		base = base.Uncounted()
	}
	return base
}

// decision is a Control on its way into the table.
type decision struct {
	Control
	record Record
}

// controlTurn is one round of the loop for a decision: it is compared with the head last seen, built on it and sent.
func (t *Table) controlTurn(ctx context.Context, w *work) (Result, bool, error) {
	v, c := t.view, w.control
	s, err := t.situation()
	if err != nil {
		return Result{}, true, err
	}
	next, err := s.next(&c.Control)
	if err != nil {
		return Result{}, true, err
	}
	if v.head == nil && !t.caps.NullPin {
		return Result{}, true, failure.New(failure.Config, CodeEmpty, "commit one snapshot with the engine that made it (an empty insert)",
			"table %s has no snapshot in branch %s, and this catalog cannot make a first commit safe", t.spec.name(), t.spec.Branch)
	}
	next.Committed(t.spec.Writer, w.commitID)
	if !w.pending.fits(v) {
		c.record = Record{
			Version: controlVersion, ID: w.commitID, Verb: c.Verb, At: t.env.Now().UTC().Truncate(time.Millisecond), By: c.By, Reason: c.Reason,
			Sequence: v.meta.LastSequenceNumber() + 1, Carrier: v.carrierSequence(),
			Text: c.Text, Code: failure.CodeOf(v.halt), Head: s.Head, Base: c.Base, Fresh: c.Fresh, Streams: c.Control.record(s.base(&c.Control)),
		}
		a, err := t.buildControl(ctx, c, next)
		if err != nil {
			if failure.ClassOf(err) == failure.Halt {
				return Result{}, true, err
			}
			w.answer(t.catalogError(err, "building a snapshot of"))
			t.retrying(w.sends, "build", err)
			return Result{}, false, nil
		}
		w.pending = a
		w.attempts = append(w.attempts, a)
	}
	return t.send(ctx, w)
}

// carrierSequence is the sequence number of the snapshot that carries the state, 0 for none.
func (v *view) carrierSequence() int64 {
	if sn := v.meta.SnapshotByID(v.carrier); sn != nil {
		return sn.SequenceNumber
	}
	return 0
}

// buildControl builds the empty snapshot that carries a decision out, and adds its record to the list.
func (t *Table) buildControl(ctx context.Context, c *decision, next *state.State) (*attempt, error) {
	text, err := json.Marshal(c.record)
	if err != nil {
		return nil, fmt.Errorf("writing the control record: %w", err)
	}
	list, err := t.spec.records(t.view.meta)
	if err != nil {
		return nil, err
	}
	property, err := list.add(c.record)
	if err != nil {
		return nil, err
	}
	notes := map[state.Key][]byte{}
	if c.Base == BaseLineage {
		maps.Copy(notes, t.view.notes)
	}
	for _, m := range c.Moves {
		delete(notes, m.Key) // it describes what lies before another position
	}
	a, err := t.build(ctx, t.view, next, notes, func(ctx context.Context, tx *table.Transaction, summary iceberg.Properties) error {
		summary[ControlKey] = string(text)
		return addRows(nil)(ctx, tx, summary)
	})
	if err != nil {
		return nil, err
	}
	key := ControlListKey(t.spec.Pipeline, t.spec.Branch)
	a.set(iceberg.Properties{key: property})
	return a, nil
}

// next is the state after a decision, if it may be carried out here.
func (s *Situation) next(c *Control) (*state.State, error) {
	if err := s.check(c); err != nil {
		return nil, err
	}
	if token := s.Token(*c); c.Seen != token {
		return nil, failure.New(failure.Fatal, CodeControlStale, "look again without --at, and decide about what is there now",
			"table %s is no longer as it was when this was decided", s.Table)
	}
	next, miss, err := s.base(c).Decide(c.Moves)
	if err != nil {
		return nil, s.refuse("please report this", "%v", err)
	}
	if miss != nil {
		return nil, failure.New(failure.Fatal, CodeControlStale, "look again without --at, and decide about what is there now", "table %s: %s", s.Table, miss)
	}
	return next, nil
}

func (s *Situation) refuse(hint, format string, args ...any) error {
	return failure.New(failure.Fatal, CodeControlRefused, hint, "table %s: %s", s.Table, fmt.Sprintf(format, args...))
}

// check refuses a decision that does not resolve the situation it is about.
func (s *Situation) check(c *Control) error {
	code := failure.CodeOf(s.Halt)
	if slices.Contains([]string{CodeStateVersion, CodeBranch}, code) {
		return failure.Wrap(s.Halt, failure.Fatal, CodeControlRefused, failure.HintOf(s.Halt), "no decision resolves this")
	}
	if s.base(c) == nil {
		return s.refuse("name positions: --from earliest, latest, an offset or a time", "it has no mirror to take positions from")
	}
	moves := func(ok func(m state.Move) bool) bool {
		return len(c.Moves) > 0 && !slices.ContainsFunc(c.Moves, func(m state.Move) bool { return !ok(m) })
	}
	switch c.Verb {
	case Resume:
		if s.Halt != nil && code != CodeRolledBack {
			return s.refuse("say which positions hold: ingestd tables adopt "+s.Table, "its history does not say where to go on [%s]", code)
		}
		if c.Base == BaseLineage && !c.Fresh && len(c.Moves) == 0 {
			return nil
		}
	case Rewind:
		if s.Halt != nil {
			return s.refuse(failure.HintOf(s.Halt), "it has halted, which comes first [%s]", code)
		}
		if c.Base == BaseLineage && !c.Fresh && moves(func(m state.Move) bool { return m.Anew && m.To != "" }) {
			return nil
		}
	case AcceptLoss:
		if s.Halt != nil && code != CodeRolledBack {
			return s.refuse(failure.HintOf(s.Halt), "it has halted for another reason, which comes first [%s]", code)
		}
		if c.Base == BaseLineage && !c.Fresh && moves(func(m state.Move) bool { return m.From != "" && m.To != "" }) {
			return nil
		}
	case Adopt:
		if c.Base != BaseLineage && s.Halt == nil {
			return s.refuse("move positions with rewind or accept-loss", "its history says where to go on")
		}
		return nil
	}
	return s.refuse("please report this", "%s with these moves makes no sense", c.Verb)
}

// ControlMark changes with every control record that lands; "" stands for none. A table that was replaced by another
// one of its name has none of the old one's.
func (t *Table) ControlMark() string {
	if t.view == nil {
		return ""
	}
	return t.view.meta.Properties()[ControlListKey(t.spec.Pipeline, t.spec.Branch)]
}

// LastControl is the newest control record, nil when there is none.
func (t *Table) LastControl() *Record {
	if t.view == nil {
		return nil
	}
	if l, err := t.spec.records(t.view.meta); err == nil && len(l.Records) > 0 {
		return &l.Records[len(l.Records)-1]
	}
	return nil
}

// AboutHistory says whether a halt is about the table's own history: it is over as soon as the history can be read.
func AboutHistory(code string) bool {
	return slices.Contains([]string{
		CodeRolledBack, CodeReplaced, CodeDropped, CodeMissing, CodeEmpty, CodeFormatVersion, CodeBranch, CodeStateAmbiguous, CodeStateUnreadable, CodeStateLost, CodeStateVersion, CodeMetadataMissing,
	}, code)
}
