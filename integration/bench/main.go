// Command bench is the public benchmark: ingestd, a straightforward Go program, Kafka Connect with Iceberg's sink, Spark Structured
// Streaming and Flink read the same topics of a real broker into Iceberg tables on the local disk, one after the other, in rounds.
//
// Counted are the CPU-seconds of the whole process tree, the peak of its resident memory, the time, the size of the files;
// each table is then read by PyIceberg and DuckDB and compared with the topic. Broker, registry and checks are outside.
// All of it is kept in results.json, from which the table of docs/BENCHMARKS.md and the plots are made; a test holds them to it.
// A program that cannot be installed or fails stands in the table with the reason.
//
// It needs Linux: the process tree is read from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ingestd/ingestd/integration/stack"
)

// options are the command line.
type options struct {
	ingestd string
	n       int
	rounds  int
	only    *regexp.Regexp
	formats []string
	out     string
	keep    bool
}

const synopsis = "usage: bench [-ingestd FILE] [-n N] [-rounds N] [-formats avro,json] [-only REGEXP] [-out FILE] [-keep]"

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&o.ingestd, "ingestd", "bin/ingestd", "the binary to measure")
	fs.IntVar(&o.n, "n", 2_000_000, "events in each topic")
	fs.IntVar(&o.rounds, "rounds", 3, "interleaved rounds")
	formats := fs.String("formats", "avro", "value formats: avro, json or both, separated by a comma")
	only := fs.String("only", "", "regular expression over the programs' names; the others are left out, and nothing is kept without -out")
	fs.StringVar(&o.out, "out", "", "where to keep the results (default: integration/bench/results.json, and the document and plots made from it)")
	fs.BoolVar(&o.keep, "keep", false, "leave broker and topics for the next run")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.formats = strings.Split(*formats, ",")
	known := func(f string) bool { return f == "avro" || f == "json" }
	if fs.NArg() > 0 || o.n < 1 || o.rounds < 1 || slices.ContainsFunc(o.formats, func(f string) bool { return !known(f) }) {
		return o, errors.New(synopsis)
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.ingestd, err = filepath.Abs(o.ingestd)
	return o, err
}

// publish says whether the run is kept as the one the document is made from.
func (o options) publish() bool { return o.out == "" && o.only.String() == "" }

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := adoptOrphans(); err != nil {
		return err
	}
	s, err := stack.Find(os.Stderr, stack.FullJIT())
	if err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx), true)) }()
	}
	if err := s.Start(ctx, "kafka", "registry", "readers"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ingestd-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, stack: s, dir: dir}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	r := &results{Started: time.Now().UTC().Truncate(time.Second), Command: command(args), Machine: describeMachine(), Records: o.n, Rounds: o.rounds}
	b.plan(ctx, r)
	wrong, err := b.rounds(ctx, r)
	if err != nil {
		return err // half a run is not kept
	}
	if err := b.keepResults(r); err != nil {
		return err
	}
	fmt.Fprint(os.Stdout, resultTable(r))
	return wrong
}

// command is how to make the same run again.
func command(args []string) string {
	var own []string
	for i := 0; i < len(args); i++ {
		if strings.HasPrefix(args[i], "-ingestd") {
			i++ // its value
			continue
		}
		own = append(own, args[i])
	}
	if len(own) == 0 {
		return "make bench-public"
	}
	return "make bench-public BENCH_ARGS='" + strings.Join(own, " ") + "'"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
