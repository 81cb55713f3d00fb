package telemetry

import (
	"sync"
	"time"
)

const (
	// quietInterval is how long a warning is not repeated.
	quietInterval = 10 * time.Second
	// maxQuiet bounds the warnings that are remembered.
	maxQuiet = 1024
)

// limiter lets each warning pass once per quietInterval.
type limiter struct {
	mu struct {
		sync.Mutex
		seen map[string]*repeat
	}
}

// repeat is a warning that was let pass.
type repeat struct {
	at   time.Time
	left int
}

func newLimiter() *limiter {
	l := &limiter{}
	l.mu.seen = map[string]*repeat{}
	return l
}

// allow says whether key may pass at a time, and how many were held back since it last did.
func (l *limiter) allow(key string, at time.Time) (ok bool, left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.mu.seen[key]
	if r != nil && at.Sub(r.at) < quietInterval {
		r.left++
		return false, 0
	}
	if r == nil {
		if len(l.mu.seen) >= maxQuiet {
			clear(l.mu.seen)
		}
		r = &repeat{}
		l.mu.seen[key] = r
	}
	left = r.left
	r.at, r.left = at, 0
	return true, left
}
