package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// untilSignal runs f with a channel that the first TERM or INT closes: a request to end politely. The second ends its
// context.
func (a *app) untilSignal(ctx context.Context, f func(ctx context.Context, stop <-chan struct{}) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	stop := make(chan struct{})
	waiting := rungroup.New(ctx)
	waiting.Go(func(ctx context.Context) error {
		for stopping := false; ; stopping = true {
			select {
			case <-ctx.Done():
				return nil
			case <-signals:
			}
			if stopping {
				end(failure.New(failure.Retry, "E_INTERRUPTED", "nothing is lost: the tables say where to go on at the next start",
					"stopped before everything that was read was committed"))
				return nil
			}
			close(stop)
		}
	})
	err := f(ctx, stop)
	waiting.Stop()
	_ = waiting.Wait()
	return err
}
