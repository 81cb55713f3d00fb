package commit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
	"github.com/ingestd/ingestd/table/column"
)

var (
	ident   = table.Identifier{"db", "t"}
	errLost = errors.New("connection reset")
)

// check is what rapid.T and testing.T have in common.
type check interface {
	require.TestingT
	Helper()
	Logf(string, ...any)
}

// bench is one test's world: a catalog in memory, a clock that moves by itself, ids in order.
type bench struct {
	t   check
	ctx context.Context
	cat *committest.Catalog
	mu  struct {
		sync.Mutex
		now   time.Time
		ids   int
		waits int
	}
	// cancel ends every commit; patience is the number of waits after which a test gives up on a loop.
	cancel   context.CancelFunc
	patience int
	events   []event.Event
	// lists caches what was read of manifest lists.
	lists map[string][]manifest
	// format is the format version of the tables it creates, 0 for the default.
	format int
}

func newBench(t check) *bench {
	b := &bench{t: t, cat: committest.New(), patience: 60, lists: map[string][]manifest{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.mu.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return b
}

func (b *bench) env() Env {
	return Env{
		Now: func() time.Time {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.mu.now = b.mu.now.Add(time.Second)
			return b.mu.now
		},
		Wait: func(ctx context.Context, _ time.Duration) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.mu.waits++; b.mu.waits > b.patience {
				b.cancel()
			}
			return ctx.Err()
		},
		NewID: func() string {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.mu.ids++
			return fmt.Sprintf("id-%d", b.mu.ids)
		},
		Jitter: func() float64 { return 0 },
		Events: event.Func(func(e event.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.events = append(b.events, e)
			if r, ok := e.(event.CommitRetried); ok {
				t := b.t
				t.Logf("attempt %d, %s: %v", r.Attempt, r.Reason, r.Err)
			}
		}),
	}
}

func spec(writer string) Spec {
	return Spec{Identifier: ident, Pipeline: "p", Writer: writer, MayCreate: true, Upkeep: Upkeep{Disabled: true}}
}

func (b *bench) open(writer string) *Table {
	b.t.Helper()
	return b.openSpec(spec(writer))
}

func (b *bench) openSpec(s Spec) *Table {
	b.t.Helper()
	t, err := Open(b.ctx, b.cat, s, b.env())
	require.NoError(b.t, err)
	return t
}

// create makes a table with partitions 0 to n-1 begun at position 0.
func (b *bench) create(writer string, n int) *Table {
	b.t.Helper()
	t := b.open(writer)
	require.NoError(b.t, t.Create(b.ctx, Creation{Fields: fields(), Start: starts(n), FormatVersion: b.format}))
	return t
}

func fields() []column.Field {
	return []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
		{Name: "name", Type: column.Type{Kind: column.String}, Doc: "what it is called"},
	}
}

func starts(n int) []Step {
	var out []Step
	for p := range n {
		out = append(out, Step{Key: key(p), To: pos(0)})
	}
	return out
}

func key(p int) state.Key {
	return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "t"}, Partition: strconv.Itoa(p)}
}

// pos is a position that only a test can read.
func pos(n int) state.Position { return state.Position("@" + strconv.Itoa(n)) }

func at(p state.Position) int {
	n, err := strconv.Atoi(strings.TrimPrefix(string(p), "@"))
	if err != nil {
		return 0
	}
	return n
}

// step moves partition p; each position is a row.
func step(p, from, to int) Step {
	n := int64(to - from)
	return Step{Key: key(p), From: pos(from), To: pos(to), Counts: outcome.Counts{outcome.Written: n}, Added: n}
}

// batch makes a FileSet of the steps with one file for each, whose name says what it holds.
func (b *bench) batch(t *Table, steps ...Step) FileSet {
	b.mu.Lock()
	b.mu.ids++
	tag := b.mu.ids
	b.mu.Unlock()
	fs := FileSet{Steps: steps, SchemaID: t.Schema().ID}
	for _, s := range steps {
		if s.Added > 0 {
			name := fmt.Sprintf("%s/data/%d-p%s-%d-%d.parquet", t.Location(), tag, s.Key.Partition, at(s.From), at(s.To))
			fs.Files = append(fs.Files, b.written(dataFile(b.t, t.PartitionSpec(), name, s.Added, nil)))
			fs.Added += s.Added
		}
	}
	return fs
}

