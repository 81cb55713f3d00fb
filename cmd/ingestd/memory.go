package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	// commitReserve is what one commit in flight holds besides the data: metadata and manifests.
	commitReserve = 8 << 20
	// laneReserve is what a lane holds besides its columns: compressor windows and scratch.
	laneReserve = 8 << 20
	// processReserve is the program itself: code, catalog client, metrics.
	processReserve = 32 << 20
	// leastBuffer is the smallest budget for buffers that makes sense.
	leastBuffer = 32 << 20
	// leastFetch and fetchShare bound a fetch under a small limit: what it holds decompressed and as records is several
	// times its size.
	leastFetch = 1 << 20
	fetchShare = 64
	// mostParts and uploadShare bound the parts of uploads in flight.
	mostParts   = 4
	uploadShare = 8
	// gcPercent lets the heap grow between collections; the memory limit bounds it.
	gcPercent = 400
)

// applyMemory sets the runtime's limit to memory.limit and gives the pipeline what is left for buffers after the fixed
// reserves for what libraries hold.
func applyMemory(c *config.Config, o *ingest.Options) error {
	limit := memoryLimit(c)
	o.Reserves = reserves(c, o)
	held := o.Reserves.Total()
	o.Memory = limit - held
	if o.Memory < leastBuffer {
		return failure.New(failure.Config, "E_MEMORY",
			"raise memory.limit, or lower consumer.max_batch_bytes, storage.s3.part_size, maintenance.memory or lanes",
			"memory.limit %s leaves %d MiB for buffers after %d MiB of fixed reserves, %d MiB are needed",
			c.Memory.Limit, o.Memory>>20, held>>20, int64(leastBuffer)>>20)
	}
	debug.SetMemoryLimit(limit)
	debug.SetGCPercent(gcPercent)
	return nil
}

func memoryLimit(c *config.Config) int64 { return c.Memory.Limit.Resolve(availableMemory()) }

// reserves are what is set aside for what cannot be charged as it comes.
func reserves(c *config.Config, o *ingest.Options) ingest.Reserves {
	r := ingest.Reserves{
		Process: processReserve,
		Lanes:   int64(lanes(c)) * int64(len(o.Sources)) * laneReserve,
		Commits: int64(min(len(c.Tables), 4)) * commitReserve,
	}
	for _, s := range o.Sources {
		r.Queues += s.Fetch.Queue()
		r.Fetches += s.Fetch.Reserve(1) - s.Fetch.Queue()
	}
	if c.Maintenance.Enabled || c.Admin.AllowMaintenance {
		r.Maintenance = int64(c.Maintenance.Memory)
	}
	if mayUpload(c) {
		r.Uploads = o.Stores.UploadReserve()
	}
	return r
}

// fetchBytes is the size of a fetch: what is configured, less under a small limit.
func fetchBytes(c *config.Config, s config.Source) int32 {
	return int32(min(int64(s.Consumer.FetchMaxBytes), max(leastFetch, memoryLimit(c)/fetchShare)))
}

// uploadParts is how many parts of uploads are held at once: fewer under a small limit.
func uploadParts(c *config.Config, partSize int64) int {
	return int(min(mostParts, max(1, memoryLimit(c)/uploadShare/max(1, partSize))))
}

// mayUpload says whether files may go to an object store. Where a REST catalog puts tables is its own business.
func mayUpload(c *config.Config) bool {
	scheme, _, isURI := strings.Cut(c.Catalog.Warehouse, "://")
	return c.Catalog.Type != config.CatalogSQLite || isURI && scheme != "file"
}

func lanes(c *config.Config) int {
	if c.Lanes > 0 {
		return c.Lanes
	}
	return runtime.GOMAXPROCS(0)
}

// availableMemory is the limit of the cgroup, or the machine's memory.
func availableMemory() int64 {
	n, err := memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 1 << 30
	}
	return int64(n)
}
