package ingest

import (
	"context"
	"time"

	"github.com/ingestd/ingestd/ingest/kafka"
)

// publishTimeout bounds one publication of group offsets. They are a courtesy to lag tools: the table is the truth.
const publishTimeout = 10 * time.Second

// acknowledge says that something landed in a table of this source.
func (p *Pipeline) acknowledge(s *source) {
	for _, f := range p.feeds {
		if f.source == s {
			select {
			case f.landed <- struct{}{}:
			default:
			}
		}
	}
}

// acknowledge publishes group offsets after commits, one publication at a time.
func (f *feed) acknowledge(ctx context.Context) error {
	for {
		select {
		case <-f.landed:
			f.publish(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// publish writes the group offsets: for every partition the lowest offset that all of its tables are proven to have.
func (f *feed) publish(ctx context.Context) {
	if f.opts.GroupID == "" {
		return
	}
	offsets := map[kafka.Partition]kafka.GroupOffset{}
	for id, at := range f.proven() {
		offsets[id] = kafka.GroupOffset{At: at, Note: f.sign(id)}
	}
	if len(offsets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	if err := f.client.CommitGroup(ctx, f.opts.GroupID, offsets, f.opts.Group != nil); err != nil {
		f.trouble("publishing group offsets", err)
	}
}

// proven gives the group offset of every partition: the minimum over its tables, including tables that wait for their
// birth (they have no binding yet and hold the partition back).
func (f *feed) proven() map[kafka.Partition]int64 {
	out := map[kafka.Partition]int64{}
	for _, p := range f.all() {
		low, readers := int64(-1), f.readersOf(p)
		p.lane.ask(func() {
			for _, b := range p.bindings {
				if at := b.committed.Load(); low < 0 || at < low {
					low = at
				}
			}
			if len(p.bindings) < readers {
				low = -1
			}
		})
		if low >= 0 {
			out[p.id] = low
		}
	}
	return out
}

// all lists the partitions of this process.
func (f *feed) all() []*partition {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]*partition, 0, len(f.mu.partitions))
	for _, p := range f.mu.partitions {
		list = append(list, p)
	}
	return list
}

// readersOf is the number of tables that are configured to read the partition.
func (f *feed) readersOf(p *partition) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(p.readers)
}
