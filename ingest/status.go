package ingest

import (
	"sync"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// Status is what is known of one table, for people and the admin API.
type Status struct {
	Table  string
	State  event.State
	Code   string
	Reason string
	Hint   string
	// Last is the newest landed commit; its At is zero when there was none in this process.
	Last event.CommitDone
	// Counts and Rows add up the commits of this process.
	Counts  outcome.Counts
	Rows    int64
	Commits int64
	// Lag is the number of offsets behind the stable end, by partition.
	Lag map[kafka.Partition]int64
}

// statusCell is the status of one table, written by its owner and the monitor and read by everybody.
type statusCell struct {
	mu sync.Mutex
	Status
	// base is the state but for the obstacles, by what they are in the way of (obstacles.go).
	base      event.StateChanged
	obstacles map[string]error
	// mistaken: the table has failed before it was opened, over something that only settings or rights mend.
	mistaken bool
}

func newStatusCell(table string) *statusCell {
	return &statusCell{Status: Status{Table: table, Lag: map[kafka.Partition]int64{}}, obstacles: map[string]error{}}
}

// set changes the state and gives the change to be told; a repeated state with the same reason is none. A failed table
// stays failed: only revive and a restart change that.
func (c *statusCell) set(e event.StateChanged) (change event.StateChanged, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.State == event.Failed {
		return change, false
	}
	c.base = e
	return c.show(e.At)
}

// restate gives a failed table another reason, and the change to be told unless it is the old one.
func (c *statusCell) restate(e event.StateChanged) (change event.StateChanged, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.State != event.Failed {
		return change, false
	}
	c.base = e
	return c.show(e.At)
}

// revive ends a state that an operator has decided about, failed included, and says what it was.
func (c *statusCell) revive(e event.StateChanged) (from event.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from = c.State
	c.State, c.Code, c.Reason, c.Hint = e.To, e.Code, e.Reason, e.Hint
	c.base = e
	clear(c.obstacles)
	return from
}

// code is the code of the state.
func (c *statusCell) code() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Code
}

func (c *statusCell) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.State == event.Failed
}

// mistake marks a table that a mistake in the configuration keeps from being opened: a bounded run ends with its code.
func (c *statusCell) mistake(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mistaken = is
}

// failure is the reason of a failed table as an error.
func (c *statusCell) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	class := failure.Halt
	if c.mistaken {
		class = failure.Config
	}
	return failure.New(class, c.Code, c.Hint, "table %s has stopped: %s", c.Table, c.Reason)
}

func (c *statusCell) committed(e event.CommitDone) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Last = e
	c.Counts.Add(e.Counts)
	c.Rows += e.Rows
	c.Commits++
}

func (c *statusCell) lag(p kafka.Partition, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Lag[p] = n
}

// forgetLag drops what was known of partitions that are no longer read; of all of them without a name.
func (c *statusCell) forgetLag(parts ...kafka.Partition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(parts) == 0 {
		clear(c.Lag)
	}
	for _, p := range parts {
		delete(c.Lag, p)
	}
}

func (c *statusCell) get() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.Status
	s.Lag = make(map[kafka.Partition]int64, len(c.Lag))
	for p, n := range c.Lag {
		s.Lag[p] = n
	}
	return s
}

// Status lists the tables in the order of the configuration.
func (p *Pipeline) Status() []Status {
	out := make([]Status, 0, len(p.owners))
	for _, o := range p.owners {
		out = append(out, o.status.get())
	}
	return out
}

// lag publishes how far the table is behind one partition.
func (o *owner) lag(p *partition, n int64) {
	o.status.lag(p.id, n)
	o.events.Emit(event.LagObserved{Table: o.name, Topic: p.id.Topic, Partition: p.id.Partition, Lag: n, At: o.now()})
}
