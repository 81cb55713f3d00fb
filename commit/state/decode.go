package state

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/internal/outcome"
)

// ErrVersion marks a state of a format that this package does not know: another release wrote it.
var ErrVersion = errors.New("unknown format version")

// Header is what tells whose state a text is, without its partitions.
type Header struct {
	Pipeline, Branch string
	Writers          []WriterCommit
}

// CommitID is the id of the commit that made the state.
func (h Header) CommitID() string {
	if len(h.Writers) == 0 {
		return ""
	}
	return h.Writers[0].CommitID
}

// DecodeHeader reads the beginning of a state. It does not look at the rest.
func DecodeHeader(text string) (Header, error) {
	r, err := open(text)
	if err != nil {
		return Header{}, err
	}
	var s State
	r.header(&s)
	if r.err != nil {
		return Header{}, fmt.Errorf("decoding state: %w", r.err)
	}
	return Header{Pipeline: s.Pipeline, Branch: s.Branch, Writers: s.Writers}, nil
}

// Decode unpacks a state. It accepts exactly what Encode writes.
func Decode(text string) (*State, error) {
	r, err := open(text)
	if err != nil {
		return nil, err
	}
	s := &State{}
	r.header(s)
	s.Dropped, _ = r.totals(false)
	names := r.names()
	for range r.count(MaxStreams, 4) {
		r.stream(s, names)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes too many", len(r.b))
	}
	if r.err == nil {
		r.err = s.check()
	}
	if r.err == nil {
		if want, _ := s.names(); !slices.Equal(want, names) {
			r.fail("dictionary of names is not minimal")
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("decoding state: %w", r.err)
	}
	return s, nil
}

// reader consumes the packed form; after the first error everything it gives is zero.
type reader struct {
	b   []byte
	err error
}

// open checks what surrounds the content: length, alphabet, checksum and version.
func open(text string) (*reader, error) {
	if len(text) > MaxEncoded {
		return nil, fmt.Errorf("decoding state: %d characters, more than %d", len(text), MaxEncoded)
	}
	b, err := unbase64(text)
	if err != nil {
		return nil, fmt.Errorf("decoding state: %w", err)
	}
	if len(b) < 5 {
		return nil, fmt.Errorf("decoding state: only %d bytes", len(b))
	}
	if b[0] != Version {
		return nil, fmt.Errorf("decoding state: %w %d, this release knows %d", ErrVersion, b[0], Version)
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if got := crc32.Checksum(body, crcTable()); got != sum {
		return nil, fmt.Errorf("decoding state: checksum %08x, content says %08x", sum, got)
	}
	return &reader{b: body[1:]}, nil
}

// unbase64 decodes strictly: the library would skip line breaks.
func unbase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("line break in base64")
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

// uvarint reads a number; padded spellings are refused.
func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || (n > 1 && r.b[n-1] == 0) {
		r.fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads the number of things to come, each of which takes at least size bytes.
func (r *reader) count(limit, size int) int {
	v := r.uvarint()
	if v > uint64(limit) || v*uint64(size) > uint64(len(r.b)) {
		r.fail("count %d is too large", v)
		return 0
	}
	return int(v)
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail("%d bytes are missing", n-uint64(len(r.b)))
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > MaxText {
		r.fail("text of %d bytes", n)
		return ""
	}
	return string(r.bytes(n))
}

func (r *reader) id() string {
	n := r.uvarint()
	if n == 0 {
		b := r.bytes(16)
		if r.err != nil {
			return ""
		}
		return uuid.UUID(b).String()
	}
	if n > MaxText {
		r.fail("id of %d bytes", n)
		return ""
	}
	s := string(r.bytes(n))
	if _, ok := plainUUID(s); ok {
		r.fail("UUID stored as text")
	}
	return s
}

func (r *reader) hash() (h Hash) {
	copy(h[:], r.bytes(uint64(len(h))))
	return h
}

// header reads everything up to the counters.
func (r *reader) header(s *State) {
	s.Pipeline, s.Branch = r.text(), r.text()
	if s.Epoch.N = r.uvarint(); s.Epoch.N > 0 {
		s.Epoch.Hash = r.hash()
		for range r.count(MaxSuperseded, len(Hash{})) {
			s.Epoch.Superseded = append(s.Epoch.Superseded, r.hash())
		}
	}
	for range r.count(MaxWriters, 4) {
		s.Writers = append(s.Writers, WriterCommit{Writer: r.id(), CommitID: r.id()})
	}
}

func (r *reader) names() (names []string) {
	for range r.count(2*MaxStreams, 1) {
		names = append(names, r.text())
	}
	return names
}

func (r *reader) name(names []string) string {
	i := r.uvarint()
	if i >= uint64(len(names)) {
		r.fail("name %d of %d", i, len(names))
		return ""
	}
	return names[i]
}

// stream reads one stream with its partitions.
func (r *reader) stream(s *State, names []string) {
	st := Stream{Source: r.name(names), Cluster: r.name(names), Topic: r.text()}
	switch flag := r.bytes(1); {
	case r.err != nil:
		return
	case flag[0] == 1:
		copy(st.ID[:], r.bytes(16))
		if st.ID == ([16]byte{}) {
			r.fail("zero id stored")
		}
	case flag[0] != 0:
		r.fail("id flag %d", flag[0])
	}
	if n := len(s.Entries); n > 0 && s.Entries[n-1].Stream == st {
		r.fail("stream %s twice", st.Topic)
	}
	n := r.count(MaxEntries, 4)
	if n == 0 {
		r.fail("stream without partitions")
	}
	for range n {
		if r.err != nil {
			return
		}
		e := Entry{Key: Key{Stream: st, Partition: r.partition()}}
		length := r.uvarint()
		if length > MaxPosition {
			r.fail("position of %d bytes", length)
		}
		e.Position = Position(r.bytes(length))
		e.Totals, e.Closed = r.totals(true)
		s.Entries = append(s.Entries, e)
	}
}

func (r *reader) partition() string {
	v := r.uvarint()
	if v&1 == 0 {
		if v>>1 > math.MaxInt32 {
			r.fail("partition number %d", v>>1)
		}
		return strconv.FormatUint(v>>1, 10)
	}
	if v>>1 > MaxText {
		r.fail("partition name of %d bytes", v>>1)
		return ""
	}
	s := string(r.bytes(v >> 1))
	if _, ok := number(s); ok {
		r.fail("partition number stored as text")
	}
	return s
}

// counter reads a counter that is present: never zero, never beyond an int64.
func (r *reader) counter(zero bool) int64 {
	v := r.uvarint()
	if v > math.MaxInt64 || (v == 0 && !zero) {
		r.fail("counter %d", v)
		return 0
	}
	return int64(v)
}

func (r *reader) totals(closable bool) (t Totals, closed bool) {
	mask := r.uvarint()
	closed = mask&bitClosed != 0
	if mask > allBits || (closed && !closable) {
		r.fail("mask %x", mask)
		return t, false
	}
	for _, c := range counterBits() {
		if mask&c.bit != 0 {
			t.Counts[c.of] = r.counter(false)
		}
	}
	t.Added = t.Counts[outcome.Written]
	if mask&bitAdded != 0 {
		if t.Added = r.counter(true); t.Added == t.Counts[outcome.Written] {
			r.fail("rows added stored twice")
		}
	}
	if mask&bitRemoved != 0 {
		t.Removed = r.counter(false)
	}
	return t, closed
}
