package state

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/outcome"
)

func controlled() *State {
	k := func(p string) Key { return Key{Stream: Stream{Source: "main", Topic: "t"}, Partition: p} }
	counted := Totals{Counts: outcome.Counts{outcome.Written: 7, outcome.Unseen: 3}, Added: 7}
	return &State{Pipeline: "p", Branch: "main", Entries: []Entry{
		{Key: k("0"), Position: "a", Totals: counted}, {Key: k("1"), Position: "b"}, {Key: k("2"), Position: "c", Closed: true},
	}}
}

func TestDecideComparesForEquality(t *testing.T) {
	s := controlled()
	k := func(i int) Key { return s.Entries[i].Key }
	for _, m := range []Move{
		{Key: k(0), From: "x", To: "y", Anew: true}, {Key: k(0), From: "", To: "y"}, {Key: k(2), From: "c", To: "y", Anew: true},
		{Key: Key{Stream: k(0).Stream, Partition: "9"}, From: "a", To: "y", Lost: 1},
	} {
		next, miss, err := s.Decide([]Move{m})
		require.NoError(t, err)
		require.NotNil(t, miss, "%+v", m)
		require.Nil(t, next)
	}
	next, miss, err := s.Decide([]Move{{Key: k(2), From: "c"}, {Key: k(1), From: "b", To: "d", Lost: 4}})
	require.NoError(t, err)
	require.Nil(t, miss)
	require.Len(t, next.Entries, 2, "a closed partition can be taken out")
	require.EqualValues(t, 4, next.Entries[1].Counts[outcome.Unseen])
	require.Len(t, s.Entries, 3, "the state before is left alone")
}

func TestDecideRefusesNonsense(t *testing.T) {
	s := controlled()
	k := s.Entries[0].Key
	for _, moves := range [][]Move{
		{{Key: k, From: "a", To: "a", Anew: true}},
		{{Key: k, From: "a", To: "b"}},
		{{Key: k, From: "a", To: "b", Lost: -1}},
		{{Key: k, From: "a", To: "b", Lost: 1, Anew: true}},
		{{Key: k, From: "a", Lost: 1}},
		{{Key: k}},
		{{Key: k, To: "b", Lost: 2}},
		{{Key: k, From: "a", To: "b", Lost: 1}, {Key: k, From: "b", To: "c", Lost: 1}},
	} {
		_, _, err := s.Decide(moves)
		require.Error(t, err, "%+v", moves)
	}
}

// Whatever is decided, nothing that was counted is forgotten, and the result can be stored.
func TestDecideKeepsTheSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := controlled()
		var moves []Move
		lost := int64(0)
		for _, e := range s.Entries[:2] {
			m := Move{Key: e.Key, From: e.Position, To: "z"}
			switch rapid.IntRange(0, 3).Draw(rt, "kind") {
			case 0:
				m.Anew = true
			case 1:
				m.To = ""
			case 2:
				m.Lost = rapid.Int64Range(1, 9).Draw(rt, "lost")
				lost += m.Lost
			default:
				continue
			}
			moves = append(moves, m)
		}
		next, miss, err := s.Decide(moves)
		require.NoError(rt, err)
		require.Nil(rt, miss)
		want := s.Totals()
		want.Counts[outcome.Unseen] += lost
		require.Equal(rt, want, next.Totals())
		text, err := next.Encode()
		require.NoError(rt, err)
		again, err := Decode(text)
		require.NoError(rt, err)
		require.Equal(rt, next.Totals(), again.Totals())
		require.Zero(rt, next.Uncounted().Totals())
	})
}
