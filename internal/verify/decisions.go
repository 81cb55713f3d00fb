package verify

import (
	"fmt"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/outcome"
)

// span is a range of offsets, to exclusive.
type span struct{ from, to int64 }

func (s span) has(offset int64) bool { return offset >= s.from && offset < s.to }

// accepted is a range that an operator has given up.
type accepted struct {
	span
	by commit.Record
}

// past is what a partition had read before an operator closed its books: under the same identity when it was set back,
// under another one when its topic or cluster was replaced.
type past struct {
	span
	key    state.Key
	counts outcome.Counts
}

// decisions goes through the operators' decisions, oldest first, and tells each partition what they mean for its rows.
func decisions(r *Report, records []commit.Record, forgotten int, parts []*partition) error {
	var books []past
	lost := map[state.Key][]accepted{}
	for _, rec := range effective(records) {
		if rec.Fresh || rec.Base == commit.BaseNothing {
			// The rows before are not accounted for by anything that is left.
			lost, books = map[state.Key][]accepted{}, nil
			for _, p := range parts {
				p.loose = true
			}
		}
		for _, s := range rec.Streams {
			for i := range s.Moves {
				if err := follow(rec, s, i, lost, &books); err != nil {
					return err
				}
			}
		}
	}
	for _, p := range parts {
		p.accepted = lost[p.key]
		p.remember(r, books)
		for _, a := range p.accepted {
			r.note("%s/%s: offsets %d to %d were given up by %s on %s: %s", p.Topic, p.Partition.Partition, a.from, a.to-1,
				a.by.By, a.by.At.Format("2006-01-02"), a.by.Reason)
		}
	}
	if forgotten > 0 {
		r.note("%d older decisions of operators are no longer kept: ranges that they gave up show as missing", forgotten)
	}
	return nil
}

// effective leaves out the decisions that a later rollback took back.
func effective(records []commit.Record) []commit.Record {
	var out []commit.Record
	for _, rec := range records {
		if rec.Code == commit.CodeRolledBack {
			kept := out[:0]
			for _, earlier := range out {
				if earlier.Sequence <= rec.Carrier {
					kept = append(kept, earlier)
				}
			}
			out = kept
		}
		out = append(out, rec)
	}
	return out
}

// follow takes one move of a record.
func follow(rec commit.Record, s commit.RecordStream, i int, lost map[state.Key][]accepted, books *[]past) error { //nolint:revive // five that belong together
	m := s.Moves[i]
	only := commit.Record{Streams: []commit.RecordStream{{Source: s.Source, Cluster: s.Cluster, Topic: s.Topic, ID: s.ID, Moves: s.Moves[i : i+1]}}}
	moves, err := only.Moves()
	if err != nil {
		return err
	}
	move := moves[0]
	if move.From == "" {
		return nil
	}
	from, err := kafka.DecodePosition(string(move.From))
	if err != nil {
		return fmt.Errorf("reading a control record: %w", err)
	}
	if move.Leaves() {
		counts := m.Counts()
		*books = append(*books, past{span{from - counts.Offsets(), from}, move.Key, counts})
	}
	if move.To == "" {
		return nil
	}
	to, err := kafka.DecodePosition(string(move.To))
	if err != nil {
		return fmt.Errorf("reading a control record: %w", err)
	}
	if move.Lost > 0 {
		lost[move.Key] = append(lost[move.Key], accepted{span{from, to}, rec})
		return nil
	}
	// What lies behind the new position is read again, given up or not.
	var left []accepted
	for _, a := range lost[move.Key] {
		if a.to = min(a.to, to); a.from < a.to {
			left = append(left, a)
		}
	}
	lost[move.Key] = left
	return nil
}

// remember joins the closed books of a partition to the open ones.
func (p *partition) remember(r *Report, books []past) {
	for i := len(books) - 1; i >= 0; i-- {
		b := books[i]
		switch {
		case b.key == p.key && b.has(p.Start-1) || b.key == p.key && b.from == p.Start:
			// Set back: the same log, read again from Start.
			p.overlap += b.to - max(p.Start, b.from)
			p.Start = min(p.Start, b.from)
			p.counts.Add(b.counts)
		case b.key.Stream.Source == p.key.Stream.Source && b.key.Stream.Topic == p.Topic && b.key.Partition == p.Partition.Partition:
			p.before = append(p.before, b)
		}
	}
	if p.overlap > 0 {
		p.Counts = p.counts.Map()
		r.note("%s/%s: %d offsets were read again after a decision: their rows may be there twice", p.Topic, p.Partition.Partition, p.overlap)
	}
	if len(p.before) > 0 {
		r.note("%s/%s: rows of a log that it replaced are not compared with anything", p.Topic, p.Partition.Partition)
	}
}

// excusedRow says whether a row that the open books do not explain comes from closed ones.
func (p *partition) excusedRow(offset int64) bool {
	if p.loose {
		return true
	}
	for _, b := range p.before {
		if b.has(offset) {
			return true
		}
	}
	return false
}

// writtenBefore is how many rows the closed books of replaced logs account for.
func (p *partition) writtenBefore() (n int64) {
	for _, b := range p.before {
		n += b.counts[outcome.Written]
	}
	return n
}

// givenUp says whether an offset was given up.
func (p *partition) givenUp(offset int64) bool {
	for _, a := range p.accepted {
		if a.has(offset) {
			return true
		}
	}
	return false
}

// decided says whether decisions leave open how many rows there should be.
func (p *partition) decided() bool { return p.overlap > 0 || len(p.before) > 0 || p.loose }

// repeated takes a row of an offset that is there already.
func (p *partition) repeated(offset int64) {
	if p.overlap > 0 || p.excusedRow(offset) {
		p.again++
		return
	}
	p.doubled.Add(uint64(offset))
}

// strays says whether a row of an offset outside of the open books comes from closed ones.
func (p *partition) strays(offset int64) bool {
	// A log that lost its end: rows of the lost offsets stay, until the log has grown over them.
	return p.excusedRow(offset) || p.overlap > 0 && offset >= p.Position && offset < p.Position+p.overlap
}

// judgeDecided bounds the rows of a partition whose books were closed on the way: all books together explain as many
// rows as they count, and each offset of the open ones has one.
func (p *partition) judgeDecided(r *Report) {
	if !p.decided() || p.loose {
		return
	}
	written := p.counts[outcome.Written]
	if all, found := written+p.writtenBefore(), p.Rows+p.again+p.strayed; found > all {
		r.find(Doubled, p, uint64(p.Start), uint64(p.Position), "%s/%s: all books together say %d rows, the table has %d",
			p.Topic, p.Partition.Partition, all, found)
	}
	if p.Rows < written-p.overlap {
		r.find(Unaccounted, p, uint64(p.Start), uint64(p.Position), "%s/%s: the books say at least %d rows, the table has %d distinct offsets",
			p.Topic, p.Partition.Partition, written-p.overlap, p.Rows)
	}
}
