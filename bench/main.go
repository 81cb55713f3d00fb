package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ingestd/ingestd/bench/records"
	"github.com/ingestd/ingestd/integration/events"
	"github.com/ingestd/ingestd/table/parquet"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// options are the command line.
type options struct {
	records, rounds int
	events          int
	minTime         time.Duration
	match, profile  string
}

func run(args []string, out io.Writer) error {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.IntVar(&o.records, "n", 200_000, "records in a file")
	fs.IntVar(&o.rounds, "rounds", 5, "rounds to take the median of")
	fs.IntVar(&o.events, "events", 0, "measure this many events of the end-to-end set as well")
	fs.DurationVar(&o.minTime, "time", 400*time.Millisecond, "least CPU time of a candidate in a round")
	fs.StringVar(&o.match, "match", "", "only candidates whose name contains this")
	fs.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to this file")
	if err := fs.Parse(args); err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	cands, err := candidates(o)
	if err != nil {
		return err
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	results, err := measure(cands, o.rounds, o.minTime)
	if err != nil {
		return err
	}
	return report(out, results)
}

// candidates builds the pipelines over one set of events.
func candidates(o options) ([]candidate, error) {
	drawn := records.Generate(o.records, 1)
	binary := records.Avro(drawn)
	text, err := records.JSON(drawn)
	if err != nil {
		return nil, err
	}
	decodeAvro, err := naiveAvro()
	if err != nil {
		return nil, err
	}
	const avroBase, jsonBase = "naive avro", "naive json"
	list := []candidate{
		{name: avroBase, run: counted(func(w io.Writer) error { return naive(binary, w, decodeAvro) })},
		{name: "avro compat", base: avroBase, gate: 6, noAlloc: true},
		{name: "avro delta", base: avroBase, gate: 9, noAlloc: true},
		{name: jsonBase, run: counted(func(w io.Writer) error { return naive(text, w, naiveJSON) })},
		{name: "json compat", base: jsonBase, gate: 5, noAlloc: true},
		{name: "json delta", base: jsonBase, noAlloc: true},
	}
	var kept []candidate
	for _, c := range list {
		if !strings.Contains(c.name, o.match) {
			continue
		}
		if c.run == nil {
			if c.run, err = product(c.name, binary, text); err != nil {
				return nil, err
			}
		}
		c.perRun = o.records
		kept = append(kept, c)
	}
	return appendEventSet(kept, o)
}

// appendEventSet adds the product's pipelines over the set that the end-to-end benchmark uses, without gates: for its
// sizes, and to see where time goes there.
func appendEventSet(list []candidate, o options) ([]candidate, error) {
	if o.events == 0 {
		return list, nil
	}
	recs := eventSet(o.events)
	for _, encoding := range []parquet.Encoding{parquet.Compat, parquet.Delta} {
		p, err := avroPipeline(events.Schema, parquet.Options{Encoding: encoding})
		if err != nil {
			return nil, err
		}
		list = append(list, candidate{name: "event set " + encoding.String(), noAlloc: true, perRun: len(recs), run: p.counted(recs)})
	}
	return list, nil
}

// eventSet is the first n events as a lane that owns all four partitions sees them: fetch by fetch.
func eventSet(n int) [][]byte {
	const partitions, fetch = 4, 6000
	g := events.NewGenerator()
	drawn := make([]events.Event, partitions*fetch)
	var buf []byte
	var ends []int
	for at := 0; at < n; at += len(drawn) {
		drawn = drawn[:min(len(drawn), n-at)]
		for i := range drawn {
			drawn[i].Tags = nil
			g.Next(&drawn[i])
		}
		for p := range partitions {
			for i := p; i < len(drawn); i += partitions {
				buf = events.AppendAvro(buf, 1, &drawn[i])
				ends = append(ends, len(buf))
			}
		}
	}
	out := make([][]byte, len(ends))
	start := 0
	for i, end := range ends {
		out[i] = buf[start+framing : end : end]
		start = end
	}
	return out
}

// framing is the magic byte and the schema id before a record.
const framing = 5

// product builds the pipeline of that name: input format and parquet encoding.
func product(name string, binary, text [][]byte) (func() (int64, error), error) {
	format, encoding, _ := strings.Cut(name, " ")
	var o parquet.Options
	if encoding == parquet.Delta.String() {
		o.Encoding = parquet.Delta
	}
	recs := binary
	build := func() (*pipeline, error) { return avroPipeline(records.Schema, o) }
	if format == "json" {
		recs = text
		build = func() (*pipeline, error) { return jsonPipeline(o) }
	}
	p, err := build()
	if err != nil {
		return nil, err
	}
	return p.counted(recs), nil
}

func (p *pipeline) counted(recs [][]byte) func() (int64, error) {
	return counted(func(w io.Writer) error {
		_, err := p.run(recs, w)
		return err
	})
}

// counter is a writer that only counts.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func counted(f func(io.Writer) error) func() (int64, error) {
	return func() (int64, error) {
		var c counter
		err := f(&c)
		return int64(c), err
	}
}

// report prints the table and fails when a gate does not hold.
func report(out io.Writer, results []result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "pipeline\tCPU ns/record\tk records/CPU-s\tallocs/record\tbytes/record\ttimes naive\tgate\t")
	var failures []string
	for _, r := range results {
		ratio, gate := "", ""
		if r.ratio > 0 {
			ratio = fmt.Sprintf("%.1f", r.ratio)
		}
		if r.gate > 0 {
			gate = fmt.Sprintf("%.1f", r.gate)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.3f\t%.2f\t%s\t%s\t\n", r.name, r.nanos, 1e6/r.nanos, r.allocs, r.bytes, ratio, gate)
		if f := r.failed(); f != "" {
			failures = append(failures, f)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(failures) > 0 {
		return fmt.Errorf("below the gates: %s", strings.Join(failures, "; "))
	}
	return nil
}
