package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/failure"
)

const maintainLong = `Maintain a table once, now, from this process. The procedures have the names and results of Spark's, obey the table's
properties first, and are safe beside running daemons and beside each other: what lost a race is dropped whole.

With --dry-run each says what it would do, and why.`

// maintainFlags are what a procedure takes from the command line.
type maintainFlags struct {
	file    string
	dry     bool
	out     format
	options map[string]string
	engine  string
	where   string
}

// procedureResult is the result of a procedure.
type procedureResult interface {
	Explain(w io.Writer) error
}

// procedure carries a procedure out on an open table.
type procedure func(ctx context.Context, at maintained) (procedureResult, error)

// maintained is what a procedure works on.
type maintained struct {
	table *commit.Table
	// others gives the locations of the catalog's other tables.
	others func(context.Context) (map[string]string, error)
	env    compaction.Env
	engine compaction.Engine
	// entry is the table's in the file.
	entry  config.Table
	config *config.Config
}

func (a *app) maintainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "maintain",
		Short:   "Rewrite small files, now",
		Long:    maintainLong,
		Example: `  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --dry-run`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.rewriteDataFilesCommand(), a.rewriteManifestsCommand(), a.expireSnapshotsCommand(), a.removeOrphanFilesCommand(), a.jobsCommand())
	return c
}

