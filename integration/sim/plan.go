package sim

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fate is what happens to one call.
type Fate string

// The fates of calls.
const (
	// Delay: it takes its time.
	Delay Fate = "delay"
	// Refuse: nothing happens, and an error comes back.
	Refuse Fate = "refuse"
	// Lose: it happens, and an error comes back.
	Lose Fate = "lose"
	// Late: an error comes back, and it happens some time after that.
	Late Fate = "late"
	// Repeat: something in between sends it twice; the second answer comes back.
	Repeat Fate = "repeat"
	// KillBefore and KillAfter: the process is killed before the call has an effect, or after.
	KillBefore Fate = "kill_before"
	KillAfter  Fate = "kill_after"
	// FreezeBefore and FreezeAfter: the process stands still there, while another one takes over, and goes on later.
	FreezeBefore Fate = "freeze_before"
	FreezeAfter  Fate = "freeze_after"
)

// Fault is one fate of one call: the Nth call of that name by that process.
type Fault struct {
	Process string
	Call    string
	Nth     int
	Fate    Fate
	// For is how long a delay, a lateness or a freeze lasts.
	For time.Duration
	// Error picks one of the errors that such a call may answer.
	Error int
}

// Act is something an operator does at a time.
type Act struct {
	At time.Duration
	Op string
	// Arg picks the table, topic, snapshot, ... of those that there are.
	Arg int
}

// Plan is a whole run.
type Plan struct {
	// Seed decides the world, what is produced and, while Faults is nil, the faults.
	Seed   uint64
	Faults []Fault
	Acts   []Act
	// Listed says that Faults and Acts are all there is.
	Listed bool
	// Alone: the processes are no group. Otherwise those of every fourth seed share the partitions as one.
	Alone bool
	// Plain: no groups and no tables that begin at the end, as runs were when some failing ones were found.
	Plain bool
	// Follow gets what happens as it happens; it may be nil.
	Follow io.Writer
	// Outside is beyond the bubble; without it no files are rewritten.
	Outside *outside
	// Why says what is known of the plan already, for a run that hangs.
	Why string
}

// String is the plan as the Go code of a test.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "func TestSeed%d(t *testing.T) {\n\treplay(t, Plan{Seed: %d, Alone: %t, Listed: true,\n\t\tFaults: []Fault{\n", p.Seed, p.Seed, p.Alone)
	for _, f := range p.Faults {
		fmt.Fprintf(&b, "\t\t\t{Process: %q, Call: %q, Nth: %d, Fate: %q, For: %d, Error: %d},\n", f.Process, f.Call, f.Nth, f.Fate, f.For, f.Error)
	}
	b.WriteString("\t\t},\n\t\tActs: []Act{\n")
	for _, a := range p.Acts {
		fmt.Fprintf(&b, "\t\t\t{At: %d, Op: %q, Arg: %d},\n", a.At, a.Op, a.Arg)
	}
	b.WriteString("\t\t}})\n}\n")
	return b.String()
}

// chooser decides the fate of calls and remembers what it decided.
type chooser struct {
	plan   Plan
	listed map[string]Fault
	// share is the part of the calls that meet a fault, allowed the fates that this seed knows.
	share   float64
	allowed map[Fate]bool

	mu     sync.Mutex
	kills  int
	hit    []Fault
	closed bool
}

const mostKills = 6

func newChooser(p Plan, r *rand.Rand) *chooser {
	c := &chooser{plan: p, listed: map[string]Fault{}, allowed: map[Fate]bool{}}
	shares := []float64{0.005, 0.02, 0.05, 0.1, 0.2}
	c.share = shares[r.IntN(len(shares))]
	for _, f := range fates() {
		c.allowed[f] = r.IntN(4) > 0
	}
	for _, f := range p.Faults {
		c.listed[placeOf(f.Process, f.Call, f.Nth)] = f
	}
	return c
}

func fates() []Fate {
	return []Fate{Delay, Refuse, Lose, Late, Repeat, KillBefore, KillAfter, FreezeBefore, FreezeAfter}
}

func placeOf(process, call string, nth int) string {
	return fmt.Sprintf("%s|%s|%d", process, call, nth)
}

// at says what happens to a call.
func (c *chooser) at(process, call string, nth int, may []Fate) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Fault{}, false
	}
	f, ok := c.listed[placeOf(process, call, nth)]
	if !c.plan.Listed {
		f, ok = c.draw(process, call, nth, may)
	}
	if ok {
		c.hit = append(c.hit, f)
	}
	return f, ok
}

func (c *chooser) draw(process, call string, nth int, may []Fate) (Fault, bool) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s", c.plan.Seed, placeOf(process, call, nth))
	r := rand.New(rand.NewPCG(c.plan.Seed, h.Sum64()))
	if r.Float64() >= min(0.4, c.share*weight(call)) {
		return Fault{}, false
	}
	f := Fault{Process: process, Call: call, Nth: nth, Fate: may[r.IntN(len(may))], Error: r.IntN(1 << 16)}
	if !c.allowed[f.Fate] {
		return Fault{}, false
	}
	switch f.Fate {
	case KillBefore, KillAfter, FreezeBefore, FreezeAfter:
		// Too many of them, and nothing else happens.
		if c.kills++; c.kills > mostKills || r.IntN(3) > 0 {
			return Fault{}, false
		}
		f.For = time.Duration(1+r.IntN(60)) * time.Second
	case Delay, Late:
		spans := []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second, 20 * time.Second, 60 * time.Second}
		f.For = spans[r.IntN(len(spans))]
	}
	return f, true
}

// close ends all faults.
func (c *chooser) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

func (c *chooser) met() []Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.hit)
}
