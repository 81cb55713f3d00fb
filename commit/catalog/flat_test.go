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
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/outcome"
)

var (
	flatCommits    = flag.Int("flat.commits", 200, "commits of the tests that cost stays flat; times are gated from 5,000 on (make soak: 10,000)")
	flatPartitions = flag.Int("flat.partitions", 100, "source partitions of the tests that cost stays flat")
)

// flatTimed is the number of commits from which on times are compared.
const flatTimed = 5000

// cost is what one commit took.
type cost struct {
	took     time.Duration
	allocs   uint64
	metadata int64 // bytes of metadata.json
	list     int64 // bytes of the manifest list
}

// p50 takes the median of one measure over the commits around the nth.
func p50[T int64 | uint64 | time.Duration](costs []cost, n int, of func(cost) T) T {
	const around = 50
	part := costs[max(0, min(n, len(costs))-2*around):min(n, len(costs))]
	values := make([]T, len(part))
	for i, c := range part {
		values[i] = of(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// commitMany makes n commits of one file each, ten seconds of the table's clock apart.
func commitMany(t *testing.T, cat catalog.Catalog, n, partitions int) []cost {
	t.Helper()
	now := time.Now()
	env := commit.Env{Now: func() time.Time { return now }}
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, env)
	require.NoError(t, err)
	c := start()
	c.Start = nil
	key := func(p int) state.Key {
		return state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "clicks", ID: [16]byte{1}}, Partition: strconv.Itoa(p)}
	}
	for p := range partitions {
		c.Start = append(c.Start, commit.Step{Key: key(p), To: "0"})
	}
	require.NoError(t, w.Create(t.Context(), c))
	costs := make([]cost, n)
	for i := range costs {
		now = now.Add(10 * time.Second)
		fs := commit.FileSet{SchemaID: w.Schema().ID}
		from, to := state.Position(strconv.Itoa(i*1000)), state.Position(strconv.Itoa((i+1)*1000))
		for p := range partitions {
			fs.Steps = append(fs.Steps, commit.Step{Key: key(p), From: from, To: to, Counts: outcome.Counts{outcome.Written: 1000}, Added: 1000, Note: []byte("0123456789")})
		}
		if i == 0 {
			for p := range fs.Steps {
				fs.Steps[p].From = "0"
			}
		}
		fs.Added = int64(partitions) * 1000
		path := fmt.Sprintf("%s/data/%s.parquet", w.Location(), uuid.NewString())
		b, err := iceberg.NewDataFileBuilder(w.PartitionSpec(), iceberg.EntryContentData, path, iceberg.ParquetFile, nil, nil, nil, fs.Added, 100)
		require.NoError(t, err)
		fs.Files = []iceberg.DataFile{b.Build()}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		res, err := w.Commit(t.Context(), fs)
		costs[i].took = time.Since(began)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Equal(t, commit.Landed, res.Outcome)
		costs[i].allocs = after.TotalAlloc - before.TotalAlloc
		costs[i].list = sizeOf(t, w.Iceberg().CurrentSnapshot().ManifestList)
		costs[i].metadata = sizeOf(t, w.Iceberg().MetadataLocation())
	}
	return costs
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

// A commit costs the same whatever came before: in time, in memory and in the size of what it writes.
func TestCommitCostIsFlat(t *testing.T) {
	f := func(name string, open func(t *testing.T) catalog.Catalog) {
		t.Run(name, func(t *testing.T) {
			n := *flatCommits
			costs := commitMany(t, open(t), n, *flatPartitions)
			for at := 100; at <= n; at = max(at+1, at*2) {
				t.Logf("commit %d: %v, %d KB allocated, metadata %d KB, manifest list %d KB", at,
					p50(costs, at, took), p50(costs, at, allocs)>>10, p50(costs, at, metadata)>>10, p50(costs, at, list)>>10)
			}
			if n < flatTimed {
				return // too few to be flat yet, and times of a busy machine prove nothing
			}
			require.LessOrEqual(t, p50(costs, n, took), p50(costs, 100, took)*3/2, "time")
			require.LessOrEqual(t, p50(costs, n, metadata), p50(costs, 100, metadata)*4, "metadata.json: about 200 snapshots instead of 75")
			require.LessOrEqual(t, p50(costs, n, list), p50(costs, 100, list)*3/2, "manifest list")
		})
	}
	f("sqlite", func(t *testing.T) catalog.Catalog { return openSQLite(t, t.TempDir()) })
	f("rest", func(t *testing.T) catalog.Catalog { return newRESTServer(t, t.TempDir()).open(t) })
}
