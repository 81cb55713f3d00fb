package rewrite

import (
	"fmt"
	"slices"
)

// span is a range of entries, [lo,hi).
type span struct{ lo, hi int }

// checkDeleted refuses positions that are out of order or not in the file.
func (in *Input) checkDeleted(rows int64) error {
	last := int64(-1)
	for _, p := range in.Deleted {
		if p <= last || p >= rows {
			return fmt.Errorf("deleted position %d of %d rows comes after %d", p, rows, last)
		}
		last = p
	}
	return nil
}

// deleted gives the deleted positions in [lo,hi).
func (in *Input) deleted(lo, hi int64) []int64 {
	if len(in.Deleted) == 0 {
		return nil
	}
	a, _ := slices.BinarySearch(in.Deleted, lo)
	b, _ := slices.BinarySearch(in.Deleted[a:], hi)
	return in.Deleted[a : a+b]
}

// keep turns the deleted rows of a page, which begins at row first of the file, into the spans of entries that stay.
func (p *page) keep(dst []span, first int64, gone []int64) []span {
	if len(p.rep) > 0 {
		return p.keepLists(dst, first, gone)
	}
	at := 0
	for _, d := range gone {
		row := int(d - first)
		if row > at {
			dst = append(dst, span{at, row})
		}
		at = row + 1
	}
	if at < p.entries {
		dst = append(dst, span{at, p.entries})
	}
	return dst
}

// keepLists is keep for rows of several entries.
func (p *page) keepLists(dst []span, first int64, gone []int64) []span {
	row, start := -1, 0
	inside := false // of a span
	for i, r := range p.rep {
		if r != 0 {
			continue
		}
		row++
		dead := len(gone) > 0 && int(gone[0]-first) == row
		if dead {
			gone = gone[1:]
		}
		switch {
		case dead && inside:
			dst, inside = append(dst, span{start, i}), false
		case !dead && !inside:
			start, inside = i, true
		}
	}
	if inside {
		dst = append(dst, span{start, len(p.rep)})
	}
	return dst
}
