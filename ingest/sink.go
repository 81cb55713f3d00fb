package ingest

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/table"
)

// sink is one table on one lane: its open columns, its decoder, and the bindings that feed it. It belongs to the
// lane's goroutine.
type sink struct {
	owner    *owner
	lane     *lane
	writer   *table.Writer
	decoder  *decoder
	bindings []*binding
	// oldest is the timestamp of the oldest record since the last cut.
	oldest time.Time
	// charged is what the budget knows of.
	charged int64
	// rows and estimate mirror the writer for the owner's trigger.
	rows, estimate atomic.Int64
	// moved says that some cursor moved since the last cut, with or without rows.
	moved atomic.Bool
}

// cut is what one lane hands to the owner: finished row groups and the ranges they hold.
type cut struct {
	parts  []table.Part
	spans  []boundSpan
	oldest time.Time
	// charged moves from the lane's account to the commit in flight; the table holds it until the commit has settled.
	charged int64
	// fragmented says that the table has more partitions at once than fit into memory.
	fragmented bool
	err        error
}

type boundSpan struct {
	*binding
	span
}

// admit asks the budget whether the table may buffer more. If not, the partition waits and the largest table flushes.
func (s *sink) admit(b *binding) bool {
	p := b.partition
	ok, largest := s.owner.budget.admit(s.owner.name, func() { s.lane.unpark(p) })
	if !ok {
		s.owner.pipeline.flushTable(largest)
	}
	return ok
}

// absorb works on what a small batch left behind: columns are encoded, the budget and the trigger are told.
func (s *sink) absorb() {
	s.moved.Store(true)
	if err := s.writer.Absorb(); err != nil {
		s.owner.fail(err)
		return
	}
	if held := s.writer.Bytes(); held != s.charged {
		s.owner.budget.charge(s.owner.name, held-s.charged)
		s.charged = held
	}
	first := s.rows.Load() == 0
	s.rows.Store(s.writer.Rows())
	s.estimate.Store(s.writer.Estimate())
	if first && s.writer.Rows() > 0 || s.owner.full() {
		s.owner.poke()
	}
	if largest := s.owner.budget.pressed(); largest != "" {
		s.owner.pipeline.flushTable(largest)
	}
}

// cut closes the row groups and takes the spans in one step.
func (s *sink) cut() cut {
	c := cut{oldest: s.oldest, fragmented: s.writer.Fragmented()}
	c.parts, c.err = s.writer.Cut()
	c.charged = s.writer.Held(c.parts)
	s.keep(c.charged)
	for _, b := range s.bindings {
		if sp := b.cut(); sp.to > sp.from {
			c.spans = append(c.spans, boundSpan{b, sp})
		}
	}
	s.forget()
	return c
}

// keep corrects what is charged after a cut: away goes with the cut, and what the empty buffers still hold stays with
// the sink. Buffers beyond the sink's part of the budget are given back: with many tables they would add up to more than
// what is in them.
func (s *sink) keep(away int64) {
	if s.writer.Bytes() > s.owner.budget.part()/int64(2*len(s.lane.source.lanes)) {
		s.writer.Release()
	}
	left := s.writer.Bytes()
	s.owner.budget.charge(s.owner.name, left+away-s.charged)
	s.charged = left
}

// drop forgets everything taken since the last cut.
func (s *sink) drop() {
	s.writer.Reset()
	s.writer.Release()
	s.owner.budget.charge(s.owner.name, -s.charged)
	s.charged = 0
	s.forget()
}

func (s *sink) forget() {
	s.oldest = time.Time{}
	s.rows.Store(0)
	s.estimate.Store(0)
	s.moved.Store(false)
}

// obstacle decides what an error of a record means: something to wait for, or the end of this table.
func (s *sink) obstacle(b *binding, r *kgo.Record, err error) (parked bool) {
	p := b.partition
	if need, ok := asMissingSchema(err); ok {
		s.owner.resolve(need, func() { s.lane.unpark(p) })
		return true
	}
	b.detached = true
	s.owner.fail(atRecord(s.owner.name, r, err))
	return false
}

// forgetBinding ends a frozen binding's part in the sink; its span has been cut or dropped.
func (s *sink) forgetBinding(b *binding) {
	for i, x := range s.bindings {
		if x == b {
			s.bindings = append(s.bindings[:i], s.bindings[i+1:]...)
			return
		}
	}
}
