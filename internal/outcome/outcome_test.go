package outcome

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreCompleteAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range All() {
		require.NotEmpty(t, o.String())
		require.False(t, seen[o.String()])
		seen[o.String()] = true
	}
	require.Len(t, seen, int(Count))
}

func TestOffsetsIsTheLengthOfTheRange(t *testing.T) {
	var c Counts
	for i := range c {
		c[i] = int64(i + 1)
	}
	require.EqualValues(t, 28, c.Records())
	require.EqualValues(t, 45, c.Offsets())
	d := c
	d.Add(c)
	require.Equal(t, c, d.Sub(c))
	require.Equal(t, map[string]int64{"control": 1}, Counts{Control: 1}.Map())
	require.True(t, DeadLettered.IsRecord())
	require.False(t, Control.IsRecord())
}
