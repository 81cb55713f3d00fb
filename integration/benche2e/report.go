package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report prints one line per case: medians over the rounds, and the ratio to naivedict on the same topic.
func report(w io.Writer, o options, results map[string][]measurement) {
	fmt.Fprintf(w, "\n%d events, %d rounds, memory.limit %s, medians\n\n", o.n, o.rounds, memoryLimit)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "case\trecords/CPU-s\tx naivedict\tCPU s (all rounds)\twall s\tpeak RSS MiB\tbytes/row\tfiles\tsnapshots\t")
	for _, c := range cases() {
		ms := results[c.name]
		if len(ms) == 0 {
			continue
		}
		cpu := median(ms, func(m measurement) float64 { return m.cpu.Seconds() })
		all := make([]string, len(ms))
		for i, m := range ms {
			all[i] = fmt.Sprintf("%.2f", m.cpu.Seconds())
		}
		fmt.Fprintf(tw, "%s\t%.0f\t%s\t%s\t%.1f\t%.0f\t%.2f\t%.0f\t%.0f\t\n", c.name, float64(o.n)/cpu, ratio(c, cpu, results),
			strings.Join(all, " "), median(ms, func(m measurement) float64 { return m.wall.Seconds() }),
			median(ms, func(m measurement) float64 { return float64(m.rss) / (1 << 20) }),
			median(ms, func(m measurement) float64 { return float64(m.bytes) / float64(m.rows) }),
			median(ms, func(m measurement) float64 { return float64(m.files) }),
			median(ms, func(m measurement) float64 { return float64(m.snapshots) }))
	}
	tw.Flush()
}

// ratio compares with naivedict on the same format; "-" when it was not measured.
func ratio(c benchCase, cpu float64, results map[string][]measurement) string {
	base := results["naivedict "+c.format()]
	if len(base) == 0 || cpu == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", median(base, func(m measurement) float64 { return m.cpu.Seconds() })/cpu)
}

// median of a property; the lower middle of an even number.
func median(ms []measurement, of func(measurement) float64) float64 {
	values := make([]float64, len(ms))
	for i, m := range ms {
		values[i] = of(m)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	return values[(len(values)-1)/2]
}
