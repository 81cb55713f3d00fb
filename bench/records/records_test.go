package records

import (
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
)

// Avro and JSON hold the same events, by decoders that are not ours.
func TestEncodingsAgree(t *testing.T) {
	events := Generate(500, 1)
	codec, err := goavro.NewCodec(Schema)
	require.NoError(t, err)
	text, err := JSON(events)
	require.NoError(t, err)
	for i, b := range Avro(events) {
		native, rest, err := codec.NativeFromBinary(b)
		require.NoError(t, err)
		require.Empty(t, rest)
		m := native.(map[string]any)
		var e EventJSON
		require.NoError(t, json.Unmarshal(text[i], &e))
		require.Equal(t, []any{e.ID, e.UserID, e.EventType, e.Score, e.DurationMS, e.IsMobile, e.Country},
			[]any{m["id"], m["user_id"], m["event_type"], m["score"], m["duration_ms"], m["is_mobile"], m["country"]})
		require.Equal(t, e.TS, m["ts"].(time.Time).UnixMilli())
		price, ok := new(big.Rat).SetString(e.Price.String())
		require.True(t, ok)
		require.Zero(t, price.Cmp(m["price"].(*big.Rat)))
		require.Equal(t, e.URL == nil, m["url"] == nil)
		require.Equal(t, e.SessionID == nil, m["session_id"] == nil)
		require.Len(t, m["tags"], len(e.Tags))
	}
}

func TestGeneratorIsRepeatable(t *testing.T) {
	first, again, other := Avro(Generate(300, 5)), Avro(Generate(300, 5)), Avro(Generate(300, 6))
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
}
