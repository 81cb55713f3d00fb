package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A slow catalog is asked less often, and one commit that took very long is not held against it.
func TestSlowCatalogStretchesTheInterval(t *testing.T) {
	trigger := Trigger{Interval: 10 * time.Second}
	require.Equal(t, 10*time.Second, trigger.age(averaged(0, time.Second)))
	require.Equal(t, 20*time.Second, trigger.age(averaged(0, 5*time.Second)))
	require.Equal(t, time.Minute, trigger.age(averaged(0, time.Hour)), "an outage")
	require.LessOrEqual(t, trigger.age(averaged(5*time.Second, 10*time.Minute)), 40*time.Second)
	require.GreaterOrEqual(t, averaged(time.Second, -time.Hour), time.Duration(0), "the clock was set back")
	require.Equal(t, 5*time.Minute, Trigger{Interval: 5 * time.Minute}.age(averaged(0, time.Hour)))
}
