package commit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
)

// watcher notes the files that it is told of.
type watcher struct {
	left    map[string]bool
	refusal error
}

func (w *watcher) Leaving(_ context.Context, paths ...string) error {
	for _, p := range paths {
		w.left[p] = true
	}
	return nil
}

func (w *watcher) Allowed(context.Context) error { return w.refusal }

// TestWatched: whatever a procedure writes or leaves to nobody is told first, and nothing is sent that the watch refuses.
func TestWatched(t *testing.T) {
	refusal := errors.New("taken for dead")
	for name, do := range map[string]func(b *bench, w *Table) error{
		"replace": func(b *bench, w *Table) error {
			r, ok := b.merged("0", all)
			require.True(t, ok)
			_, err := w.Replace(b.ctx, r)
			return err
		},
		"manifests": func(b *bench, w *Table) error {
			_, err := w.RewriteManifests(b.ctx, false)
			return err
		},
		"expire": func(b *bench, w *Table) error {
			_, err := w.Expire(b.ctx, Expiry{OlderThan: b.env().Now(), RetainLast: 2})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, w := hourly(t)
			sent := 0
			b.cat.OnCommit = func(_ context.Context, _ committest.Call, apply func() committest.Answer) committest.Answer {
				sent++
				return apply()
			}
			watch := &watcher{left: map[string]bool{}, refusal: refusal}
			w.Watched(watch)
			require.ErrorIs(t, do(b, w), refusal)
			require.Zero(t, sent)
			watch.refusal = nil
			before := b.cat.Files.Names()
			gone := map[string]bool{}
			for _, f := range before {
				gone[f] = true
			}
			w.Watched(watch)
			require.NoError(t, do(b, w))
			require.Equal(t, 1, sent)
			for _, f := range b.cat.Files.Names() {
				require.True(t, gone[f] || watch.left[f] || strings.Contains(f, "/data/"), "%s came unannounced", f)
				delete(gone, f)
			}
			for f := range gone {
				require.True(t, watch.left[f], "%s went unannounced", f)
			}
			w.Watched(nil)
			b.commit(w, step(0, 50, 55))
			b.exact("main")
		})
	}
}

// TestAdvance: after it nothing lands that was built before, whatever becomes of its answer.
func TestAdvance(t *testing.T) {
	for name, answer := range map[string]func(committest.Call, func() committest.Answer) committest.Answer{
		"answered": func(_ committest.Call, apply func() committest.Answer) committest.Answer { return apply() },
		"lost":     lost,
		"dropped":  dropped,
	} {
		t.Run(name, func(t *testing.T) {
			b, w := hourly(t)
			// A commit on the head as it is, which stays on its way.
			var late func() committest.Answer
			b.on(map[int]func(committest.Call, func() committest.Answer) committest.Answer{
				1: func(_ committest.Call, apply func() committest.Answer) committest.Answer {
					late = apply
					return committest.Answer{Err: errors.New("no answer")}
				},
				2: answer,
			})
			ctx, cancel := context.WithCancel(b.ctx)
			env := b.env()
			env.Wait = func(context.Context, time.Duration) error { cancel(); return context.Canceled }
			frozen, err := Open(ctx, b.cat, spec("frozen"), env)
			require.NoError(t, err)
			_, err = frozen.RewriteManifests(ctx, false)
			require.Error(t, err)
			before := b.cat.Table(ident...).CurrentSnapshot()
			landed, err := w.Advance(b.ctx, iceberg.Properties{"why": "test"})
			require.NoError(t, err)
			require.True(t, landed)
			head := b.cat.Table(ident...).CurrentSnapshot()
			require.NotEqual(t, before.SnapshotID, head.SnapshotID)
			require.Equal(t, "test", head.Summary.Properties["why"])
			require.Equal(t, table.OpReplace, head.Summary.Operation, "the ledger takes nothing else without a commit of its own")
			require.Error(t, late().Err)
			require.Equal(t, head.SnapshotID, b.cat.Table(ident...).CurrentSnapshot().SnapshotID)
			b.commit(w, step(0, 50, 55))
			b.exact("main")
		})
	}
}