// written puts a file into the store: the store forgets what is deleted.
func (b *bench) written(f iceberg.DataFile) iceberg.DataFile {
	b.cat.Files.Put(f.FilePath(), []byte("rows"))
	return f
}

func dataFile(t require.TestingT, spec iceberg.PartitionSpec, path string, rows int64, partition map[int]any) iceberg.DataFile {
	d, err := iceberg.NewDataFileBuilder(spec, iceberg.EntryContentData, path, iceberg.ParquetFile, partition, nil, nil, rows, rows*10)
	require.NoError(t, err)
	return d.Build()
}

// commit lands a batch or fails the test.
func (b *bench) commit(t *Table, steps ...Step) Result {
	b.t.Helper()
	res, err := t.Commit(b.ctx, b.batch(t, steps...))
	require.NoError(b.t, err)
	require.Equal(b.t, Landed, res.Outcome, "%v", res.Mismatch)
	return res
}

// live lists the ranges held by the files of a snapshot, by partition.
func (b *bench) live(sn *table.Snapshot) map[string][][2]int {
	b.t.Helper()
	out := map[string][][2]int{}
	if sn == nil {
		return out
	}
	for _, m := range b.manifests(sn) {
		for _, path := range m.live {
			parts := strings.Split(strings.TrimSuffix(path, ".parquet"), "-")
			if len(parts) < 4 {
				continue // a foreign file
			}
			n := len(parts)
			from, _ := strconv.Atoi(parts[n-2])
			to, _ := strconv.Atoi(parts[n-1])
			p := strings.TrimPrefix(parts[n-3], "p")
			out[p] = append(out[p], [2]int{from, to})
		}
	}
	return out
}

// manifest is what a manifest lists; it never changes.
type manifest struct {
	path string
	live []string
}

// manifests reads what a snapshot lists. All of it must exist.
func (b *bench) manifests(sn *table.Snapshot) []manifest {
	b.t.Helper()
	require.True(b.t, b.cat.Files.Has(sn.ManifestList), "manifest list of snapshot %d was removed", sn.SnapshotID)
	list, ok := b.lists[sn.ManifestList]
	if !ok {
		files, err := sn.Manifests(b.cat.Files)
		require.NoError(b.t, err)
		for _, m := range files {
			out := manifest{path: m.FilePath()}
			entries, err := m.FetchEntries(b.cat.Files, true)
			require.NoError(b.t, err)
			for _, e := range entries {
				out.live = append(out.live, e.DataFile().FilePath())
			}
			list = append(list, out)
		}
		b.lists[sn.ManifestList] = list
	}
	for _, m := range list {
		require.True(b.t, b.cat.Files.Has(m.path), "a manifest of snapshot %d was removed", sn.SnapshotID)
		for _, f := range m.live {
			require.True(b.t, b.cat.Files.Has(f), "file %s of snapshot %d was removed", f, sn.SnapshotID)
		}
	}
	return list
}

// exact checks the promise on the table itself: the files of each partition cover exactly what is before its
// position, each offset once.
func (b *bench) exact(branch string) map[string]int {
	b.t.Helper()
	meta := b.cat.Table(ident...)
	head := headOf(meta, branch)
	s := spec("checker")
	s.Branch = branch
	v, err := s.inspect(table.New(ident, meta, "", b.cat.Files.FS, b.cat))
	if failure.CodeOf(err) == CodeStateAmbiguous {
		b.acceptMirror()
		v, err = s.inspect(table.New(ident, b.cat.Table(ident...), "", b.cat.Files.FS, b.cat))
	}
	require.NoError(b.t, err)
	live := b.live(head)
	ends := map[string]int{}
	for _, e := range v.state.Entries {
		end := 0
		ranges := live[e.Partition]
		slices.SortFunc(ranges, func(x, y [2]int) int { return x[0] - y[0] })
		for _, r := range ranges {
			require.Equal(b.t, end, r[0], "partition %s: rows %v overlap or miss something", e.Partition, ranges)
			end = r[1]
		}
		require.Equal(b.t, at(e.Position), end, "partition %s stands at %s but holds %v", e.Partition, e.Position, ranges)
		require.EqualValues(b.t, end, e.Added, "partition %s", e.Partition)
		ends[e.Partition] = end
		delete(live, e.Partition)
	}
	require.Empty(b.t, live, "rows of partitions that the state does not know")
	return ends
}

