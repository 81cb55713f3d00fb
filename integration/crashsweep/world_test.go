package crashsweep

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/schemareg/jsonrec"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/store"
)

const (
	rounds      = 12
	perRound    = 8
	runTimeout  = 60 * time.Second
	pollPause   = time.Millisecond
	commitPause = time.Millisecond
	// meddledSwap is the commit of each table that another program gets ahead of.
	meddledSwap = 6
	// fetchWait is short: a partition that is assigned while a fetch waits is read by the next one.
	fetchWait = 10 * time.Millisecond
)

// tables are the two tables of the run and their topics.
var tables = map[string]string{"clicks": "clicks", "logs": "logs"}

// world is what survives a crash: broker, catalog, warehouse.
type world struct {
	t       *testing.T
	dir     string
	cluster *kfake.Cluster
	// db is another program's access to the catalog's file.
	db     *sql.DB
	client *kgo.Client
	// produced is the number of records in each topic.
	produced map[string]int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := scratch(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "clicks", "logs"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	db, err := sql.Open("sqlite", "file:"+dir+"/catalog.db?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return &world{t: t, dir: dir, cluster: cluster, db: db, client: client, produced: map[string]int64{}}
}

// scratch is a folder in memory where there is one: the sweep syncs thousands of small files.
func scratch(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	if _, err := os.Stat("/dev/shm"); err == nil {
		made, err := os.MkdirTemp("/dev/shm", "sweep-")
		if err == nil {
			t.Cleanup(func() { _ = os.RemoveAll(made) })
			base = made
		}
	}
	return base
}

// produce appends one round to both topics, each as one batch.
func (w *world) produce() {
	for _, topic := range tables {
		var records []*kgo.Record
		for range perRound {
			records = append(records, &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, `{"id":%d}`, w.produced[topic])})
			w.produced[topic]++
		}
		require.NoError(w.t, w.client.ProduceSync(w.t.Context(), records...).FirstErr())
	}
}

// open opens the product's catalog, as each process does for itself. statement may be nil.
func (w *world) open(statement func(string, icetable.Identifier, func() error) error) catalog.Catalog {
	cat, err := catalog.Open(w.t.Context(), catalog.Options{
		Type: catalog.SQLite, Path: w.dir + "/catalog.db", Warehouse: w.dir + "/warehouse", Statement: statement,
	})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = cat.Close() })
	return cat
}

// meddle is a commit of another program between a run's look at a table and its swap: that commit fails, and takes its
// metadata file back.
func (w *world) meddle(table string) error {
	var location string
	if err := w.db.QueryRow(`SELECT metadata_location FROM iceberg_tables WHERE table_name = ?`, table).Scan(&location); err != nil {
		return err
	}
	path := strings.TrimPrefix(location, "file://")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number, _, _ := strings.Cut(filepath.Base(path), "-")
	foreign := filepath.Join(filepath.Dir(path), number+"-foreign.metadata.json")
	if err := os.WriteFile(foreign, text, 0o600); err != nil {
		return err
	}
	_, err = w.db.Exec(`UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?`, "file://"+foreign, table)
	return err
}

// options configure a run whose every call goes through x.
func (w *world) options(x *crasher) ingest.Options {
	schema, err := jsonrec.NewSchema(jsonrec.Config{Fields: []column.Field{{Name: "id", Type: column.Type{Kind: column.Long}}}})
	require.NoError(w.t, err)
	stores, err := store.Open(store.Options{Around: x.store})
	require.NoError(w.t, err)
	x.register(w.dir, stores)
	o := ingest.Options{
		Pipeline: "sweep", Writer: fmt.Sprintf("run-%p", x), Lanes: 1, Memory: 64 << 20,
		Sources: []ingest.SourceOptions{{
			Name: "main", GroupID: "sweep", Fetch: kafka.Fetch{MaxWait: fetchWait},
			Kafka: kafka.Options{Brokers: w.cluster.ListenAddrs(), Dial: x.dial},
		}},
		Catalog: &tracedCatalog{Catalog: w.open(x.statement), x: x}, Stores: stores, Events: x,
		Trigger: ingest.Trigger{Interval: commitPause, MaxRows: perRound},
	}
	for _, name := range sortedTables() {
		o.Tables = append(o.Tables, ingest.TableOptions{
			Identifier: []string{"db", name}, Source: "main", Topics: []string{tables[name]}, Audit: true,
			Value: ingest.ValueOptions{Format: ingest.FormatJSON, Schema: schema}, Create: ingest.CreateOptions{Auto: true},
		})
	}
	return o
}

func sortedTables() []string {
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// drive runs the pipeline round by round until all rounds are committed or the crash comes.
func (w *world) drive(x *crasher) {
	ctx, cancel := context.WithTimeout(w.t.Context(), runTimeout)
	defer cancel()
	x.meddle = w.meddle
	p := ingest.New(w.options(x))
	done := make(chan error, 1)
	runCtx, kill := context.WithCancel(ctx)
	defer kill()
	go func() { done <- p.Run(runCtx) }()
	for w.produced["clicks"] < rounds*perRound && !x.crashed() {
		w.produce()
		x.await(ctx, w.produced)
	}
	if !x.crashed() {
		p.Drain()
	} else {
		kill()
	}
	select {
	case <-done:
	case <-ctx.Done():
		w.t.Fatal("the run did not end")
	}
}

// recover runs to the end of the topics without any crash.
func (w *world) recover() {
	for w.produced["clicks"] < rounds*perRound {
		w.produce()
	}
	x := newCrasher(never)
	defer x.release()
	o := w.options(x)
	o.UntilLatest = true
	ctx, cancel := context.WithTimeout(w.t.Context(), runTimeout)
	defer cancel()
	require.NoError(w.t, ingest.New(o).Run(ctx))
}

// check holds both tables against their topics: every offset once, with its own id, and no file that is missing.
func (w *world) check() {
	cat := w.open(nil)
	for _, name := range sortedTables() {
		tbl, err := cat.LoadTable(w.t.Context(), icetable.Identifier{"db", name})
		require.NoError(w.t, err)
		got := map[string]int{}
		_, it, err := tbl.Scan(icetable.WithSelectedFields("id", "_kafka_offset")).ToArrowRecords(w.t.Context())
		require.NoError(w.t, err)
		for rec, err := range it {
			require.NoError(w.t, err)
			for i := range int(rec.NumRows()) {
				require.Equal(w.t, rec.Column(0).ValueStr(i), rec.Column(1).ValueStr(i), "a row has the id of its offset")
				got[rec.Column(1).ValueStr(i)]++
			}
			rec.Release()
		}
		require.Len(w.t, got, int(w.produced[tables[name]]), "table %s lacks records", name)
		for offset, n := range got {
			require.Equal(w.t, 1, n, "table %s has offset %s more than once", name, offset)
		}
	}
}

var errCrashed = errors.New("the process is dead")

// progress counts the rows that landed, by table.
type progress struct {
	mu   sync.Mutex
	rows map[string]int64
}

func (p *progress) add(e event.CommitDone) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows[filepath.Ext(e.Table)[1:]] += e.Rows
}

func (p *progress) reached(want map[string]int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, topic := range tables {
		if p.rows[name] < want[topic] {
			return false
		}
	}
	return true
}
