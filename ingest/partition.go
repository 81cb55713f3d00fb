package ingest

import (
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
)

// batch is what one poll gave for one partition. The records go back to the client's pools when the lane is done.
type batch struct {
	// generation is the seek the records were read after; a batch of an older one is stale.
	generation uint64
	records    []*kgo.Record
	bytes      int64
}

func (b *batch) recycle() {
	for _, r := range b.records {
		r.Recycle()
	}
	b.records = nil
}

// partition is one partition being consumed. It belongs to one lane; the fields without an atomic type are touched by
// that lane's goroutine only, the source reaches them through lane.do.
type partition struct {
	id    kafka.Partition
	topic kafka.Topic
	lane  *lane

	// generation counts seeks. The lane raises it when it asks for one, so that batches read before are dropped.
	generation uint64
	queue      []*batch
	// at is the index of the next record in queue[0].
	at       int
	bindings []*binding
	// readers are the tables that are configured to read the partition, bound or not; false stands for those that have
	// halted. Guarded by the feed.
	readers map[*owner]bool
	// lost is set when the partition is no longer this process's, before its tables hear of it.
	lost atomic.Bool
	// parked is set while something the partition needs is on its way: a schema, room in the budget, new columns.
	parked atomic.Bool

	// queued is the weight of the queue, read by the source for back-pressure.
	queued atomic.Int64
	// seen is the broker's last stable offset as of the newest fetch, for lag.
	seen atomic.Int64
	// delivered counts batches taken from the consumer; an idle partition is one whose count stands still.
	delivered atomic.Int64
}

// read says whether some table reads the partition, or is about to. The caller holds the feed's lock.
func (p *partition) read() bool {
	for _, reading := range p.readers {
		if reading {
			return true
		}
	}
	return false
}

// clear drops what waits, as after a seek.
func (p *partition) clear() {
	for _, b := range p.queue {
		b.recycle()
	}
	p.queue, p.at = nil, 0
	p.lane.source.use(accountQueues, -p.queued.Swap(0))
}

// head is the batch to work on, nil when there is none; stale batches are dropped on the way.
func (p *partition) head() *batch {
	for len(p.queue) > 0 {
		b := p.queue[0]
		if b.generation == p.generation && p.at < len(b.records) {
			return b
		}
		p.pop()
	}
	return nil
}

func (p *partition) pop() {
	b := p.queue[0]
	p.queued.Add(-b.bytes)
	p.lane.source.use(accountQueues, -b.bytes)
	b.recycle()
	p.queue[0] = nil
	p.queue, p.at = p.queue[1:], 0
}

// floor is the lowest offset any table still wants, -1 when nobody reads the partition.
func (p *partition) floor() int64 {
	low := int64(-1)
	for _, b := range p.bindings {
		if next := b.next.Load(); low < 0 || next < low {
			low = next
		}
	}
	return low
}

// reseek makes the source read the partition from the lowest offset a table wants. It runs on the lane.
func (p *partition) reseek() {
	at := p.floor()
	if at < 0 {
		return
	}
	p.clear()
	p.generation++
	p.lane.source.seek(p, at, p.generation)
}
