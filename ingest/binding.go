package ingest

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/outcome"
)

// binding is one table reading one partition: the table's own cursor. After a rewind a table skips what lies below it,
// whatever the other tables of the topic still want. It belongs to the partition's lane.
type binding struct {
	partition *partition
	sink      *sink
	// next is the offset the table wants next. Others read it for lag and for the group offset.
	next atomic.Int64
	// committed is the offset up to which the table's snapshots are proven to reach.
	committed atomic.Int64
	// detached is set when the table no longer reads the partition; the lane forgets the binding then.
	detached bool
	span     span
	// last is the newest record before next that anybody has seen, as far as is known.
	last kafka.Fingerprint
}

// span is what a binding took since the last cut: the offsets [from, to) and what became of them.
type span struct {
	from, to int64
	counts   outcome.Counts
	rows     int64
	// last is the newest record before to, of this span or an earlier one.
	last kafka.Fingerprint
}

// note is what a table keeps beside the position; nothing while no record has been seen.
func (s span) note() []byte {
	if s.last == (kafka.Fingerprint{}) {
		return nil
	}
	return s.last.Encode()
}

// newBinding starts at an offset that is already part of the table's state.
func newBinding(p *partition, s *sink, start int64) *binding {
	b := &binding{partition: p, sink: s}
	b.rewind(start)
	b.committed.Store(start)
	return b
}

// rewind sets the cursor back (or forward) to what the table says and forgets what was taken.
func (b *binding) rewind(offset int64) {
	b.next.Store(offset)
	b.span = span{from: offset, to: offset}
	b.remember(b.last)
}

// remember keeps what is known of a record, if it lies before the cursor.
func (b *binding) remember(last kafka.Fingerprint) {
	if b.last = last; last.Offset >= b.next.Load() {
		b.last = kafka.Fingerprint{}
	}
}

// cut gives the span so far and starts the next one behind it.
func (b *binding) cut() span {
	s := b.span
	s.last = b.last
	b.span = span{from: s.to, to: s.to}
	return s
}

// advance moves the cursor over offsets that hold nothing for a reader of committed records.
func (b *binding) advance(to int64) {
	if from := b.next.Load(); to > from {
		b.span.counts[outcome.Unseen] += to - from
		b.span.to = to
		b.next.Store(to)
	}
}

// consume takes a small batch. It reports parked when it could not take all of it; the caller comes back with the same
// records later and what was taken already is skipped.
func (b *binding) consume(records []*kgo.Record) (parked bool) {
	if b.detached || len(records) == 0 || records[len(records)-1].Offset < b.next.Load() {
		return false
	}
	if !b.sink.admit(b) {
		return true
	}
	next := b.next.Load()
	var last *kgo.Record
	for _, r := range records {
		if r.Offset < next {
			continue
		}
		what, err := b.take(r)
		if err != nil {
			b.note(records[0], last)
			b.settle(next)
			return b.sink.obstacle(b, r, err)
		}
		b.span.counts[outcome.Unseen] += r.Offset - next
		b.span.counts[what]++
		next, last = r.Offset+1, r
	}
	b.note(records[0], last)
	b.settle(next)
	return false
}

// take decodes one record into the table's columns.
func (b *binding) take(r *kgo.Record) (outcome.Outcome, error) {
	if r.Attrs.IsControl() {
		return outcome.Control, nil
	}
	what, err := b.sink.decoder.append(r)
	if err != nil {
		return what, err
	}
	if what == outcome.Written {
		b.span.rows++
	}
	return what, nil
}

// settle publishes the cursor and lets the sink work on what the small batch left behind.
func (b *binding) settle(next int64) {
	b.span.to = next
	b.next.Store(next)
	b.sink.absorb()
}

// note keeps the fingerprint of the newest record that was taken, and the timestamp of the oldest for freshness.
func (b *binding) note(first, last *kgo.Record) {
	if last == nil {
		return
	}
	b.last = kafka.FingerprintOf(last.LeaderEpoch, last.Offset, last.Timestamp.UnixMilli(), last.Key, last.Value)
	if at := first.Timestamp; b.sink.oldest.IsZero() || at.Before(b.sink.oldest) {
		b.sink.oldest = at
	}
}
