package ingest

import (
	"context"

	"github.com/ingestd/ingestd/ingest/kafka"
)

// tooLarge stops the tables that stand before a batch which is too large to be held. Those that have passed it, as after
// a loss that was accepted for them, read on.
func (f *feed) tooLarge(p *partition, err error) {
	failed := kafka.TooLarge(err, p.id, f.opts.Fetch)
	p.lane.do(func() {
		end, known := kafka.BatchEnd(err)
		if !known {
			end = p.floor() + 1
		}
		for _, b := range p.bindings {
			if b.next.Load() < end {
				b.detached = true
				b.sink.owner.fail(failed)
			}
		}
		p.bindings = withoutDetached(p.bindings)
		p.reseek()
	})
}

// findTooLarge looks for the partitions whose next batch is larger than an answer may be: the client only says that some
// answer was. Each partition's next batch is asked for alone.
func (f *feed) findTooLarge(ctx context.Context) {
	for _, p := range f.read() {
		low := int64(-1)
		p.lane.ask(func() { low = p.floor() })
		if low < 0 {
			continue
		}
		_, err := f.client.Fetch(ctx, p.topic, p.id.Partition, low, 1)
		switch {
		case ctx.Err() != nil:
			return
		case kafka.IsTooLarge(err):
			f.tooLarge(p, err)
		case err != nil:
			f.trouble("looking for a batch that is too large", err)
		}
	}
}
