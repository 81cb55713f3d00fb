package events

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
)

// sums adds up what comparisons between programs rest on, in hundredths and thousandths so that order cannot matter.
func sums(n int) (cents, millis, avroBytes, jsonBytes int64) {
	g := NewGenerator()
	var e Event
	var buf []byte
	for range n {
		g.Next(&e)
		if e.HasAmount() {
			cents += int64(math.Round(e.Amount * 100))
		}
		millis += int64(math.Round(e.Duration * 1000))
		buf = AppendAvro(buf[:0], 1, &e)
		avroBytes += int64(len(buf))
		buf = AppendJSON(buf[:0], &e)
		jsonBytes += int64(len(buf))
	}
	return cents, millis, avroBytes, jsonBytes
}

func TestSumsOfTheWholeSet(t *testing.T) {
	if testing.Short() {
		t.Skip("draws five million events")
	}
	cents, millis, avroBytes, jsonBytes := sums(5_000_000)
	require.EqualValues(t, 6144459192, cents)
	require.EqualValues(t, 99950609, millis/1000)
	require.InDelta(t, 169.5, float64(avroBytes)/5e6, 0.05)
	require.InDelta(t, 311.3, float64(jsonBytes)/5e6, 0.05)
}

// Both encodings of an event hold the same values, by decoders that are not ours.
func TestEncodingsAgree(t *testing.T) {
	codec, err := goavro.NewCodec(Schema)
	require.NoError(t, err)
	g := NewGenerator()
	var e Event
	for range 2000 {
		g.Next(&e)
		var fromJSON map[string]any
		require.NoError(t, json.Unmarshal(AppendJSON(nil, &e), &fromJSON))
		framed := AppendAvro(nil, 0x01020304, &e)
		require.Equal(t, []byte{0, 1, 2, 3, 4}, framed[:5])
		native, rest, err := codec.NativeFromBinary(framed[5:])
		require.NoError(t, err)
		require.Empty(t, rest)
		text, err := codec.TextualFromNative(nil, native)
		require.NoError(t, err)
		var fromAvro map[string]any
		require.NoError(t, json.Unmarshal(text, &fromAvro))
		for name, v := range fromAvro {
			if u, ok := v.(map[string]any); ok { // a union's member
				for _, inner := range u {
					v = inner
				}
			}
			require.Equal(t, fromJSON[name], v, name)
		}
		require.EqualValues(t, e.ID, fromJSON["event_id"])
		require.Equal(t, e.Bot, fromJSON["is_bot"])
		require.Len(t, fromJSON["tags"], len(e.Tags))
	}
}

func TestGeneratorIsRepeatable(t *testing.T) {
	a, b := NewGenerator(), NewGenerator()
	var x, y Event
	for range 1000 {
		a.Next(&x)
		b.Next(&y)
		require.Equal(t, AppendJSON(nil, &x), AppendJSON(nil, &y))
	}
}
