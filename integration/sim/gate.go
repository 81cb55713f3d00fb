package sim

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

var errDead = errors.New("the process is dead")

// gate is where the calls of one process leave it.
type gate struct {
	world   *world
	process string
	ctx     context.Context
	kill    context.CancelFunc
	// calm: nothing goes wrong here, as for an operator who tries until it works.
	calm bool
	// froze is told about the beginning of a freeze, so that another process takes over.
	froze func()

	mu     sync.Mutex
	count  map[string]int
	thaw   chan struct{}
	conns  map[*gatedConn]bool
	offset time.Duration
	// asked counts the requests of each kind in the current second.
	asked  map[string]int
	second int
}

func newGate(w *world, process string, froze func()) *gate {
	ctx, cancel := context.WithCancel(w.ctx)
	return &gate{world: w, process: process, ctx: ctx, kill: cancel, froze: froze, count: map[string]int{}, asked: map[string]int{}, conns: map[*gatedConn]bool{}}
}

// now is the clock of the process.
func (g *gate) now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Add(g.offset)
}

func (g *gate) skew(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.offset = d
}

// open waits while the process is frozen and fails when it is dead.
func (g *gate) open() error {
	for {
		g.mu.Lock()
		thaw := g.thaw
		g.mu.Unlock()
		if g.ctx.Err() != nil {
			return errDead
		}
		if thaw == nil {
			return nil
		}
		select {
		case <-thaw:
		case <-g.ctx.Done():
		}
	}
}

// freeze stops the process at its next step outside for a while.
func (g *gate) freeze(d time.Duration) {
	g.mu.Lock()
	if g.thaw != nil {
		g.mu.Unlock()
		return
	}
	thaw := make(chan struct{})
	g.thaw = thaw
	g.mu.Unlock()
	g.world.log(g.process, "frozen for %v", d)
	g.froze()
	g.world.later(d, func() {
		g.mu.Lock()
		g.thaw = nil
		g.mu.Unlock()
		close(thaw)
		g.world.log(g.process, "goes on")
	})
}

func (g *gate) isFrozen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.thaw != nil
}

// die is kill -9: nothing of the process reaches the outside any more.
func (g *gate) die() {
	g.kill()
	g.mu.Lock()
	conns := g.conns
	g.conns = map[*gatedConn]bool{}
	g.mu.Unlock()
	for c := range conns {
		c.cut()
	}
	g.world.log(g.process, "killed")
}

// call is one call to the outside: do is its effect, errs what it may answer when it fails.
func (g *gate) call(name string, may []Fate, errs []error, do func() error) error {
	if err := g.open(); err != nil {
		return err
	}
	f, ok, err := g.meet(name, may, errs[0])
	switch {
	case err != nil:
		return err
	case !ok:
		return g.closed(do())
	}
	return g.closed(g.suffer(f, errs[f.Error%len(errs)], do))
}

// meet counts a call and says what it meets; an error is that of an outage.
func (g *gate) meet(name string, may []Fate, away error) (Fault, bool, error) {
	g.mu.Lock()
	g.count[name]++
	nth := g.count[name]
	g.mu.Unlock()
	if g.calm {
		return Fault{}, false, nil
	}
	if g.world.down(name) {
		g.world.hit(name, "outage")
		return Fault{}, false, away
	}
	f, ok := g.world.chooser.at(g.process, name, nth, may)
	if ok {
		g.world.log(g.process, "%s #%d: %s %v", name, nth, f.Fate, f.For)
		g.world.hit(name, string(f.Fate))
	}
	return f, ok, nil
}

// closed gives a call's answer, unless the process is no longer there to hear it.
func (g *gate) closed(err error) error {
	if dead := g.open(); dead != nil {
		return dead
	}
	return err
}

func (g *gate) suffer(f Fault, failed error, do func() error) error {
	switch f.Fate {
	case Delay:
		g.sleep(f.For)
		return do()
	case Refuse:
		return failed
	case Lose:
		_ = do()
		return failed
	case Late:
		g.world.later(f.For, func() { _ = do() })
		return failed
	case Repeat:
		_ = do()
		return do()
	case KillBefore:
		g.die()
		return errDead
	case KillAfter:
		_ = do()
		g.die()
		return errDead
	case FreezeBefore:
		g.freeze(f.For)
		if err := g.open(); err != nil {
			return err
		}
		return do()
	case FreezeAfter:
		err := do()
		g.freeze(f.For)
		return err
	}
	panic("BUG: fate " + string(f.Fate))
}

func (g *gate) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.ctx.Done():
	}
}

// reads may do what leaves the world as it is, writes everything.
func reads() []Fate {
	return []Fate{Delay, Refuse, Delay, Refuse, KillBefore, KillAfter, FreezeBefore, FreezeAfter}
}

func writes() []Fate {
	return []Fate{Delay, Refuse, Lose, Late, Repeat, Lose, Late, KillBefore, KillAfter, FreezeBefore, FreezeAfter}
}

// kindOf is a call as the histogram counts it: without the table, and with rare relatives put together.
func kindOf(call string) string {
	if i := strings.Index(call, "/"); i >= 0 {
		call = call[i+1:]
	}
	for _, together := range []string{"store.put", "store.open", "store.delete"} {
		if strings.HasPrefix(call, together) {
			return together
		}
	}
	switch call {
	case "catalog.create", "catalog.stage", "catalog.namespace", "catalog.namespace_exists":
		return "catalog.birth"
	}
	return call
}

// weight makes calls that are made less often meet as many faults as the others.
func weight(call string) float64 {
	switch kindOf(call) {
	case "catalog.commit", "store.delete", "registry", "kafka.offset_commit":
		return 4
	case "catalog.birth":
		return 6
	case "store.put", "store.open":
		return 2
	}
	return 1
}
