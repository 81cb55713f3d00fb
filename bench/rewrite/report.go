package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// report prints the table and fails when a gate does not hold.
func report(out io.Writer, results []result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "rewrite of small files\tCPU s\tk rows/CPU-s\tMB/CPU-s\tout/in\tpeak MB\ttimes "+library+"\tgate\t")
	var failures []error
	for i := range results {
		r := &results[i]
		cpu := float64(r.median(func(s *sample) int64 { return s.CPU })) / 1e9
		s := &r.samples[0]
		ratio, gate := "", ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.1f", r.ratio)
		}
		if r.gate > 0 {
			gate = fmt.Sprintf("%.1f", r.gate)
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.0f\t%.0f\t%.3f\t%d\t%s\t%s\t\n", r.name, cpu, float64(s.Rows)/cpu/1e3, float64(s.In)/cpu/1e6,
			float64(s.Out)/float64(s.In), r.peak()>>20, ratio, gate)
		failures = append(failures, r.misses(results))
	}
	return errors.Join(w.Flush(), errors.Join(failures...))
}

// peak is the median of the peaks of memory.
func (r *result) peak() int64 { return r.median(func(s *sample) int64 { return s.RSS }) }

// misses tells which gates a result does not hold.
func (r *result) misses(results []result) error {
	var errs []error
	if r.gate > 0 && r.ratio > 0 && r.ratio < r.gate {
		errs = append(errs, fmt.Errorf("%s is %.1f times as fast as %s; the gate is %.1f", r.name, r.ratio, library, r.gate))
	}
	if r.way() != library && r.peak() > memoryGate {
		errs = append(errs, fmt.Errorf("%s takes %d MB; the gate is %d", r.name, r.peak()>>20, memoryGate>>20))
	}
	if r.way() == twice {
		for i := range results {
			if once := &results[i]; once.name == strings.TrimSuffix(r.name, " twice") && float64(r.peak()) > flatGate*float64(once.peak()) {
				errs = append(errs, fmt.Errorf("%s takes %d MB, not %d: memory depends on the number of files", r.name, r.peak()>>20, once.peak()>>20))
			}
		}
	}
	return errors.Join(errs...)
}
