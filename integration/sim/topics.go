package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/checker"
)

// topics produces, and knows what was committed.
type topics struct {
	world *world
	mu    sync.Mutex
	// partitions is how many each topic has now.
	partitions map[string]int32
	// records are all that were ever committed, by id.
	records map[int64]checker.Record
	nextID  int64
}

func newTopics(w *world) *topics {
	t := &topics{world: w, partitions: map[string]int32{}, records: map[int64]checker.Record{}}
	for _, s := range w.shape.topics {
		t.partitions[s.name] = s.partitions
	}
	return t
}

// newest is the id that the next record will get.
func (t *topics) newest() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.nextID
}

func (w *world) plainDial(ctx context.Context, _, host string) (net.Conn, error) {
	return w.network.dial(ctx, host)
}

func (w *world) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(w.broker.ListenAddrs()...), kgo.Dialer(w.plainDial), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MetadataMinAge(50 * time.Millisecond),
		kgo.RecordDeliveryTimeout(20 * time.Second),
	}, opts...)...)
}

// produce sends bursts until the time is over: plain ones, and transactions that are committed, aborted, or left open
// for a while.
func (t *topics) produce(r *rand.Rand) error {
	plain, err := t.world.client()
	if err != nil {
		return err
	}
	defer plain.Close()
	tx, err := t.world.client(kgo.TransactionalID("sim"), kgo.TransactionTimeout(time.Minute))
	if err != nil {
		return err
	}
	defer tx.Close()
	for _, s := range t.world.shape.topics {
		for p := range s.partitions {
			if s.compacted {
				t.anchor(plain, s, p)
			}
		}
	}
	for time.Since(t.world.began) < active {
		s := t.world.shape.topics[r.IntN(len(t.world.shape.topics))]
		if r.IntN(3) == 0 {
			t.transaction(tx, s, r)
		} else {
			t.send(plain, s, r, 1+r.IntN(12))
		}
		if !t.world.wait(time.Duration(r.IntN(6000)) * time.Millisecond) {
			return nil
		}
	}
	return nil
}

// anchor gives a partition of a compacted topic a first record that stays: this broker would move the beginning of a log
// to the first record that compaction leaves, which Kafka does not.
func (t *topics) anchor(cl *kgo.Client, s topicShape, p int32) {
	t.commit(t.publish(cl, []*kgo.Record{t.record(s, p, fmt.Sprintf("anchor-%d", p), 0)}))
}

// send produces a burst that counts at once.
func (t *topics) send(cl *kgo.Client, s topicShape, r *rand.Rand, n int) {
	t.commit(t.push(cl, s, r, n))
}

func (t *topics) push(cl *kgo.Client, s topicShape, r *rand.Rand, n int) []checker.Record {
	records := make([]*kgo.Record, 0, n)
	t.mu.Lock()
	partitions := t.partitions[s.name]
	t.mu.Unlock()
	for range n {
		key := ""
		if s.compacted {
			key = fmt.Sprintf("k%d", r.IntN(5))
		}
		records = append(records, t.record(s, r.Int32N(partitions), key, r.IntN(t.world.registry.versions())))
	}
	return t.publish(cl, records)
}

// record makes one with an id of its own.
func (t *topics) record(s topicShape, partition int32, key string, schema int) *kgo.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.nextID
	t.nextID++
	rec := &kgo.Record{Topic: s.name, Partition: partition, Headers: []kgo.RecordHeader{{Key: "id", Value: binary.BigEndian.AppendUint64(nil, uint64(id))}}}
	if key != "" {
		rec.Key = []byte(key)
	}
	rec.Value = fmt.Appendf(nil, `{"id":%d,"name":"%s"}`, id, s.name)
	if s.avro {
		rec.Value = t.world.registry.encode(uint32(1+schema), id)
	}
	return rec
}

func idOf(rec *kgo.Record) int64 { return int64(binary.BigEndian.Uint64(rec.Headers[0].Value)) }

// publish sends records and gives those that the broker took.
func (t *topics) publish(cl *kgo.Client, records []*kgo.Record) (sent []checker.Record) {
	for _, res := range cl.ProduceSync(t.world.ctx, records...) {
		if res.Err != nil {
			// A topic that was just deleted. Whether it was written does not matter: it is gone.
			t.world.log("producer", "%s/%d: %v", res.Record.Topic, res.Record.Partition, res.Err)
			continue
		}
		sent = append(sent, checker.Record{Topic: res.Record.Topic, Partition: res.Record.Partition, Offset: res.Record.Offset, ID: idOf(res.Record)})
	}
	return sent
}

func (t *topics) commit(sent []checker.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, rec := range sent {
		t.records[rec.ID] = rec
	}
}

func (t *topics) transaction(cl *kgo.Client, s topicShape, r *rand.Rand) {
	if err := cl.BeginTransaction(); err != nil {
		t.world.log("producer", "beginning: %v", err)
		return
	}
	sent := t.push(cl, s, r, 1+r.IntN(8))
	if r.IntN(4) == 0 {
		t.world.hit("kafka.transaction", "open")
		t.world.wait(time.Duration(r.IntN(20)) * time.Second)
	}
	if r.IntN(3) == 0 || len(sent) == 0 {
		t.world.hit("kafka.transaction", "abort")
		if err := cl.EndTransaction(context.WithoutCancel(t.world.ctx), kgo.TryAbort); err != nil {
			t.world.log("producer", "aborting: %v", err)
		}
		return
	}
	if err := cl.EndTransaction(context.WithoutCancel(t.world.ctx), kgo.TryCommit); err != nil {
		t.world.log("producer", "committing: %v", err)
	}
	// If that failed nobody knows how it ended: such records may be in the tables, and the topic says if they must.
	t.commit(sent)
}

// all are the records ever committed to the topics of a table.
func (t *topics) all(of []string) (out []checker.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, rec := range t.records {
		for _, name := range of {
			if rec.Topic == name {
				out = append(out, rec)
			}
		}
	}
	return out
}

// held reads what a topic holds now, as any consumer of committed records would.
func (t *topics) held(name string) (map[int64]bool, error) {
	cl, err := t.world.client(kgo.ConsumeTopics(name), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	out := map[int64]bool{}
	for idle := 0; idle < 2; {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.world.ctx), 3*time.Second)
		fetches := cl.PollFetches(ctx)
		cancel()
		idle++
		fetches.EachRecord(func(rec *kgo.Record) {
			idle = 0
			out[idOf(rec)] = true
		})
	}
	return out, nil
}
