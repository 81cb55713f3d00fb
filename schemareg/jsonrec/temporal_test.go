package jsonrec

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// instant draws times of the years 0 to 9999 with any fraction.
func instant() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		low := time.Date(0, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
		high := time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
		sec := rapid.Int64Range(low, high).Draw(t, "seconds")
		nano := rapid.Int64Range(0, 999999999).Draw(t, "nanos")
		return time.Unix(sec, nano).UTC()
	})
}

func TestTimestampsAgreeWithTheTimePackage(t *testing.T) {
	zones := []string{"Z07:00", "Z0700", "-07", "-07:00"}
	fractions := []string{"", ".0", ".000", ".000000", ".000000000", ",000"}
	rapid.Check(t, func(t *rapid.T) {
		at := instant().Draw(t, "at")
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "offset"))
		suffix := rapid.SampledFrom(zones).Draw(t, "zone")
		if suffix == "-07" {
			zone = time.FixedZone("", 3600*rapid.IntRange(-23, 23).Draw(t, "hours"))
		}
		layout := "2006-01-02" + rapid.SampledFrom([]string{"T", " "}).Draw(t, "T") + "15:04:05" +
			rapid.SampledFrom(fractions).Draw(t, "fraction")
		text := at.In(zone).Format(layout + suffix)
		want, err := time.Parse(layout+suffix, text)
		require.NoError(t, err)
		got, why := timestampOf([]byte(text), true)
		require.Equal(t, fine, why, text)
		require.Equal(t, want.UnixMicro(), got, text)
		nanos, why := nanosOf([]byte(text), true)
		require.Equal(t, time.Unix(0, want.UnixNano()).Equal(want), why == fine, text)
		require.True(t, why == outOfRange || nanos == want.UnixNano(), text)

		text = at.Format(layout)
		want, err = time.Parse(layout, text)
		require.NoError(t, err)
		got, why = timestampOf([]byte(text), false)
		require.Equal(t, fine, why, text)
		require.Equal(t, want.UnixMicro(), got, text)
	})
}

func TestDatesAgreeWithTheTimePackage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(0000|1[0-9]{3}|2000|2024|1900|9999)-(0[0-9]|1[0-4])-([0-3][0-9])`).Draw(t, "date")
		want, err := time.Parse(time.DateOnly, text)
		days, why := dateOf([]byte(text))
		require.Equal(t, err == nil, why == fine, text)
		if err == nil {
			require.Equal(t, want.Unix(), int64(days)*secondsPerDay, text)
		}
	})
}

func TestTimesOfDayAgreeWithTheTimePackage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := instant().Draw(t, "at")
		text := at.Format(rapid.SampledFrom([]string{"15:04", "15:04:05", "15:04:05.000", "15:04:05.000000000"}).Draw(t, "layout"))
		want, err := time.Parse("15:04:05.999999999", text)
		if err != nil {
			want, err = time.Parse("15:04", text)
			require.NoError(t, err)
		}
		got, why := timeOf([]byte(text))
		require.Equal(t, fine, why)
		midnight := time.Date(want.Year(), want.Month(), want.Day(), 0, 0, 0, 0, time.UTC)
		require.Equal(t, want.Sub(midnight).Microseconds(), got)
	})
}

func TestMalformedTimes(t *testing.T) {
	f := func(want fault, zoned bool, texts ...string) {
		t.Helper()
		for _, s := range texts {
			_, why := timestampOf([]byte(s), zoned)
			require.Equal(t, want, why, s)
		}
	}
	f(badTimestamp, true, "", "2024", "2024-01-01", "2024-01-01T", "2024-01-01T1", "2024-01-01X10:00:00Z", "2024-13-01T10:00:00Z",
		"2024-02-30T10:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T10:60:00Z", "2024-01-01T10:00:60Z", "2024-01-01T10:00:00.Z",
		"2024-01-01T10:00:00.0123456789Z", "2024-01-01T10:00:00ZZ", "2024-01-01T10:00:00+24:00", "2024-01-01T10:00:00+1:00",
		"2024-01-01T10:00:00+010:0", "2024-01-01T10:00:00+01:60", "12024-01-01T10:00:00Z", "2024-01-01T10:00:00 Z", "2024-01-01T10:00:00+")
	f(needOffset, true, "2024-01-01T10:00:00", "2024-01-01T10:00", "2024-01-01T10:00:00.5")
	f(noOffset, false, "2024-01-01T10:00:00Z", "2024-01-01T10:00+02:00")
	f(badTimestamp, false, "2024-01-01T10:00:00 ", "2024-01-01T10:00:00.", "2024-01-01T10:00:0")
	for _, s := range []string{"", "24:00:00", "10", "10:0", "10:00:", "10:00:00Z", "1:00:00", "-1:00:00"} {
		_, why := timeOf([]byte(s))
		require.Equal(t, badTime, why, s)
	}
}

// Nanoseconds end within a second of 1677 and one of 2262.
func TestNanosecondsReachTheirBounds(t *testing.T) {
	f := func(text string, want int64, why fault) {
		t.Helper()
		got, fault := nanosOf([]byte(text), true)
		require.Equal(t, why, fault, text)
		require.Equal(t, want, got, text)
	}
	f("1970-01-01T00:00:00.000000001Z", 1, fine)
	f("1969-12-31T23:59:59.999999999Z", -1, fine)
	f("2262-04-11T23:47:16.854775807Z", math.MaxInt64, fine)
	f("2262-04-11T23:47:16.854775808Z", 0, outOfRange)
	f("2262-04-12T23:46:16.854775807+23:59", math.MaxInt64, fine)
	f("1677-09-21T00:12:43.145224192Z", math.MinInt64, fine)
	f("1677-09-21T00:12:43.145224191Z", 0, outOfRange)
	f("1677-09-20T00:13:43.145224192-23:59", math.MinInt64, fine)
	f("1677-09-21T00:11:43.145224192-00:01", math.MinInt64, fine)
	f("0001-01-01T00:00:00Z", 0, outOfRange)
	f("9999-12-31T23:59:59Z", 0, outOfRange)
}
