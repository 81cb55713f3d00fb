package demo

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/ingestd/ingestd/internal/event"
)

// progress writes a line per commit and per trouble. It is a subscriber of the daemon's events: it never makes them
// wait, so that a terminal that has stopped scrolling costs lines and not throughput.
type progress struct {
	lines chan string
	now   func() time.Time
	// ready is closed when every table has rows.
	ready chan struct{}

	mu struct {
		sync.Mutex
		tables map[string]*tableProgress
		// without counts the tables that have no rows yet.
		without  int
		began    time.Time
		finished bool
	}
}

// tableProgress is what was seen of one table.
type tableProgress struct {
	rows int64
	last time.Time
	lag  map[string]int64
	// since is how many offsets were committed after lag was observed.
	since int64
}

// waitingLines is how many lines may wait for the terminal.
const waitingLines = 256

func newProgress(now func() time.Time, tables int) *progress {
	p := &progress{lines: make(chan string, waitingLines), now: now, ready: make(chan struct{})}
	p.mu.tables, p.mu.without, p.mu.began = map[string]*tableProgress{}, tables, now()
	return p
}

// restart makes the first rate count from now.
func (p *progress) restart() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.began = p.now()
}

// write writes the lines until finish.
func (p *progress) write(w io.Writer) {
	for line := range p.lines {
		fmt.Fprintln(w, line)
	}
}

// finish ends write once it has written what waits; later lines are dropped.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.finished = true
	close(p.lines)
}

// note adds a line.
func (p *progress) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.say(format, args...)
}

// say adds a line, unless too many wait. The caller holds mu.
func (p *progress) say(format string, args ...any) {
	if p.mu.finished {
		return
	}
	select {
	case p.lines <- fmt.Sprintf(format, args...):
	default:
	}
}

// Emit implements event.Sink.
func (p *progress) Emit(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := e.(type) {
	case event.CommitDone:
		p.committed(e)
	case event.LagObserved:
		t := p.table(e.Table)
		t.lag[e.Topic+"/"+strconv.Itoa(int(e.Partition))], t.since = e.Lag, 0
	case event.StateChanged:
		if e.To == event.Failed || e.To == event.Degraded {
			p.say("%s  %s is %s: %s", clock(e.At), e.Table, e.To, reason(e))
		}
	case event.SourceTrouble:
		p.say("%s  source %s: %s: %v", clock(e.At), e.Source, e.Reason, e.Err)
	}
}

func (p *progress) table(name string) *tableProgress {
	t := p.mu.tables[name]
	if t == nil {
		t = &tableProgress{last: p.mu.began, lag: map[string]int64{}}
		p.mu.tables[name] = t
	}
	return t
}

func (p *progress) committed(e event.CommitDone) {
	if e.Result != event.CommitLanded || e.Files == 0 {
		return
	}
	t := p.table(e.Table)
	if t.rows == 0 {
		if p.mu.without--; p.mu.without == 0 {
			close(p.ready)
		}
	}
	t.rows += e.Rows
	rate := float64(e.Counts.Records()) / max(e.At.Sub(t.last).Seconds(), 1e-3)
	t.last = e.At
	t.since += e.Counts.Offsets()
	behind := -t.since
	for _, lag := range t.lag {
		behind += lag
	}
	p.say("%s  %-11s +%s rows  %s records/s  lag %s  freshness %s  %s, %s", clock(e.At), e.Table, thousands(e.Rows),
		thousands(int64(rate)), thousands(max(0, behind)), freshness(e), files(e.Files), size(e.Bytes))
}

// reason is why a table is in its state, with code and hint where there are some.
func reason(e event.StateChanged) string {
	s := e.Reason
	if e.Code != "" {
		s += " [" + e.Code + "]"
	}
	if e.Hint != "" {
		s += " — " + e.Hint
	}
	return s
}

// freshness is how old the oldest record of the commit was when it could be queried.
func freshness(e event.CommitDone) string {
	if e.Oldest.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%.1fs", max(0, e.At.Sub(e.Oldest).Seconds()))
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

func clock(t time.Time) string { return t.Format(time.TimeOnly) }

// thousands groups the digits of a number.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
