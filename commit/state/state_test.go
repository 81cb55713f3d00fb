package state

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/outcome"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		text, err := s.Encode()
		require.NoError(t, err)
		back, err := Decode(text)
		require.NoError(t, err)
		require.Equal(t, s, back)
		h, err := DecodeHeader(text)
		require.NoError(t, err)
		require.Equal(t, s.CommitID(), h.CommitID())
		require.Equal(t, Header{s.Pipeline, s.Branch, s.Writers}, h)
	})
}

func TestMirrorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &Mirror{SnapshotID: rapid.Int64Min(0).Draw(t, "snapshot"), Sequence: rapid.Int64Min(0).Draw(t, "seq"), State: drawState(t), Notes: map[Key][]byte{}}
		for _, e := range m.State.Entries {
			if n := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "note"); len(n) > 0 {
				m.Notes[e.Key] = n
			}
		}
		text, err := m.Encode()
		require.NoError(t, err)
		back, err := DecodeMirror(text)
		require.NoError(t, err)
		require.Equal(t, m, back)
	})
}

// Golden bytes: whoever changes these changes what is in people's tables.
func TestGolden(t *testing.T) {
	text, err := golden().Encode()
	require.NoError(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	require.NoError(t, err)
	want := strings.Join([]string{
		"01",               // format version
		"04" + "73686f70",  // pipeline "shop"
		"04" + "6d61696e",  // branch "main"
		"02",               // config epoch 2
		"1112131415161718", // its hash
		"01",               // one superseded
		"2122232425262728",
		"01",          // one writer
		"02" + "7731", // "w1"
		"00" + "0102030405060708090a0b0c0d0e0f10", // commit, a UUID
		"08" + "07",                         // dropped: 7 ignored
		"02",                                // two names
		"02" + "6331",                       // 0 "c1"
		"04" + "6d61696e",                   // 1 "main"
		"02",                                // two streams
		"01" + "00" + "06" + "636c69636b73", // source 1, cluster 0, "clicks"
		"01" + "a0000000000000000000000000000001", // topic id
		"02",                                 // two partitions
		"00" + "02" + "ac02" + "01" + "ac02", // 0 at ac02, 300 written = 300 added
		"02" + "01" + "05" + "07" + "03" + "01" + "01", // 1 at 05: 3 written, 1 control, 1 unseen
		"01" + "00" + "01" + "6b" + "00",               // source 1, cluster 0, "k", no id
		"01",                                           // one partition
		"17" + "73686172642d3030303031" + "01" + "09" + "c103020102", // "shard-00001" at 09
		"", // checksum, below
	}, "")
	require.Equal(t, want, hex.EncodeToString(raw[:len(raw)-4]))
	require.Equal(t, "AQRzaG9wBG1haW4CERITFBUWFxgBISIjJCUmJygBAncxAAECAwQFBgcICQoLDA0ODxAIBwICYzEEbWFpbgIBAAZjbGlja3MBoAAAAAAAAAAAAAAAAAAAAQIAAqwCAawCAgEFBwMBAQEAAWsAARdzaGFyZC0wMDAwMQEJwQMCAQJLRHsd", text)
}

func golden() *State {
	click := Stream{Source: "main", Cluster: "c1", Topic: "clicks", ID: [16]byte{0: 0xa0, 15: 1}}
	shard := Stream{Source: "main", Cluster: "c1", Topic: "k"}
	s := &State{
		Pipeline: "shop", Branch: "main",
		Epoch:   Epoch{N: 2, Hash: Hash{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18}, Superseded: []Hash{{0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28}}},
		Writers: []WriterCommit{{"w1", "01020304-0506-0708-090a-0b0c0d0e0f10"}},
		Entries: []Entry{
			{Key: Key{click, "0"}, Position: "\xac\x02", Totals: Totals{Counts: outcome.Counts{outcome.Written: 300}, Added: 300}},
			{Key: Key{click, "1"}, Position: "\x05", Totals: Totals{Counts: outcome.Counts{outcome.Written: 3, outcome.Control: 1, outcome.Unseen: 1}, Added: 3}},
			{Key: Key{shard, "shard-00001"}, Position: "\x09", Closed: true, Totals: Totals{Counts: outcome.Counts{outcome.Written: 2}, Added: 1, Removed: 2}},
		},
	}
	s.Dropped.Counts[outcome.Ignored] = 7
	return s
}

// The state is repeated in every retained snapshot, so each partition may take few characters only.
func TestCharactersPerPartition(t *testing.T) {
	f := func(name string, positionBytes int, counts outcome.Counts, limit float64) {
		t.Helper()
		s := &State{Pipeline: "shop", Branch: "main", Writers: []WriterCommit{{"w", "c"}}}
		empty, err := s.Encode()
		require.NoError(t, err)
		const n = 1000
		for i := range n {
			p := strings.Repeat("\x7f", positionBytes)
			s.Entries = append(s.Entries, Entry{
				Key:      Key{Stream{Source: "main", Cluster: "MkU3OEVBNTcwNTJENDM2Qk", Topic: "clicks", ID: [16]byte{1}}, fmt.Sprint(i)},
				Position: Position(p), Totals: Totals{Counts: counts, Added: counts[outcome.Written]},
			})
		}
		text, err := s.Encode()
		require.NoError(t, err)
		per := float64(len(text)-len(empty)) / n
		t.Logf("%s: %.1f characters a partition", name, per)
		require.LessOrEqual(t, per, limit, name)
	}
	f("thousands", 2, outcome.Counts{outcome.Written: 9000}, 11)
	f("millions", 4, outcome.Counts{outcome.Written: 9_000_000}, 16)
	f("billions, transactional", 5, outcome.Counts{outcome.Written: 9_000_000_000, outcome.Control: 20_000}, 24)
}

func TestEncodeRefuses(t *testing.T) {
	f := func(name string, spoil func(*State), want string) {
		t.Helper()
		s := golden()
		spoil(s)
		_, err := s.Encode()
		require.ErrorContains(t, err, want, name)
	}
	f("no pipeline", func(s *State) { s.Pipeline = "" }, "without pipeline")
	f("order", func(s *State) { s.Entries[0], s.Entries[1] = s.Entries[1], s.Entries[0] }, "out of order")
	f("twice", func(s *State) { s.Entries[1] = s.Entries[0] }, "out of order")
	f("no position", func(s *State) { s.Entries[0].Position = "" }, "position of 0 bytes")
	f("long position", func(s *State) { s.Entries[0].Position = Position(make([]byte, 256)) }, "position of 256 bytes")
	f("negative", func(s *State) { s.Entries[0].Added = -1 }, "negative")
	f("writers", func(s *State) { s.Writers = append(s.Writers, s.Writers[0]) }, "twice")
	f("epoch", func(s *State) { s.Epoch.N = 0 }, "epoch 0")
	f("epoch hash", func(s *State) { s.Epoch.Hash = Hash{} }, "without a hash")
	f("long pipeline", func(s *State) { s.Pipeline = strings.Repeat("x", MaxText+1) }, "longer than")
	f("too many", func(s *State) { s.Entries = make([]Entry, MaxEntries+1) }, "more than")
	f("too many writers", func(s *State) { s.Writers = make([]WriterCommit, MaxWriters+1) }, "more than")
	f("too many superseded", func(s *State) { s.Epoch.Superseded = make([]Hash, MaxSuperseded+1) }, "more than")
}

// No byte of a state can be changed, added or lost unnoticed.
func TestDamageIsNoticed(t *testing.T) {
	text, err := golden().Encode()
	require.NoError(t, err)
	for i := range text {
		for _, c := range []byte{'A', 'B', '_', '\n', '='} {
			if text[i] == c {
				continue
			}
			_, err := Decode(text[:i] + string(c) + text[i+1:])
			require.Error(t, err, "character %d as %q", i, c)
		}
		_, err := Decode(text[:i])
		require.Error(t, err, "cut at %d", i)
	}
	_, err = Decode(text + "AAAA")
	require.Error(t, err)
	_, err = Decode(strings.Repeat("A", MaxEncoded+1))
	require.ErrorContains(t, err, "more than")
}

func TestUnknownVersion(t *testing.T) {
	raw := append([]byte{2}, make([]byte, 20)...)
	_, err := Decode(base64.RawURLEncoding.EncodeToString(raw))
	require.ErrorIs(t, err, ErrVersion)
	_, err = DecodeMirror("2.a.b")
	require.ErrorIs(t, err, ErrVersion)
}

func TestMirrorDamage(t *testing.T) {
	m := &Mirror{SnapshotID: 77, Sequence: 5, State: golden(), Notes: map[Key][]byte{golden().Entries[1].Key: []byte("note")}}
	text, err := m.Encode()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(text, "1.77.5."), text)
	for i := range text {
		if text[i] == 'x' {
			continue
		}
		_, err := DecodeMirror(text[:i] + "x" + text[i+1:])
		require.Error(t, err, "character %d", i)
	}
	m.Notes[golden().Entries[0].Key] = make([]byte, MaxNote+1)
	_, err = m.Encode()
	require.ErrorContains(t, err, "note of 129 bytes")
}

