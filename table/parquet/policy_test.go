package parquet

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The model of how many new values are to come agrees with drawing them.
func TestForecastOfNewValues(t *testing.T) {
	const pool, seen, left = 200_000, 20_000, 500_000
	known := pool * -math.Expm1(-float64(seen)/pool)
	f := forecast{entries: int(known), rate: 1 - known/pool}
	want := pool*-math.Expm1(-float64(seen+left)/pool) - known
	require.InEpsilon(t, want, f.newEntries(left), 0.01)
	require.InEpsilon(t, pool, f.pool(), 0.01)

	f.room, f.left = 50_000, left
	full := f.untilFull()
	require.InEpsilon(t, f.room, f.newEntries(full), 0.01)
	require.InDelta(t, 1000, (&forecast{rate: 1}).newEntries(1000), 0)
	require.Equal(t, 7, (&forecast{rate: 1, room: 7}).untilFull())
}

func TestPays(t *testing.T) {
	text := dictPolicy{plain: 9, entry: 9, shrink: 1} // incompressible text of nine bytes
	number := dictPolicy{plain: 2.5, entry: 4, shrink: 1}
	room := 1 << 20
	require.True(t, text.pays(forecast{values: 20_000, entries: 19_000, left: 1_000_000, rate: 0.9, room: room}, 1), "a pool of 190,000")
	require.False(t, text.pays(forecast{values: 20_000, entries: 19_000, rate: 0.9, room: room}, 1), "nothing follows")
	require.False(t, text.pays(forecast{values: 20_000, entries: 20_000, left: 1_000_000, rate: 1, room: room}, 1), "all different")
	require.False(t, number.pays(forecast{values: 20_000, entries: 12_000, left: 180_000, rate: 0.9, room: room}, 1), "near-ascending numbers")
	require.True(t, number.pays(forecast{values: 20_000, entries: 300, left: 180_000, rate: 0, room: room}, 1))
	require.False(t, text.pays(forecast{entries: 1000, left: 1_000_000, rate: 1, room: 10_000}, 1), "full soon, and until then no gain")
	even := dictPolicy{plain: 1, entry: 1, shrink: 1}
	require.True(t, even.pays(forecast{values: 100_000, entries: 100, room: room}, 1))
	require.False(t, even.pays(forecast{values: 100_000, entries: 100, room: room}, 0.8))
	skewed := dictPolicy{plain: 1, entry: 1, shrink: 0.5}
	require.True(t, skewed.pays(forecast{values: 100_000, entries: 100, room: room}, 0.8), "references compress")
}

func TestPolicyLifeCycle(t *testing.T) {
	var p dictPolicy
	require.True(t, p.begin(), "without history a dictionary is tried")
	require.True(t, p.observe(checkpoint-1, checkpoint-1))
	require.False(t, p.observe(checkpoint, checkpoint), "no value repeats")
	require.Equal(t, guessFactor*checkpoint, p.left(checkpoint, false))
	require.Zero(t, p.left(checkpoint, true))
	p.end(100_000)
	require.Equal(t, 60_000, p.left(40_000, false))
	require.Equal(t, 12_500, p.left(100_000, false), "as long as the one before")

	p.verdict = plain
	for range retryAfter - 1 {
		require.False(t, p.begin())
	}
	require.True(t, p.begin(), "tried again")
	require.Equal(t, untried, p.verdict)
}

// Text of few characters without matches is half as large with entropy coding; noise is left alone.
func TestLiteralPolicy(t *testing.T) {
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	d := newData(layoutOf(field("c", true, typeOf(0))), 1)
	hex, noise := make([]byte, 100_000), make([]byte, 100_000)
	for i := range hex {
		hex[i] = "0123456789abcdef"[d.r.IntN(16)]
		noise[i] = byte(d.r.Uint32())
	}
	var p literalPolicy
	s, err := p.seal(e, pageHeader{}, hex)
	require.NoError(t, err)
	require.True(t, p.on)
	require.Less(t, len(s.data), 60_000)
	for range literalTrial {
		_, err = p.seal(e, pageHeader{}, noise)
		require.NoError(t, err)
	}
	require.True(t, p.on, "until the next trial")
	_, err = p.seal(e, pageHeader{}, noise)
	require.NoError(t, err)
	require.False(t, p.on)
}

// Of a large page, such as a dictionary of megabytes, a part is tried.
func TestLiteralPolicyOfLargePages(t *testing.T) {
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	d := newData(layoutOf(field("c", true, typeOf(0))), 1)
	page := make([]byte, 1<<20)
	for i := range page {
		page[i] = "0123456789abcdef"[d.r.IntN(16)]
	}
	var p literalPolicy
	s, err := p.seal(e, pageHeader{}, page)
	require.NoError(t, err)
	require.True(t, p.on)
	require.Less(t, len(s.data), len(page)*6/10)
}
