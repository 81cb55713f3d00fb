package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/demo"
	"github.com/ingestd/ingestd/internal/verify"
)

// demoFlags are what `demo` takes from the command line.
type demoFlags struct {
	dir           string
	records       int64
	untilCaughtUp bool
	listen        string
	seed          uint64
	out           format
}

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a shop's events, a broker, a registry and the daemon in one process",
		Long: `See it work. The demo starts a broker and a schema registry in this process, lets a made-up shop produce a click stream
(Avro) and an application log (JSON), and runs the real daemon on them, with a SQLite catalog and a local warehouse. It
prints the lines that read the tables from DuckDB, PyIceberg, Spark and Trino, and a line per commit.

Without --until-caught-up it goes on until it is interrupted; started again with the same --dir it goes on where it was.`,
		Example: `  ingestd demo
  ingestd demo --dir ingestd-demo
  ingestd demo --records 2000000 --until-caught-up -o json     ingest two million records, prove it, and end`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.records < 0 {
				return usagef("--records must not be negative")
			}
			if f.out == formatJSON && !f.untilCaughtUp {
				return usagef("-o json needs --until-caught-up: a demo without an end has no result")
			}
			return a.demo(cmd, f)
		},
	}
	addFormat(c, &f.out)
	c.Flags().StringVar(&f.dir, "dir", "", "`folder` for everything (default a new one in the temporary folder, which is kept)")
	c.Flags().Int64Var(&f.records, "records", demo.DefaultRecords, "`number` of records to produce as fast as possible at the start")
	c.Flags().BoolVar(&f.untilCaughtUp, "until-caught-up", false, "end when these records are in the tables, and verify them")
	c.Flags().StringVar(&f.listen, "listen", "", "`address` of the admin listener (default "+demo.DefaultListen+", or any free port)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "`number` that makes the events")
	return c
}

func (a *app) demo(cmd *cobra.Command, f demoFlags) error {
	o := demo.Options{
		Dir: f.dir, UntilCaughtUp: f.untilCaughtUp, Listen: f.listen, Seed: f.seed, Out: a.Out, Now: time.Now,
	}
	if cmd.Flags().Changed("records") || f.untilCaughtUp {
		o.Records = &f.records
	}
	if f.out == formatJSON {
		// The result is the only thing on stdout.
		o.Out = a.Err
	}
	return a.untilSignal(cmd.Context(), func(ctx context.Context, stop <-chan struct{}) error {
		o.Stop = stop
		s, err := demo.Run(ctx, o, a.demoEnv())
		if !f.untilCaughtUp || s.Tables == nil {
			return err
		}
		if f.out == formatJSON {
			return errors.Join(writeJSON(a.Out, s), err)
		}
		return errors.Join(s.WriteText(a.Out), err)
	})
}

// demoEnv gives the demo the functions behind the commands it shows.
func (a *app) demoEnv() demo.Env {
	return demo.Env{
		Run: func(ctx context.Context, d demo.Daemon) error {
			return a.run(ctx, runOptions{file: d.Config, untilLatest: d.UntilLatest, stop: d.Stop, events: d.Events, quiet: true})
		},
		Verify: func(ctx context.Context, file string) (demo.Verdict, error) {
			conf, err := a.load(file)
			if err != nil {
				return demo.Verdict{}, err
			}
			v, err := verifyTables(ctx, conf, conf.Tables, verify.Source)
			if err == nil && !v.Verified {
				err = (&app{Streams: Streams{Out: a.Err, Err: io.Discard}}).writeVerification(v, formatText)
			}
			return demo.Verdict{Proven: v.Verified, Level: string(v.Level)}, ignoreSilent(err)
		},
		Tables: func(ctx context.Context, file string) ([]demo.Table, error) {
			conf, err := a.load(file)
			if err != nil {
				return nil, err
			}
			return describeTables(ctx, conf)
		},
	}
}

// ignoreSilent drops an error whose text was written already.
func ignoreSilent(err error) error {
	var silent silentError
	if errors.As(err, &silent) {
		return nil
	}
	return err
}

// describeTables says what every table of a configuration is like now.
func describeTables(ctx context.Context, conf *config.Config) ([]demo.Table, error) {
	env, err := newEnvironment(conf)
	if err != nil {
		return nil, err
	}
	defer env.close()
	var out []demo.Table
	for _, t := range conf.Tables {
		loaded, err := env.load(ctx, env.table(t.Name))
		if err != nil {
			return nil, err
		}
		d := demo.Table{Name: t.Name}
		if loaded.Exists() {
			d.MetadataLocation = loaded.Iceberg().MetadataLocation()
			d.Snapshots = len(loaded.Metadata().Snapshots())
			if head := headOf(loaded.Metadata(), t.Branch); head != nil {
				d.Rows = summaryNumber(head, "total-records")
				d.DataFiles = int(summaryNumber(head, "total-data-files"))
				d.Bytes = summaryNumber(head, "total-files-size")
			}
		}
		out = append(out, d)
	}
	return out, nil
}
