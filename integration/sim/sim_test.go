package sim

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
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

	groups = flag.Bool("groups", false, "play only those seeds, one in four, whose processes share the partitions as a group")

	failures = flag.Int("failures", 1, "begin no more seeds after so many have failed")
	small    = flag.Duration("small", time.Minute, "how long failing plans are made smaller, all together")
)

// tail keeps the last lines of a run.
type tail struct {
	out   io.Writer
	mu    sync.Mutex
	lines []string
	// told counts them all.
	told int
}

// Write implements io.Writer.
func (l *tail) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told++
	if l.lines = append(l.lines, string(b)); len(l.lines) > 200 {
		l.lines = l.lines[100:]
	}
	if l.out != nil {
		return l.out.Write(b)
	}
	return len(b), nil
}

func (l *tail) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told
}

// String joins them.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

// run plays a plan in a bubble of its own. A bubble in which nothing can go on any more is a problem like others.
func run(t *testing.T, p Plan) (res *Result) {
	t.Helper()
	if !durable {
		t.Skip("runs need -tags synctests, as make sim and make test have it")
	}
	lines := &tail{out: p.Follow}
	p.Follow = lines
	defer watch(p, lines)()
	var stop func()
	p.Outside, stop = newOutside()
	defer stop()
	defer func() {
		if stuck := recover(); stuck != nil {
			res = &Result{Plan: p, Problems: []string{fmt.Sprint(stuck), "in " + profile(true)}, Lines: []string{lines.String()}}
		}
	}()
	var err error
	synctest.Test(t, func(t *testing.T) { res, err = Run(t.Context(), p) })
	require.NoError(t, err)
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
	// A third of the time would go into collecting what runs leave behind.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	s := &soak{t: t, began: time.Now(), hits: map[string]int{}}
	for n := *from; s.played < *seeds; n++ {
		if *most > 0 && time.Since(s.began) > *most || len(s.failed) >= *failures {
			break
		}
		if !*groups || (Plan{Seed: n}).shape().group {
			s.play(n)
		}
	}
	s.report()
}
