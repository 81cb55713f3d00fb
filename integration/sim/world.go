package sim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
)

const namespace = "db"

const (
	// active is how long faults happen and records are produced, patience how long a table may take to catch up then.
	active   = 90 * time.Second
	patience = 15 * time.Minute
)

// world is what survives processes, and the record of what happened.
type world struct {
	ctx     context.Context
	end     context.CancelFunc
	seed    uint64
	began   time.Time
	shape   shape
	chooser *chooser

	network   *network
	broker    *kfake.Cluster
	warehouse *warehouse
	lake      *lake
	registry  *registry
	engine    *engine
	topics    *topics
	schema    *jsonrec.Schema
	rounds    rounds
	outside   *outside

	background sync.WaitGroup

	mu       sync.Mutex
	hits     map[string]int
	lines    []string
	outages  map[string]time.Time
	acted    map[string]bool
	standing map[string]string
	problems []string
	slots    []*slot
	// follow gets every line at once, for a run that hangs.
	follow io.Writer
	// finished: virtual time is over.
	finished bool
}

// shape is what a seed makes of the world.
type shape struct {
	topics []topicShape
	tables []tableShape
	// staged: the catalog can prepare tables.
	staged    bool
	headsOnly bool
	slots     int
	brokers   int
	lanes     int
	interval  time.Duration
	discovery time.Duration
	// group: the processes share the partitions as members of a consumer group; otherwise each reads everything and
	// takes the others for twins.
	group bool
}

type topicShape struct {
	name       string
	partitions int32
	avro       bool
	compacted  bool
}

type tableShape struct {
	name        string
	topics      []string
	avro        bool
	partitioned bool
	// latest: it begins where the topics end when it is born.
	latest bool
}

// shape draws the world of a seed: one topic feeds two tables, two topics feed one.
func (p Plan) shape() shape {
	r := rand.New(rand.NewPCG(p.Seed, 1))
	avro := r.IntN(2) == 0
	s := shape{
		staged: r.IntN(2) == 0, headsOnly: r.IntN(6) == 0, slots: 1 + r.IntN(3), brokers: 1 + r.IntN(2), lanes: 1 + r.IntN(2),
		interval: []time.Duration{200 * time.Millisecond, time.Second, 4 * time.Second}[r.IntN(3)], discovery: 5 * time.Second,
	}
	s.topics = []topicShape{
		{name: "a", partitions: 1 + r.Int32N(3)},
		{name: "b", partitions: 1 + r.Int32N(2), avro: avro},
		{name: "c", partitions: 1 + r.Int32N(2), avro: avro, compacted: r.IntN(2) == 0},
	}
	s.tables = []tableShape{
		{name: "left", topics: []string{"a"}, partitioned: r.IntN(4) == 0},
		{name: "right", topics: []string{"a"}},
		{name: "both", topics: []string{"b", "c"}, avro: avro},
	}
	if p.Plain {
		return s
	}
	if s.group = r.IntN(4) == 0 && !p.Alone; s.group {
		s.slots = 2 + r.IntN(2)
	}
	s.tables[1].latest = r.IntN(4) == 0
	return s
}

func newWorld(ctx context.Context, p Plan) (*world, error) {
	w := &world{seed: p.Seed, began: time.Now(), shape: p.shape(), follow: p.Follow, outside: p.Outside, network: newNetwork(), warehouse: newWarehouse(), hits: map[string]int{},
		outages: map[string]time.Time{}, acted: map[string]bool{}, standing: map[string]string{}}
	w.ctx, w.end = context.WithCancel(ctx)
	w.chooser = newChooser(p, rand.New(rand.NewPCG(p.Seed, 2)))
	w.lake = newLake(w.warehouse)
	w.lake.HeadsOnly = w.shape.headsOnly
	w.registry, w.engine = newRegistry(), newEngine()
	var err error
	w.schema, err = jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "name", Type: column.Type{Kind: column.String}},
	}})
	if err != nil {
		return nil, err
	}
	w.broker, err = kfake.NewCluster(kfake.NumBrokers(w.shape.brokers), kfake.ListenFn(w.network.listen), kfake.ClusterID("sim"))
	if err != nil {
		return nil, err
	}
	for _, t := range w.shape.topics {
		if err := w.createTopic(t); err != nil {
			return nil, err
		}
	}
	w.topics = newTopics(w)
	w.lake.newest = w.topics.newest
	return w, nil
}

func (w *world) createTopic(t topicShape) error {
	var configs map[string]string
	if t.compacted {
		configs = map[string]string{"cleanup.policy": "compact"}
	}
	return w.broker.CreateTopic(t.name, t.partitions, configs)
}

// log notes a line for the report of a failing run.
func (w *world) log(who, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := "      end"
	if !w.finished {
		at = fmt.Sprintf("%9.3f", time.Since(w.began).Seconds())
	}
	w.lines = append(w.lines, fmt.Sprintf("%s %-10s ", at, who)+fmt.Sprintf(format, args...))
	if w.follow != nil {
		fmt.Fprintln(w.follow, w.lines[len(w.lines)-1])
	}
}

// fail notes what must not be. The run goes on to its end.
func (w *world) fail(format string, args ...any) {
	w.log("FAILED", format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// hit counts a fault that really happened.
func (w *world) hit(call, fate string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits[kindOf(call)+" "+fate]++
}

// spawn runs f in the background; the run ends when all of it has.
func (w *world) spawn(f func()) {
	w.background.Add(1)
	go func() {
		defer w.background.Done()
		f()
	}()
}

// later does something after a while, if the world still is there then.
func (w *world) later(d time.Duration, f func()) {
	w.spawn(func() {
		if w.wait(d) {
			f()
		}
	})
}

func (w *world) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.ctx.Done():
		return false
	}
}

// outage makes every call whose name contains part fail for a while.
func (w *world) outage(part string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outages[part] = time.Now().Add(d)
}

func (w *world) down(call string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for part, until := range w.outages {
		if strings.Contains(call, part) && time.Now().Before(until) {
			return true
		}
	}
	return false
}

func (w *world) quiet() {
	w.chooser.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.outages)
}

func (w *world) did(op string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acted[op] = true
}

func (w *world) happened(ops ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, op := range ops {
		if w.acted[op] {
			return true
		}
	}
	return false
}
