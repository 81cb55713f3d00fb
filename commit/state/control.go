package state

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ingestd/ingestd/internal/outcome"
)

// Move is a change of one position that an operator decided on. No rows come with it.
type Move struct {
	Key Key
	// From must be the stored position, "" for a partition that the table has not met. To is where reading goes on,
	// "" takes the partition out.
	From, To Position
	// Lost is the number of offsets between From and To that are given up. They are counted as unseen.
	Lost int64
	// Anew: what the partition has counted goes into the sum of dropped partitions, and its counters begin at zero.
	Anew bool
}

// Leaves says whether the move ends what the partition counted so far.
func (m Move) Leaves() bool { return m.Anew || m.To == "" }

// Decide carries an operator's moves out, or gives the first stored position that is not the one its move begins
// with. A position that moves either counts what it passes or begins its books anew, so that they always add up.
// s stays as it is. The error reports moves that make no sense.
func (s *State) Decide(moves []Move) (*State, *Mismatch, error) {
	next := s.Clone()
	seen := make(map[Key]bool, len(moves))
	for _, m := range moves {
		err := m.check()
		if err == nil && seen[m.Key] {
			err = errors.New("moved twice")
		}
		if err != nil {
			return nil, nil, fmt.Errorf("partition %s of %s: %w", m.Key.Partition, m.Key.Stream.Topic, err)
		}
		seen[m.Key] = true
		stored, found := s.Find(m.Key)
		if stored.Position != m.From || stored.Closed && m.To != "" {
			return nil, &Mismatch{Key: m.Key, Wanted: m.From, Stored: stored.Position, Closed: stored.Closed && stored.Position == m.From}, nil
		}
		next.move(m, stored, found)
	}
	return next, nil, nil
}

// move carries one accepted move out.
func (s *State) move(m Move, stored Entry, found bool) {
	i, _ := s.search(m.Key)
	if m.Leaves() {
		s.Dropped.Add(stored.Totals)
		stored.Totals = Totals{}
	}
	e := Entry{Key: m.Key, Position: m.To, Totals: stored.Totals}
	e.Counts[outcome.Unseen] += m.Lost
	switch {
	case m.To == "":
		s.Entries = slices.Delete(s.Entries, i, i+1)
	case found:
		s.Entries[i] = e
	default:
		s.Entries = slices.Insert(s.Entries, i, e)
	}
}

// Uncounted is the state with its positions and without what was counted on the way to them: the rows of the table
// are not the ones that were counted.
func (s *State) Uncounted() *State {
	next := s.Clone()
	next.Dropped = Totals{}
	for i := range next.Entries {
		next.Entries[i].Totals = Totals{}
	}
	return next
}

func (m Move) check() error {
	switch {
	case m.From == "" && (m.To == "" || m.Lost != 0 || m.Anew):
		return errors.New("a partition that was not met can only be begun")
	case m.Lost < 0 || m.Lost > 0 && m.Leaves():
		return errors.New("what is lost is counted in a partition that goes on")
	case m.From == m.To:
		return errors.New("move that moves nothing")
	case m.From != "" && m.Lost == 0 && !m.Leaves():
		return errors.New("move that neither counts what it passes nor begins anew")
	}
	return nil
}
