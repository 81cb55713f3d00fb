package state

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/outcome"
)

func key(p string) Key {
	return Key{Stream: Stream{Source: "main", Cluster: "c", Topic: "t"}, Partition: p}
}

func counted(written int64) Totals {
	return Totals{Counts: outcome.Counts{outcome.Written: written}, Added: written}
}

func base() *State {
	return &State{Pipeline: "p", Branch: "main", Entries: []Entry{
		{Key: key("0"), Position: "a", Totals: counted(1)},
		{Key: key("1"), Position: "b", Totals: counted(2), Closed: true},
	}}
}

func TestApplyMoves(t *testing.T) {
	next, miss, err := base().Apply([]Change{
		{Key: key("0"), From: "a", To: "x", Totals: counted(5)},
		{Key: key("2"), From: "", To: "start"},
		{Key: key("1"), From: "b", To: "b", Drop: true},
	})
	require.NoError(t, err)
	require.Nil(t, miss)
	e, ok := next.Find(key("0"))
	require.True(t, ok)
	require.Equal(t, Entry{Key: key("0"), Position: "x", Totals: counted(6)}, e)
	e, _ = next.Find(key("2"))
	require.Equal(t, Position("start"), e.Position)
	_, ok = next.Find(key("1"))
	require.False(t, ok)
	require.Equal(t, counted(2), next.Dropped)
	require.Equal(t, counted(8), next.Totals())
	require.Equal(t, base(), base(), "the state applied to stays as it is")
}

// The comparison is equality: before, behind and inside the batch are all refused.
func TestApplyComparesForEquality(t *testing.T) {
	f := func(c Change, want Mismatch) {
		t.Helper()
		next, miss, err := base().Apply([]Change{c})
		require.NoError(t, err)
		require.Nil(t, next)
		require.Equal(t, &want, miss)
	}
	f(Change{Key: key("0"), From: "b", To: "c"}, Mismatch{Key: key("0"), Wanted: "b", Stored: "a"})
	f(Change{Key: key("0"), From: "", To: "c"}, Mismatch{Key: key("0"), Wanted: "", Stored: "a"})
	f(Change{Key: key("9"), From: "a", To: "c"}, Mismatch{Key: key("9"), Wanted: "a", Stored: ""})
	f(Change{Key: key("1"), From: "b", To: "c"}, Mismatch{Key: key("1"), Wanted: "b", Stored: "b", Closed: true})
	f(Change{Key: key("1"), From: "a", To: "a", Drop: true}, Mismatch{Key: key("1"), Wanted: "a", Stored: "b"})
	_, miss, err := base().Apply([]Change{{Key: key("1"), From: "b", To: "c"}})
	require.NoError(t, err)
	require.Contains(t, miss.String(), "closed")
	_, miss, _ = base().Apply([]Change{{Key: key("0"), From: "q", To: "c"}})
	require.Equal(t, "partition 0 of t stands at 61, the batch begins at 71", miss.String())
}

func TestApplyRefusesNonsense(t *testing.T) {
	f := func(want string, changes ...Change) {
		t.Helper()
		_, _, err := base().Apply(changes)
		require.ErrorContains(t, err, want)
	}
	move := Change{Key: key("0"), From: "a", To: "x"}
	f("twice", move, Change{Key: key("0"), From: "a", To: "y"})
	f("moves nothing", Change{Key: key("0"), From: "a", To: "a"})
	f("without a position", Change{Key: key("0"), From: "a"})
	f("counts something", Change{Key: key("0"), From: "a", To: "a", Closed: true, Totals: counted(1)})
	f("start position that counts", Change{Key: key("5"), To: "a", Totals: counted(1)})
	f("before it is closed", Change{Key: key("0"), From: "a", To: "a", Drop: true})
	f("dropping moves", Change{Key: key("1"), From: "b", To: "c", Drop: true})
	f("negative", Change{Key: key("0"), From: "a", To: "x", Totals: counted(-1)})
}

