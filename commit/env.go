package commit

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/internal/event"
)

// Waiting times between attempts. A conflict is somebody else's success, so the next attempt comes soon; an error
// may last.
const (
	conflictWaitMin = 10 * time.Millisecond
	conflictWaitMax = 2 * time.Second
	errorWaitMin    = 100 * time.Millisecond
	errorWaitMax    = 30 * time.Second
)

// withDefaults fills in what the caller left out.
func (e Env) withDefaults() Env {
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Wait == nil {
		e.Wait = wait
	}
	if e.NewID == nil {
		e.NewID = uuid.NewString
	}
	if e.Jitter == nil {
		e.Jitter = rand.Float64
	}
	if e.Events == nil {
		e.Events = event.Discard{}
	}
	return e
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// backoff is the waiting time before attempt n (from 0): doubling from least to most, half of it by chance so that
// writers who met once do not meet again.
func (e Env) backoff(n int, least, most time.Duration) time.Duration {
	d := most
	if n < 20 {
		d = min(most, least<<n)
	}
	return d/2 + time.Duration(e.Jitter()*float64(d/2))
}
