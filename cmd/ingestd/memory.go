package main

import (
	"math"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
)

const (
	// commitReserve is what one commit in flight holds besides the data: metadata and manifests.
	commitReserve = 8 << 20
	// laneReserve is what a lane holds besides its columns: compressor windows and scratch.
	laneReserve = 8 << 20
	// processReserve is the program itself: code, catalog client, metrics.
	processReserve = 48 << 20
	// leastBuffer is the smallest budget for buffers that makes sense.
	leastBuffer = 32 << 20
	// gcPercent lets the heap grow between collections; the memory limit bounds it.
	gcPercent = 400
)

// applyMemory resolves memory.limit, sets the runtime's limit to it and gives what is left for buffers after the fixed
// reserves for what libraries hold.
func applyMemory(c *config.Config, stores *store.Stores) (buffers int64, err error) {
	limit := c.Memory.Limit.Resolve(availableMemory())
	buffers = limit - reserves(c, stores)
	if buffers < leastBuffer {
		return 0, failure.New(failure.Config, "E_MEMORY",
			"raise memory.limit, or lower consumer.fetch_max_bytes, consumer.max_batch_bytes or lanes",
			"memory.limit %s leaves %d MiB for buffers after %d MiB of fixed reserves, %d MiB are needed",
			c.Memory.Limit, buffers>>20, reserves(c, stores)>>20, int64(leastBuffer)>>20)
	}
	debug.SetMemoryLimit(limit)
	debug.SetGCPercent(gcPercent)
	return buffers, nil
}

// reserves add up what is held outside of the budget.
func reserves(c *config.Config, stores *store.Stores) int64 {
	n := int64(processReserve) + int64(lanes(c))*laneReserve + stores.UploadReserve()
	for _, s := range c.Sources {
		f := kafka.Fetch{MaxBytes: int32(s.Consumer.FetchMaxBytes), MaxBatchBytes: int32(s.Consumer.MaxBatchBytes)}
		n += f.Reserve(1)
	}
	return n + int64(min(len(c.Tables), 4))*commitReserve
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