// decide is an operator who looks at the table and decides about what is there.
func (b *bench) decide(c Control) *Decision {
	b.t.Helper()
	d, err := b.tryDecide(c)
	require.NoError(b.t, err)
	return d
}

func (b *bench) tryDecide(c Control) (*Decision, error) {
	b.t.Helper()
	hook := b.cat.OnCommit
	b.cat.OnCommit = nil
	defer func() { b.cat.OnCommit = hook }()
	s, err := Examine(b.ctx, b.cat, spec(""), b.env())
	require.NoError(b.t, err)
	if c.Base == "" {
		c.Base = BaseLineage
	}
	c.By, c.Reason = "somebody", "a test"
	c.Seen = s.Token(c)
	return Decide(b.ctx, b.cat, spec(""), b.env(), c)
}

// acceptMirror is an operator who knows that the branch was not rolled back.
func (b *bench) acceptMirror() {
	b.t.Helper()
	b.decide(Control{Verb: Adopt, Base: BaseMirror})
}

func headOf(meta table.Metadata, branch string) *table.Snapshot {
	for name, ref := range meta.Refs() {
		if name == branch {
			return meta.SnapshotByID(ref.SnapshotID)
		}
	}
	return nil
}

// foreign commits something as another engine would: an append, or a rewrite that knows nothing of us.
func (b *bench) foreign(op func(*table.Transaction) error) {
	b.t.Helper()
	hook := b.cat.OnCommit
	b.cat.OnCommit = nil
	defer func() { b.cat.OnCommit = hook }()
	tbl, err := b.cat.LoadTable(context.Background(), ident)
	require.NoError(b.t, err)
	tx := tbl.NewTransaction()
	require.NoError(b.t, op(tx))
	tc, err := tx.TableCommit()
	require.NoError(b.t, err)
	_, _, err = b.cat.CommitTable(context.Background(), ident, tc.Requirements, tc.Updates)
	require.NoError(b.t, err)
}

func (b *bench) foreignAppend() {
	b.t.Helper()
	b.mu.Lock()
	b.mu.ids++
	n := b.mu.ids
	b.mu.Unlock()
	b.foreign(func(tx *table.Transaction) error {
		f := b.written(dataFile(b.t, *iceberg.UnpartitionedSpec, fmt.Sprintf("mem://foreign/%d.parquet", n), 3, nil))
		return tx.NewRowDelta(nil).AddRows(f).Commit(context.Background())
	})
}

// on answers commit calls by their number, from 1; others are applied.
func (b *bench) on(faults map[int]func(committest.Call, func() committest.Answer) committest.Answer) *int {
	n := new(int)
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		*n++
		if f := faults[*n]; f != nil {
			return f(c, apply)
		}
		return apply()
	}
	return n
}

type fault = func(committest.Call, func() committest.Answer) committest.Answer

// lost applies and loses the answer; dropped does not arrive at all; conflict claims a conflict without applying.
func lost(_ committest.Call, apply func() committest.Answer) committest.Answer {
	apply()
	return committest.Answer{Err: errLost}
}

func dropped(committest.Call, func() committest.Answer) committest.Answer {
	return committest.Answer{Err: errLost}
}

// lostAs409 applies and then claims a conflict, as a proxy does that sends twice.
func lostAs409(_ committest.Call, apply func() committest.Answer) committest.Answer {
	apply()
	return committest.Answer{Err: fmt.Errorf("%w: 409", table.ErrCommitFailed)}
}

var _ catalog.Catalog = (*committest.Catalog)(nil)
var _ StagedCreator = committest.Staging{}
var _ testing.TB = (*testing.T)(nil)
