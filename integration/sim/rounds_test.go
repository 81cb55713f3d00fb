package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRounds: joins that nobody answers are kept away once, for as long as a round lasts.
func TestRounds(t *testing.T) {
	r, began := &rounds{}, time.Unix(0, 0)
	at := func(call string, s int) bool { return r.heard("kafka."+call, began.Add(time.Duration(s)*time.Second)) }
	for s := 0; s <= 50; s += 5 {
		require.False(t, at("join_group", s), "%d s", s)
	}
	require.True(t, at("join_group", 51))
	require.False(t, at("heartbeat", 52))
	require.True(t, at("join_group", 62))
	require.False(t, at("join_group", 63))
	require.False(t, at("join_group", 110))
	require.False(t, at("sync_group", 111))
	require.False(t, at("join_group", 120), "somebody has gone on")
	require.False(t, at("join_group", 170))
	require.True(t, at("join_group", 171))
}
