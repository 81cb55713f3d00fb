package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span, written `30s`, `5m`, `1h30m`.
type Duration time.Duration

// Std returns the duration in the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the duration without its zero parts: `10m`, not `10m0s`.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (d *Duration) parse(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 30s, 5m or 1h30m")
	}
	if v < 0 {
		return errors.New("a duration must not be negative")
	}
	*d = Duration(v)
	return nil
}

// Size is a number of bytes, written `512MiB`, `64KB`, `1GiB` or plain.
type Size int64

// Units of Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// sizeUnit is one suffix of a Size.
type sizeUnit struct {
	suffix string
	bytes  Size
}

// sizeUnits lists the suffixes, longer ones first, since "B" ends them all.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

// String writes the size in the greatest unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s != 0 && u.bytes > 1 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

func (s *Size) parse(text string) error {
	number, unit := text, Size(1)
	for _, u := range sizeUnits() {
		if n, ok := strings.CutSuffix(text, u.suffix); ok {
			number, unit = strings.TrimSpace(n), u.bytes
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return errors.New("want a size such as 512MiB, 64KB or a number of bytes")
	}
	if v < 0 {
		return errors.New("a size must not be negative")
	}
	bytes := v * float64(unit)
	if bytes >= math.MaxInt64 {
		return errors.New("the size is too large")
	}
	*s = Size(bytes)
	return nil
}

// MemoryLimit is a share of the available memory or a size. Exactly one of the two is set.
type MemoryLimit struct {
	Percent float64
	Bytes   Size
}

// Resolve returns the limit in bytes, given the memory of the cgroup or machine.
func (m MemoryLimit) Resolve(available int64) int64 {
	if m.Bytes > 0 {
		return int64(m.Bytes)
	}
	return int64(float64(available) * m.Percent / 100)
}

// String writes the limit as it stands in the file.
func (m MemoryLimit) String() string {
	if m.Bytes > 0 {
		return m.Bytes.String()
	}
	return strconv.FormatFloat(m.Percent, 'f', -1, 64) + "%"
}

func (m *MemoryLimit) parse(text string) error {
	number, ok := strings.CutSuffix(text, "%")
	if !ok {
		var s Size
		if err := s.parse(text); err != nil {
			return errors.New("want a share such as 60% or a size such as 512MiB")
		}
		*m = MemoryLimit{Bytes: s}
		return nil
	}
	p, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(p > 0 && p <= 100) {
		return errors.New("want a share above 0% and up to 100%")
	}
	*m = MemoryLimit{Percent: p}
	return nil
}
