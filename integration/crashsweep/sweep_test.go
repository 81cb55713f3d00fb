package crashsweep

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/io.golden anew")

// leastPoints is how many crash points the sweep must have.
const leastPoints = 500

const golden = "testdata/io.golden"

// record runs without a crash and gives the calls of each table in order, and of the broker by kind.
func record(t *testing.T) *crasher {
	t.Helper()
	w := newWorld(t)
	x := newCrasher(never)
	w.drive(x)
	x.release()
	w.check()
	return x
}

// render writes the calls as the golden has them: the order is exact per table; calls to the broker come when they
// come, so only their kinds are listed.
func render(x *crasher) string {
	var b strings.Builder
	for _, name := range sortedTables() {
		fmt.Fprintf(&b, "== %s\n", name)
		for _, call := range x.calls[name] {
			fmt.Fprintln(&b, strings.TrimPrefix(call, name+"."))
		}
	}
	fmt.Fprintln(&b, "== kafka")
	for _, kind := range kinds(x.calls["kafka"]) {
		fmt.Fprintln(&b, kind)
	}
	return b.String()
}

func kinds(calls []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, c := range calls {
		if !seen[c] {
			seen[c] = true
			out = append(out, c)
		}
	}
	sort.Strings(out)
	return out
}

// TestOrderOfIO holds the order of all calls: it is what the promise of exactly once rests on.
func TestOrderOfIO(t *testing.T) {
	got := render(record(t))
	if *rewrite {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "the order of I/O changed; if that is meant, run with -rewrite and read the difference")
}

// points are all crash points of the golden: before and after every single call, and every kind of call to the broker.
func points(t *testing.T) []point {
	t.Helper()
	text, err := os.ReadFile(golden)
	require.NoError(t, err)
	var out []point
	count := map[string]int{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "== "); ok {
			section = name
			continue
		}
		name := line
		if section != "kafka" {
			name = section + "." + line
		}
		count[name]++
		for _, after := range []bool{false, true} {
			out = append(out, point{name, count[name], after})
		}
	}
	return out
}

// TestCrashAtEveryCall is the sweep.
func TestCrashAtEveryCall(t *testing.T) {
	all := points(t)
	require.GreaterOrEqual(t, len(all), leastPoints)
	var reached atomic.Int64
	t.Run("points", func(t *testing.T) {
		for _, at := range all {
			t.Run(at.String(), func(t *testing.T) {
				t.Parallel()
				if crashAt(t, at) {
					reached.Add(1)
				}
			})
		}
	})
	t.Logf("%d of %d points were reached", reached.Load(), len(all))
	require.Greater(t, reached.Load(), int64(len(all)*95/100), "points of the golden that no run comes to prove nothing")
}

// crashAt runs into one point, starts again and checks.
func crashAt(t *testing.T, at point) (reached bool) {
	w := newWorld(t)
	x := newCrasher(at)
	w.drive(x)
	x.release()
	w.recover()
	w.check()
	return x.crashed()
}
