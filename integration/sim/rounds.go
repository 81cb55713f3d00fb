package sim

import (
	"sync"
	"time"
)

// rounds gets the simulated broker out of a rebalance that it never ends: it loses count of a member that joins again
// while it waited in the round before, so that its round of joins never counts as complete, and each further join puts
// off the time at which it ends without those that are missing. Members whose joins are not answered ask again, often
// enough for that to go on for ever. Kafka counts those that are missing, and its time is that of the round.
//
// So once joins have gone on for stuckAfter and nobody has gone on from them, joins meet a reset for holdOff, the round
// ends by its time, and the count begins at zero again.
type rounds struct {
	mu sync.Mutex
	// began is the first join since somebody went on, until is how long joins are kept away.
	began, until time.Time
}

const (
	stuckAfter = 50 * time.Second
	// holdOff is longer than the time of a round, which is that of a session here.
	holdOff = sessions + 2*time.Second
)

// heard notes a request and says whether it is to be kept away.
func (r *rounds) heard(call string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch call {
	case "kafka.sync_group": // those whose join was answered
		r.began, r.until = time.Time{}, time.Time{}
	case "kafka.join_group":
		switch {
		case now.Before(r.until):
			return true
		case !r.until.IsZero() || r.began.IsZero():
			r.began, r.until = now, time.Time{}
		case now.Sub(r.began) > stuckAfter:
			r.until = now.Add(holdOff)
			return true
		}
	}
	return false
}