func (a *app) jobsCommand() *cobra.Command {
	var file string
	var out format
	c := &cobra.Command{
		Use:   "jobs TABLE -c FILE",
		Short: "Show which procedures were carried out on a table, and which were interrupted",
		Long: `Show the records that procedures leave beside the table, of the daemon's and of those that were started by hand: the last
hundred that ended, those at work, and those whose process was killed. What these have left is removed by the next
procedure on the table.`,
		Example: `  ingestd maintain jobs shop.clicks -c ingestd.yaml`,
		Args:    cobra.ExactArgs(1), ValidArgsFunction: completeTable(&file),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.load(file)
			if err != nil {
				return err
			}
			tables, err := chosen(conf, args)
			if err != nil {
				return err
			}
			return a.maintain(cmd.Context(), conf, tables[0], out, func(ctx context.Context, at maintained) (procedureResult, error) {
				jobs, err := at.env.Journal.Jobs(ctx, at.table)
				if err != nil {
					return nil, err
				}
				return compaction.JobList{Jobs: jobs}, nil
			})
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	return c
}

func (a *app) rewriteDataFilesCommand() *cobra.Command {
	f := &maintainFlags{}
	c := &cobra.Command{
		Use:     "rewrite-data-files TABLE -c FILE",
		Aliases: []string{"rewrite_data_files", "optimize"},
		Short:   "Make large files of small ones, and apply deletes",
		Long: `Rewrite the files of a table that are too small, too large, or have many deleted rows. No row changes and no position
moves; a commit lands between two of the daemon's. Rows that others delete meanwhile stay deleted: such a rewrite is given
up and planned anew.

Options have the names of Spark's rewrite_data_files (docs/MAINTENANCE.md). With --engine the plan's partitions are given to
Trino or Spark, which commit by themselves; what they did is read from the table and checked.`,
		Example: `  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --dry-run
  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --option min-input-files=2 --option target-file-size-bytes=134217728
  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --where "ts_day = '2026-11-01' and region in ('eu', 'us')"`,
	}
	a.maintains(c, f, func(ctx context.Context, at maintained) (procedureResult, error) {
		other, err := outside(at.config, cmp.Or(config.MaintenanceEngine(f.engine), at.config.Maintenance.Engine))
		if err != nil {
			return nil, err
		}
		options := rewriteOptions(at.config, at.entry)
		maps.Copy(options, f.options)
		run := compaction.RewriteDataFiles{Table: at.table, Engine: at.engine, Outside: other, Options: options, Where: f.where, DryRun: f.dry, Env: at.env}
		res, err := run.Run(ctx)
		if res.Plan == nil {
			return nil, err
		}
		return res, err
	})
	c.Flags().StringToStringVar(&f.options, "option", nil, "`name=value` of Spark's procedure, repeatable")
	c.Flags().StringVar(&f.where, "where", "", "`condition` on partitions; the others are left alone")
	c.Flags().StringVar(&f.engine, "engine", "", "`name` of who rewrites: local, trino or spark (maintenance.engine)")
	return c
}

func (a *app) rewriteManifestsCommand() *cobra.Command {
	f := &maintainFlags{}
	c := &cobra.Command{
		Use:     "rewrite-manifests TABLE -c FILE",
		Aliases: []string{"rewrite_manifests"},
		Short:   "Merge small manifests",
		Long: `Merge the manifests that are smaller than commit.manifest.target-size-bytes, so that planning a query reads few of them. A
daemon does so in rounds by itself for tables that it has created.`,
		Example: `  ingestd maintain rewrite-manifests shop.clicks -c ingestd.yaml --dry-run`,
	}
	a.maintains(c, f, func(ctx context.Context, at maintained) (procedureResult, error) {
		run := compaction.RewriteManifests{Table: at.table, DryRun: f.dry, Env: at.env}
		return orNil(run.Run(ctx))
	})
	return c
}

func (a *app) expireSnapshotsCommand() *cobra.Command {
	f := &maintainFlags{}
	var run compaction.ExpireSnapshots
	c := &cobra.Command{
		Use:     "expire-snapshots TABLE -c FILE",
		Aliases: []string{"expire_snapshots"},
		Short:   "Drop the tail of the history, and the files that only it needed",
		Long: `Drop the oldest snapshots and delete what only they needed. A snapshot expires when another has followed it longer than
--older-than ago and --retain-last newer ones stay; what a branch or a tag names and what carries positions in use never
does. Without --yes it only says what it would do.`,
		Example: `  ingestd maintain expire-snapshots shop.clicks -c ingestd.yaml
  ingestd maintain expire-snapshots shop.clicks -c ingestd.yaml --older-than 24h --retain-last 10 --yes`,
	}
	yes := a.maintains(c, f, func(ctx context.Context, at maintained) (procedureResult, error) {
		run.Table, run.Env, run.DryRun = at.table, at.env, f.dry
		return orNil(run.Run(ctx))
	})
	yes()
	c.Flags().DurationVar(&run.OlderThan, "older-than", 0, "`age` from which snapshots expire (history.expire.max-snapshot-age-ms, 120h)")
	c.Flags().IntVar(&run.RetainLast, "retain-last", 0, "`number` of snapshots that stay whatever their age (history.expire.min-snapshots-to-keep, 1)")
	return c
}

func (a *app) removeOrphanFilesCommand() *cobra.Command {
	f := &maintainFlags{}
	var run compaction.RemoveOrphanFiles
	c := &cobra.Command{
		Use:     "remove-orphan-files TABLE -c FILE",
		Aliases: []string{"remove_orphan_files"},
		Short:   "Delete files that nothing refers to",
		Long: `Delete the files below the table's location that no snapshot and nothing in the metadata refers to: what processes left that
were killed. Only files older than --older-than are deleted, since a younger one may belong to a commit that is still to
come. It refuses when another table lies in the same place. Without --yes it only lists them.`,
		Example: `  ingestd maintain remove-orphan-files shop.clicks -c ingestd.yaml
  ingestd maintain remove-orphan-files shop.clicks -c ingestd.yaml --older-than 168h --yes`,
	}
	yes := a.maintains(c, f, func(ctx context.Context, at maintained) (procedureResult, error) {
		run.Table, run.Others, run.Env, run.DryRun = at.table, at.others, at.env, f.dry
		return orNil(run.Run(ctx))
	})
	yes()
	c.Flags().DurationVar(&run.OlderThan, "older-than", compaction.DefaultOrphanAge, "`age` from which a file that nothing refers to is an orphan")
	c.Flags().BoolVar(&run.Young, "allow-young", false, "allow less than 24h: nothing writes to the table, nor has anything files in flight")
	return c
}

// orNil keeps a nil result nil.
func orNil[T any, P interface {
	*T
	procedureResult
}](res P, err error) (procedureResult, error) {
	if res == nil {
		return nil, err
	}
	return res, err
}

// maintains makes a command one that carries out a procedure on a table. What it gives makes the procedure one that
// deletes: it is a dry run without --yes.
func (a *app) maintains(c *cobra.Command, f *maintainFlags, run procedure) (deletes func()) {
	c.Args = cobra.ExactArgs(1)
	c.ValidArgsFunction = completeTable(&f.file)
	yes, asks := false, false
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if f.dry && yes {
			return usagef("--yes and --dry-run exclude each other")
		}
		f.dry = f.dry || asks && !yes
		conf, err := a.load(f.file)
		if err != nil {
			return err
		}
		tables, err := chosen(conf, args)
		if err != nil {
			return err
		}
		if err := a.maintain(cmd.Context(), conf, tables[0], f.out, run); err != nil {
			return err
		}
		if asks && !yes && f.out != formatJSON {
			fmt.Fprintln(a.Out, "nothing is changed yet; --yes does it")
		}
		return nil
	}
	addConfig(c, &f.file)
	addFormat(c, &f.out)
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be done, and why")
	return func() {
		asks = true
		c.Flags().BoolVar(&yes, "yes", false, "do it")
	}
}

