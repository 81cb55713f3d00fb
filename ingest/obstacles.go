package ingest

import (
	"maps"
	"slices"
	"time"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// A table can have several obstacles at a time and none of them ends with somebody else's success: it is degraded until
// the last one is gone.

const (
	// obstacleCommit is what is in the way when the catalog does not answer.
	obstacleCommit = "committing"
	// obstacleFragments is a fan-out over partition values that the budget does not hold.
	obstacleFragments = "fragments"
)

// obstruct names something in the way of the table's work; nil removes it. It may be called from anywhere.
func (o *owner) obstruct(what string, err error) {
	if change, changed := o.status.obstruct(what, err, o.now()); changed {
		o.events.Emit(change)
	}
}

// running says that the table works: it has just been read or written.
func (o *owner) running() {
	o.obstruct(obstacleCommit, nil)
	o.setState(event.Running, nil)
}

// obstruct notes an obstacle or its end and gives the change of state that follows.
func (c *statusCell) obstruct(what string, err error, at time.Time) (change event.StateChanged, changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.obstacles[what] = err
	case c.obstacles[what] == nil:
		return change, false
	default:
		delete(c.obstacles, what)
	}
	return c.show(at)
}

// show makes the state what its base and the obstacles say. The caller holds the lock.
func (c *statusCell) show(at time.Time) (change event.StateChanged, changed bool) {
	next := c.base
	if names := slices.Sorted(maps.Keys(c.obstacles)); len(names) > 0 && (next.To == event.Running || next.To == event.Pending) {
		err := c.obstacles[names[0]]
		next.To, next.Code, next.Reason, next.Hint = event.Degraded, failure.CodeOf(err), err.Error(), failure.HintOf(err)
	}
	if c.State == next.To && c.Code == next.Code && c.Reason == next.Reason {
		return next, false
	}
	next.From, next.At = c.State, at
	c.State, c.Code, c.Reason, c.Hint = next.To, next.Code, next.Reason, next.Hint
	return next, true
}
