package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
}

// procedureResult is the result of a procedure.
type procedureResult interface {
	Explain(w io.Writer) error
}

// procedure carries a procedure out on an open table.
type procedure func(ctx context.Context, t *commit.Table, env compaction.Env) (procedureResult, error)

func (a *app) maintainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "maintain",
		Short:   "Rewrite small files, now",
		Long:    maintainLong,
		Example: `  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --dry-run`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.rewriteDataFilesCommand())
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

Options have the names of Spark's rewrite_data_files (docs/MAINTENANCE.md).`,
		Example: `  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --dry-run
  ingestd maintain rewrite-data-files shop.clicks -c ingestd.yaml --option min-input-files=2 --option target-file-size-bytes=134217728`,
	}
	a.maintains(c, f, func(ctx context.Context, t *commit.Table, env compaction.Env) (procedureResult, error) {
		run := compaction.RewriteDataFiles{Table: t, Engine: compaction.Library{}, Options: f.options, DryRun: f.dry, Env: env}
		res, err := run.Run(ctx)
		if res.Plan == nil {
			return nil, err
		}
		return res, err
	})
	c.Flags().StringToStringVar(&f.options, "option", nil, "`name=value` of Spark's procedure, repeatable")
	return c
}

// maintains makes a command one that carries out a procedure on a table.
func (a *app) maintains(c *cobra.Command, f *maintainFlags, run procedure) {
	c.Args = cobra.ExactArgs(1)
	c.ValidArgsFunction = completeTable(&f.file)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		conf, err := a.load(f.file)
		if err != nil {
			return err
		}
		tables, err := chosen(conf, args)
		if err != nil {
			return err
		}
		return a.maintain(cmd.Context(), conf, tables[0], f.out, run)
	}
	addConfig(c, &f.file)
	addFormat(c, &f.out)
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be done, and why")
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
	result, err := run(ctx, tbl, compaction.Env{Progress: show.step})
	show.end()
	if result == nil {
		return err
	}
	if out == formatJSON {
		return errors.Join(err, writeJSON(a.Out, result))
	}
	return errors.Join(err, result.Explain(a.Out))
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
