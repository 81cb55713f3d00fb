// Command commitload measures what commits cost: a daemon with many tables, each of which gets a few records a second
// and commits every two seconds. The broker is kfake in a process of its own (this program, started again), so that
// what is measured is the daemon alone. The histories of the tables are as long as they get, after -warm.
//
//	commitload -ingestd bin/ingestd -tables 50 -interval 2s -warm 11m -time 1m -most 40
//
// With -rewrite N there is a further table of N records, which the daemon rewrites all the time in every other phase. What
// is compared then is how old the oldest record of a commit is when it lands: the 99th percentile may grow by -growth percent.
//
//	commitload -ingestd bin/ingestd -tables 20 -interval 1s -warm 20s -time 3m -rewrite 2000000
//
// It prints the share of a core that the daemon used, and whose code used it. It ends with an error when that was more
// than -most percent, or when tables have committed less often than they should.
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
	ingestd  string
	tables   int
	interval time.Duration
	// warm is how long the daemon runs before it is measured, measure how long then.
	warm, measure time.Duration
	// most is the share of a core that is allowed, in percent.
	most float64
	// catalog is the address of a REST catalog, warehouse its warehouse; "" = SQLite and a local folder.
	catalog, warehouse string
	// storage is what stands under storage in the configuration.
	storage string
	// broker makes this process the broker.
	broker bool
	keep   string
	// heavy is the number of records of a further table, which is rewritten again and again in every other phase; 0 = none.
	heavy int
	phase time.Duration
	// growth is how many percent the delay of commits may grow by in these phases.
	growth float64
	// admin is where the daemon listens.
	admin string
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("commitload", flag.ContinueOnError)
	fs.StringVar(&o.ingestd, "ingestd", "bin/ingestd", "the binary to measure")
	fs.IntVar(&o.tables, "tables", 50, "tables, each with a topic")
	fs.DurationVar(&o.interval, "interval", 2*time.Second, "commit.interval")
	fs.DurationVar(&o.warm, "warm", 11*time.Minute, "how long the daemon runs before it is measured: histories grow for ten minutes")
	fs.DurationVar(&o.measure, "time", time.Minute, "how long it is measured")
	fs.Float64Var(&o.most, "most", 40, "percent of a core that are allowed")
	fs.StringVar(&o.catalog, "catalog", "", "address of a REST catalog; empty = SQLite and a local folder")
	fs.StringVar(&o.warehouse, "warehouse", "", "warehouse of the REST catalog")
	fs.StringVar(&o.storage, "storage", "{}", "storage in the configuration")
	fs.StringVar(&o.keep, "keep", "", "folder for what the daemon writes, its CPU profile too; it stays")
	fs.IntVar(&o.heavy, "rewrite", 0, "records of a further table that is rewritten all the time in every other phase")
	fs.DurationVar(&o.phase, "phase", 4*time.Second, "how long a phase is")
	fs.Float64Var(&o.growth, "growth", 20, "percent by which rewriting may make the 99th percentile of commits' delay grow")
	fs.BoolVar(&o.broker, "broker", false, "be the broker (used by the program itself)")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 || o.tables < 1 || o.interval <= 0 || o.measure < 2*o.interval {
		return o, errors.New("usage: commitload [-ingestd FILE] [-tables N] [-interval D] [-warm D] [-time D] [-most PERCENT]")
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
		return serve(ctx, o.tables, o.heavy)
	}
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ingestd-commitload-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	broker, stop, err := startBroker(ctx, o.tables, o.heavy)
	if err != nil {
		return err
	}
	defer stop()
	if o.admin, err = freeAddress(ctx); err != nil {
		return err
	}
	m, err := o.daemon(ctx, broker, dir)
	if err != nil {
		return err
	}
	due := float64(o.tables) * o.measure.Seconds() / o.interval.Seconds()
	share := 100 * m.cpu.Seconds() / m.wall.Seconds()
	fmt.Printf("%d tables, a commit every %v: %d commits in %.0f s, %.1f %% of a core, %.1f ms of CPU per commit\n", o.tables, o.interval,
		m.commits, m.wall.Seconds(), share, float64(m.cpu.Milliseconds())/float64(max(1, m.commits)))
	if o.heavy > 0 {
		return o.judge(m.log, m.rewrites)
	}
	if err := split(ctx, o.ingestd, m.profile, share); err != nil {
		return err
	}
	// A commit that takes long shifts the next one.
	if float64(m.commits) < 0.8*due {
		return fmt.Errorf("%d commits instead of %.0f", m.commits, due)
	}
	if share > o.most {
		return fmt.Errorf("that is more than %.0f %%", o.most)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "commitload:", err)
		os.Exit(1)
	}
}
