package config

import (
	"errors"
	"fmt"
	"time"

	// Minimal machines have no zones of their own, and a file should mean the same on all.
	_ "time/tzdata"
)

// Window is a time of day, from a minute up to another one, which may be on the next day: `22:00-06:00`.
type Window struct {
	// From and To are minutes of the day.
	From, To int
}

const dayMinutes = 24 * 60

// String writes the window as it stands in the file.
func (w Window) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60)
}

func (w *Window) parse(text string) error {
	const want = "want a time of day such as 22:00-06:00"
	if len(text) != len("22:00-06:00") || text[5] != '-' {
		return errors.New(want)
	}
	from, ok := minute(text[:5])
	to, ends := minute(text[6:])
	if !ok || !ends || from == dayMinutes {
		return errors.New(want)
	}
	if from == to {
		return hinted{"the time of day is empty", "for the whole day write 00:00-24:00, or no windows"}
	}
	*w = Window{from, to}
	return nil
}

// minute reads a time of day; 24:00 is the end of the day.
func minute(text string) (int, bool) {
	if text == "24:00" {
		return dayMinutes, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil
}

// holds says whether a minute of the day is within.
func (w Window) holds(at int) bool {
	if w.From < w.To {
		return at >= w.From && at < w.To
	}
	return at >= w.From || at < w.To
}

// TimeZone is a place of the IANA time zone database; the zero value is UTC.
type TimeZone struct{ at *time.Location }

// Location is the place.
func (z TimeZone) Location() *time.Location {
	if z.at == nil {
		return time.UTC
	}
	return z.at
}

// Equal says whether both are the same place.
func (z TimeZone) Equal(other TimeZone) bool { return z.String() == other.String() }

// String is the name of the place.
func (z TimeZone) String() string { return z.Location().String() }

func (z *TimeZone) parse(text string) error {
	at, err := time.LoadLocation(text)
	if err != nil || text == "" {
		return hinted{"there is no such time zone", "write UTC, Local (the machine's own) or a place such as Europe/Berlin"}
	}
	z.at = at
	return nil
}

// Opens says whether the tables may be looked after unasked at a time.
func (m Maintenance) Opens(at time.Time) bool {
	local := at.In(m.TimeZone.Location())
	for _, w := range m.Windows {
		if w.holds(local.Hour()*60 + local.Minute()) {
			return true
		}
	}
	return len(m.Windows) == 0
}
