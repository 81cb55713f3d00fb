package main

import (
	"fmt"
	"runtime/metrics"

	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/admin"
)

// Budget implements admin.Status.
func (d *process) Budget() admin.Budget {
	b := d.pipeline.Budget()
	out := admin.Budget{
		LimitBytes: b.Limit, BuffersBytes: b.Limit, HeldBytes: b.Held, Refusing: b.Refusing,
		Tables: holdings(b.Tables), Reserves: holdings(b.Reserves),
	}
	for _, r := range b.Reserves {
		out.LimitBytes += r.Reserved
	}
	counted := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(counted)
	out.HeapBytes = int64(counted[0].Value.Uint64())
	out.RuntimeBytes = int64(counted[1].Value.Uint64() - counted[2].Value.Uint64())
	return out
}

func holdings(list []ingest.Holding) []admin.Holding {
	out := make([]admin.Holding, 0, len(list))
	for _, h := range list {
		out = append(out, admin.Holding{Name: h.Name, HeldBytes: h.Held, ReservedBytes: h.Reserved})
	}
	return out
}

// budgetText is the budget in one line.
func budgetText(b admin.Budget) string {
	const mib = 1 << 20
	s := fmt.Sprintf("memory: tables hold %d of %d MiB; memory.limit is %d MiB", b.HeldBytes/mib, b.BuffersBytes/mib, b.LimitBytes/mib)
	if len(b.Tables) > 0 {
		s += fmt.Sprintf("; most is held by %s (%d MiB)", b.Tables[0].Name, b.Tables[0].HeldBytes/mib)
	}
	if b.Refusing {
		s += "; partitions wait for room"
	}
	return s
}
