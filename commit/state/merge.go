package state

import (
	"errors"
	"fmt"
	"slices"
)

// Change moves one partition from one position to the next.
type Change struct {
	Key      Key
	From, To Position
	// Totals is what the range between adds to the counters.
	Totals
	// Closed: the partition ends at To. Only then may From and To be the same, and only then may it be dropped.
	Closed bool
	// Drop removes a closed partition; From and To are its last position and nothing is counted.
	Drop bool
}

// Mismatch is a stored position that is not the one a batch begins with.
type Mismatch struct {
	Key Key
	// Wanted is what the batch begins with, Stored what the table says.
	Wanted, Stored Position
	// Closed: the partition has ended, nothing can follow.
	Closed bool
}

// String describes the mismatch for people; positions are shown as bytes since only their source can read them.
func (m *Mismatch) String() string {
	if m.Closed {
		return fmt.Sprintf("partition %s of %s is closed at %x", m.Key.Partition, m.Key.Stream.Topic, string(m.Stored))
	}
	return fmt.Sprintf("partition %s of %s stands at %x, the batch begins at %x", m.Key.Partition, m.Key.Stream.Topic, string(m.Stored), string(m.Wanted))
}

// Apply is the compare-and-set: it gives the state after the changes, or the first stored position that is not the
// one its change begins with. It compares for equality: a batch of which a part has been applied does not fit
// either, since files cannot be cut. s stays as it is. The error reports changes that make no sense.
func (s *State) Apply(changes []Change) (*State, *Mismatch, error) {
	next := s.Clone()
	seen := make(map[Key]bool, len(changes))
	for _, c := range changes {
		if err := c.check(); err != nil {
			return nil, nil, fmt.Errorf("partition %s of %s: %w", c.Key.Partition, c.Key.Stream.Topic, err)
		}
		if seen[c.Key] {
			return nil, nil, fmt.Errorf("partition %s of %s twice in one batch", c.Key.Partition, c.Key.Stream.Topic)
		}
		seen[c.Key] = true
		stored, found := s.Find(c.Key)
		if stored.Position != c.From {
			return nil, &Mismatch{Key: c.Key, Wanted: c.From, Stored: stored.Position}, nil
		}
		if stored.Closed && !c.Drop {
			return nil, &Mismatch{Key: c.Key, Wanted: c.From, Stored: stored.Position, Closed: true}, nil
		}
		if c.Drop && (!found || !stored.Closed) {
			return nil, nil, fmt.Errorf("partition %s of %s is dropped before it is closed", c.Key.Partition, c.Key.Stream.Topic)
		}
		next.put(c, stored)
	}
	return next, nil, nil
}

// put carries one accepted change out.
func (s *State) put(c Change, stored Entry) {
	i, found := s.search(c.Key)
	if c.Drop {
		s.Dropped.Add(stored.Totals)
		s.Entries = slices.Delete(s.Entries, i, i+1)
		return
	}
	e := Entry{Key: c.Key, Position: c.To, Totals: stored.Totals, Closed: c.Closed}
	e.Add(c.Totals)
	if found {
		s.Entries[i] = e
		return
	}
	s.Entries = slices.Insert(s.Entries, i, e)
}

func (c Change) check() error {
	if err := c.Totals.check(); err != nil {
		return err
	}
	switch {
	case c.To == "":
		return errors.New("change without a position to go to")
	case c.Drop && (c.From != c.To || c.Totals != Totals{}):
		return errors.New("dropping moves or counts something")
	case c.From == c.To && !c.Closed && !c.Drop:
		return errors.New("change that moves nothing")
	case c.From == c.To && c.Totals != Totals{}:
		return errors.New("empty range that counts something")
	case c.From == "" && c.Totals != Totals{}:
		return errors.New("start position that counts something")
	}
	return nil
}

// Committed records a commit of writer: it becomes the first of the writers, the oldest beyond MaxWriters is
// forgotten.
func (s *State) Committed(writer, commitID string) {
	list := []WriterCommit{{Writer: writer, CommitID: commitID}}
	for _, w := range s.Writers {
		if w.Writer != writer && len(list) < MaxWriters {
			list = append(list, w)
		}
	}
	s.Writers = list
}

// Next is the epoch after e, for a configuration with another hash.
func (e Epoch) Next(hash Hash) Epoch {
	next := Epoch{N: e.N + 1, Hash: hash}
	if e.N > 0 {
		next.Superseded = append(next.Superseded, e.Hash)
	}
	for _, h := range e.Superseded {
		if h != hash && len(next.Superseded) < MaxSuperseded {
			next.Superseded = append(next.Superseded, h)
		}
	}
	return next
}

// WasSuperseded says whether a configuration with this hash has been followed by another one.
func (e Epoch) WasSuperseded(hash Hash) bool { return slices.Contains(e.Superseded, hash) }
