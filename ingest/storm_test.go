package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRebalanceStorm: members come and go as soon as they have committed something, so that the group is hardly ever
// at rest. Nothing is lost or doubled, and the table gets on.
func TestRebalanceStorm(t *testing.T) {
	w := newWorld(t, 4, "a")
	produce := func() {
		for p := range int32(4) {
			w.produce("a", p, 5)
		}
	}
	produce()
	steady, rec := w.groupOptions("steady")
	p, wait := w.start(steady)
	rec.landed("t", 20)
	for i := range 4 {
		guest, grec := w.groupOptions(fmt.Sprintf("guest%d", i))
		pg, wg := w.start(guest)
		deadline := time.Now().Add(eventually)
		for grec.commits() == 0 {
			require.True(t, time.Now().Before(deadline), "guest %d gets its share", i)
			produce()
			require.Eventually(t, func() bool { return len(w.rows("t", "a")) >= len(w.expected("a"))-40 }, eventually, 50*time.Millisecond, "the table gets on")
		}
		pg.Drain()
		require.NoError(t, wg())
	}
	require.Eventually(t, func() bool { return len(w.rows("t", "a")) >= len(w.expected("a")) }, eventually, 50*time.Millisecond)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}
