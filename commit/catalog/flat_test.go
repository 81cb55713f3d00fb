package catalog_test

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
)

var (
	flatCommits    = flag.Int("flat.commits", 150, "commits of the test that cost stays flat; times are gated from 5,000 on (make soak: 10,000)")
	flatPartitions = flag.Int("flat.partitions", 40, "source partitions of the test that cost stays flat")
)

// flatTimed is the number of commits from which on a table is compared with a young one.
const flatTimed = 5000

// cost is what one commit took.
type cost struct {
	took     time.Duration
	allocs   uint64
	metadata int64 // bytes of metadata.json
	list     int64 // bytes of the manifest list
}

// flatAround is how many commits on each side of the nth count for its cost.
const flatAround = 50

// p50 takes the median of one measure over the commits around the nth.
func p50[T int64 | uint64 | time.Duration](costs []cost, n int, of func(cost) T) T {
	to := min(n+flatAround, len(costs))
	part := costs[max(0, to-2*flatAround):to]
	values := make([]T, len(part))
	for i, c := range part {
		values[i] = of(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// lineFirst is where the partitions of a line begin: topics are older than tables.
const (
	lineFirst = 10_000_000
	lineStep  = 1000
)

func linePosition(i int) state.Position { return state.Position(strconv.Itoa(lineFirst + i*lineStep)) }

// line is a table that commits of one file each are made to, commit.interval (ten seconds) of its clock apart.
type line struct {
	w          *commit.Table
	now        time.Time
	partitions int
	costs      []cost
}

func lineKey(p int) state.Key {
	return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "clicks", ID: [16]byte{1}}, Partition: strconv.Itoa(p)}
}

func newLine(t *testing.T, cat catalog.Catalog, name string, partitions int) *line {
	t.Helper()
	l := &line{now: time.Now(), partitions: partitions}
	env := commit.Env{Now: func() time.Time { return l.now }}
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: table.Identifier{"shop", name}, Pipeline: "p", MayCreate: true}, env)
	require.NoError(t, err)
	c := start()
	c.Start = nil
	for p := range partitions {
		c.Start = append(c.Start, commit.Step{Key: lineKey(p), To: linePosition(0)})
	}
	require.NoError(t, w.Create(t.Context(), c))
	l.w = w
	return l
}

// batch is the next one: a file, and a thousand records of each partition.
func (l *line) batch(t *testing.T) commit.FileSet {
	t.Helper()
	i := len(l.costs)
	fs := commit.FileSet{SchemaID: l.w.Schema().ID, Added: int64(l.partitions) * lineStep}
	for p := range l.partitions {
		fs.Steps = append(fs.Steps, commit.Step{Key: lineKey(p), From: linePosition(i), To: linePosition(i + 1),
			Counts: outcome.Counts{outcome.Written: lineStep}, Added: lineStep, Note: []byte("0123456789")})
	}
	path := fmt.Sprintf("%s/data/%s.parquet", l.w.Location(), uuid.NewString())
	b, err := iceberg.NewDataFileBuilder(l.w.PartitionSpec(), iceberg.EntryContentData, path, iceberg.ParquetFile, nil, nil, nil, fs.Added, 100)
	require.NoError(t, err)
	fs.Files = []iceberg.DataFile{b.Build()}
	return fs
}

func (l *line) commit(t *testing.T) {
	t.Helper()
	l.now = l.now.Add(10 * time.Second)
	fs := l.batch(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	res, err := l.w.Commit(t.Context(), fs)
	c := cost{took: time.Since(began)}
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, commit.Landed, res.Outcome)
	c.allocs = after.TotalAlloc - before.TotalAlloc
	c.list = sizeOf(t, l.w.Iceberg().CurrentSnapshot().ManifestList)
	c.metadata = sizeOf(t, l.w.Iceberg().MetadataLocation())
	l.costs = append(l.costs, c)
}

func took(c cost) time.Duration { return c.took }
func allocs(c cost) uint64      { return c.allocs }
func metadata(c cost) int64     { return c.metadata }
func list(c cost) int64         { return c.list }

func sizeOf(t *testing.T, location string) int64 {
	t.Helper()
	u, err := url.Parse(location)
	require.NoError(t, err)
	info, err := os.Stat(u.Path)
	require.NoError(t, err)
	return info.Size()
}

// describe tells what commits around the nth cost: half of them at most that much, and all of them together, rounds
// of upkeep included.
func (l *line) describe(n int) string {
	to := min(n+flatAround, len(l.costs))
	part := l.costs[max(0, to-2*flatAround):to]
	var sum time.Duration
	for _, c := range part {
		sum += c.took
	}
	return fmt.Sprintf("p50 %v, mean %v, %d KB allocated, metadata %d KB, manifest list %d B", p50(l.costs, n, took).Round(10*time.Microsecond),
		(sum / time.Duration(len(part))).Round(10*time.Microsecond), p50(l.costs, n, allocs)>>10, p50(l.costs, n, metadata)>>10, p50(l.costs, n, list))
}

// A commit costs the same whatever came before: in time, in memory and in the size of what it writes. Times are those
// of a long table and of a young one in turn, so that what else the machine does falls on both.
func TestCommitCostIsFlat(t *testing.T) {
	f := func(name string, open func(t *testing.T) catalog.Catalog) {
		t.Run(name, func(t *testing.T) {
			cat, n := open(t), *flatCommits
			long := newLine(t, cat, "long", *flatPartitions)
			for range n - flatAround {
				long.commit(t)
			}
			for at := 100; at < n; at *= 2 {
				t.Logf("commit %d: %s", at, long.describe(at))
			}
			young := newLine(t, cat, "young", *flatPartitions)
			for range 100 - flatAround {
				young.commit(t)
			}
			for range 2 * flatAround {
				long.commit(t)
				young.commit(t)
			}
			t.Logf("commit %d: %s", n, long.describe(n))
			t.Logf("commit 100: %s", young.describe(100))
			require.LessOrEqual(t, p50(long.costs, n, metadata), p50(young.costs, 100, metadata)*3/2, "metadata.json")
			require.LessOrEqual(t, p50(long.costs, n, list), p50(young.costs, 100, list)*3/2, "manifest list")
			if n >= flatTimed {
				require.LessOrEqual(t, p50(long.costs, n, took), p50(young.costs, 100, took)*3/2, "time")
			}
		})
	}
	f("sqlite", func(t *testing.T) catalog.Catalog { return openSQLite(t, t.TempDir()) })
	f("rest", func(t *testing.T) catalog.Catalog { return newRESTServer(t, t.TempDir()).open(t) })
}
