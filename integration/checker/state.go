package checker

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Place is a partition of a topic; ID tells topics of one name apart.
type Place struct {
	Source, Topic string
	ID            [16]byte
	Partition     uint64
}

// Totals are the counters of a partition that are asked about here.
type Totals struct {
	Written, Control, Unseen, Others, Added uint64
}

// Positions is what a snapshot says of the source: how far it has read, and what became of what it read.
type Positions struct {
	Pipeline, Branch string
	Offsets          map[Place]uint64
	Totals           map[Place]Totals
	Dropped          Totals
	// Commit is the id of the commit that made the snapshot.
	Commit string
}

var errFormat = errors.New("the state does not follow docs/FORMATS.md")

// reader takes the building blocks of the format apart; the first thing that is wrong stays.
type reader struct {
	b   []byte
	err error
}

func (r *reader) n() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err = errFormat
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if uint64(len(r.b)) < n {
		r.err = errFormat
		r.b = nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.take(r.n())) }

func (r *reader) id() string {
	if n := r.n(); n > 0 {
		return string(r.take(n))
	}
	return string(r.take(16))
}

func (r *reader) flag() bool {
	b := r.take(1)
	return len(b) == 1 && b[0] == 1
}

// totals reads the counters that the mask names, in the order of the table in docs/FORMATS.md.
func (r *reader) totals() (t Totals, closed bool) {
	mask := r.n()
	for _, bit := range []int{0, 1, 2, 3, 4, 5, 9, 10, 11} {
		if mask&(1<<bit) == 0 {
			continue
		}
		switch v := r.n(); bit {
		case 0:
			t.Written = v
		case 1:
			t.Control = v
		case 2:
			t.Unseen = v
		default:
			t.Others += v
		}
	}
	t.Added = t.Written
	if mask&(1<<7) != 0 {
		t.Added = r.n()
	}
	if mask&(1<<8) != 0 {
		r.n()
	}
	return t, mask&(1<<6) != 0
}

// ParsePositions reads the text under ingestd.state in a snapshot's summary.
func ParsePositions(text string) (*Positions, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if len(raw) < 5 || crc32.Checksum(raw[:len(raw)-4], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(raw[len(raw)-4:]) {
		return nil, errFormat
	}
	r := &reader{b: raw[:len(raw)-4]}
	if v := r.take(1); len(v) == 0 || v[0] != 1 {
		return nil, errFormat
	}
	p := &Positions{Pipeline: r.text(), Branch: r.text(), Offsets: map[Place]uint64{}, Totals: map[Place]Totals{}}
	if r.n() > 0 {
		r.take(8)
		for range r.n() {
			r.take(8)
		}
	}
	for i := range r.n() {
		_, commit := r.id(), r.id()
		if i == 0 {
			p.Commit = commit
		}
	}
	p.Dropped, _ = r.totals()
	var names []string
	for range r.n() {
		names = append(names, r.text())
	}
	for range r.n() {
		if r.stream(p, names); r.err != nil {
			return nil, r.err
		}
	}
	if r.err == nil && len(r.b) > 0 {
		return nil, errFormat
	}
	return p, r.err
}

func (r *reader) stream(p *Positions, names []string) {
	source, _ := r.n(), r.n()
	place := Place{Topic: r.text()}
	if source < uint64(len(names)) {
		place.Source = names[source]
	}
	if r.flag() {
		copy(place.ID[:], r.take(16))
	}
	for range r.n() {
		number := r.n()
		if number&1 == 1 {
			r.err = errFormat // Kafka's partitions have numbers
			return
		}
		place.Partition = number / 2
		position := r.take(r.n())
		offset, n := binary.Uvarint(position)
		if n != len(position) {
			r.err = errFormat
			return
		}
		p.Offsets[place] = offset
		p.Totals[place], _ = r.totals()
	}
}
