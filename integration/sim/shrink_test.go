package sim

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mostTries = 150

// shrunk makes a failing plan smaller, for so long, and prints it as a test. Runs do not repeat exactly, so a plan
// counts as failing when one of two runs does.
func shrunk(t *testing.T, p Plan, budget time.Duration) string {
	t.Helper()
	p.Follow = nil
	end := time.Now().Add(budget)
	fails := func(p Plan) bool {
		for range 2 {
			if time.Now().Before(end) && len(run(t, p).Problems) > 0 {
				return true
			}
		}
		return false
	}
	if !fails(p) {
		return p.String() + "it did not fail again from the list above\n"
	}
	return shrink(p, mostTries, fails).String()
}

func TestShrink(t *testing.T) {
	p := Plan{Seed: 7, Listed: true}
	for i := range 100 {
		p.Faults = append(p.Faults, Fault{Process: "p0.1", Call: "catalog.load", Nth: i, Fate: Refuse})
		p.Acts = append(p.Acts, Act{Op: "tag", Arg: i})
	}
	runs := 0
	got := shrink(p, 1000, func(p Plan) bool {
		runs++
		faults, acts := map[int]bool{}, map[int]bool{}
		for _, f := range p.Faults {
			faults[f.Nth] = true
		}
		for _, a := range p.Acts {
			acts[a.Arg] = true
		}
		return faults[17] && faults[80] && acts[3]
	})
	require.Len(t, got.Faults, 2)
	require.Len(t, got.Acts, 1)
	require.Less(t, runs, 100)
	require.Equal(t, 100, len(p.Faults), "the plan itself stays as it is")
	require.Contains(t, got.String(), `{Process: "p0.1", Call: "catalog.load", Nth: 80, Fate: "refuse", For: 0, Error: 0},`)
	require.Equal(t, 2, strings.Count(got.String(), "Process:"))
}

// TestPlace: a goroutine in one line.
func TestPlace(t *testing.T) {
	require.Equal(t, "sync.Mutex.Lock < kgo.(*consumer).doOnMetadataUpdate.func1 < kgo.(*consumer).doOnMetadataUpdate.func2", place(
		`goroutine 12 [sync.Mutex.Lock, synctest bubble 9]:
sync.(*Mutex).Lock(...)
	/go/src/sync/mutex.go:46
github.com/twmb/franz-go/pkg/kgo.(*consumer).doOnMetadataUpdate.func1()
	/go/pkg/kgo/consumer.go:1520 +0x46
github.com/twmb/franz-go/pkg/kgo.(*consumer).doOnMetadataUpdate.func2(0x12, {0x3})
	/go/pkg/kgo/consumer.go:1540 +0x2b
created by github.com/twmb/franz-go/pkg/kgo.(*consumer).doOnMetadataUpdate in goroutine 1
	/go/pkg/kgo/consumer.go:1537 +0x14d`))
}

// TestBrief: what failed fits into the end of a log.
func TestBrief(t *testing.T) {
	require.Equal(t, "a\n\tb", brief([]string{"a", "b"}))
	require.Equal(t, strings.Repeat("x", 300)+"\n\tb\n\tc\n\td\n\tand 2 more", brief([]string{strings.Repeat("x", 400), "b", "c", "d", "e", "f"}))
}
