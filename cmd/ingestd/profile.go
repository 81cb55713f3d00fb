package main

import (
	"context"
	"errors"
	"os"
	"runtime/metrics"
	"runtime/pprof"
	"time"

	"github.com/ingestd/ingestd/internal/failure"
)

// profiled runs f and writes a CPU profile of it to a file; without a name it only runs f. The profile tells where a
// slow run spends its time, and is what default.pgo is made of.
func profiled(name string, f func() error) error {
	if name == "" {
		return f()
	}
	file, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		return failure.Wrap(err, failure.Config, "E_PROFILE", "choose another file for --cpuprofile", "writing a CPU profile")
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

// heapEvery is how often the heap is looked at for its peak; a profile is written when it has grown by a tenth.
const heapEvery = 200 * time.Millisecond

// watchHeap writes a heap profile to the file whenever the heap is larger than ever before, until ctx ends.
func watchHeap(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	tick := time.NewTicker(heapEvery)
	defer tick.Stop()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	var peak uint64
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		metrics.Read(heap)
		held := heap[0].Value.Uint64()
		if held < peak+peak/10 {
			continue
		}
		peak = held
		if err := writeHeap(name); err != nil {
			return failure.Wrap(err, failure.Config, "E_PROFILE", "choose another file for --heapprofile", "writing a heap profile")
		}
	}
}

func writeHeap(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(file), file.Close())
}
