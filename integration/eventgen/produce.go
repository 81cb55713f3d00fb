package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/events"
)

// paceEvery is how many events go out between two looks at the clock.
const paceEvery = 100

// producer encodes events and hands them to the client.
type producer struct {
	cl       *kgo.Client
	o        options
	schemaID int
	failed   atomic.Pointer[error]
	bytes    [2]int64
}

// produce sends events skip+1 to n.
func produce(ctx context.Context, cl *kgo.Client, o options, schemaID int) error {
	p := &producer{cl: cl, o: o, schemaID: schemaID}
	g := events.NewGenerator()
	var e events.Event
	for range o.skip {
		g.Next(&e)
	}
	start := time.Now()
	var err error
	if o.transactional != "" {
		err = p.transactions(ctx, g)
	} else {
		err = p.stream(ctx, g)
	}
	if err != nil {
		return err
	}
	n, took := max(o.n-o.skip, 1), time.Since(start).Seconds()
	fmt.Fprintf(os.Stderr, "%d events, avro %.1f B/record, json %.1f B/record, %.1f s\n",
		n, float64(p.bytes[0])/float64(n), float64(p.bytes[1])/float64(n), took)
	return nil
}

func (p *producer) stream(ctx context.Context, g *events.Generator) error {
	pace := newPacer(p.o.rate)
	defer pace.stop()
	var e events.Event
	for i := p.o.skip; i < p.o.n; i++ {
		g.Next(&e)
		for _, r := range p.records(&e) {
			p.send(ctx, r)
		}
		if err := pace.wait(ctx, i-p.o.skip+1); err != nil {
			break // told to stop: what was sent is sent
		}
	}
	return p.flush(ctx)
}

// transactions sends batches, each in a transaction of its own; an aborted one is sent again.
func (p *producer) transactions(ctx context.Context, g *events.Generator) error {
	var e events.Event
	var batch []*kgo.Record
	number := 0
	for i := p.o.skip; i < p.o.n; {
		batch = batch[:0]
		for ; len(batch) < p.o.txRecords*len(p.o.topics()) && i < p.o.n; i++ {
			g.Next(&e)
			batch = append(batch, p.records(&e)...)
		}
		number++
		if p.o.abortEvery > 0 && number%p.o.abortEvery == 0 {
			if err := p.transaction(ctx, batch, kgo.TryAbort); err != nil {
				return err
			}
		}
		if err := p.transaction(ctx, batch, kgo.TryCommit); err != nil {
			return err
		}
	}
	if p.o.abortTail {
		return p.transaction(ctx, batch, kgo.TryAbort)
	}
	return nil
}

func (p *producer) transaction(ctx context.Context, batch []*kgo.Record, end kgo.TransactionEndTry) error {
	if err := p.cl.BeginTransaction(); err != nil {
		return err
	}
	for _, r := range batch {
		// A record that was produced belongs to the client: a repetition is a new one.
		p.send(ctx, &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value})
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.cl.EndTransaction(ctx, end)
}

// records encodes an event for each topic.
func (p *producer) records(e *events.Event) []*kgo.Record {
	slot := e.ID - 1
	var key []byte
	if p.o.keys > 0 {
		slot = e.ID % int64(p.o.keys)
		key = strconv.AppendInt(nil, slot, 10)
	}
	partition := int32(slot % int64(p.o.partitions))
	out := make([]*kgo.Record, 0, 2)
	if p.o.avro != "" {
		v := events.AppendAvro(make([]byte, 0, 224), p.schemaID, e)
		p.bytes[0] += int64(len(v))
		out = append(out, &kgo.Record{Topic: p.o.avro, Partition: partition, Key: key, Value: v})
	}
	if p.o.json != "" {
		v := events.AppendJSON(make([]byte, 0, 400), e)
		p.bytes[1] += int64(len(v))
		out = append(out, &kgo.Record{Topic: p.o.json, Partition: partition, Key: key, Value: v})
	}
	return out
}

func (p *producer) send(ctx context.Context, r *kgo.Record) {
	p.cl.Produce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) {
		if err != nil {
			p.failed.CompareAndSwap(nil, &err)
		}
	})
}

func (p *producer) flush(ctx context.Context) error {
	if err := p.cl.Flush(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// pacer holds a stream to a rate.
type pacer struct {
	rate  int
	start time.Time
	tick  *time.Ticker
}

func newPacer(rate int) *pacer {
	return &pacer{rate: rate, start: time.Now(), tick: time.NewTicker(5 * time.Millisecond)}
}

func (p *pacer) stop() { p.tick.Stop() }

// wait returns when the n-th event may be followed by the next, or with an error when told to stop.
func (p *pacer) wait(ctx context.Context, n int) error {
	if n%paceEvery != 0 {
		return nil
	}
	if p.rate == 0 {
		return ctx.Err()
	}
	due := p.start.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	for time.Now().Before(due) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.tick.C:
		}
	}
	return ctx.Err()
}
