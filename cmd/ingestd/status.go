package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// watchEvery is how often --watch looks.
const watchEvery = 2 * time.Second

// statusFlags are what `status` takes from the command line.
type statusFlags struct {
	file  string
	admin string
	out   format
	watch bool
}

func (a *app) statusCommand() *cobra.Command {
	var f statusFlags
	c := &cobra.Command{
		Use:   "status (-c FILE | --admin URL) [TABLE]",
		Short: "Say how far the tables are, and why",
		Long: `Say how far the tables are, and why nothing was committed where nothing was. What a table contains comes from the table
itself, how much is left from the brokers, what the daemon is doing from its admin listener if it answers. With --admin
alone, only the daemon is asked.`,
		Example: `  ingestd status -c ingestd.yaml
  ingestd status -c ingestd.yaml shop.clicks -o json
  ingestd status --admin http://127.0.0.1:8282 --watch`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeTable(&f.file),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (f.file == "") == (f.admin == "") {
				return usagef("name either a configuration with -c FILE or a running daemon with --admin URL")
			}
			return a.status(cmd.Context(), f, args)
		},
	}
	addConfig(c, &f.file)
	addFormat(c, &f.out)
	c.Flags().StringVar(&f.admin, "admin", "", "`address` of a running daemon's admin listener, instead of a configuration")
	c.Flags().BoolVarP(&f.watch, "watch", "w", false, "look again every two seconds until interrupted")
	return c
}

func (a *app) status(ctx context.Context, f statusFlags, args []string) error {
	look, err := a.statusSource(f, args)
	if err != nil {
		return err
	}
	if !f.watch {
		r, err := look(ctx)
		if err != nil {
			return err
		}
		return a.writeStatus(r, f.out)
	}
	return a.untilSignal(ctx, func(ctx context.Context, stop <-chan struct{}) error {
		ticks := time.NewTicker(watchEvery)
		defer ticks.Stop()
		for {
			r, err := look(ctx)
			if isTerminal(a.Out) && f.out == formatText {
				fmt.Fprint(a.Out, "\x1b[H\x1b[2J")
			}
			// What is wrong may pass; it is told, and looked at again.
			if err == nil {
				_ = a.writeStatus(r, f.out)
			} else if ctx.Err() == nil {
				a.report(err)
			}
			select {
			case <-ticks.C:
			case <-stop:
				return nil
			case <-ctx.Done():
				return nil
			}
		}
	})
}

// statusSource gives the function that looks once.
func (a *app) statusSource(f statusFlags, args []string) (look func(context.Context) (statusReport, error), err error) {
	if f.file == "" {
		live := newAdminClient(f.admin)
		return func(ctx context.Context) (statusReport, error) { return live.report(ctx, args) }, nil
	}
	conf, err := a.load(f.file)
	if err != nil {
		return nil, err
	}
	tables, err := chosen(conf, args)
	if err != nil {
		return nil, err
	}
	var live *adminClient
	if listen := conf.Admin.Listen; listen != "" && listen != "off" {
		live = newAdminClient("http://" + listen)
	}
	return func(ctx context.Context) (statusReport, error) {
		env, err := newEnvironment(conf)
		if err != nil {
			return statusReport{}, err
		}
		defer env.close()
		return lookAtTables(ctx, env, tables, live), nil
	}, nil
}

// isTerminal says whether somebody looks at what is written there.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