func TestMirrorKeysDiffer(t *testing.T) {
	require.Equal(t, "ingestd.state.shop.main", MirrorKey("shop", "main"))
	require.NotEqual(t, MirrorKey("a.b", "c"), MirrorKey("a", "b.c"))
	require.NotEqual(t, MirrorKey("a%2Eb", "c"), MirrorKey("a.b", "c"))
}

func FuzzDecode(f *testing.F) {
	text, err := golden().Encode()
	require.NoError(f, err)
	f.Add(text)
	empty, err := (&State{Pipeline: "p", Branch: "main"}).Encode()
	require.NoError(f, err)
	f.Add(empty)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		for _, candidate := range []string{text, resealed(text)} {
			s, err := Decode(candidate)
			if err != nil {
				continue
			}
			again, err := s.Encode()
			require.NoError(t, err)
			require.Equal(t, candidate, again, "accepted text is not the one that would be written")
		}
	})
}

// resealed puts the right checksum behind arbitrary bytes, so that fuzzing gets past it.
func resealed(text string) string {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 5 {
		return ""
	}
	return seal(b[:len(b)-4])
}

func FuzzDecodeMirror(f *testing.F) {
	m := &Mirror{SnapshotID: 77, Sequence: 5, State: golden(), Notes: map[Key][]byte{golden().Entries[1].Key: []byte("note")}}
	text, err := m.Encode()
	require.NoError(f, err)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		for _, candidate := range []string{text, rehashed(text)} {
			m, err := DecodeMirror(candidate)
			if err != nil {
				continue
			}
			again, err := m.Encode()
			require.NoError(t, err)
			require.Equal(t, candidate, again)
		}
	})
}

