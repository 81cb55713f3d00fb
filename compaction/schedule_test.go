package compaction

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
)

// TestKeeperKeepsHours: outside of its hours nothing is done unasked, a rewrite that has begun ends early, and what is asked
// for is done at any time.
func TestKeeperKeepsHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := false
		k := keep(t, func(o *KeeperOptions) {
			o.Opens = func(time.Time) bool { return open }
			o.Every = map[string]time.Duration{ProcManifests: time.Hour}
			o.Engine = engine{after: func(*Rewritten) error { open = false; return nil }}
		})
		for range 5 {
			k.add(k.tbl, "a", 3)
			k.add(k.tbl, "b", 3)
		}
		k.minute()
		require.Zero(t, k.opens)
		require.Empty(t, k.events)
		open = true
		k.minute()
		require.Len(t, k.live(), 6, "one place only")
		require.Len(t, k.events, 1)
		_, err := k.keeper.Submit("db.t", ProcRewrite, "", false)
		require.NoError(t, err)
		synctest.Wait()
		require.Len(t, k.live(), 2)
		k.exact()
	})
}

// TestKeeperDoesWhatIsDue: the other procedures run when their time has come, once with the first look, and again after a
// failure.
func TestKeeperDoesWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, func(o *KeeperOptions) {
			o.Every = map[string]time.Duration{ProcManifests: 10 * time.Minute, ProcOrphans: time.Hour, ProcExpire: 0}
		})
		ran := func() (out []string) {
			for _, e := range k.events {
				require.Equal(t, event.MaintenanceOK, e.Result)
				out = append(out, e.Procedure)
			}
			k.events = nil
			return out
		}
		for range 3 {
			k.add(k.tbl, "a", 3)
		}
		k.minute()
		require.Equal(t, []string{ProcOrphans, ProcManifests}, ran())
		require.Equal(t, []int{3, 3}, []int{k.looked.Files, k.looked.Candidates})
		require.Positive(t, k.looked.Score)
		for range 9 {
			k.minute()
		}
		require.Empty(t, ran())
		k.minute()
		require.Equal(t, []string{ProcManifests}, ran())
		for range 52 {
			k.minute()
		}
		require.Contains(t, ran(), ProcOrphans)
		k.exact()
	})
}

// Who has taken the garbage for himself is left alone, without an alarm at every look.
func TestKeeperObeysTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, func(o *KeeperOptions) {
			o.Every = map[string]time.Duration{ProcExpire: time.Minute, ProcOrphans: time.Minute}
		})
		require.NoError(t, k.cat.Rewrite(func(m map[string]any) {
			m["properties"].(map[string]any)["gc.enabled"] = "false"
		}, ident...))
		k.minute()
		require.Empty(t, k.events)
	})
}
