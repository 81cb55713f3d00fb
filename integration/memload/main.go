// Command memload measures how much memory ingestd takes while it catches up: many partitions over many tables, records
// of very different sizes, a small memory.limit. The broker is kfake in a process of its own (this program, started
// again), so that what is measured is the daemon alone.
//
//	memload -ingestd bin/ingestd -n 5000000 -tables 50 -partitions 20 -limit 256MiB -most 512
//
// It ends with an error when a row is missing, a table is not running, or the peak was above -most MiB.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	load
	ingestd string
	limit   string
	// most is the peak in MiB that is allowed.
	most     int64
	deadline time.Duration
	// broker makes this process the broker.
	broker bool
	// keep is a folder for the daemon's files and log; "" = a temporary one.
	keep string
	// profile is a file for the daemon's heap profile at its peak.
	profile string
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("memload", flag.ContinueOnError)
	fs.StringVar(&o.ingestd, "ingestd", "bin/ingestd", "the binary to measure")
	fs.IntVar(&o.records, "n", 5_000_000, "records over all topics")
	fs.IntVar(&o.tables, "tables", 50, "tables, each with a topic")
	fs.IntVar(&o.partitions, "partitions", 20, "partitions of each topic")
	fs.IntVar(&o.large, "large", 2000, "one record in so many is large, up to 1 MiB")
	fs.StringVar(&o.limit, "limit", "256MiB", "memory.limit")
	fs.Int64Var(&o.most, "most", 512, "MiB of peak RSS that are allowed")
	fs.DurationVar(&o.deadline, "deadline", 15*time.Minute, "how long the daemon may take")
	fs.StringVar(&o.keep, "keep", "", "folder for what the daemon writes; it stays")
	fs.StringVar(&o.profile, "heapprofile", "", "file for the daemon's heap profile at its peak")
	fs.BoolVar(&o.broker, "broker", false, "be the broker (used by the program itself)")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 || o.records < 1 || o.tables < 1 || o.partitions < 1 || o.large < 1 {
		return o, errors.New("usage: memload [-ingestd FILE] [-n N] [-tables N] [-partitions N] [-limit SIZE] [-most MiB]")
	}
	var err error
	o.ingestd, err = filepath.Abs(o.ingestd)
	return o, err
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.broker {
		return serve(ctx, o.load)
	}
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ingestd-memload-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	began := time.Now()
	broker, stop, err := startBroker(ctx, o.load)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%d records (%d MiB) in %d partitions of %d topics, produced in %.0f s\n", o.records, o.load.bytes()>>20,
		o.tables*o.partitions, o.tables, time.Since(began).Seconds())
	m, err := o.measure(ctx, broker, dir)
	if err != nil {
		return err
	}
	fmt.Printf("memory.limit %s: peak RSS %d MiB, %.1f s, %.1f CPU s, %d rows in %d data files\n",
		o.limit, m.rss>>20, m.wall.Seconds(), m.cpu.Seconds(), m.rows, m.files)
	if m.rss>>20 > o.most {
		return fmt.Errorf("the peak is above %d MiB", o.most)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "memload:", err)
		os.Exit(1)
	}
}
