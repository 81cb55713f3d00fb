package commit

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// Sixty-four writers, each with a partition of its own, on a catalog that takes 20 ms for a commit: they conflict
// all the time, and everybody gets ahead.
func TestSixtyFourWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers, batches = 64, 3
		b := newBench(t)
		b.create("w", writers)
		slow := func(ctx context.Context) { _ = wait(ctx, 20*time.Millisecond) }
		b.cat.OnCommit = func(ctx context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
			slow(ctx)
			return apply()
		}
		env := b.env()
		env.Now, env.Wait, env.Jitter, env.Events = time.Now, wait, nil, nil
		started := time.Now()
		attempts := make([]int, writers)
		g := rungroup.New(t.Context())
		for i := range writers {
			g.Go(func(ctx context.Context) error {
				w, err := Open(ctx, b.cat, spec(fmt.Sprintf("w%d", i)), env)
				if err != nil {
					return err
				}
				for n := range batches {
					res, err := w.Commit(ctx, b.batch(w, step(i, n*5, n*5+5)))
					if err != nil {
						return err
					}
					if res.Outcome != Landed {
						return fmt.Errorf("writer %d was fenced: %v", i, res.Mismatch)
					}
					attempts[i] += res.Attempts
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		b.cat.OnCommit = nil
		ends := b.exact("main")
		require.Len(t, ends, writers)
		for p, end := range ends {
			require.Equal(t, batches*5, end, "partition %s", p)
		}
		total := 0
		for _, n := range attempts {
			total += n
		}
		took := time.Since(started)
		t.Logf("%d commits with %d attempts in %v", writers*batches, total, took)
		require.Less(t, took, time.Minute, "at least four commits a second get through")
		require.Less(t, total, writers*batches*12, "attempts per commit")
	})
}
