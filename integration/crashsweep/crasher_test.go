package crashsweep

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	icecat "github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/table/store"
)

// point is where a run crashes: before or after the nth call of a name.
type point struct {
	name  string
	n     int
	after bool
}

var never = point{n: -1}

// String names the point as a test name.
func (p point) String() string {
	when := "before"
	if p.after {
		when = "after"
	}
	return fmt.Sprintf("%s_%s_%d", when, p.name, p.n)
}

// crasher records the calls of one run and ends it at its point.
type crasher struct {
	at       point
	progress progress
	dir      string
	// meddle is what another program does before a certain commit; nil = nothing.
	meddle func(table string) error

	mu    sync.Mutex
	dead  bool
	died  chan struct{}
	count map[string]int
	// calls are the names in the order of the calls, by the table they belong to.
	calls map[string][]string
}

func newCrasher(at point) *crasher {
	return &crasher{at: at, died: make(chan struct{}), count: map[string]int{}, calls: map[string][]string{}, progress: progress{rows: map[string]int64{}}}
}

// registry finds the stores of the run that owns a path: iceberg-go's own registry belongs to the process, and many
// runs share it.
type registry struct {
	mu   sync.Mutex
	runs map[string]*store.Stores
}

var runs = &registry{runs: map[string]*store.Stores{}}

// TestMain makes iceberg-go's metadata go through the stores of whichever run a path belongs to.
func TestMain(m *testing.M) {
	outside, err := store.Open(store.Options{})
	if err != nil {
		panic(err)
	}
	factory := func(ctx context.Context, u *url.URL, props map[string]string) (iceio.IO, error) {
		return runs.find(u.Path, outside).IO(ctx, "file://"+u.Path, props)
	}
	for _, scheme := range []string{"file", ""} {
		iceio.Unregister(scheme)
		iceio.Register(scheme, factory)
	}
	os.Exit(m.Run())
}

func (r *registry) find(path string, outside *store.Stores) *store.Stores {
	r.mu.Lock()
	defer r.mu.Unlock()
	for dir, s := range r.runs {
		if strings.HasPrefix(path, dir+"/") {
			return s
		}
	}
	return outside
}

// register makes the metadata below dir go through the run's stores.
func (x *crasher) register(dir string, s *store.Stores) {
	x.dir = dir
	runs.mu.Lock()
	defer runs.mu.Unlock()
	runs.runs[dir] = s
}

func (x *crasher) release() {
	runs.mu.Lock()
	defer runs.mu.Unlock()
	delete(runs.runs, x.dir)
}

func (x *crasher) crashed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.dead
}

// call is the gate every I/O goes through.
func (x *crasher) call(table, name string, do func() error) error {
	if x.enter(table, name) {
		return errCrashed
	}
	err := do()
	if x.leave(name) {
		return errCrashed
	}
	return err
}

func (x *crasher) enter(table, name string) (dead bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dead {
		return true
	}
	x.count[name]++
	x.calls[table] = append(x.calls[table], name)
	if x.at.name == name && x.at.n == x.count[name] && !x.at.after {
		x.die()
	}
	return x.dead
}

func (x *crasher) leave(name string) (dead bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.at.name == name && x.at.n == x.count[name] && x.at.after && !x.dead {
		x.die()
	}
	return x.dead
}

func (x *crasher) die() {
	x.dead = true
	close(x.died)
}

// Emit implements event.Sink.
func (x *crasher) Emit(e event.Event) {
	if done, ok := e.(event.CommitDone); ok && done.Result == event.CommitLanded && !x.crashed() {
		x.progress.add(done)
	}
}

