package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// roundTrip checks that a written value is read back as the same value.
func roundTrip[T comparable](t *rapid.T, value T, text string, parse func(*T, string) error) {
	var back T
	require.NoError(t, parse(&back, text), text)
	require.Equal(t, value, back, text)
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Min(0).Draw(t, "nanoseconds"))
		roundTrip(t, d, d.String(), (*Duration).parse)
	})
}

func TestSizeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]Size{1, KiB, MiB, GiB, TiB, 1000}).Draw(t, "unit")
		s := Size(rapid.Int64Range(0, 8000).Draw(t, "n")) * unit
		roundTrip(t, s, s.String(), (*Size).parse)
	})
}

func TestMemoryLimitRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := MemoryLimit{Percent: float64(rapid.IntRange(1, 1000).Draw(t, "permille")) / 10}
		if rapid.Bool().Draw(t, "bytes") {
			m = MemoryLimit{Bytes: Size(rapid.Int64Range(1, 1<<40).Draw(t, "n"))}
		}
		roundTrip(t, m, m.String(), (*MemoryLimit).parse)
	})
}

func TestFieldTypeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.IntRange(1, maxPrecision).Draw(t, "precision")
		types := []FieldType{
			{Kind: kindDecimal, Precision: precision, Scale: rapid.IntRange(0, precision).Draw(t, "scale")},
			{Kind: kindFixed, Length: rapid.IntRange(1, maxFixed).Draw(t, "length")},
			{Kind: "long"}, {Kind: "timestamptz"}, {Kind: kindMap},
		}
		v := rapid.SampledFrom(types).Draw(t, "type")
		roundTrip(t, v, v.String(), (*FieldType).parse)
	})
}

func TestPartitionFieldRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := PartitionField{
			Transform: rapid.SampledFrom(transformNames()).Draw(t, "transform"),
			Column:    rapid.StringMatching(`[a-z_][a-z0-9_]{0,8}`).Draw(t, "column"),
		}
		if hasParam(p.Transform) {
			p.Param = rapid.IntRange(1, 1<<30).Draw(t, "param")
		}
		roundTrip(t, p, p.String(), (*PartitionField).parse)
	})
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1h30m": 90 * time.Minute, "10m": 10 * time.Minute, "1h": time.Hour, "10s": 10 * time.Second, "0s": 0, "1.5s": 1500 * time.Millisecond,
	} {
		var d Duration
		require.NoError(t, d.parse(text))
		require.Equal(t, want, d.Std())
		require.Equal(t, text, d.String())
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1024": KiB, "512MiB": 512 * MiB, "1 GiB": GiB, "64KB": 64000, "64kB": 64000, "1.5MiB": 1536 * KiB, "2TB": 2e12, "7B": 7,
	} {
		var s Size
		require.NoError(t, s.parse(text), text)
		require.Equal(t, want, s, text)
	}
	for _, text := range []string{"", "MiB", "1MiBs", "NaN", "Inf", "-1", "1e30", "0x10MiB0", "9000000TiB"} {
		var s Size
		require.Error(t, s.parse(text), text)
	}
}

func TestMemoryLimits(t *testing.T) {
	const available = 1000
	for text, want := range map[string]int64{"60%": 600, "0.5%": 5, "100 %": 1000, "1KiB": 1024} {
		var m MemoryLimit
		require.NoError(t, m.parse(text), text)
		require.Equal(t, want, m.Resolve(available), text)
	}
	for _, text := range []string{"0%", "101%", "-1%", "%", "NaN%", "much"} {
		var m MemoryLimit
		require.Error(t, m.parse(text), text)
	}
}
