package state

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/internal/outcome"
)

// What a state may hold. The bounds keep a table's metadata small and a decoder's work finite.
const (
	MaxWriters    = 8
	MaxSuperseded = 8
	MaxStreams    = 4096
	MaxEntries    = 16384
	MaxText       = 512
	MaxPosition   = 255
	// MaxEncoded is the length of the longest accepted text.
	MaxEncoded = 2 << 20
)

// The bits of an entry's mask, the usual ones first: seven bits fit the mask into one byte.
const (
	bitWritten uint64 = 1 << iota
	bitControl
	bitUnseen
	bitIgnored
	bitSkipped
	bitFiltered
	bitClosed
	bitAdded // set when the rows added differ from the records written
	bitRemoved
	bitFolded
	bitRoutedElsewhere
	bitDeadLettered
	allBits = 1<<iota - 1
)

// counterBits ties the bits of the counters to the outcomes, in the order in which the counters are stored.
func counterBits() [outcome.Count]struct {
	bit uint64
	of  outcome.Outcome
} {
	return [outcome.Count]struct {
		bit uint64
		of  outcome.Outcome
	}{
		{bitWritten, outcome.Written},
		{bitControl, outcome.Control},
		{bitUnseen, outcome.Unseen},
		{bitIgnored, outcome.Ignored},
		{bitSkipped, outcome.Skipped},
		{bitFiltered, outcome.Filtered},
		{bitFolded, outcome.Folded},
		{bitRoutedElsewhere, outcome.RoutedElsewhere},
		{bitDeadLettered, outcome.DeadLettered},
	}
}

// crcTable is the polynomial of the checksum at the end.
func crcTable() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Encode packs the state into text for a snapshot summary.
func (s *State) Encode() (string, error) {
	if err := s.check(); err != nil {
		return "", err
	}
	names, index := s.names()
	b := []byte{Version}
	b = appendText(b, s.Pipeline)
	b = appendText(b, s.Branch)
	b = appendEpoch(b, s.Epoch)
	b = binary.AppendUvarint(b, uint64(len(s.Writers)))
	for _, w := range s.Writers {
		b = appendID(b, w.Writer)
		b = appendID(b, w.CommitID)
	}
	b = appendTotals(b, s.Dropped, false)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, n := range names {
		b = appendText(b, n)
	}
	groups := s.streams()
	b = binary.AppendUvarint(b, uint64(len(groups)))
	for _, g := range groups {
		b = appendStream(b, g[0].Stream, index)
		b = binary.AppendUvarint(b, uint64(len(g)))
		for _, e := range g {
			b = appendEntry(b, e)
		}
	}
	text := seal(b)
	if len(text) > MaxEncoded {
		return "", fmt.Errorf("state of %d partitions takes %d characters, more than %d", len(s.Entries), len(text), MaxEncoded)
	}
	return text, nil
}

// seal puts the checksum behind the bytes and makes them text.
func seal(b []byte) string {
	return base64.RawURLEncoding.EncodeToString(binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crcTable())))
}

// names is the dictionary: sources and clusters, each once, sorted.
func (s *State) names() (list []string, index map[string]uint64) {
	for _, e := range s.Entries {
		list = append(list, e.Stream.Source, e.Stream.Cluster)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	index = make(map[string]uint64, len(list))
	for i, n := range list {
		index[n] = uint64(i)
	}
	return list, index
}

// streams cuts the entries into runs of one stream each.
func (s *State) streams() [][]Entry {
	var out [][]Entry
	for from := 0; from < len(s.Entries); {
		to := from + 1
		for to < len(s.Entries) && s.Entries[to].Stream == s.Entries[from].Stream {
			to++
		}
		out = append(out, s.Entries[from:to])
		from = to
	}
	return out
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendID stores a UUID as 16 bytes behind a zero, any other text behind its length.
func appendID(b []byte, id string) []byte {
	if u, ok := plainUUID(id); ok {
		return append(append(b, 0), u[:]...)
	}
	return appendText(b, id)
}

// plainUUID reads a UUID in the one spelling that is stored as bytes.
func plainUUID(s string) (uuid.UUID, bool) {
	if len(s) != 36 {
		return uuid.UUID{}, false
	}
	u, err := uuid.Parse(s)
	return u, err == nil && u.String() == s
}

func appendEpoch(b []byte, e Epoch) []byte {
	b = binary.AppendUvarint(b, e.N)
	if e.N == 0 {
		return b
	}
	b = append(b, e.Hash[:]...)
	b = binary.AppendUvarint(b, uint64(len(e.Superseded)))
	for _, h := range e.Superseded {
		b = append(b, h[:]...)
	}
	return b
}

func appendStream(b []byte, s Stream, index map[string]uint64) []byte {
	b = binary.AppendUvarint(b, index[s.Source])
	b = binary.AppendUvarint(b, index[s.Cluster])
	b = appendText(b, s.Topic)
	if s.ID == ([16]byte{}) {
		return append(b, 0)
	}
	return append(append(b, 1), s.ID[:]...)
}

func appendEntry(b []byte, e Entry) []byte {
	if n, ok := number(e.Partition); ok {
		b = binary.AppendUvarint(b, n<<1)
	} else {
		b = binary.AppendUvarint(b, uint64(len(e.Partition))<<1|1)
		b = append(b, e.Partition...)
	}
	b = appendText(b, string(e.Position))
	return appendTotals(b, e.Totals, e.Closed)
}

func appendTotals(b []byte, t Totals, closed bool) []byte {
	var mask uint64
	bits := counterBits()
	for _, c := range bits {
		if t.Counts[c.of] != 0 {
			mask |= c.bit
		}
	}
	if closed {
		mask |= bitClosed
	}
	if t.Added != t.Counts[outcome.Written] {
		mask |= bitAdded
	}
	if t.Removed != 0 {
		mask |= bitRemoved
	}
	b = binary.AppendUvarint(b, mask)
	for _, c := range bits {
		if mask&c.bit != 0 {
			b = binary.AppendUvarint(b, uint64(t.Counts[c.of]))
		}
	}
	if mask&bitAdded != 0 {
		b = binary.AppendUvarint(b, uint64(t.Added))
	}
	if mask&bitRemoved != 0 {
		b = binary.AppendUvarint(b, uint64(t.Removed))
	}
	return b
}
