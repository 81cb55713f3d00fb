package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/outcome"
)

// explain says in one sentence what is going on. The daemon's own reason comes first: it knows.
func (s *tableStatus) explain(c config.Commit, now time.Time) {
	reason := s.Why
	switch {
	case reason != "" && s.State != string(event.Running):
		return
	case s.LagRecords == nil:
		s.Why = "the brokers do not say how much is left"
	case *s.LagRecords == 0:
		s.Why = s.caughtUp()
	case s.State == unattended:
		s.Why = fmt.Sprintf("no daemon answers, %s wait", count64(*s.LagRecords, "offset"))
		if !s.Exists {
			s.Why += "; run creates the table"
		}
	default:
		s.Why = s.underWay(c, now)
	}
}

// caughtUp says why there is no row, or that all is well.
func (s *tableStatus) caughtUp() string {
	switch {
	case !s.Exists:
		return "the table does not exist yet, and its topics hold no records"
	case len(s.Partitions) == 0:
		return "no topic feeds the table"
	case s.Rows == 0 && len(s.Outcomes) == 0:
		return "nothing to commit: its topics hold no records after the table's start"
	case s.Rows == 0:
		return "no record became a row: " + outcomesText(s.Outcomes)
	}
	return "caught up"
}

// underWay says what the next snapshot waits for.
func (s *tableStatus) underWay(c config.Commit, now time.Time) string {
	left := count64(*s.LagRecords, "offset") + " to go"
	if s.LastCommit == nil {
		return left + ", nothing committed yet"
	}
	age := max(0, now.Sub(s.LastCommit.At)).Round(time.Second)
	if age < c.Interval.Std() {
		return fmt.Sprintf("%s; the last snapshot is %s old, the next one is due after %s or %s", left, age, c.Interval, c.MaxBytes)
	}
	return fmt.Sprintf("%s; the last snapshot is %s old", left, age)
}

// outcomesText counts what became of records, in the order of the outcomes.
func outcomesText(counts map[string]int64) string {
	var parts []string
	for _, o := range outcome.All() {
		if n := counts[o.String()]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(o.String(), "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}

func count64(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