// Against a map as the oracle: whatever is applied, totals add up, order holds and refused batches change nothing.
func TestApplyAgainstModel(t *testing.T) {
	type model struct {
		pos    Position
		closed bool
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &State{Pipeline: "p", Branch: "main"}
		oracle := map[Key]model{}
		var total Totals
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"0", "1", "10", "2", "shard-a"}), 1, 3, rapid.ID).Draw(t, "keys")
			var changes []Change
			fits, sum := true, Totals{}
			after := map[Key]model{}
			for _, p := range keys {
				k := key(p)
				was := oracle[k]
				c := Change{Key: k, From: was.pos, To: drawPosition(t), Closed: rapid.IntRange(0, 9).Draw(t, "closes") == 0}
				if rapid.IntRange(0, 4).Draw(t, "stale") == 0 {
					c.From = drawPosition(t)
				}
				if c.From == c.To {
					continue
				}
				if c.From != "" {
					c.Totals = counted(rapid.Int64Range(0, 50).Draw(t, "rows"))
				}
				fits = fits && c.From == was.pos && !was.closed
				sum.Add(c.Totals)
				after[k] = model{c.To, c.Closed}
				changes = append(changes, c)
			}
			next, miss, err := s.Apply(changes)
			require.NoError(t, err)
			require.Equal(t, fits, miss == nil)
			if miss != nil {
				continue
			}
			s = next
			total.Add(sum)
			for k, m := range after {
				oracle[k] = m
			}
		}
		require.Equal(t, total, s.Totals())
		require.Len(t, s.Entries, len(oracle))
		for k, m := range oracle {
			e, ok := s.Find(k)
			require.True(t, ok)
			require.Equal(t, m, model{e.Position, e.Closed})
		}
		require.NoError(t, s.check())
	})
}

func TestCommittedKeepsTheLatestWriters(t *testing.T) {
	s := base()
	require.Equal(t, "", s.CommitID())
	for i := range MaxWriters + 3 {
		s.Committed(string(rune('a'+i)), "first")
	}
	s.Committed("f", "second")
	require.Len(t, s.Writers, MaxWriters)
	require.Equal(t, WriterCommit{"f", "second"}, s.Writers[0])
	require.Equal(t, "second", s.CommitID())
	_, ok := s.LastCommit("a")
	require.False(t, ok, "the oldest is forgotten")
	id, ok := s.LastCommit("k")
	require.True(t, ok)
	require.Equal(t, "first", id)
	var none *State
	_, ok = none.LastCommit("k")
	require.False(t, ok)
	require.NoError(t, s.check())
}

func TestEpochs(t *testing.T) {
	a, b := Hash{1}, Hash{2}
	e := Epoch{}.Next(a)
	require.Equal(t, Epoch{N: 1, Hash: a}, e)
	e = e.Next(b)
	require.Equal(t, Epoch{N: 2, Hash: b, Superseded: []Hash{a}}, e)
	require.True(t, e.WasSuperseded(a))
	e = e.Next(a)
	require.Equal(t, Epoch{N: 3, Hash: a, Superseded: []Hash{b}}, e, "what is in force again is not superseded")
	for i := range 20 {
		e = e.Next(Hash{byte(i + 10)})
	}
	require.Len(t, e.Superseded, MaxSuperseded)
	require.NoError(t, e.check())
}

func TestKeyOrder(t *testing.T) {
	ordered := []Key{key("0"), key("2"), key("10"), key("2147483647"), key("01"), key("2147483648"), key("a")}
	for i := range ordered {
		for j := range ordered {
			got := CompareKeys(ordered[i], ordered[j])
			switch {
			case i < j:
				require.Negative(t, got, "%v %v", ordered[i], ordered[j])
			case i > j:
				require.Positive(t, got)
			default:
				require.Zero(t, got)
			}
		}
	}
}
