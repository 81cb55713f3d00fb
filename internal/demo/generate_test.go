package demo

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/stretchr/testify/require"
)

func at(i int) time.Time { return time.UnixMilli(1_750_000_000_000 + int64(i)) }

// Every click must be what its schema says, as another implementation of Avro reads it.
func TestClicksFollowTheirSchema(t *testing.T) {
	codec, err := goavro.NewCodec(clickSchema)
	require.NoError(t, err)
	c := newClicks(7, 100)
	actions, sessions, nulls := map[any]int{}, map[string]bool{}, 0
	for i := range 20_000 {
		key, value := c.append(nil, at(i))
		native, rest, err := codec.NativeFromBinary(value)
		require.NoError(t, err, "event %d", i)
		require.Empty(t, rest)
		r := native.(map[string]any)
		require.EqualValues(t, 100+i, r["event_id"])
		require.Equal(t, at(i).UnixMilli(), r["ts"].(time.Time).UnixMilli())
		require.Equal(t, key, r["session_id"])
		require.Equal(t, r["logged_in"], r["user_id"] != nil)
		actions[r["action"]]++
		sessions[key] = true
		if r["price"] == nil {
			nulls++
		}
	}
	require.Len(t, actions, 6, "%v", actions)
	require.Greater(t, actions["view"], actions["purchase"])
	require.Greater(t, len(sessions), visits)
	require.Positive(t, nulls)
}

func TestDecimalsHoldTheirValue(t *testing.T) {
	codec, err := goavro.NewCodec(`["null", {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}]`)
	require.NoError(t, err)
	for _, cents := range []int64{0, 1, 127, 128, 255, 256, 32767, 32768, 99_999_999} {
		native, _, err := codec.NativeFromBinary(appendOptionalDecimal(nil, cents, true))
		require.NoError(t, err)
		rat := native.(map[string]any)["bytes.decimal"].(interface{ FloatString(prec int) string })
		require.Equal(t, fmt.Sprintf("%d.%02d", cents/100, cents%100), rat.FloatString(2))
	}
}

func TestLogLinesAreJSON(t *testing.T) {
	l := newLogs(7, 0)
	optional := map[string]int{}
	for i := range 20_000 {
		key, value := l.append(nil, at(i))
		var line struct {
			TS      int64             `json:"ts"`
			Level   string            `json:"level"`
			Service string            `json:"service"`
			Host    string            `json:"host"`
			Message string            `json:"message"`
			Status  *int              `json:"status"`
			Took    *float64          `json:"duration_ms"`
			Trace   *string           `json:"trace_id"`
			Labels  map[string]string `json:"labels"`
		}
		require.NoError(t, json.Unmarshal(value, &line), "%s", value)
		require.Equal(t, at(i).UnixMilli(), line.TS)
		require.Equal(t, key, line.Host)
		require.NotEmpty(t, line.Message)
		require.NotEmpty(t, line.Labels["region"])
		if line.Status != nil {
			optional["status"]++
			require.Len(t, *line.Trace, 16)
			require.Positive(t, *line.Took)
		}
		if line.Labels["canary"] != "" {
			optional["canary"]++
		}
	}
	require.Greater(t, optional["status"], 10_000)
	require.Less(t, optional["status"], 20_000, "lines without a request exist")
	require.Positive(t, optional["canary"])
}

// Equal seeds make equal events, other seeds others.
func TestSeedsDecide(t *testing.T) {
	stream := func(seed uint64) (out []byte) {
		c, l := newClicks(seed, 0), newLogs(seed, 0)
		for i := range 500 {
			_, out = c.append(out, at(i))
			_, out = l.append(out, at(i))
		}
		return out
	}
	first, again, other := stream(1), stream(1), stream(2)
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
}

func BenchmarkClicks(b *testing.B) {
	c, buf := newClicks(1, 0), make([]byte, 0, 1024)
	for i := 0; b.Loop(); i++ {
		_, buf = c.append(buf[:0], at(i))
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkLogs(b *testing.B) {
	l, buf := newLogs(1, 0), make([]byte, 0, 1024)
	for i := 0; b.Loop(); i++ {
		_, buf = l.append(buf[:0], at(i))
	}
	b.SetBytes(int64(len(buf)))
}
