package ingest

import (
	"context"
	"database/sql"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	_ "modernc.org/sqlite"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/store"
)

// world is a broker, a catalog and a warehouse in a test's folder.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	dir     string
	catalog catalog.Catalog
	stores  *store.Stores
	// produced are the values by topic, partition and offset: the oracle.
	produced map[string]string
	next     map[kafka.Partition]int64
}

func newWorld(t *testing.T, partitions int32, topics ...string) *world {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topics...), kfake.GroupMinSessionTimeout(time.Second))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := &world{t: t, cluster: c, dir: t.TempDir(), produced: map[string]string{}, next: map[kafka.Partition]int64{}}
	w.stores, err = store.Open(store.Options{})
	require.NoError(t, err)
	t.Cleanup(w.stores.Register(t.Context()))
	w.catalog = w.openCatalog()
	return w
}

func (w *world) openCatalog() catalog.Catalog {
	w.t.Helper()
	return w.openCatalogWith(iceberg.Properties{"warehouse": "file://" + w.dir + "/warehouse"})
}

func (w *world) openCatalogWith(props iceberg.Properties) catalog.Catalog {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.dir+"/catalog.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = db.Close() })
	cat, err := sqlcat.NewCatalog("test", db, sqlcat.SQLite, props)
	require.NoError(w.t, err)
	return cat
}

func eventSchema(t *testing.T) *jsonrec.Schema {
	t.Helper()
	s, err := jsonrec.NewSchema(jsonrec.Config{Unknown: jsonrec.Refuse, Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "name", Type: column.Type{Kind: column.String}},
	}})
	require.NoError(t, err)
	return s
}

func (w *world) jsonTable(name string, topics ...string) TableOptions {
	return TableOptions{
		Identifier: []string{"db", name}, Source: "main", Topics: topics, Audit: true,
		Value:  ValueOptions{Format: FormatJSON, Schema: eventSchema(w.t)},
		Create: CreateOptions{Auto: true},
	}
}

func (w *world) options(tables ...TableOptions) Options {
	return Options{
		Pipeline: "test", Writer: fmt.Sprintf("w%d", time.Now().UnixNano()), Lanes: 2, Memory: 64 << 20,
		Sources: []SourceOptions{{Name: "main", GroupID: "g", Kafka: kafka.Options{Brokers: w.cluster.ListenAddrs()}}},
		Tables:  tables, Catalog: w.catalog, Stores: w.stores,
		Trigger: Trigger{Interval: 50 * time.Millisecond}, Events: &recorder{t: w.t},
	}
}

// produce appends n JSON events to a partition.
func (w *world) produce(topic string, partition int32, n int) {
	w.t.Helper()
	w.produceEach(topic, partition, n, func(at int64) *kgo.Record {
		return &kgo.Record{Value: fmt.Appendf(nil, `{"id":%d,"name":"%s-%d"}`, at, topic, partition)}
	})
}

// produceEach appends n records, each made for its offset, whose id equals the offset.
func (w *world) produceEach(topic string, partition int32, n int, make func(at int64) *kgo.Record) {
	w.t.Helper()
	id := kafka.Partition{Topic: topic, Partition: partition}
	var records []*kgo.Record
	for range n {
		at := w.next[id]
		r := make(at)
		r.Topic, r.Partition = topic, partition
		records = append(records, r)
		w.produced[row(topic, partition, at, at)] = string(r.Value)
		w.next[id] = at + 1
	}
	w.send(records...)
}

func (w *world) send(records ...*kgo.Record) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(w.t, err)
	defer cl.Close()
	require.NoError(w.t, cl.ProduceSync(w.t.Context(), records...).FirstErr())
}

func row(topic string, partition int32, offset, id int64) string {
	return fmt.Sprintf("%s/%d/%d id=%d", topic, partition, offset, id)
}

// drainTo runs a pipeline until it has caught up.
func (w *world) catchUp(o Options) error {
	w.t.Helper()
	o.UntilLatest = true
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	return New(o).Run(ctx)
}

// start runs a pipeline in the background.
func (w *world) start(o Options) (p *Pipeline, wait func() error) {
	w.t.Helper()
	p = New(o)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(w.t.Context())
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	var err error
	wait = func() error {
		once.Do(func() {
			select {
			case err = <-done:
			case <-time.After(30 * time.Second):
				err = fmt.Errorf("the pipeline did not end")
			}
		})
		return err
	}
	w.t.Cleanup(func() { cancel(); _ = wait() })
	return p, wait
}

