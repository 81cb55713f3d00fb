package verify

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/ingestd/ingestd/internal/failure"
)

// Level is how far a proof goes.
type Level string

// The levels.
const (
	Ledger Level = "ledger"
	Rows   Level = "rows"
	Source Level = "source"
)

// Kind says what is wrong with a range.
type Kind string

// The kinds of findings.
const (
	// Books: the table's own counters contradict each other.
	Books Kind = "books"
	// Missing: records of the topic that are not in the table and not accounted for.
	Missing Kind = "missing"
	// Doubled: offsets that are in the table more than once.
	Doubled Kind = "doubled"
	// Unaccounted: rows or counts that nothing explains.
	Unaccounted Kind = "unaccounted"
)

// Finding is one thing that does not hold. From and To bound the offsets, To exclusive; both are 0 when the finding
// is not about a range.
type Finding struct {
	Kind      Kind   `json:"kind"`
	Topic     string `json:"topic,omitempty"`
	Partition string `json:"partition,omitempty"`
	From      uint64 `json:"from,omitempty"`
	To        uint64 `json:"to,omitempty"`
	Text      string `json:"text"`
}

// Partition is what is known of one partition of the table.
type Partition struct {
	Topic     string           `json:"topic"`
	Partition string           `json:"partition"`
	Start     int64            `json:"start"`
	Position  int64            `json:"position"`
	Counts    map[string]int64 `json:"counts"`
	// Rows is the number of distinct offsets found in the table (levels rows and source).
	Rows int64 `json:"rows,omitempty"`
	// CheckedFrom is the first offset that could be compared with the topic (level source): what lies before is no
	// longer retained there.
	CheckedFrom int64 `json:"checked_from,omitempty"`
}

// Report is the outcome of one verification.
type Report struct {
	Table      string      `json:"table"`
	Level      Level       `json:"level"`
	Verified   bool        `json:"verified"`
	Snapshots  int         `json:"snapshots"`
	Files      int64       `json:"files"`
	Rows       int64       `json:"rows"`
	Partitions []Partition `json:"partitions"`
	Findings   []Finding   `json:"findings"`
	// Notes are true and harmless: what could not be compared, and why.
	Notes []string `json:"notes,omitempty"`
}

func (r *Report) find(k Kind, p *partition, from, to uint64, format string, args ...any) { //nolint:revive // five, and what the format wants
	f := Finding{Kind: k, From: from, To: to, Text: fmt.Sprintf(format, args...)}
	if p != nil {
		f.Topic, f.Partition = p.Topic, p.Partition.Partition
	}
	r.Findings = append(r.Findings, f)
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Err is nil when the report proves what its level says; otherwise an error that exits with 1.
func (r *Report) Err() error {
	if r.Verified {
		return nil
	}
	return failure.New(failure.Halt, "E_NOT_VERIFIED", "the findings name the ranges",
		"table %s is not verified at level %s: %d findings, the first: %s", r.Table, r.Level, len(r.Findings), r.Findings[0].Text)
}

// mostRanges bounds how many ranges of one kind are listed for one partition.
const mostRanges = 20

// eachRange calls f for the contiguous ranges of a bitmap, up to mostRanges, and gives the number of offsets left out.
func eachRange(b *roaring64.Bitmap, f func(from, to uint64)) (left uint64) {
	it := b.Iterator()
	if !it.HasNext() {
		return 0
	}
	n, told := 0, uint64(0)
	from := it.Next()
	to := from + 1
	flush := func() {
		if n < mostRanges {
			f(from, to)
			told += to - from
		}
		n++
	}
	for it.HasNext() {
		if o := it.Next(); o == to {
			to++
		} else {
			flush()
			from, to = o, o+1
		}
	}
	flush()
	return b.GetCardinality() - told
}
