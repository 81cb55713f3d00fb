package ingest

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/table/parquet"
)

// stepRecords is how many records a lane takes between two looks at its orders, and the size of the small batch after
// which columns are absorbed while they are still in the cache.
const stepRecords = 512

// stepBytes ends a small batch of large records: it may pass the budget by that much, or by one record.
const stepBytes = 1 << 20

// lane decodes the partitions it owns, in order within each and in turns between them. Everything it touches is its
// own: partitions, bindings, sinks. Others send it orders with do; it executes them between two small batches.
type lane struct {
	id     int
	source *source

	orders struct {
		sync.Mutex
		list   []func()
		closed bool
	}
	wake chan struct{}

	partitions []*partition
	// turn is the index of the partition whose turn is next.
	turn int

	// encoders are shared by all sinks of the lane: a compressor and its scratch are large, and are used by one sink at a
	// time. Owners ask for them, hence the lock; only the lane's goroutine uses them.
	encoders struct {
		sync.Mutex
		byOptions map[parquet.Options]*parquet.Encoder
		charged   int64
	}
}

func newLane(id int, s *source) *lane {
	l := &lane{id: id, source: s, wake: make(chan struct{}, 1)}
	l.encoders.byOptions = map[parquet.Options]*parquet.Encoder{}
	return l
}

// encoder gives the lane's encoder for a table's options.
func (l *lane) encoder(o parquet.Options) (*parquet.Encoder, error) {
	l.encoders.Lock()
	defer l.encoders.Unlock()
	if e := l.encoders.byOptions[o]; e != nil {
		return e, nil
	}
	e, err := parquet.NewEncoder(o)
	if err == nil {
		l.encoders.byOptions[o] = e
	}
	return e, err
}

// do sends an order. Orders run in the order they were sent. After the lane has ended they run in the caller's
// goroutine, so that nobody waits for ever.
func (l *lane) do(f func()) {
	l.orders.Lock()
	closed := l.orders.closed
	if !closed {
		l.orders.list = append(l.orders.list, f)
	}
	l.orders.Unlock()
	if closed {
		f()
		return
	}
	l.poke()
}

// ask sends an order and waits until it ran.
func (l *lane) ask(f func()) {
	done := make(chan struct{})
	l.do(func() { defer close(done); f() })
	<-done
}

// weigh charges what the encoders hold.
func (l *lane) weigh() {
	l.encoders.Lock()
	var n int64
	for _, e := range l.encoders.byOptions {
		n += e.Bytes()
	}
	delta := n - l.encoders.charged
	l.encoders.charged = n
	l.encoders.Unlock()
	l.source.use(accountLanes, delta)
}

func (l *lane) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run is the lane's goroutine.
func (l *lane) run(ctx context.Context) error {
	defer l.close()
	for {
		l.runOrders()
		if ctx.Err() != nil {
			return nil
		}
		if p := l.next(); p != nil {
			l.step(p)
			continue
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
}

func (l *lane) runOrders() {
	l.orders.Lock()
	list := l.orders.list
	l.orders.list = nil
	l.orders.Unlock()
	runAll(list)
}

func (l *lane) close() {
	l.orders.Lock()
	list := l.orders.list
	l.orders.list, l.orders.closed = nil, true
	l.orders.Unlock()
	runAll(list)
}

// next picks the partition whose turn it is among those that can be worked on.
func (l *lane) next() *partition {
	for range l.partitions {
		l.turn = (l.turn + 1) % len(l.partitions)
		p := l.partitions[l.turn]
		if !p.parked.Load() && p.head() != nil {
			return p
		}
	}
	return nil
}

// step works on up to stepRecords records of a partition. A binding that cannot go on parks the partition; the same
// records are looked at again later, and every binding skips what it has already taken.
func (l *lane) step(p *partition) {
	b := p.head()
	end := stepEnd(b.records, p.at)
	for _, bind := range p.bindings {
		if parked := bind.consume(b.records[p.at:end]); parked {
			p.parked.Store(true)
		}
	}
	p.bindings = withoutDetached(p.bindings)
	l.weigh()
	if p.parked.Load() {
		l.source.hungry()
		return
	}
	p.at = end
	if p.at == len(b.records) {
		p.pop()
		l.source.hungry()
	}
}

// stepEnd is where the small batch that begins at a record ends.
func stepEnd(records []*kgo.Record, at int) int {
	end := min(at+stepRecords, len(records))
	held := 0
	for i := at; i < end; i++ {
		if held += len(records[i].Key) + len(records[i].Value); held >= stepBytes {
			return i + 1
		}
	}
	return end
}

// forget takes a partition off the lane for good. It runs on the lane.
func (l *lane) forget(p *partition) {
	p.clear()
	for i, x := range l.partitions {
		if x == p {
			l.partitions = append(l.partitions[:i], l.partitions[i+1:]...)
			return
		}
	}
}

// unpark lets a partition go on.
func (l *lane) unpark(p *partition) {
	l.do(func() {
		p.parked.Store(false)
		l.source.hungry()
	})
}

func withoutDetached(list []*binding) []*binding {
	kept := list[:0]
	for _, b := range list {
		if !b.detached {
			kept = append(kept, b)
		}
	}
	clear(list[len(kept):])
	return kept
}