// rows reads a table back as topic/partition/offset and id, sorted.
func (w *world) rows(name, topic string) []string {
	w.t.Helper()
	tbl, err := w.catalog.LoadTable(w.t.Context(), icetable.Identifier{"db", name})
	require.NoError(w.t, err)
	return scan(w.t, tbl, topic)
}

func scan(t *testing.T, tbl *icetable.Table, topic string) []string {
	t.Helper()
	_, it, err := tbl.Scan().ToArrowRecords(t.Context())
	require.NoError(t, err)
	var out []string
	for rec, err := range it {
		require.NoError(t, err)
		for i := range int(rec.NumRows()) {
			name := topic
			if c := field(rec, "_kafka_topic"); c != nil {
				name = c.ValueStr(i)
			}
			out = append(out, fmt.Sprintf("%s/%s/%s id=%s", name, field(rec, "_kafka_partition").ValueStr(i), field(rec, "_kafka_offset").ValueStr(i), field(rec, "id").ValueStr(i)))
		}
		rec.Release()
	}
	sort.Strings(out)
	return out
}

func field(rec arrow.RecordBatch, name string) arrow.Array {
	for i, f := range rec.Schema().Fields() {
		if f.Name == name {
			return rec.Column(i).(arrow.Array)
		}
	}
	return nil
}

// expected lists what the topic holds, in the form of rows.
func (w *world) expected(topics ...string) []string {
	var out []string
	for key := range w.produced {
		for _, t := range topics {
			if strings.HasPrefix(key, t+"/") {
				out = append(out, key)
			}
		}
	}
	sort.Strings(out)
	return out
}

// recorder keeps events and lets a test wait for one.
type recorder struct {
	t    *testing.T
	mu   sync.Mutex
	list []event.Event
}

// Emit implements event.Sink.
func (r *recorder) Emit(e event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, e)
}

func (r *recorder) await(what string, match func(event.Event) bool) {
	r.t.Helper()
	defer r.tell()
	require.Eventually(r.t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range r.list {
			if match(e) {
				return true
			}
		}
		return false
	}, 20*time.Second, 5*time.Millisecond, what)
}

// tell logs what happened when the test has failed.
func (r *recorder) tell() {
	if !r.t.Failed() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		switch e.(type) {
		case event.LagObserved, event.Backpressure, event.SourceTrouble:
		default:
			r.t.Logf("%T %+v", e, e)
		}
	}
}

func (r *recorder) failed(table, code string) {
	r.t.Helper()
	r.await(table+" fails with "+code, func(e event.Event) bool {
		s, ok := e.(event.StateChanged)
		return ok && s.Table == "db."+table && s.To == event.Failed && s.Code == code
	})
}

func (r *recorder) landed(table string, rows int64) {
	r.t.Helper()
	defer r.tell()
	require.Eventually(r.t, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		var n int64
		for _, e := range r.list {
			if c, ok := e.(event.CommitDone); ok && c.Table == "db."+table && c.Result == event.CommitLanded {
				n += c.Rows
			}
		}
		return n >= rows
	}, 20*time.Second, 5*time.Millisecond, "%d rows in %s", rows, table)
}

// taken waits until the lanes hold so many rows of a table that are not committed.
func (p *Pipeline) taken(t *testing.T, table string, rows int64) {
	t.Helper()
	o := p.byName["db."+table]
	require.Eventually(t, func() bool {
		held := make(chan int64, 1)
		o.do(func(context.Context) { n, _ := o.buffered(); held <- n })
		return <-held == rows
	}, 20*time.Second, 5*time.Millisecond, "%d rows of %s are held", rows, table)
}

// sendUncounted appends records that are no rows of the oracle to partition 0.
func (w *world) sendUncounted(topic string, records ...*kgo.Record) {
	w.t.Helper()
	for _, r := range records {
		r.Topic = topic
	}
	w.send(records...)
	w.next[kafka.Partition{Topic: topic}] += int64(len(records))
}

// column reads one column of a table as text, "(null)" for nulls.
func (w *world) column(name, column string) (out []string) {
	w.t.Helper()
	_, it, err := w.load(name).Scan().ToArrowRecords(w.t.Context())
	require.NoError(w.t, err)
	for rec, err := range it {
		require.NoError(w.t, err)
		values := field(rec, column)
		require.NotNil(w.t, values, "column %s", column)
		for i := range int(rec.NumRows()) {
			out = append(out, values.ValueStr(i))
		}
		rec.Release()
	}
	sort.Strings(out)
	return out
}

func (w *world) nulls(name, column string) (n int) {
	w.t.Helper()
	for _, v := range w.column(name, column) {
		if v == "(null)" {
			n++
		}
	}
	return n
}
