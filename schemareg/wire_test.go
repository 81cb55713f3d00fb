package schemareg

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// recordHeader stands for the Kafka client's type.
type recordHeader struct {
	Key   string
	Value []byte
}

var guid = [16]byte{0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

func guidHeader() []byte { return append([]byte{1}, guid[:]...) }

func TestFrame(t *testing.T) {
	ok := func(part Part, value []byte, headers []recordHeader, want Ref, payload string) {
		t.Helper()
		ref, got, err := Frame(part, value, headers)
		require.NoError(t, err)
		require.Equal(t, want, ref)
		require.Equal(t, payload, string(got))
	}
	framed := []byte("\x00\x00\x00\x01\x02payload")
	ok(Value, framed, nil, Ref{ID: 258}, "payload")
	ok(Key, framed[:5], nil, Ref{ID: 258}, "")
	ok(Value, []byte("\x00\xff\xff\xff\xffx"), nil, Ref{ID: 1<<32 - 1}, "x")

	// The header wins over the prefix, and the payload then has none.
	byID := []recordHeader{{Key: "other", Value: []byte("x")}, {Key: ValueHeader, Value: []byte{0, 0, 0, 0, 9}}}
	ok(Value, framed, byID, Ref{ID: 9}, string(framed))
	ok(Value, []byte{}, byID, Ref{ID: 9}, "")
	byGUID := []recordHeader{{Key: ValueHeader, Value: guidHeader()}, {Key: "z"}}
	ok(Value, []byte("raw"), byGUID, Ref{GUID: guid, HasGUID: true}, "raw")

	// The last header of the name wins.
	ok(Value, []byte("raw"), append(byID[:2:2], byGUID...), Ref{GUID: guid, HasGUID: true}, "raw")
	ok(Value, []byte("raw"), append(byGUID[:2:2], byID...), Ref{ID: 9}, "raw")

	// Key and value have headers of their own.
	ok(Key, framed, byID, Ref{ID: 258}, "payload")
	ok(Key, []byte("k"), []recordHeader{{Key: KeyHeader, Value: guidHeader()}}, Ref{GUID: guid, HasGUID: true}, "k")
}

func TestFrameErrorsSayWhatWasSeen(t *testing.T) {
	bad := func(part Part, value []byte, headers []Header, want string) {
		t.Helper()
		_, _, err := Frame(part, value, headers)
		require.EqualError(t, err, want)
		require.Equal(t, failure.Poison, failure.ClassOf(err))
		require.Equal(t, CodeFrame, failure.CodeOf(err))
		require.NotEmpty(t, failure.HintOf(err))
	}
	bad(Value, nil, nil, "reading schema id: value has 0 bytes: there is no value (null)")
	bad(Key, []byte{}, nil, "reading schema id: key has 0 bytes: a schema id needs 5 bytes")
	bad(Value, []byte{0, 0, 0, 1}, nil, "reading schema id: value has 4 bytes and starts with 0x00000001: a schema id needs 5 bytes")
	bad(Value, []byte(`{"a":1}`), nil,
		"reading schema id: value has 7 bytes and starts with 0x7b2261223a: it looks like JSON, not like registry framing (0x00 and a 4 byte id)")
	bad(Value, []byte("hello world"), nil, "reading schema id: value has 11 bytes and starts with 0x68656c6c6f: want 0x00 and a 4 byte id")
	bad(Value, append([]byte{3, 0}, make([]byte, 20)...), nil,
		"reading schema id: value has 22 bytes and starts with 0x0300000000: it looks like AWS Glue framing, which is not supported; want 0x00 and a 4 byte id")
	bad(Value, []byte("\x00\x00\x00\x00\x01"), []Header{{Key: ValueHeader, Value: []byte{1, 2}}},
		"reading schema id: header __value_schema_id has 2 bytes and starts with 0x0102, want 0x01 and a 16 byte GUID or 0x00 and a 4 byte id")
	bad(Key, nil, []Header{{Key: KeyHeader}},
		"reading schema id: header __key_schema_id has 0 bytes, want 0x01 and a 16 byte GUID or 0x00 and a 4 byte id")
}

func TestRefString(t *testing.T) {
	require.Equal(t, "id 7", Ref{ID: 7}.String())
	require.Equal(t, "guid 0a010203-0405-0607-0809-0a0b0c0d0e0f", Ref{GUID: guid, HasGUID: true}.String())
}

func TestFrameDoesNotAllocate(t *testing.T) {
	value := []byte("\x00\x00\x00\x01\x02payload")
	headers := []recordHeader{{Key: "a"}, {Key: ValueHeader, Value: guidHeader()}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, _, err := Frame(Value, value, headers); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Frame(Value, value, headers[:1]); err != nil {
			t.Fatal(err)
		}
	}))
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x02payload"), []byte(nil), false)
	f.Add([]byte("{}"), guidHeader(), true)
	f.Add([]byte(nil), []byte{0, 0, 0, 0, 1}, true)
	f.Fuzz(func(t *testing.T, value, header []byte, withHeader bool) {
		var hs []Header
		if withHeader {
			hs = []Header{{Key: ValueHeader, Value: header}}
		}
		ref, payload, err := Frame(Value, value, hs)
		if err != nil {
			require.Equal(t, failure.Poison, failure.ClassOf(err))
			require.Less(t, len(err.Error()), 300)
			return
		}
		// What was read frames to the same bytes again.
		if withHeader {
			require.Equal(t, value, payload)
			require.Equal(t, header, AppendHeader(nil, ref))
			return
		}
		require.Equal(t, value, append(AppendPrefix(nil, ref.ID), payload...))
	})
}
