package sim

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const mostTries = 150

// shrunk makes a failing plan smaller and prints it as a test. Runs do not repeat exactly, so a plan counts as failing
// when one of two runs does.
func shrunk(t *testing.T, p Plan) string {
	t.Helper()
	p.Follow = nil
	fails := func(p Plan) bool { return len(run(t, p).Problems) > 0 || len(run(t, p).Problems) > 0 }
	if !fails(p) {
		return "it does not fail again from the list of its faults:\n" + p.String()
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