// await waits until what was produced is committed, or the crash.
func (x *crasher) await(ctx context.Context, want map[string]int64) {
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for !x.progress.reached(want) {
		select {
		case <-x.died:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

var (
	hexes     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	numbers   = regexp.MustCompile(`\d+`)
	tableName = regexp.MustCompile(`/db\.db/(\w+)/`)
)

// store is the gate of the object store: data files and metadata alike.
func (x *crasher) store(op, path string, do func() error) error {
	table := "other"
	if m := tableName.FindStringSubmatch(path); m != nil {
		table = m[1]
	}
	return x.call(table, table+"."+op+"."+kindOf(path), do)
}

// kindOf names what a path is for, without what differs from run to run.
func kindOf(path string) string {
	base := path[strings.LastIndex(path, "/")+1:]
	switch {
	case strings.HasSuffix(base, ".parquet"):
		return "data"
	case strings.HasSuffix(base, ".metadata.json"), strings.HasSuffix(base, ".metadata.json.gz"):
		return "metadata"
	case strings.HasPrefix(base, "snap-"):
		return "manifest_list"
	case strings.HasSuffix(base, ".avro"):
		return "manifest"
	}
	return numbers.ReplaceAllString(hexes.ReplaceAllString(base, "U"), "N")
}

// dial is the gate of the broker: a dead process makes no connection, and what it has is cut.
func (x *crasher) dial(ctx context.Context, network, host string) (net.Conn, error) {
	var conn net.Conn
	err := x.call("kafka", "kafka.dial", func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, host)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &tracedConn{Conn: conn, x: x}, nil
}

// tracedConn tells the requests of a connection apart by their first bytes: size, key.
type tracedConn struct {
	net.Conn
	x *crasher
}

// Write implements net.Conn; the client writes one request at a time.
func (c *tracedConn) Write(b []byte) (n int, err error) {
	name := "kafka.other"
	if len(b) >= 6 {
		name = "kafka." + keyName(int(b[4])<<8|int(b[5]))
	}
	err = c.x.call("kafka", name, func() (err error) {
		n, err = c.Conn.Write(b)
		return err
	})
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

func keyName(key int) string {
	names := map[int]string{1: "fetch", 2: "list_offsets", 3: "metadata", 8: "offset_commit", 9: "offset_fetch", 10: "find_coordinator", 18: "api_versions"}
	if name, ok := names[key]; ok {
		return name
	}
	return fmt.Sprintf("key_%d", key)
}

// statement is the gate of the catalog's database.
func (x *crasher) statement(op string, ident icetable.Identifier, do func() error) error {
	table := ident[len(ident)-1]
	name := table + ".sql." + op
	return x.call(table, name, func() error {
		if op == "swap" && x.meddle != nil && x.nth(name) == meddledSwap {
			if err := x.meddle(table); err != nil {
				return err
			}
		}
		return do()
	})
}

func (x *crasher) nth(name string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.count[name]
}

// tracedCatalog is the gate of the catalog.
type tracedCatalog struct {
	catalog.Catalog
	x *crasher
}

func traced[T any](c *tracedCatalog, ident icetable.Identifier, op string, do func() (T, error)) (out T, err error) {
	name := ident[len(ident)-1]
	err = c.x.call(name, name+".catalog."+op, func() error {
		out, err = do()
		return err
	})
	return out, err
}

// LoadTable implements catalog.Catalog.
func (c *tracedCatalog) LoadTable(ctx context.Context, ident icetable.Identifier) (*icetable.Table, error) {
	return traced(c, ident, "load", func() (*icetable.Table, error) { return c.Catalog.LoadTable(ctx, ident) })
}

// CreateTable implements catalog.Catalog.
func (c *tracedCatalog) CreateTable(ctx context.Context, ident icetable.Identifier, sc *iceberg.Schema, opts ...icecat.CreateTableOpt) (*icetable.Table, error) {
	return traced(c, ident, "create", func() (*icetable.Table, error) { return c.Catalog.CreateTable(ctx, ident, sc, opts...) })
}

type answer struct {
	meta     icetable.Metadata
	location string
}

// CommitTable implements catalog.Catalog.
func (c *tracedCatalog) CommitTable(ctx context.Context, ident icetable.Identifier, reqs []icetable.Requirement, ups []icetable.Update) (icetable.Metadata, string, error) {
	a, err := traced(c, ident, "commit", func() (a answer, err error) {
		a.meta, a.location, err = c.Catalog.CommitTable(ctx, ident, reqs, ups)
		return a, err
	})
	return a.meta, a.location, err
}
