package rungroup

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirstErrorStopsTheOthers(t *testing.T) {
	g := New(t.Context())
	boom := errors.New("boom")
	g.Go(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	g.Go(func(context.Context) error { return boom })
	require.ErrorIs(t, g.Wait(), boom)
}

func TestStopIsNoError(t *testing.T) {
	g := New(t.Context())
	g.Go(func(ctx context.Context) error { <-ctx.Done(); return nil })
	g.Stop()
	require.NoError(t, g.Wait())
}
