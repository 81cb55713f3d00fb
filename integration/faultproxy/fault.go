package faultproxy

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Fault is what happens to a call.
type Fault uint8

// The faults. None is first: most calls pass.
const (
	None Fault = iota
	Before
	After
	Cut
	Late
	faults // their number
)

func (f Fault) String() string {
	return [faults]string{"none", "before", "after", "cut", "late"}[f]
}

// Broken lists the faults without None.
func Broken() []Fault { return []Fault{Before, After, Cut, Late} }

// Options are the pressure.
type Options struct {
	Seed uint64
	// Rate is the share of calls that break.
	Rate float64
	// LateFor is the longest time between a late call's failure and its effect.
	LateFor time.Duration
}

// Call is one request as a proxy sees it.
type Call struct {
	// Proxy is the name the proxy was given.
	Proxy string
	// Op is the HTTP method or the name of the Kafka request.
	Op string
	// Path is the path of an HTTP request.
	Path string
}

// Injector decides what breaks and counts it. Proxies share one, or have one each.
type Injector struct {
	mu      sync.Mutex
	opts    Options
	rnd     *rand.Rand
	counts  Histogram
	watches map[*watch]struct{}
}

type watch struct {
	match func(Call) bool
	seen  chan struct{}
}

// New makes an injector.
func New(o Options) *Injector {
	return &Injector{opts: o, rnd: rand.New(rand.NewPCG(o.Seed, 0)), counts: Histogram{}, watches: map[*watch]struct{}{}}
}

// SetRate changes the share of broken calls; 0 lets everything pass.
func (i *Injector) SetRate(rate float64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.opts.Rate = rate
}

// Histogram is what was done so far.
func (i *Injector) Histogram() Histogram {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.counts.clone()
}

// Watch gives a channel that closes when the next call that matches arrives, before anything is done with it.
func (i *Injector) Watch(match func(Call) bool) (seen <-chan struct{}, stop func()) {
	w := &watch{match: match, seen: make(chan struct{})}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.watches[w] = struct{}{}
	return w.seen, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.watches, w)
	}
}

// verdict is the decision about one call, with its own luck for the details.
type verdict struct {
	fault Fault
	// half chooses between two forms of the fault.
	half bool
	// status is the HTTP answer where the form is one.
	status int
	// part is where a body is cut, from 0 up to 1.
	part float64
	// wait is how late a late call is.
	wait time.Duration
}

// decide draws for a call. Every call draws as often, so that the n-th decision depends on seed, rate and n alone.
func (i *Injector) decide(c Call) verdict {
	i.mu.Lock()
	defer i.mu.Unlock()
	for w := range i.watches {
		if w.match(c) {
			close(w.seen)
			delete(i.watches, w)
		}
	}
	broken := i.rnd.Float64() < i.opts.Rate
	v := verdict{
		fault: Broken()[i.rnd.IntN(len(Broken()))], half: i.rnd.IntN(2) == 0,
		status: serverErrors()[i.rnd.IntN(len(serverErrors()))], part: i.rnd.Float64(),
	}
	v.wait = time.Duration(i.rnd.Float64() * float64(i.opts.LateFor))
	if !broken {
		v.fault = None
	}
	i.counts[entry{c.Proxy, c.Op, v.fault}]++
	return v
}