func rehashed(text string) string {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return ""
	}
	return text[:i] + "." + mirrorHash(text[:i])
}

func TestKnowsAnother(t *testing.T) {
	x := Stream{Source: "main", Cluster: "c", Topic: "t", ID: [16]byte{1}}
	s := &State{Entries: []Entry{{Key: Key{Stream: x, Partition: "0"}, Position: "a"}}}
	with := func(f func(*Stream)) Stream {
		y := x
		f(&y)
		return y
	}
	require.True(t, s.KnowsAnother(with(func(y *Stream) { y.ID = [16]byte{2} })))
	require.True(t, s.KnowsAnother(with(func(y *Stream) { y.Cluster = "d" })))
	for name, same := range map[string]Stream{
		"itself":             x,
		"unknown id":         with(func(y *Stream) { y.ID = [16]byte{} }),
		"unknown cluster":    with(func(y *Stream) { y.Cluster = "" }),
		"another topic":      with(func(y *Stream) { y.Topic, y.ID = "u", [16]byte{2} }),
		"that of a neighbor": with(func(y *Stream) { y.Source, y.ID = "side", [16]byte{2} }),
	} {
		require.False(t, s.KnowsAnother(same), name)
	}
	s.Entries[0].Closed = true
	require.False(t, s.KnowsAnother(with(func(y *Stream) { y.ID = [16]byte{2} })), "what has ended is in nobody's way")
	require.False(t, (*State)(nil).KnowsAnother(x))
}
