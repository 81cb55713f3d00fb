package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	// DefaultRecords is the backlog of a new demo.
	DefaultRecords = 100_000
	// liveRate is how many records a second the shop produces once the backlog is written.
	liveRate = 500
)

// Options say what the demo does.
type Options struct {
	// Dir is the folder of everything; "" makes a temporary one, which is kept.
	Dir string
	// Records is how many records are produced as fast as possible at the start. Nil takes DefaultRecords in a new
	// folder and none in one that has a demo in it.
	Records *int64
	// UntilCaughtUp ends the demo when these records are in the tables, and proves it.
	UntilCaughtUp bool
	// Listen is the address of the admin listener; "" takes DefaultListen, or any free port.
	Listen string
	// Seed makes the generated events; equal seeds make equal events in a new folder.
	Seed uint64
	// Out is where people read what happens.
	Out io.Writer
	// Stop is closed to end the demo politely.
	Stop <-chan struct{}
	// Now is the clock.
	Now func() time.Time
}

// Env is what the demo needs of ingestd: the functions behind its commands.
type Env struct {
	// Run is `ingestd run`.
	Run func(ctx context.Context, d Daemon) error
	// Verify is `ingestd verify --against-source` of every table.
	Verify func(ctx context.Context, config string) (Verdict, error)
	// Tables describes the tables as they are.
	Tables func(ctx context.Context, config string) ([]Table, error)
}

// Daemon says how the daemon is to run.
type Daemon struct {
	// Config is the configuration file.
	Config string
	// UntilLatest ends the run when every table has caught up with the ends its topics had at the start.
	UntilLatest bool
	// Stop is closed to drain.
	Stop <-chan struct{}
	// Events gets what happens, besides the daemon's own subscribers.
	Events event.Sink
}

// demo is one run.
type demo struct {
	Options
	env      Env
	dir      string
	config   string
	listen   string
	records  int64
	services *services
	producer *producer
	progress *progress
	began    time.Time
}

