package state

import (
	"errors"
	"fmt"
)

// check refuses what the format cannot hold. Encode runs it before it writes and Decode after it has read, so that
// both accept the same states.
func (s *State) check() error {
	if s.Pipeline == "" || s.Branch == "" {
		return errors.New("state without pipeline or branch")
	}
	if len(s.Pipeline) > MaxText || len(s.Branch) > MaxText {
		return fmt.Errorf("pipeline or branch of a state is longer than %d bytes", MaxText)
	}
	if err := s.Epoch.check(); err != nil {
		return err
	}
	if err := s.checkWriters(); err != nil {
		return err
	}
	if err := s.Dropped.check(); err != nil {
		return fmt.Errorf("dropped partitions: %w", err)
	}
	if len(s.Entries) > MaxEntries {
		return fmt.Errorf("state of %d partitions, more than %d", len(s.Entries), MaxEntries)
	}
	streams := 0
	for i, e := range s.Entries {
		if i > 0 && CompareKeys(s.Entries[i-1].Key, e.Key) >= 0 {
			return fmt.Errorf("partition %s of %s is out of order", e.Partition, e.Stream.Topic)
		}
		if i == 0 || s.Entries[i-1].Stream != e.Stream {
			streams++
		}
		if err := e.check(); err != nil {
			return fmt.Errorf("partition %s of %s: %w", e.Partition, e.Stream.Topic, err)
		}
	}
	if streams > MaxStreams {
		return fmt.Errorf("state of %d streams, more than %d", streams, MaxStreams)
	}
	return nil
}

func (s *State) checkWriters() error {
	if len(s.Writers) > MaxWriters {
		return fmt.Errorf("state with %d writers, more than %d", len(s.Writers), MaxWriters)
	}
	seen := map[string]bool{}
	for _, w := range s.Writers {
		if w.Writer == "" || w.CommitID == "" || len(w.Writer) > MaxText || len(w.CommitID) > MaxText {
			return fmt.Errorf("writer %q with commit %q", w.Writer, w.CommitID)
		}
		if seen[w.Writer] {
			return fmt.Errorf("writer %q twice", w.Writer)
		}
		seen[w.Writer] = true
	}
	return nil
}

func (e Epoch) check() error {
	if e.N == 0 && (e.Hash != Hash{} || len(e.Superseded) > 0) {
		return errors.New("config epoch 0 with a hash")
	}
	if e.N > 0 && e.Hash == (Hash{}) {
		return fmt.Errorf("config epoch %d without a hash", e.N)
	}
	if len(e.Superseded) > MaxSuperseded {
		return fmt.Errorf("%d superseded configurations, more than %d", len(e.Superseded), MaxSuperseded)
	}
	return nil
}

func (e Entry) check() error {
	switch {
	case e.Partition == "" || len(e.Partition) > MaxText:
		return errors.New("name of the partition is empty or too long")
	case e.Position == "" || len(e.Position) > MaxPosition:
		return fmt.Errorf("position of %d bytes", len(e.Position))
	case len(e.Stream.Topic) == 0 || len(e.Stream.Topic) > MaxText || len(e.Stream.Source) > MaxText || len(e.Stream.Cluster) > MaxText:
		return errors.New("name of the stream is empty or too long")
	}
	return e.Totals.check()
}

func (t Totals) check() error {
	for _, n := range t.Counts {
		if n < 0 {
			return fmt.Errorf("negative counter %d", n)
		}
	}
	if t.Added < 0 || t.Removed < 0 {
		return fmt.Errorf("negative rows: %d added, %d removed", t.Added, t.Removed)
	}
	return nil
}
