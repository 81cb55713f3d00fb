package commit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
)

// view is one look at the table: its head and what the head's lineage says about the sources.
type view struct {
	tbl  *table.Table
	meta table.Metadata
	// head is the branch's snapshot, nil when the branch does not exist.
	head *table.Snapshot
	// state is never nil: a table that has not met us has an empty one.
	state *state.State
	notes map[state.Key][]byte
	// carrier is the snapshot whose state this is; 0 when it comes from the mirror or is new.
	carrier int64
	// foreign counts the snapshots above the carrier.
	foreign int
	// halt is why the history is refused; only those who decide about it get such a view.
	halt error
}

// headID is the head for a pin, nil when there is none.
func (v *view) headID() *int64 {
	if v.head == nil {
		return nil
	}
	id := v.head.SnapshotID
	return &id
}

// lineage is the walk from the head towards the root.
type lineage struct {
	// visited are the snapshots seen before the walk ended, head first.
	visited []*table.Snapshot
	// ours is the first snapshot that carries our state, and that state.
	ours  *table.Snapshot
	state *state.State
	// gap: the last snapshot visited names a parent that the metadata no longer holds.
	gap bool
}

// maxLineage ends a walk that cannot be one: metadata with so many snapshots could not be loaded.
const maxLineage = 1 << 20

// ancestors calls f for the head and its ancestors until f says stop. gap tells that it ended at a parent that the
// metadata does not hold: it has expired, or the catalog shows the head only.
func ancestors(meta table.Metadata, head *table.Snapshot, f func(*table.Snapshot) bool) (gap bool) {
	s := head
	for range maxLineage {
		if s == nil || !f(s) {
			return false
		}
		if s.ParentSnapshotID == nil {
			return false
		}
		parent := meta.SnapshotByID(*s.ParentSnapshotID)
		if parent == nil {
			return true
		}
		s = parent
	}
	return true
}

// walk follows the head's lineage to the first snapshot that carries the state of spec's pipeline and branch.
func (s *Spec) walk(meta table.Metadata, head *table.Snapshot) (lineage, error) {
	var l lineage
	var failed error
	l.gap = ancestors(meta, head, func(sn *table.Snapshot) bool {
		l.visited = append(l.visited, sn)
		ours, err := s.carries(sn)
		if err != nil {
			failed = err
			return false
		}
		if ours {
			l.ours = sn
		}
		return !ours
	})
	if failed == nil && l.ours != nil {
		l.state, failed = state.Decode(l.ours.Summary.Properties[state.SummaryKey])
	}
	if failed != nil {
		return l, s.unreadable(failed, fmt.Sprintf("the state in snapshot %d", l.visited[len(l.visited)-1].SnapshotID))
	}
	return l, nil
}

// carries says whether a snapshot carries our state. Other pipelines and branches keep theirs in the same table.
func (s *Spec) carries(sn *table.Snapshot) (bool, error) {
	if sn.Summary == nil {
		return false, nil
	}
	text, ok := sn.Summary.Properties[state.SummaryKey]
	if !ok {
		return false, nil
	}
	h, err := state.DecodeHeader(text)
	return err == nil && h.Pipeline == s.Pipeline && h.Branch == s.Branch, err
}

func (s *Spec) unreadable(err error, what string) error {
	if errors.Is(err, state.ErrVersion) {
		return failure.Wrap(err, failure.Halt, CodeStateVersion, "use the newer release of ingestd that wrote it", "table %s: reading %s", s.name(), what)
	}
	return failure.Wrap(err, failure.Halt, CodeStateUnreadable, "it was changed by hand or by another program; roll the branch back to a snapshot before it, or take the other copy: "+s.command(Adopt)+" --from stored",
		"table %s: reading %s", s.name(), what)
}