// Run runs the demo until it has caught up or is stopped. The summary is for a run until it has caught up.
func Run(ctx context.Context, o Options, env Env) (summary Summary, err error) {
	d := &demo{Options: o, env: env, began: o.Now()}
	if err := d.start(ctx); err != nil {
		return Summary{}, errors.Join(err, d.close())
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.progress = newProgress(o.Now, tables)
	printing := rungroup.New(context.WithoutCancel(ctx))
	printing.Go(func(context.Context) error { d.progress.write(o.Out); return nil })
	defer func() {
		d.progress.finish()
		err = errors.Join(err, printing.Wait())
	}()
	d.progress.note("%s", d.intro())
	if o.UntilCaughtUp {
		return d.catchUp(ctx)
	}
	return Summary{}, d.live(ctx)
}

// start brings up everything around the daemon.
func (d *demo) start(ctx context.Context) (err error) {
	if d.dir, err = prepareDir(d.Dir); err != nil {
		return err
	}
	if d.services, err = startServices(ctx, d.dir); err != nil {
		return err
	}
	if d.listen, err = chooseListen(ctx, d.Listen); err != nil {
		return failure.Wrap(err, failure.Config, "E_DEMO_LISTEN", "choose another address with --listen, or leave it out", "starting the demo")
	}
	if d.config, err = writeSettings(d.dir, d.services, d.listen); err != nil {
		return err
	}
	first, err := freeID(d.dir)
	if err != nil {
		return err
	}
	d.records = d.backlog(first)
	if err := keepID(d.dir, first+d.records+idReserve); err != nil {
		return err
	}
	d.producer, err = newProducer(d.services, d.Seed, first, d.Now)
	return err
}

// backlog is how many records to produce at the start.
func (d *demo) backlog(firstID int64) int64 {
	switch {
	case d.Records != nil:
		return *d.Records
	case firstID == 0:
		return DefaultRecords
	default:
		return 0
	}
}

// close ends what start began, as far as that came.
func (d *demo) close() error {
	var kept, closed error
	if d.producer != nil {
		d.producer.close()
		kept = keepID(d.dir, d.producer.nextID())
	}
	if d.services != nil {
		closed = d.services.close()
	}
	return errors.Join(kept, closed)
}

// catchUp produces everything, lets the daemon ingest it to the end, and proves that it did.
func (d *demo) catchUp(ctx context.Context) (Summary, error) {
	producing, cancel := stoppable(ctx, d.Stop)
	defer cancel()
	if err := d.producer.burst(producing, d.records); err != nil {
		return Summary{}, d.interrupted(err)
	}
	d.progress.note("%s  produced %s records in %.1fs", clock(d.Now()), thousands(d.records), d.Now().Sub(d.began).Seconds())
	d.progress.restart()
	if err := d.env.Run(ctx, d.daemon(d.Stop)); err != nil {
		return Summary{}, err
	}
	caughtUp := d.Now()
	if stopped(d.Stop) {
		return Summary{}, d.interrupted(context.Canceled)
	}
	return d.prove(ctx, caughtUp)
}

// prove verifies the tables and sums up.
func (d *demo) prove(ctx context.Context, caughtUp time.Time) (Summary, error) {
	d.progress.note("%s  caught up, now comparing the tables with the topics", clock(caughtUp))
	verdict, err := d.env.Verify(ctx, d.config)
	if err != nil {
		return Summary{}, err
	}
	list, err := d.env.Tables(ctx, d.config)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{
		Records: d.records, Seconds: caughtUp.Sub(d.began).Seconds(), Verified: verdict.Proven, Level: verdict.Level, Tables: list,
		Dir: d.dir,
	}
	if !verdict.Proven {
		return s, failure.New(failure.Fatal, "E_DEMO_UNPROVEN", "ingestd verify -c "+d.config+" --against-source lists the ranges",
			"the tables do not equal their topics")
	}
	return s, nil
}

// live produces and ingests until it is stopped.
func (d *demo) live(ctx context.Context) error {
	drain := make(chan struct{})
	daemon := rungroup.New(ctx)
	producing, stop := stoppable(ctx, d.Stop)
	defer stop()
	daemon.Go(func(ctx context.Context) error {
		// A daemon that ends by itself ends the shop as well.
		defer stop()
		return d.env.Run(ctx, d.daemon(drain))
	})
	daemon.Go(func(ctx context.Context) error { return d.tellReaders(ctx, producing) })
	err := d.produce(producing)
	// The shop closes first: what it still produced is ingested.
	close(drain)
	return errors.Join(err, daemon.Wait())
}

func (d *demo) produce(ctx context.Context) error {
	err := d.producer.burst(ctx, d.records)
	if err == nil {
		err = d.producer.stream(ctx, liveRate)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// tellReaders prints how to read the tables once there is something to read.
func (d *demo) tellReaders(ctx, producing context.Context) error {
	select {
	case <-d.progress.ready:
		d.progress.note("%s", d.servedLines(ctx))
	case <-producing.Done():
	case <-ctx.Done():
	}
	return nil
}

func (d *demo) daemon(stop <-chan struct{}) Daemon {
	return Daemon{Config: d.config, UntilLatest: d.UntilCaughtUp, Stop: stop, Events: d.progress}
}

// interrupted says why a demo that was to catch up did not.
func (d *demo) interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return failure.New(failure.Fatal, "E_DEMO_STOPPED", "run it again with --dir "+d.dir+": it goes on where it was",
			"the demo was stopped before it caught up")
	}
	return err
}

// stoppable is a context that ends when stop is closed as well.
func stoppable(parent context.Context, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	waiting := rungroup.New(ctx)
	waiting.Go(func(ctx context.Context) error {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
		return nil
	})
	return ctx, cancel
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// intro says what runs where.
func (d *demo) intro() string {
	return fmt.Sprintf(`ingestd demo in %s
  broker    %s  topics %s (%d partitions, Avro), %s (%d partitions, JSON)
  registry  %s
  admin     http://%s
  config    %s`,
		d.dir, d.services.brokers[0], clicksTopic, clicksPartitions, logsTopic, logsPartitions, d.services.registry, d.listen, d.config)
}