// maintain opens the table and carries the procedure out.
func (a *app) maintain(ctx context.Context, conf *config.Config, t config.Table, out format, run procedure) error {
	env, err := newEnvironment(conf)
	if err != nil {
		return err
	}
	defer env.close()
	options := env.table(t.Name)
	if err := env.openLake(ctx); err != nil {
		return err
	}
	spec := env.spec(options)
	spec.MayCreate, spec.Upkeep = true, options.Upkeep
	tbl, err := commit.Open(ctx, env.options.Catalog, spec, commit.Env{})
	if err != nil {
		return err
	}
	if !tbl.Exists() {
		return failure.New(failure.Fatal, commit.CodeMissing, "ingestd run creates it", "table %s does not exist", t.Name)
	}
	show := a.progress()
	others := func(ctx context.Context) (map[string]string, error) {
		return commit.Locations(ctx, env.options.Catalog, options.Identifier)
	}
	result, err := run(ctx, maintained{tbl, others, compaction.Env{Progress: show.step, Journal: newJournal(), Recovered: a.recovered}, engine(env.options, conf.Maintenance), t, conf})
	show.end()
	if result == nil {
		return err
	}
	if out == formatJSON {
		return errors.Join(err, writeJSON(a.Out, result))
	}
	return errors.Join(err, result.Explain(a.Out))
}

// recovered tells of interrupted jobs that the procedure has looked after before it began.
func (a *app) recovered(jobs []compaction.JobStatus) {
	for _, j := range jobs {
		if j.State == compaction.JobInterrupted {
			fmt.Fprintf(a.Err, "job %s (%s, since %s, by %s) was interrupted; %d files of it were removed\n", j.ID, j.Procedure, j.Submitted.UTC().Format(time.RFC3339), j.Owner, j.Removed)
		}
	}
}

// progress shows on a terminal how far something is; elsewhere it says nothing.
type progress struct{ w io.Writer }

func (a *app) progress() progress {
	if f, ok := a.Err.(*os.File); ok {
		if fi, err := f.Stat(); err == nil && fi.Mode()&os.ModeCharDevice != 0 {
			return progress{f}
		}
	}
	return progress{io.Discard}
}

// clearLine puts the cursor to the beginning of an empty line.
const clearLine = "\r\x1b[K"

func (p progress) step(s compaction.Progress) {
	percent := int64(100)
	if s.Total > 0 {
		percent = s.Done * 100 / s.Total
	}
	fmt.Fprintf(p.w, clearLine+"%3d%% %s", percent, s.Step)
}

func (p progress) end() { fmt.Fprint(p.w, clearLine) }
