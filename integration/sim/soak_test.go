package sim

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// soak is a series of runs and what they add up to.
type soak struct {
	t       *testing.T
	began   time.Time
	played  int
	rows    int
	shots   int
	virtual time.Duration
	// waits are how long tables took to catch up; slowest is the seed of the longest.
	waits   []time.Duration
	slowest uint64
	hits    map[string]int
	// spent is how long failing plans were made smaller.
	spent  time.Duration
	failed []string
}

// inLine is how many seeds are named in one line of the log, so that one sees where a process was that died.
const inLine = 25

func (s *soak) play(n uint64) {
	if s.played%inLine == 0 {
		fmt.Fprintf(os.Stderr, "\n%5.0f s, seeds", time.Since(s.began).Seconds())
	}
	fmt.Fprintf(os.Stderr, " %d", n)
	s.played++
	res := run(s.t, Plan{Seed: n})
	s.hits = merged(s.hits, res.Hits)
	s.rows, s.shots, s.virtual = s.rows+res.Rows, s.shots+res.Snapshots, s.virtual+res.Virtual
	if len(s.waits) == 0 || res.CaughtUp > slices.Max(s.waits) {
		s.slowest = n
	}
	s.waits = append(s.waits, res.CaughtUp)
	if *tell {
		s.t.Log("\n" + strings.Join(res.Lines, "\n"))
	}
	if len(res.Problems) == 0 {
		return
	}
	what := fmt.Sprintf("seed %d fails: %s", n, brief(res.Problems))
	s.t.Errorf("%s\n%s", strings.Join(res.Lines, "\n"), what)
	began := time.Now()
	res.Plan.Why = what
	s.failed = append(s.failed, shrunk(s.t, res.Plan, *small-s.spent)+what)
	s.spent += time.Since(began)
}

// brief keeps the first problems, and of each what fits into a line or two.
func brief(problems []string) string {
	var out []string
	for i, p := range problems {
		if i == 4 {
			out = append(out, fmt.Sprintf("and %d more", len(problems)-i))
			break
		}
		out = append(out, p[:min(len(p), 300)])
	}
	return strings.Join(out, "\n\t")
}

// report comes last, and what failed at its end: of a log often only the end is seen.
func (s *soak) report() {
	fmt.Fprintln(os.Stderr)
	for _, kind := range sortedKinds(s.hits) {
		s.t.Logf("%8d %s", s.hits[kind], kind)
	}
	s.t.Logf("%d seeds in %v: %d rows, %d snapshots, %v of virtual time", s.played, time.Since(s.began), s.rows, s.shots, s.virtual)
	slices.Sort(s.waits)
	if n := len(s.waits); n > 0 {
		s.t.Logf("all caught up after %v (half of the runs), %v (99 %%), %v (all; the slowest was seed %d)", s.waits[n/2], s.waits[n*99/100], s.waits[n-1], s.slowest)
	}
	if len(s.failed) > 0 {
		s.t.Fatalf("%d of %d seeds failed:\n%s", len(s.failed), s.played, strings.Join(s.failed, "\n"))
	}
	if s.played >= fewSeeds {
		for _, kind := range expected() {
			require.GreaterOrEqual(s.t, s.hits[kind], s.played/perHit, "%s hardly ever happens: the run proves little about it", kind)
		}
	}
}

const (
	// perHit: of every kind there has to be one in so many seeds, which makes 100 in 10,000. In fewer than fewSeeds
	// chance decides too much.
	perHit   = 100
	fewSeeds = 5000
)

// expected lists the kinds of faults that a soak must have met.
func expected() (out []string) {
	often := []string{"catalog.load", "catalog.commit", "store.put", "kafka.dial", "kafka.fetch", "kafka.metadata", "kafka.list_offsets"}
	for call, fates := range map[string][]Fate{
		"catalog.load": reads(), "catalog.commit": writes(), "catalog.birth": writes(), "store.put": writes(), "store.open": reads(),
		"store.delete": writes(), "registry": reads(), "kafka.dial": reads(), "kafka.fetch": requestFates(), "kafka.metadata": requestFates(),
		"kafka.list_offsets": requestFates(), "kafka.offset_commit": {Delay, Refuse, Lose},
	} {
		for _, f := range fates {
			// Deaths and freezes are few in a run, and calls that are made less often meet hardly any of them.
			if deadly := strings.HasPrefix(string(f), "kill") || strings.HasPrefix(string(f), "freeze"); !deadly || slices.Contains(often, call) {
				out = append(out, call+" "+string(f))
			}
		}
	}
	for name := range acts() {
		out = append(out, "operator "+name)
	}
	for _, what := range []string{"process zombie", "process twin", "commit fenced", "commit ok", "kafka.transaction open", "kafka.transaction abort", "decision adopt"} {
		out = append(out, what)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
