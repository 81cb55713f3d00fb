package ingest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
)

// owner is the one goroutine that turns what the lanes took for a table into snapshots. It alone calls the table's
// commit handle. Everything else sends it orders with do; a commit in flight delays them, and the lanes meanwhile
// fill the next batch.
type owner struct {
	name     string
	opts     TableOptions
	pipeline *Pipeline
	// source is wired before anything runs.
	source *source
	budget *budget
	events event.Sink
	now    func() time.Time

	orders struct {
		sync.Mutex
		list []func(context.Context)
	}
	wake chan struct{}
	// asked is set while a flush out of turn is on its way.
	asked atomic.Bool

	// Below: the owner's goroutine only, unless a comment says otherwise.
	table   *commit.Table
	shape   *shape
	schemas *schemaCache // shared with resolvers, has its own lock
	sinks   []*sink
	bound   map[kafka.Partition]*binding
	// topics maps the topics of this table to what the cluster says of them.
	topics map[string]kafka.Topic
	// streams are the identities of the topics' positions in the table.
	streams map[kafka.Topic]state.Stream
	// ahead are the partitions whose group offset is above the table's, with that offset.
	ahead map[kafka.Partition]int64
	// mark stands for the table beside group offsets.
	mark string
	// missed is how many looks in a row have not found some of them.
	missed int
	// filling is when the first row since the last cut was seen; zero while there is none.
	filling time.Time
	// progressed is when the last snapshot landed, with rows or without.
	progressed time.Time
	// latency is a moving average of commit durations.
	latency time.Duration
	known   known
	// rivals counts commits of each other writer that fenced us, to tell a living twin from a predecessor's last act.
	rivals map[string]int

	status *statusCell
	goals  goals
}

func newOwner(p *Pipeline, o TableOptions) *owner {
	return &owner{
		name: o.Name(), opts: o, pipeline: p, budget: p.budget, events: p.opts.Events, now: p.opts.Now,
		wake: make(chan struct{}, 1), schemas: newSchemaCache(), bound: map[kafka.Partition]*binding{},
		topics: map[string]kafka.Topic{}, streams: map[kafka.Topic]state.Stream{}, ahead: map[kafka.Partition]int64{},
		mark: markOf(p.opts.Pipeline, &o), rivals: map[string]int{}, status: newStatusCell(o.Name()),
	}
}

// do sends an order to the owner's goroutine.
func (o *owner) do(f func(context.Context)) {
	o.orders.Lock()
	o.orders.list = append(o.orders.list, f)
	o.orders.Unlock()
	o.poke()
}

func (o *owner) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run is the owner's goroutine, until ctx ends. A failure halts the table and leaves the rest of the process alone.
func (o *owner) run(ctx context.Context) error {
	o.budget.enter(o.name)
	defer o.budget.leave(o.name)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		o.runOrders(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if wait := o.untilDue(); wait <= 0 {
			if err := o.flush(ctx); err != nil {
				o.halt(ctx, err)
			}
			continue
		} else if look := o.untilLook(); look <= 0 {
			o.look(ctx)
			continue
		} else {
			timer.Reset(min(wait, look))
		}
		select {
		case <-o.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

func (o *owner) runOrders(ctx context.Context) {
	for {
		o.orders.Lock()
		list := o.orders.list
		o.orders.list = nil
		o.orders.Unlock()
		if len(list) == 0 {
			return
		}
		for _, f := range list {
			f(ctx)
		}
	}
}

// fail is called from anywhere to stop the table: what was taken before is committed, then every cursor is given up.
func (o *owner) fail(err error) {
	o.do(func(ctx context.Context) {
		if o.status.failed() {
			return
		}
		if ferr := o.flush(ctx); ferr != nil {
			err = ferr
		}
		o.halt(ctx, err)
	})
}

// halt gives up every cursor of the table and says why. A twin ends the whole process.
func (o *owner) halt(ctx context.Context, err error) {
	if ctx.Err() != nil || o.status.failed() {
		return
	}
	if isTwin(err) {
		o.pipeline.abort(err)
		return
	}
	o.detachAll()
	if f := o.feed(); f != nil {
		f.leave(o)
	}
	o.known.looked = o.now()
	o.status.mistake(o.table == nil && failure.ClassOf(err) == failure.Config)
	o.setState(event.Failed, o.misplaced(err))
	o.pipeline.tableStopped(o)
}

// misplaced says who has chosen a location whose bucket is not there: with some catalogs it is not in the configuration.
func (o *owner) misplaced(err error) error {
	from, ok := o.pipeline.opts.Catalog.(fmt.Stringer)
	if !ok || failure.CodeOf(err) != store.CodeBucket {
		return err
	}
	return failure.Wrap(err, failure.ClassOf(err), store.CodeBucket, failure.HintOf(err)+" in the "+from.String(), "writing to where the %s puts the table", from)
}

// setState publishes a change of state once.
func (o *owner) setState(to event.State, err error) {
	if change, changed := o.status.set(o.change(to, err)); changed {
		o.events.Emit(change)
	}
}

// change describes a state, with the command that ends it.
func (o *owner) change(to event.State, err error) event.StateChanged {
	change := event.StateChanged{Table: o.name, To: to, At: o.now()}
	if err != nil {
		change.Code, change.Reason, change.Hint = failure.CodeOf(err), err.Error(), failure.HintOf(err)
		if r := Remedy(change.Code, o.name); to == event.Failed && r != "" && !strings.Contains(change.Hint, "ingestd tables") {
			and := "or "
			if strings.Contains(r, " resume ") {
				and = "then "
			}
			change.Hint = joinHints(change.Hint, and+r)
		}
	}
	return change
}

// detachAll drops what the lanes hold for this table and ends its bindings.
func (o *owner) detachAll() {
	for _, b := range o.bound {
		o.freeze(b)
	}
	o.each(func(s *sink) { s.drop() })
	for _, b := range o.bound {
		o.release(b)
	}
	o.bound = map[kafka.Partition]*binding{}
	clear(o.ahead)
	o.status.forgetLag()
}

// each runs f on every lane for its sink of this table, in parallel, and waits.
func (o *owner) each(f func(s *sink)) {
	var wg sync.WaitGroup
	for _, s := range o.sinks {
		wg.Add(1)
		s.lane.do(func() { defer wg.Done(); f(s) })
	}
	wg.Wait()
}

// flushSoon asks for a flush out of turn, unless one is already on its way.
func (o *owner) flushSoon() {
	if o.asked.Swap(true) {
		return
	}
	o.do(func(ctx context.Context) {
		o.asked.Store(false)
		if o.status.failed() || ctx.Err() != nil {
			return
		}
		if err := o.flush(ctx); err != nil {
			o.halt(ctx, err)
		}
	})
}
