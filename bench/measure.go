package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// candidate is one pipeline in the comparison.
type candidate struct {
	name    string
	base    string  // name of the candidate it is compared with
	gate    float64 // times the base's speed it must reach; 0 is not gated
	noAlloc bool
	perRun  int // records in a run
	run     func() (size int64, err error)
}

// result is the medians of a candidate.
type result struct {
	candidate
	nanos  float64 // of CPU time per record
	allocs float64 // per record
	bytes  float64 // of the file, per record
	ratio  float64 // to the base of the same round
}

// allocLimit is what counts as none: pages and files still cost an allocation now and then.
const allocLimit = 0.01

// measure runs all candidates once to warm up and then in turn, at least minTime of CPU time per candidate and round.
func measure(cands []candidate, rounds int, minTime time.Duration) ([]result, error) {
	samples := make([]struct{ nanos, allocs, bytes []float64 }, len(cands))
	for round := -1; round < rounds; round++ {
		for i := range cands {
			limit := minTime
			if round < 0 {
				limit = 0
			}
			r, err := sample(&cands[i], limit)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cands[i].name, err)
			}
			if round >= 0 {
				s := &samples[i]
				s.nanos, s.allocs, s.bytes = append(s.nanos, r.nanos), append(s.allocs, r.allocs), append(s.bytes, r.bytes)
			}
		}
	}
	results := make([]result, len(cands))
	for i := range cands {
		results[i] = result{candidate: cands[i], nanos: median(samples[i].nanos), allocs: median(samples[i].allocs), bytes: median(samples[i].bytes)}
	}
	for i := range results {
		base := slices.IndexFunc(results, func(r result) bool { return r.name == results[i].base })
		if base < 0 {
			continue
		}
		var ratios []float64
		for round, nanos := range samples[i].nanos {
			ratios = append(ratios, samples[base].nanos[round]/nanos)
		}
		results[i].ratio = median(ratios)
	}
	return results, nil
}

// sample runs one candidate until minTime has passed.
func sample(c *candidate, minTime time.Duration) (result, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	n := 0
	var size int64
	for n == 0 || cpuTime()-start < minTime {
		var err error
		if size, err = c.run(); err != nil {
			return result{}, err
		}
		n += c.perRun
	}
	took := cpuTime() - start
	runtime.ReadMemStats(&after)
	return result{
		nanos:  float64(took.Nanoseconds()) / float64(n),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		bytes:  float64(size) / float64(c.perRun),
	}, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// failed says in words what is wrong with a result, or nothing. Without its base a candidate has no ratio.
func (r *result) failed() string {
	if r.gate > 0 && r.ratio > 0 && r.ratio < r.gate {
		return fmt.Sprintf("%s is %.1f times as fast as %s; the gate is %.1f", r.name, r.ratio, r.base, r.gate)
	}
	if r.noAlloc && r.allocs > allocLimit {
		return fmt.Sprintf("%s allocates %.2f times per record", r.name, r.allocs)
	}
	return ""
}
