package state

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/outcome"
)

// drawCounter favours small numbers and the ends of the range.
func drawCounter(t *rapid.T) int64 {
	return rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 300), rapid.Int64Range(0, 1<<62)).Draw(t, "counter")
}

func drawTotals(t *rapid.T) Totals {
	var out Totals
	for i := range out.Counts {
		out.Counts[i] = drawCounter(t)
	}
	out.Added, out.Removed = drawCounter(t), drawCounter(t)
	if rapid.Bool().Draw(t, "added is written") {
		out.Added = out.Counts[outcome.Written]
	}
	return out
}

func drawID(t *rapid.T) string {
	if rapid.Bool().Draw(t, "uuid") {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")).String()
	}
	return rapid.StringN(1, 10, 40).Draw(t, "id")
}

func drawHash(t *rapid.T) (h Hash) {
	copy(h[:], rapid.SliceOfN(rapid.ByteRange(1, 255), 8, 8).Draw(t, "hash"))
	return h
}

func drawStream(t *rapid.T) Stream {
	s := Stream{
		Source:  rapid.SampledFrom([]string{"main", "other", ""}).Draw(t, "source"),
		Cluster: rapid.SampledFrom([]string{"", "MkU3OEVBNTcwNTJENDM2Qk", "c2"}).Draw(t, "cluster"),
		Topic:   rapid.StringN(1, 8, 40).Draw(t, "topic"),
	}
	if rapid.Bool().Draw(t, "has id") {
		s.ID[0], s.ID[15] = rapid.Byte().Draw(t, "id0"), 1
	}
	return s
}

func drawKey(t *rapid.T) Key {
	k := Key{Stream: drawStream(t)}
	if rapid.Bool().Draw(t, "numbered") {
		k.Partition = fmt.Sprint(rapid.Int32Range(0, 1<<31-1).Draw(t, "partition"))
	} else {
		k.Partition = rapid.StringN(1, 10, 60).Draw(t, "shard")
	}
	return k
}

func drawPosition(t *rapid.T) Position {
	return Position(rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "position"))
}

// drawState draws a state that the format can hold.
func drawState(t *rapid.T) *State {
	s := &State{
		Pipeline: rapid.StringN(1, 8, 40).Draw(t, "pipeline"),
		Branch:   rapid.SampledFrom([]string{"main", "audit", "a.b"}).Draw(t, "branch"),
		Dropped:  drawTotals(t),
	}
	if rapid.Bool().Draw(t, "epoch") {
		s.Epoch = Epoch{N: rapid.Uint64Range(1, 1<<40).Draw(t, "n"), Hash: drawHash(t)}
		for range rapid.IntRange(0, MaxSuperseded).Draw(t, "superseded") {
			s.Epoch.Superseded = append(s.Epoch.Superseded, drawHash(t))
		}
	}
	for range rapid.IntRange(0, MaxWriters).Draw(t, "writers") {
		w := WriterCommit{drawID(t), drawID(t)}
		if _, twice := s.LastCommit(w.Writer); !twice {
			s.Writers = append(s.Writers, w)
		}
	}
	keys := rapid.SliceOfNDistinct(rapid.Custom(drawKey), 0, 12, func(k Key) Key { return k }).Draw(t, "keys")
	slices.SortFunc(keys, CompareKeys)
	for _, k := range keys {
		s.Entries = append(s.Entries, Entry{Key: k, Position: drawPosition(t), Totals: drawTotals(t), Closed: rapid.Bool().Draw(t, "closed")})
	}
	return s
}
