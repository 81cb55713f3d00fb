// Package outcome is the one enumeration of what became of a consumed offset. The summary of a snapshot, the
// metrics, `verify` and the documents all count in these words.
//
// Every consumed record has exactly one of the record outcomes; control records and offsets that were never seen
// are counted beside them, so that the counters of a range add up to its length. The package is a leaf.
package outcome

// Outcome says what became of one offset.
type Outcome uint8

const (
	// Written means that the record is a row of the table.
	Written Outcome = iota
	// Folded means that a later change of the same key in the same snapshot took its place.
	Folded
	// Ignored means that the record carries nothing for the table (a null value, a heartbeat).
	Ignored
	// Filtered means that a rule of the configuration left it out.
	Filtered
	// RoutedElsewhere means that another table takes it.
	RoutedElsewhere
	// Skipped means that it could not be read and the error policy of that stage says skip.
	Skipped
	// DeadLettered means that it could not be read and was put aside.
	DeadLettered
	// Control is a transaction marker.
	Control
	// Unseen is an offset that the broker never showed (compacted away, aborted).
	Unseen
	// Count is the number of outcomes.
	Count
)

var names = [Count]string{"written", "folded", "ignored", "filtered", "routed_elsewhere", "skipped", "dead_lettered", "control", "unseen"}

// String is the name used in metrics, summaries and documents.
func (o Outcome) String() string { return names[o] }

// IsRecord says whether o counts consumed records (and not control records or unseen offsets).
func (o Outcome) IsRecord() bool { return o < Control }

// All lists the outcomes in order.
func All() []Outcome {
	out := make([]Outcome, Count)
	for i := range out {
		out[i] = Outcome(i)
	}
	return out
}

// Counts holds one counter per outcome.
type Counts [Count]int64

// Add adds other to c.
func (c *Counts) Add(other Counts) {
	for i := range c {
		c[i] += other[i]
	}
}

// Sub gives c - other.
func (c Counts) Sub(other Counts) Counts {
	for i := range c {
		c[i] -= other[i]
	}
	return c
}

// Records is the number of consumed records: the sum of the record outcomes.
func (c Counts) Records() int64 {
	var n int64
	for i := Outcome(0); i < Control; i++ {
		n += c[i]
	}
	return n
}

// Offsets is the length of the range the counters describe.
func (c Counts) Offsets() int64 { return c.Records() + c[Control] + c[Unseen] }

// Map names the non-zero counters.
func (c Counts) Map() map[string]int64 {
	m := map[string]int64{}
	for i, n := range c {
		if n != 0 {
			m[Outcome(i).String()] = n
		}
	}
	return m
}
