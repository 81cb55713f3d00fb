package sim

import (
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	seeds = flag.Int("seeds", 100, "how many seeds TestSeeds runs")
	from  = flag.Uint64("from", 1, "the first seed")
	seed  = flag.Uint64("seed", 0, "run this seed alone and tell what happened")
	most  = flag.Duration("for", 0, "begin no more seeds after this long; 0 is no limit")
	tell  = flag.Bool("tell", false, "tell what happened in every run")
)

// tail keeps the last lines of a run.
type tail struct {
	out   io.Writer
	mu    sync.Mutex
	lines []string
}

// Write implements io.Writer.
func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines = append(l.lines, string(b)); len(l.lines) > 200 {
		l.lines = l.lines[100:]
	}
	if l.out != nil {
		return l.out.Write(b)
	}
	return len(b), nil
}

// String joins them.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

// run plays a plan in a bubble of its own.
func run(t *testing.T, p Plan) (res *Result) {
	t.Helper()
	lines := &tail{out: p.Follow}
	p.Follow = lines
	defer watch(p, lines)()
	synctest.Test(t, func(t *testing.T) {
		var err error
		res, err = Run(t.Context(), p)
		require.NoError(t, err)
	})
	res.Judge()
	return res
}

// replay is what the tests of failed seeds call.
func replay(t *testing.T, p Plan) {
	t.Helper()
	res := run(t, p)
	if len(res.Problems) > 0 {
		t.Fatalf("%s\n%s", strings.Join(res.Lines, "\n"), strings.Join(res.Problems, "\n"))
	}
}

// TestSeeds is the simulation.
func TestSeeds(t *testing.T) {
	if *seed != 0 {
		res := run(t, Plan{Seed: *seed, Follow: os.Stderr})
		require.Empty(t, res.Problems)
		return
	}
	began := time.Now()
	total := map[string]int{}
	rows, snapshots := 0, 0
	var virtual time.Duration
	played := 0
	for i := range *seeds {
		if *most > 0 && time.Since(began) > *most {
			break
		}
		played++
		p := Plan{Seed: *from + uint64(i)}
		res := run(t, p)
		total = merged(total, res.Hits)
		rows, snapshots, virtual = rows+res.Rows, snapshots+res.Snapshots, virtual+res.Virtual
		if *tell {
			t.Log("\n" + strings.Join(res.Lines, "\n"))
		}
		if len(res.Problems) > 0 {
			t.Errorf("seed %d: %s\n%s", p.Seed, strings.Join(res.Problems, "\n"), shrunk(t, res.Plan))
		}
	}
	for _, kind := range sortedKinds(total) {
		t.Logf("%8d %s", total[kind], kind)
	}
	t.Logf("%d seeds in %v: %d rows, %d snapshots, %v of virtual time", played, time.Since(began), rows, snapshots, virtual)
	if played >= fewSeeds {
		for _, kind := range expected() {
			require.GreaterOrEqual(t, total[kind], played/perHit, "%s hardly ever happens: the run proves little about it", kind)
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
