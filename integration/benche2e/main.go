// Command benche2e measures ingestd end to end: a real broker, zstd topics of the event set, a SQLite catalog and a
// local warehouse, beside naivedict, the straightforward pipeline. The unit is records per CPU-second, user and
// system time of the measured process alone: the broker and the checks are outside.
//
// CPU-seconds move by tens of per cent on a shared machine, so cases are interleaved in rounds and the medians are
// compared. Every run's row count is checked; a wrong count ends the benchmark.
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
	"syscall"

	"github.com/ingestd/ingestd/integration/stack"
)

// options are the command line.
type options struct {
	ingestd string
	n       int
	rounds  int
	only    *regexp.Regexp
	keep    bool
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("benche2e", flag.ContinueOnError)
	fs.StringVar(&o.ingestd, "ingestd", "bin/ingestd", "the binary to measure")
	fs.IntVar(&o.n, "n", 5_000_000, "events in each topic")
	fs.IntVar(&o.rounds, "rounds", 3, "interleaved rounds")
	only := fs.String("only", "", "regular expression over case names")
	fs.BoolVar(&o.keep, "keep", false, "leave broker and topics for the next run")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 || o.n < 1 || o.rounds < 1 {
		return o, errors.New("usage: benche2e [-ingestd FILE] [-n N] [-rounds N] [-only REGEXP] [-keep]")
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.ingestd, err = filepath.Abs(o.ingestd)
	return o, err
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	s, err := stack.Find(os.Stderr, stack.FullJIT())
	if err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, s.Stop(context.WithoutCancel(ctx), true)) }()
	}
	if err := s.Start(ctx, "kafka", "registry"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ingestd-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, stack: s, dir: dir}
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.fillTopics(ctx); err != nil {
		return err
	}
	results, err := b.rounds(ctx)
	if err != nil {
		return err
	}
	report(os.Stdout, o, results)
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "benche2e:", err)
		os.Exit(1)
	}
}
