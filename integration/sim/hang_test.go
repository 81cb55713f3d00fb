package sim

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// hangs is how long a run may take in real time without anything being told, tooLong how long at all. One that hangs does
// so in virtual time: the clock stands, or something goes round without waiting. A machine that is busy with other things
// only makes it slow.
const (
	hangs   = time.Minute
	tooLong = 15 * hangs
)

// watch ends the process when a run hangs. What it was doing comes last, where logs are read first.
func watch(p Plan, lines *tail) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(hangs)
		defer tick.Stop()
		told := 0
		for began := time.Now(); ; {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if now := lines.count(); now > told && time.Since(began) < tooLong {
				told = now
				continue
			}
			fmt.Fprintf(os.Stderr, "\n%s\n%s\n%s\n%s\nseed %d hangs, in\n%s\n", lines, p, strings.Join(stacks(false), "\n\n"), p.Why, p.Seed, profile(false))
			os.Exit(2)
		}
	}()
	return func() { close(done) }
}

// stacks are the goroutines of bubbles: all, or those only that do not wait for their clock.
func stacks(all bool) (out []string) {
	b := make([]byte, 64<<20)
	for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		if strings.Contains(head, "synctest bubble") && (all || !strings.Contains(head, "(durable)")) {
			out = append(out, g)
		}
	}
	return out
}

const (
	// looks, often, mostShown and deep: a profile looks so many times, once in so long, and shows so many places with
	// so many callers each.
	looks     = 50
	often     = 5 * time.Millisecond
	mostShown = 8
	deep      = 5
)

// profile says where those goroutines are, the most frequent places first: something that goes round is somewhere else
// each time.
func profile(all bool) string {
	seen := map[string]int{}
	timer := time.NewTicker(often)
	defer timer.Stop()
	for range looks {
		for _, g := range stacks(all) {
			seen[place(g)]++
		}
		<-timer.C
	}
	places := slices.SortedFunc(maps.Keys(seen), func(a, b string) int { return cmp.Or(seen[b]-seen[a], strings.Compare(a, b)) })
	var out strings.Builder
	for _, at := range places[:min(len(places), mostShown)] {
		fmt.Fprintf(&out, "%d of %d: %s\n", seen[at], looks, at)
	}
	return out.String()
}

// place shortens the stack of a goroutine to its state and its innermost functions.
func place(g string) string {
	lines := strings.Split(g, "\n")
	_, state, _ := strings.Cut(lines[0], "[")
	state, _, _ = strings.Cut(state, ",")
	out := []string{strings.TrimSuffix(state, "]:")}
	for _, l := range lines[1:] {
		if strings.HasPrefix(l, "\t") || strings.HasPrefix(l, "created by") || strings.HasPrefix(l, "runtime.") || strings.HasPrefix(l, "sync.") {
			continue
		}
		l = l[strings.LastIndex(l, "/")+1:]
		if i := strings.LastIndex(l, "("); i > 0 {
			l = l[:i]
		}
		if out = append(out, l); len(out) > deep {
			break
		}
	}
	return strings.Join(out, " < ")
}
