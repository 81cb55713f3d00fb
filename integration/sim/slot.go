package sim

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// slot is a place where a process runs, with a supervisor that starts the next one when it ends.
type slot struct {
	world *world
	name  string
	rand  *rand.Rand

	mu     sync.Mutex
	starts int
	alive  map[*process]bool
}

// process is one run of the daemon.
type process struct {
	slot     *slot
	name     string
	gate     *gate
	pipeline *ingest.Pipeline
	done     chan struct{}
	handed   chan struct{}
	handOver sync.Once
}

func (w *world) newSlot(i int) *slot {
	return &slot{world: w, name: fmt.Sprintf("p%d", i), rand: rand.New(rand.NewPCG(w.seed, 100+uint64(i))), alive: map[*process]bool{}}
}

// supervise keeps a process running. One that is frozen is taken for dead and replaced; when it goes on, it is a zombie.
func (s *slot) supervise() {
	for s.world.ctx.Err() == nil {
		p := s.start()
		select {
		case <-p.done:
		case <-p.handed:
			s.world.hit("process", "zombie")
		}
		if !s.world.wait(time.Duration(100+s.rand.IntN(8000)) * time.Millisecond) {
			break
		}
	}
	for _, p := range s.processes() {
		<-p.done
	}
}

func (s *slot) processes() (out []*process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.alive {
		out = append(out, p)
	}
	return out
}

func (s *slot) start() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts++
	p := &process{slot: s, name: fmt.Sprintf("%s.%d", s.name, s.starts), done: make(chan struct{}), handed: make(chan struct{})}
	p.gate = newGate(s.world, p.name, func() { p.handOver.Do(func() { close(p.handed) }) })
	p.pipeline = ingest.New(p.options())
	s.alive[p] = true
	s.world.log(p.name, "starts")
	s.world.spawn(func() {
		defer close(p.done)
		err := p.pipeline.Run(p.gate.ctx)
		s.world.log(p.name, "ended: %v", err)
		s.world.ended(p, err)
		p.gate.kill()
		s.mu.Lock()
		delete(s.alive, p)
		s.mu.Unlock()
	})
	return p
}

// sessions is how long a silent member of a group keeps its partitions.
const sessions = 10 * time.Second

func (p *process) options() ingest.Options {
	w := p.slot.world
	so := ingest.SourceOptions{
		Name: "main", GroupID: "group", Registry: &registryView{w.registry, p.gate}, Fetch: kafka.Fetch{MaxWait: time.Second},
		Kafka: kafka.Options{Brokers: w.broker.ListenAddrs(), Dial: p.gate.dial},
	}
	if w.shape.group {
		so.Group = &ingest.GroupOptions{SessionTimeout: sessions}
	}
	o := ingest.Options{
		Pipeline: "sim", Writer: p.name, Lanes: w.shape.lanes, Memory: 64 << 20, Sources: []ingest.SourceOptions{so},
		Catalog: w.lake.view(p.gate, w.shape.staged), Stores: nil, Events: event.Func(func(e event.Event) { w.heard(p, e) }),
		Trigger: ingest.Trigger{Interval: w.shape.interval, MaxRows: 40}, Discovery: w.shape.discovery, Now: p.gate.now,
	}
	for _, t := range w.shape.tables {
		o.Tables = append(o.Tables, w.tableOptions(t))
	}
	return o
}

func (w *world) tableOptions(t tableShape) ingest.TableOptions {
	o := ingest.TableOptions{
		Identifier: []string{namespace, t.name}, Source: "main", Topics: t.topics, Audit: true, AddColumns: true,
		Value: ingest.ValueOptions{Format: ingest.FormatJSON, Schema: w.schema}, Create: ingest.CreateOptions{Auto: true},
	}
	if t.avro {
		o.Value = ingest.ValueOptions{Format: ingest.FormatAvro}
	}
	if t.latest {
		o.Start = ingest.Latest
	}
	if t.partitioned {
		o.Create.PartitionBy = []string{"bucket(3, id)"}
	}
	return o
}

// heard takes a process's events: lines for the report, and halts.
func (w *world) heard(p *process, e event.Event) {
	switch e := e.(type) {
	case event.StateChanged:
		w.log(p.name, "%s is %s %s %s", e.Table, e.To, e.Code, e.Reason)
		// A dead process may take the end of its calls for an answer before it notices its own.
		if e.To == event.Failed && p.gate.ctx.Err() == nil {
			w.halted(p, e)
		}
	case event.CommitDone:
		w.log(p.name, "%s commit %s: %d rows, snapshot %d, %d conflicts, %d unknown", e.Table, e.Result, e.Rows, e.SnapshotID, e.Conflicts, e.Unknowns)
		w.hit("commit", string(e.Result))
	case event.CommitRetried:
		w.log(p.name, "%s retries %s: %v", e.Table, e.Reason, e.Err)
	case event.Rewound, event.TableCreated, event.SchemaChanged, event.SourceTrouble:
		w.log(p.name, "%T %+v", e, e)
	}
}

// ended judges how a process ended. The supervisor starts another one in any case.
func (w *world) ended(p *process, err error) {
	if err == nil || p.gate.ctx.Err() != nil {
		return
	}
	if failure.CodeOf(err) == "E_TWIN" {
		w.hit("process", "twin")
		return
	}
	if failure.ClassOf(err) == failure.Retry || w.accounts(failure.CodeOf(err)) {
		return
	}
	w.fail("process %s ended: %v", p.name, err)
}
