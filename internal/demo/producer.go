package demo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/schemareg"
)

const (
	// logEvery makes every fifth record a log line.
	logEvery = 5
	// history is the time the first records are spread over, so that there is more than one day to ask for.
	history = 7 * 24 * time.Hour
	// buffered bounds the records that wait for the broker; a full buffer makes the generator wait.
	buffered = 50_000
	// batchBytes is as large as the broker takes.
	batchBytes = 1_000_000
	linger     = 20 * time.Millisecond
	// arenaBytes is the piece of memory that many small records share.
	arenaBytes = 256 << 10
	// tick is how often the live stream produces.
	tick = 50 * time.Millisecond
)

// producer fills the topics. One goroutine uses it.
type producer struct {
	client *kgo.Client
	schema uint32
	clicks *clicks
	logs   *logs
	now    func() time.Time
	arena  []byte
	count  int64
	// acknowledged counts what the broker took.
	acknowledged atomic.Int64

	mu  sync.Mutex
	err error
}

// newProducer connects to the broker; first is the id of the first click.
func newProducer(s *services, seed uint64, first int64, now func() time.Time) (*producer, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(s.brokers...),
		kgo.ClientID("ingestd-demo-shop"),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.ProducerLinger(linger),
		kgo.MaxBufferedRecords(buffered),
	)
	if err != nil {
		return nil, fmt.Errorf("connecting the shop to the broker: %w", err)
	}
	return &producer{client: client, schema: s.clicks, clicks: newClicks(seed, first), logs: newLogs(seed, first), now: now}, nil
}

func (p *producer) close() { p.client.Close() }

// nextID is the id that the next click would get.
func (p *producer) nextID() int64 { return p.clicks.next }

// burst produces n records as fast as the broker takes them, as if they had happened evenly during the last days.
func (p *producer) burst(ctx context.Context, n int64) error {
	end := p.now()
	begin := end.Add(-history)
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p.produce(ctx, begin.Add(time.Duration(float64(history)*float64(i)/float64(n))))
	}
	return p.flush(ctx)
}

// stream produces at a steady rate until ctx ends.
func (p *producer) stream(ctx context.Context, perSecond int64) error {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	began, done := p.now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return p.flush(context.WithoutCancel(ctx))
		case <-ticks.C:
		}
		at := p.now()
		for due := int64(at.Sub(began).Seconds() * float64(perSecond)); done < due; done++ {
			// Not the stream's context: a record is either produced or never made.
			p.produce(context.WithoutCancel(ctx), at)
		}
		if err := p.failure(); err != nil {
			return err
		}
	}
}

// produce makes one record; a full buffer waits.
func (p *producer) produce(ctx context.Context, at time.Time) {
	if cap(p.arena)-len(p.arena) < arenaBytes/64 {
		p.arena = make([]byte, 0, arenaBytes)
	}
	from := len(p.arena)
	r := &kgo.Record{Topic: logsTopic}
	var key string
	if p.count%logEvery == logEvery-1 {
		key, p.arena = p.logs.append(p.arena, at)
	} else {
		r.Topic = clicksTopic
		key, p.arena = p.clicks.append(schemareg.AppendPrefix(p.arena, p.schema), at)
	}
	r.Value = p.arena[from:len(p.arena):len(p.arena)]
	r.Key = []byte(key)
	p.count++
	p.client.Produce(ctx, r, p.done)
}

func (p *producer) done(_ *kgo.Record, err error) {
	if err == nil {
		p.acknowledged.Add(1)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *producer) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil || errors.Is(p.err, context.Canceled) {
		return p.err
	}
	return fmt.Errorf("producing: %w", p.err)
}

// flush waits until the broker has everything.
func (p *producer) flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("waiting for the broker: %w", err)
	}
	return p.failure()
}
