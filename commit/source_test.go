package commit

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
)

// seq is a 128-bit sequence number, as Kinesis has: commit knows nothing but its bytes.
type seq struct{ hi, lo uint64 }

func (s seq) plus(n uint64) seq {
	lo, carry := bits.Add64(s.lo, n, 0)
	return seq{s.hi + carry, lo}
}

func (s seq) position() state.Position {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.hi)
	binary.BigEndian.PutUint64(b[8:], s.lo)
	return state.Position(b[:])
}

// shard is one partition of a stream that splits and merges. Its records' sequence numbers have large gaps.
type shard struct {
	id    string
	first seq
	at    seq
	// ended shards have no records beyond at.
	ended bool
}

func (s *shard) key() state.Key {
	return state.Key{Stream: state.Stream{Source: "kinesis", Cluster: "arn:aws:1", Topic: "orders"}, Partition: s.id}
}

// stream is the oracle: it knows its shards and how many records each has given.
type stream struct {
	shards []*shard
	n      int
	rows   map[string]int64
}

func (s *stream) open(first seq) *shard {
	s.n++
	sh := &shard{id: fmt.Sprintf("shardId-%012d", s.n), first: first, at: first}
	s.shards = append(s.shards, sh)
	return sh
}

// TestShardsThatSplitAndMerge runs a source without offsets through the same loop: 128-bit positions, shards that
// end, children that begin in the same commit, parents that are dropped later.
func TestShardsThatSplitAndMerge(t *testing.T) {
	b := newBench(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	src := &stream{rows: map[string]int64{}}
	root := src.open(seq{0xffff_ffff_ffff_ffff >> 8, 0xffff_ffff_ffff_fff0})
	w := b.open("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: []Step{{Key: root.key(), To: root.at.position()}}}))
	total := int64(0)
	for round := range 60 {
		var steps []Step
		var open []*shard
		for _, sh := range src.shards {
			if !sh.ended {
				open = append(open, sh)
			}
		}
		for _, sh := range open {
			if rnd.IntN(2) == 0 {
				continue
			}
			rows := int64(rnd.IntN(20))
			to := sh.at.plus(1 + rnd.Uint64N(1<<40))
			steps = append(steps, Step{Key: sh.key(), From: sh.at.position(), To: to.position(), Added: rows,
				Counts: outcome.Counts{outcome.Written: rows, outcome.Skipped: 1}})
			sh.at = to
			src.rows[sh.id] += rows
			total += rows
		}
		switch parent := open[rnd.IntN(len(open))]; {
		case round%7 == 3:
			steps = end(steps, parent)
			for range 2 {
				child := src.open(parent.at.plus(1))
				steps = append(steps, Step{Key: child.key(), To: child.at.position()})
			}
		case round%7 == 6 && len(open) > 2:
			other := open[(rnd.IntN(len(open)-1)+1)%len(open)]
			steps = end(steps, parent)
			if other != parent {
				steps = end(steps, other)
			}
			child := src.open(parent.at.plus(9))
			steps = append(steps, Step{Key: child.key(), To: child.at.position()})
		}
		if round%10 == 9 {
			steps = forget(src, w, steps)
		}
		if len(steps) == 0 {
			continue
		}
		fs := FileSet{Steps: steps, SchemaID: w.Schema().ID}
		for _, s := range steps {
			fs.Added += s.Added
		}
		if fs.Added > 0 {
			fs.Files = []iceberg.DataFile{dataFile(t, w.PartitionSpec(), fmt.Sprintf("%s/data/round%d.parquet", w.Location(), round), fs.Added, nil)}
		}
		if round%3 == 0 {
			b.on(map[int]fault{1: lost})
		}
		res, err := w.Commit(b.ctx, fs)
		b.cat.OnCommit = nil
		require.NoError(t, err)
		require.Equal(t, Landed, res.Outcome, "%v", res.Mismatch)
		require.Equal(t, total, w.State().Totals().Added, "rows of dropped shards are still counted")
	}
	require.Greater(t, src.n, 10, "there were splits")
	opened := b.open("w2").State()
	for _, sh := range src.shards {
		e, ok := opened.Find(sh.key())
		if !ok {
			require.True(t, sh.ended, "only ended shards are forgotten")
			continue
		}
		require.Equal(t, sh.at.position(), e.Position)
		require.Equal(t, sh.ended, e.Closed)
		require.Equal(t, src.rows[sh.id], e.Added)
	}
	zombie := src.shards[0]
	res, err := w.Commit(b.ctx, FileSet{Steps: []Step{{Key: zombie.key(), From: zombie.first.position(), To: zombie.first.plus(5).position()}}})
	require.NoError(t, err)
	require.Equal(t, Fenced, res.Outcome)
	report, err := VerifyLedger(b.ctx, w.Iceberg(), LedgerOptions{Pipeline: "p", Branch: "main"})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}

// end closes a shard where it stands, in the step that moves it if there is one.
func end(steps []Step, sh *shard) []Step {
	sh.ended = true
	for i := range steps {
		if steps[i].Key == sh.key() {
			steps[i].Closed = true
			return steps
		}
	}
	return append(steps, Step{Key: sh.key(), From: sh.at.position(), To: sh.at.position(), Closed: true})
}

// forget drops the shards that the table knows to be closed.
func forget(src *stream, w *Table, steps []Step) []Step {
	for _, sh := range src.shards {
		if e, ok := w.State().Find(sh.key()); ok && e.Closed {
			steps = append(steps, Step{Key: sh.key(), From: e.Position, To: e.Position, Drop: true})
		}
	}
	return steps
}