// inspect reads what a loaded table says and refuses histories that do not agree with themselves.
func (s *Spec) inspect(tbl *table.Table) (*view, error) {
	meta := tbl.Metadata()
	v := &view{tbl: tbl, meta: meta, state: &state.State{Pipeline: s.Pipeline, Branch: s.Branch}}
	for name, ref := range meta.Refs() {
		if name != s.Branch {
			continue
		}
		if ref.SnapshotRefType != table.BranchRef {
			return nil, s.halt(CodeBranch, "name a branch", "%s is a %s", s.Branch, ref.SnapshotRefType)
		}
		v.head = meta.SnapshotByID(ref.SnapshotID)
	}
	if meta.Version() < 2 {
		return nil, failure.New(failure.Config, CodeFormatVersion, "upgrade the table to format version 2",
			"table %s has format version %d, which lacks the sequence numbers that make a late commit harmless", s.name(), meta.Version())
	}
	mirror, err := s.mirror(meta)
	if err != nil {
		return nil, err
	}
	l, err := s.walk(meta, v.head)
	if err != nil {
		return nil, err
	}
	v.foreign = len(l.visited)
	if l.ours != nil {
		v.foreign--
		v.state, v.carrier = l.state, l.ours.SnapshotID
		return v, s.agree(v, l.ours, mirror)
	}
	if mirror == nil {
		return v, s.lost(meta, v.head, l)
	}
	trusted, err := s.hidden(meta, v.head, l, mirror)
	if trusted {
		v.state, v.notes = mirror.State, mirror.Notes
	}
	return v, err
}

// agree compares the state found in the lineage with the mirror. The mirror was written together with the snapshot
// it names and does not roll back with the branch: if it says something else, and later, the branch has lost that.
func (s *Spec) agree(v *view, ours *table.Snapshot, mirror *state.Mirror) error {
	switch {
	case mirror == nil || mirror.Sequence < ours.SequenceNumber:
		return nil
	case mirror.SnapshotID == ours.SnapshotID || mustEncode(mirror.State) == mustEncode(v.state):
		v.notes = mirror.Notes
		return nil
	}
	return s.rolledBack(mirror, ours.SnapshotID)
}

// hidden decides what holds for a lineage that shows no state of ours although there is a mirror. The mirror is
// trusted when the snapshot it names is in the lineage, or when the lineage ends in a gap behind which it can lie.
func (s *Spec) hidden(meta table.Metadata, head *table.Snapshot, l lineage, mirror *state.Mirror) (trusted bool, err error) {
	if head == nil {
		return false, s.replaced(mirror, 0)
	}
	if slices.ContainsFunc(l.visited, func(sn *table.Snapshot) bool { return sn.SnapshotID == mirror.SnapshotID }) {
		return true, nil
	}
	kept := meta.SnapshotByID(mirror.SnapshotID)
	descends := false
	if kept != nil {
		ancestors(meta, kept, func(sn *table.Snapshot) bool {
			descends = sn.SnapshotID == head.SnapshotID
			return !descends
		})
	}
	oldest := l.visited[len(l.visited)-1]
	switch {
	case descends || (l.gap && oldest.SequenceNumber <= mirror.Sequence):
		return false, s.rolledBack(mirror, head.SnapshotID)
	case !l.gap:
		return false, s.replaced(mirror, head.SnapshotID)
	case kept != nil:
		return false, s.ambiguous(mirror)
	}
	return true, nil
}

// lost refuses a table that we created, of which neither history nor mirror remain: filling it again from the start
// would double its rows.
func (s *Spec) lost(meta table.Metadata, head *table.Snapshot, l lineage) error {
	if !l.gap || meta.Properties()[CreatedByKey] != s.creator() {
		return nil
	}
	return s.halt(CodeStateLost, "say where to go on: "+s.command(Adopt)+" --from earliest (or latest, an offset, a time)",
		"its positions are gone: the snapshots that carried them have expired and property %s was removed", state.MirrorKey(s.Pipeline, s.Branch))
}

// creator is the value of CreatedByKey.
func (s *Spec) creator() string { return s.Pipeline + "/" + s.Branch }

// mustEncode gives the text of a state that was decoded from one.
func mustEncode(s *state.State) string {
	text, err := s.Encode()
	if err != nil {
		panic("BUG: a state that was read cannot be written: " + err.Error())
	}
	return text
}

// mirror reads our mirror property, nil when there is none.
func (s *Spec) mirror(meta table.Metadata) (*state.Mirror, error) {
	text, ok := meta.Properties()[state.MirrorKey(s.Pipeline, s.Branch)]
	if !ok {
		return nil, nil
	}
	m, err := state.DecodeMirror(text)
	if err == nil && (m.State.Pipeline != s.Pipeline || m.State.Branch != s.Branch) {
		err = fmt.Errorf("it belongs to pipeline %s and branch %s", m.State.Pipeline, m.State.Branch)
	}
	if err != nil {
		return nil, s.unreadable(err, "property "+state.MirrorKey(s.Pipeline, s.Branch))
	}
	return m, nil
}
