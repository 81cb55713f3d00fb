package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// position is a place in the file; the zero value is "unknown".
type position struct{ line, col int }

// report collects problems and knows where each setting stands in the file.
// A path that is not in `at` was not written: its value is a default.
type report struct {
	file     string
	at       map[string]position
	problems Problems
	// unknown holds settings whose variable is not set and need not be: they cannot be judged.
	unknown map[string]bool
}

func newReport(file string) *report {
	return &report{file: file, at: map[string]position{}, unknown: map[string]bool{}}
}

// set reports whether the file itself holds the setting.
func (r *report) set(path string) bool {
	_, ok := r.at[path]
	return ok
}

// where finds the position of a setting, or of the nearest block around it.
func (r *report) where(path string) position {
	for {
		if p, ok := r.at[path]; ok {
			return p
		}
		if path == "" {
			return position{line: 1, col: 1}
		}
		path = parentPath(path)
	}
}

// fault records what refuses the file.
func (r *report) fault(path, hint, format string, args ...any) {
	r.add(false, path, hint, fmt.Sprintf(format, args...))
}

// warn records what does not refuse the file.
func (r *report) warn(path, hint, format string, args ...any) {
	r.add(true, path, hint, fmt.Sprintf(format, args...))
}

// useless records a setting that has no effect, if the file holds it.
func (r *report) useless(path, why string) {
	if r.set(path) {
		r.fault(path, "remove it", "has no effect: %s", why)
	}
}

func (r *report) add(warning bool, path, hint, message string) {
	if r.unknown[path] {
		return
	}
	p := r.where(path)
	r.problems = append(r.problems, Problem{
		File: r.file, Line: p.line, Col: p.col, Path: path, Message: oneLine(message), Hint: oneLine(hint), Warning: warning,
	})
}

// oneLine keeps what other libraries quote from the file from breaking lines or steering a terminal.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return ' '
		}
		return c
	}, s)
}

// broken reports whether a fault was found at or below the path.
func (r *report) broken(path string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool {
		return !p.Warning && isBelow(p.Path, path)
	})
}

// sorted returns the problems in the order of the file, each once: a fault in the defaults is found again for
// each table.
func (r *report) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			strings.Compare(a.Path, b.Path), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(r.problems)
}

// joinPath appends a key. A key that is no plain word is quoted: it could be mistaken for a path, or break a line.
func joinPath(path, key string) string {
	plain := func(c rune) bool { return c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }
	if key == "" || strings.ContainsFunc(key, func(c rune) bool { return !plain(c) }) {
		return path + fmt.Sprintf("[%q]", key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// itemPath appends a list index.
func itemPath(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// parentPath cuts the last step of a path.
func parentPath(path string) string {
	if strings.HasSuffix(path, `"]`) {
		if i := strings.LastIndex(path, `["`); i >= 0 {
			return path[:i]
		}
	}
	if i := strings.LastIndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return ""
}

// isBelow reports whether path is base or stands below it.
func isBelow(path, base string) bool {
	rest, ok := strings.CutPrefix(path, base)
	return ok && (base == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}
