package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ingestd/ingestd/integration/checker"
)

// Result is how a run went.
type Result struct {
	// Plan is the run as it was: the faults that really happened.
	Plan Plan
	// Problems are what must not be, none for a good run.
	Problems []string
	// Hits counts the faults by kind.
	Hits map[string]int
	// Lines are what happened, in order.
	Lines []string
	// Rows and Snapshots are what the tables held in the end.
	Rows, Snapshots int
	Virtual         time.Duration
	// CaughtUp is how long the tables took to catch up once the faults were over.
	CaughtUp time.Duration

	world *world
	held  map[int64]bool
}

// Run plays one plan. It has to be called in a synctest bubble, and Judge after it, outside: the libraries that read
// Parquet keep things for the whole process, which must not belong to a bubble.
func Run(ctx context.Context, p Plan) (*Result, error) {
	if !p.Listed && p.Acts == nil {
		p.Acts = drawActs(p.Seed)
	}
	w, err := newWorld(ctx, p)
	if err != nil {
		return nil, err
	}
	res := &Result{world: w, held: map[int64]bool{}}
	w.play(p, res)
	w.end()
	w.background.Wait()
	w.broker.Close()
	res.Virtual = time.Since(w.began)
	p.Faults, p.Listed = w.chooser.met(), true
	res.Plan, res.Hits = p, maps.Clone(w.hits)
	return res, nil
}

// Judge asks the checker about every table.
func (res *Result) Judge() {
	for _, t := range res.world.shape.tables {
		res.world.judge(t, res.held, res)
	}
	res.Problems, res.Lines = res.world.problems, res.world.lines
}

// play is the run: trouble, then quiet, then judgement.
func (w *world) play(p Plan, res *Result) {
	for i := range w.shape.slots {
		w.slots = append(w.slots, w.newSlot(i))
	}
	for _, s := range w.slots {
		w.spawn(s.supervise)
	}
	produced := make(chan struct{})
	w.spawn(func() {
		defer close(produced)
		if err := w.topics.produce(rand.New(rand.NewPCG(p.Seed, 4))); err != nil {
			w.fail("producing: %v", err)
		}
	})
	w.operate(p.Acts)
	<-produced
	w.wait(active - time.Since(w.began))
	w.quiet()
	w.log("world", "the faults are over")
	held, err := w.holdings()
	if err != nil {
		w.fail("reading the topics: %v", err)
		return
	}
	res.held = held
	quiet := time.Now()
	w.catchUp(held)
	res.CaughtUp = time.Since(quiet)
	w.stop()
	w.finished = true
}

// holdings are the records that the topics hold now.
func (w *world) holdings() (map[int64]bool, error) {
	held := map[int64]bool{}
	for _, t := range w.shape.topics {
		ids, err := w.topics.held(t.name)
		if err != nil {
			return nil, err
		}
		maps.Copy(held, ids)
	}
	return held, nil
}

// catchUp waits until every table has read all that is in its topics, or stands still for a reason that is known.
func (w *world) catchUp(held map[int64]bool) {
	deadline := time.Now().Add(patience)
	for {
		var behind []string
		for _, t := range w.shape.tables {
			if why := w.behind(t, held); why != "" {
				behind = append(behind, why)
			}
		}
		if len(behind) == 0 {
			w.log("world", "everything has caught up")
			return
		}
		if time.Now().After(deadline) {
			w.describeGroup()
			w.fail("no progress within %v: %v", patience, behind)
			return
		}
		w.wait(time.Second)
	}
}

// behind says what a table has not read yet, "" when nothing.
func (w *world) behind(t tableShape, held map[int64]bool) string {
	if code := w.stands(t.name); code != "" {
		return ""
	}
	if w.lake.metadata(t.name) == nil {
		return t.name + " does not exist"
	}
	head, err := checker.Head(w.checked(t))
	if err != nil {
		return fmt.Sprintf("%s cannot be read: %v", t.name, err)
	}
	if head == nil {
		return t.name + " has no positions"
	}
	for _, rec := range w.topics.all(t.topics) {
		if held[rec.ID] && !covers(head, rec) {
			return fmt.Sprintf("%s has not read %s/%d offset %d", t.name, rec.Topic, rec.Partition, rec.Offset)
		}
	}
	return ""
}

func covers(p *checker.Positions, rec checker.Record) bool {
	for place, offset := range p.Offsets {
		if place.Topic == rec.Topic && int32(place.Partition) == rec.Partition && int64(offset) > rec.Offset {
			return true
		}
	}
	return false
}

func (w *world) stands(table string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.standing[table]
}

func (w *world) checked(t tableShape) checker.Table {
	at, err := w.lake.publish(t.name)
	if err != nil {
		w.fail("publishing %s: %v", t.name, err)
	}
	c := checker.Table{Metadata: at, Files: w.warehouse}
	if len(t.topics) == 1 {
		c.Topic = t.topics[0]
	}
	return c
}

// stop ends all processes: every other one politely.
func (w *world) stop() {
	for i, p := range w.running() {
		if i%2 == 0 {
			p.pipeline.Drain()
			w.wait(10 * time.Second)
		}
	}
	w.end()
	for _, p := range w.running() {
		<-p.done
	}
}

// judge asks the checker. A table that stands still must not hold anything wrong; what it lacks is why it stands.
func (w *world) judge(t tableShape, held map[int64]bool, res *Result) {
	if w.lake.metadata(t.name) == nil {
		if w.stands(t.name) == "" {
			w.fail("table %s does not exist", t.name)
		}
		return
	}
	e := checker.Expected{May: map[int64]checker.Record{}, Must: map[int64]bool{}}
	for _, rec := range w.topics.all(t.topics) {
		e.May[rec.ID] = rec
		if held[rec.ID] && w.stands(t.name) == "" && (!t.latest || rec.ID >= w.lake.bornAt(t.name)) {
			e.Must[rec.ID] = true
		}
	}
	w.engine.expect(t, e)
	report, err := checker.Check(w.checked(t), e)
	if err != nil {
		w.fail("checking %s: %v", t.name, err)
		return
	}
	res.Rows += report.Rows
	res.Snapshots += len(w.lake.metadata(t.name).Snapshots())
	for _, f := range report.Findings {
		w.fail("%s: %s", t.name, f)
	}
}

// merged adds up histograms.
func merged(all ...map[string]int) map[string]int {
	out := map[string]int{}
	for _, m := range all {
		for k, n := range m {
			out[k] += n
		}
	}
	return out
}

func sortedKinds(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }

// describeGroup tells who reads what, where a group decides that.
func (w *world) describeGroup() {
	if !w.shape.group {
		return
	}
	cl, err := w.client()
	if err != nil {
		return
	}
	defer cl.Close()
	all, err := kadm.NewClient(cl).DescribeGroups(w.ctx, "group")
	if err != nil {
		w.log("world", "describing the group: %v", err)
	}
	for _, g := range all {
		w.log("world", "group %s is %s", g.Group, g.State)
		for _, m := range g.Members {
			w.log("world", "member %s %s has %+v", m.ClientID, m.MemberID, m.Assigned)
		}
	}
}
