package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWindows: the clock is the place's, also on the days on which it is put forward or back.
func TestWindows(t *testing.T) {
	m := parseText(t, minimal+`maintenance: {enabled: true, windows: ["22:00-06:00", "12:30-13:00"], time_zone: Europe/Berlin}`).Maintenance
	f := func(at string, opens bool) {
		t.Helper()
		when, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, opens, m.Opens(when), at)
	}
	f("2026-11-23T20:59:59Z", false)
	f("2026-11-23T21:00:00Z", true)
	f("2026-11-24T04:59:59Z", true)
	f("2026-11-24T05:00:00Z", false)
	f("2026-11-24T11:30:00Z", true)
	f("2026-11-24T12:00:00Z", false)
	f("2026-07-24T20:00:00Z", true)
	f("2026-07-24T04:00:00Z", false)
	f("2026-03-29T03:59:00Z", true)
	f("2026-03-29T04:00:00Z", false)
	f("2026-10-25T04:59:00Z", true)
	f("2026-10-25T05:00:00Z", false)
	m.Windows = nil
	f("2026-11-24T12:00:00Z", true)
	m = parseText(t, minimal+`maintenance: {enabled: true, windows: ["06:00-24:00"]}`).Maintenance
	f("2026-11-24T23:59:59Z", true)
	f("2026-11-24T00:00:00Z", false)
	require.Equal(t, "06:00-24:00", m.Windows[0].String())
}
