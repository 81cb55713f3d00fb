package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// runOptions are what a run takes besides its configuration.
type runOptions struct {
	file         string
	untilLatest  bool
	acceptConfig bool
	// cpuProfile is the file a CPU profile of the run goes to; empty = none.
	cpuProfile string
	// heapProfile is the file a heap profile at the peak goes to; empty = none.
	heapProfile string
	// stop drains when it is closed; nil leaves that to signals.
	stop <-chan struct{}
	// events gets what happens, besides log and metrics; nil = nobody.
	events event.Sink
	// quiet leaves the log out.
	quiet bool
	// ready is called when the daemon has started; nil = nobody.
	ready func()
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the daemon: consume the topics, write the tables",
		Long: `Consume the configured topics and commit Iceberg snapshots until told to stop.

SIGTERM or SIGINT drains: what was read is committed, then the process ends. A second signal stops at once; nothing is
lost by that, since the tables say where to go on. SIGHUP takes over what may change while running.`,
		Example: `  ingestd run -c ingestd.yaml
  ingestd run -c ingestd.yaml --until-latest   # stop when everything that is there now is in the tables`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.untilSignal(cmd.Context(), func(ctx context.Context, stop <-chan struct{}) error {
				o.stop = stop
				return profiled(o.cpuProfile, func() error { return a.run(ctx, o) })
			})
		},
	}
	addConfig(cmd, &o.file)
	cmd.Flags().BoolVar(&o.untilLatest, "until-latest", false, "stop after reaching the offsets that are the latest at the start")
	cmd.Flags().BoolVar(&o.acceptConfig, "accept-config", false, "write with a configuration that the tables have moved on from")
	cmd.Flags().StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the whole run to this file (diagnostics)")
	cmd.Flags().StringVar(&o.heapProfile, "heapprofile", "", "write a heap profile at the peak of the heap to this file (diagnostics)")
	return cmd
}

// run is the daemon, top to bottom.
func (a *app) run(ctx context.Context, o runOptions) error {
	d, err := a.newProcess(ctx, o)
	if err != nil {
		return err
	}
	defer d.close()
	group := rungroup.New(ctx)
	group.Go(func(ctx context.Context) error {
		defer group.Stop()
		return d.pipeline.Run(ctx)
	})
	group.Go(d.keeper.Run)
	group.Go(d.serveAdmin)
	group.Go(d.watchStop)
	group.Go(d.watchReload)
	group.Go(d.watchdog)
	group.Go(func(ctx context.Context) error { return watchHeap(ctx, o.heapProfile) })
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	if o.ready != nil {
		o.ready()
	}
	return group.Wait()
}

// watchStop drains when the options' stop is closed.
func (d *process) watchStop(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-d.options.stop:
		d.log.Info("draining")
		_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
		d.pipeline.Drain()
	}
	return nil
}

// watchReload takes the configuration over again at SIGHUP.
func (d *process) watchReload(ctx context.Context) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
			d.reload()
		}
	}
}

// watchdog tells systemd that the process is running. A table that has stopped is no reason to restart it.
func (d *process) watchdog(ctx context.Context) error {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return nil
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		}
	}
}
