package ingest

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// firstRetry and slowestRetry bound the pauses between attempts at something transient.
	firstRetry   = 200 * time.Millisecond
	slowestRetry = 20 * time.Second
	// quietRetries is how many attempts may fail before people are told.
	quietRetries = 2
)

// persist repeats f while it fails with a transient error, and says so. Any other error, and the end of the context,
// is the caller's.
func (o *owner) persist(ctx context.Context, what string, f func() error) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = firstRetry, slowestRetry
	attempt := 0
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f()
		if err != nil && failure.ClassOf(err) != failure.Retry {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, _ time.Duration) {
		attempt++
		o.events.Emit(event.CommitRetried{Table: o.name, Attempt: attempt, Reason: what, Err: err, At: o.now()})
		if attempt > quietRetries {
			o.obstruct(what, err)
		}
	}))
	if err == nil {
		o.obstruct(what, nil)
	}
	return err
}
