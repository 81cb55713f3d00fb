package state

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/ingestd/ingestd/internal/outcome"
)

// Version is the format that this package writes and reads.
const Version = 1

// Position is where reading goes on in one partition: opaque bytes, compared for equality only. The empty position
// means that the table has not met the partition; it is never stored.
type Position string

// Stream is one stream of a source: a Kafka topic, a Kinesis stream. A zero ID means that the source has none.
type Stream struct {
	// Source is the name of the source in the configuration.
	Source string
	// Cluster identifies what the stream lives in, so that another cluster's offsets never meet these.
	Cluster string
	// Topic is the stream's name.
	Topic string
	// ID tells a stream from its successor of the same name.
	ID [16]byte
}

// Key names one partition of a stream. Partition is opaque text: "0", or the id of a shard.
type Key struct {
	Stream    Stream
	Partition string
}

// Totals are cumulative counters: what became of each consumed offset, and rows added to and removed from the table.
type Totals struct {
	Counts         outcome.Counts
	Added, Removed int64
}

// Entry is what a table knows about one partition.
type Entry struct {
	Key
	Position Position
	Totals
	// Closed: the partition has ended (a split shard, a consumed file); its position never moves again.
	Closed bool
}

// Hash is the fingerprint of the part of a configuration that gives records their meaning. Zero means not given.
type Hash [8]byte

// Epoch numbers the configurations that have written to the table.
type Epoch struct {
	N    uint64
	Hash Hash
	// Superseded are the hashes of earlier epochs, newest first, at most MaxSuperseded.
	Superseded []Hash
}

// WriterCommit is the last commit of one writer.
type WriterCommit struct{ Writer, CommitID string }

// State is all that one pipeline knows in one branch of one table.
type State struct {
	Pipeline, Branch string
	Epoch            Epoch
	// Writers are the last commits of the latest writers, newest first, at most MaxWriters. The first one made the
	// snapshot that carries this state (or, if it is a maintenance snapshot, the last one before it).
	Writers []WriterCommit
	// Dropped is what the entries counted that were closed and then dropped.
	Dropped Totals
	// Entries are sorted by key.
	Entries []Entry
}

// CommitID is the id of the commit that made this state, "" for none.
func (s *State) CommitID() string {
	if s == nil || len(s.Writers) == 0 {
		return ""
	}
	return s.Writers[0].CommitID
}

// LastCommit is the id of writer's last commit as far as it is remembered.
func (s *State) LastCommit(writer string) (commitID string, ok bool) {
	if s == nil {
		return "", false
	}
	for _, w := range s.Writers {
		if w.Writer == writer {
			return w.CommitID, true
		}
	}
	return "", false
}

// Find gives the entry of a partition.
func (s *State) Find(k Key) (Entry, bool) {
	if s == nil {
		return Entry{}, false
	}
	i, ok := s.search(k)
	if !ok {
		return Entry{}, false
	}
	return s.Entries[i], true
}

// KnowsAnother says that the state holds open partitions of another stream with this one's name: the topic was created
// again or is in another cluster, and an operator has decided to go on with that one. An id that is not known differs
// from none.
func (s *State) KnowsAnother(x Stream) bool {
	return s != nil && slices.ContainsFunc(s.Entries, func(e Entry) bool {
		sameCluster := e.Stream.Cluster == x.Cluster || e.Stream.Cluster == "" || x.Cluster == ""
		sameID := e.Stream.ID == x.ID || e.Stream.ID == [16]byte{} || x.ID == [16]byte{}
		return !e.Closed && e.Stream.Source == x.Source && e.Stream.Topic == x.Topic && !(sameCluster && sameID)
	})
}

// Totals sums over all partitions, those that were dropped included.
func (s *State) Totals() Totals {
	if s == nil {
		return Totals{}
	}
	t := s.Dropped
	for _, e := range s.Entries {
		t.Add(e.Totals)
	}
	return t
}

// Clone copies the state.
func (s *State) Clone() *State {
	if s == nil {
		return nil
	}
	c := *s
	c.Entries = slices.Clone(s.Entries)
	c.Writers = slices.Clone(s.Writers)
	c.Epoch.Superseded = slices.Clone(s.Epoch.Superseded)
	return &c
}

// Add adds o to t.
func (t *Totals) Add(o Totals) {
	t.Counts.Add(o.Counts)
	t.Added += o.Added
	t.Removed += o.Removed
}

// Sub gives t - o.
func (t Totals) Sub(o Totals) Totals {
	return Totals{Counts: t.Counts.Sub(o.Counts), Added: t.Added - o.Added, Removed: t.Removed - o.Removed}
}

func (s *State) search(k Key) (int, bool) {
	return slices.BinarySearchFunc(s.Entries, k, func(e Entry, k Key) int { return CompareKeys(e.Key, k) })
}

// CompareKeys orders keys by source, cluster, topic, id and partition; partitions that are numbers by their value.
func CompareKeys(a, b Key) int {
	return cmp.Or(compareStreams(a.Stream, b.Stream), comparePartitions(a.Partition, b.Partition))
}

func compareStreams(a, b Stream) int {
	return cmp.Or(
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Cluster, b.Cluster),
		cmp.Compare(a.Topic, b.Topic),
		slices.Compare(a.ID[:], b.ID[:]),
	)
}

// comparePartitions puts numbers first, by value, then the other names.
func comparePartitions(a, b string) int {
	n, aNum := number(a)
	m, bNum := number(b)
	switch {
	case aNum && bNum:
		return cmp.Compare(n, m)
	case aNum:
		return -1
	case bNum:
		return 1
	}
	return cmp.Compare(a, b)
}

// number reads a partition that is a plain decimal number below 2^31, the only ones that are packed as numbers.
func number(s string) (uint64, bool) {
	if s == "" || len(s) > 10 || (s[0] == '0' && len(s) > 1) || s[0] == '+' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 31)
	return n, err == nil
}
