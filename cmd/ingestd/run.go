package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// runFlags are what `run` takes from the command line: what cannot be reloaded.
type runFlags struct {
	file         string
	untilLatest  bool
	acceptConfig bool
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the daemon: consume the topics, write the tables",
		Long: `Run consumes the configured topics and commits Iceberg snapshots until it is told to stop.

SIGTERM or SIGINT drains: what was read is committed, then the process ends. A second signal stops at once; nothing is
lost by that, since the tables say where to go on. SIGHUP reloads what may change while running.`,
		Example: `  ingestd run -c ingestd.yaml
  ingestd run -c ingestd.yaml --until-latest   # stop when everything that is there now is in the tables`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), f) },
	}
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "configuration file")
	cmd.Flags().BoolVar(&f.untilLatest, "until-latest", false, "stop after reaching the offsets that are the latest at the start")
	cmd.Flags().BoolVar(&f.acceptConfig, "accept-config", false, "write with a configuration that the tables have moved on from")
	_ = cmd.MarkFlagRequired("config")
	return cmd
}

// run is the daemon, top to bottom.
func run(ctx context.Context, f runFlags) error {
	c, err := loadConfig(f.file)
	if err != nil {
		return err
	}
	d, err := newDaemon(ctx, c, f)
	if err != nil {
		return err
	}
	defer d.close()
	group := rungroup.New(ctx)
	group.Go(func(ctx context.Context) error {
		defer group.Stop()
		return d.pipeline.Run(ctx)
	})
	group.Go(d.serveAdmin)
	group.Go(d.watchSignals)
	group.Go(d.watchdog)
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	return group.Wait()
}

// watchSignals turns signals into what they ask for: the first TERM or INT drains, the second ends at once.
func (d *daemonProcess) watchSignals(ctx context.Context) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	draining := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				d.reload()
			case draining:
				return failure.New(failure.Retry, "E_INTERRUPTED", "the tables say where to go on at the next start", "stopped before everything that was read was committed")
			default:
				draining = true
				d.log.Info("draining", "signal", s.String())
				_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
				d.pipeline.Drain()
			}
		}
	}
}

// reload takes over what may change while running; anything else is listed and left as it was.
func (d *daemonProcess) reload() {
	next, err := loadConfig(d.file)
	if err != nil {
		d.log.Error("reloading: the old configuration stays", "error", failure.Describe(err))
		d.emit(event.ConfigReloaded{OK: false, At: time.Now()})
		return
	}
	changed, refused := config.Reloadable(d.config, next)
	if len(refused) > 0 {
		d.log.Error("reloading: these settings need a restart, the old configuration stays", "settings", fmt.Sprint(refused))
		d.emit(event.ConfigReloaded{OK: false, At: time.Now()})
		return
	}
	d.config = next
	d.pipeline.SetTrigger(trigger(next))
	d.setLogLevel(next)
	d.log.Info("reloaded", "settings", fmt.Sprint(changed))
	d.emit(event.ConfigReloaded{OK: true, At: time.Now()})
}

// watchdog tells systemd that the process lives, as long as the pipeline answers.
func (d *daemonProcess) watchdog(ctx context.Context) error {
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
			if d.pipeline.Alive(ctx) {
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}
}

