package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/verify"
)

// verification is the result of `verify -o json`.
type verification struct {
	Verified bool             `json:"verified"`
	Level    verify.Level     `json:"level"`
	Tables   []*verify.Report `json:"tables"`
}

func (a *app) verifyCommand() *cobra.Command {
	var file string
	var out format
	var deep, source bool
	c := &cobra.Command{
		Use:   "verify -c FILE [TABLE]",
		Short: "Prove that the tables hold every record once",
		Long: `Prove what the tables hold, without help of the daemon. Three levels, each with the ones before:

  ledger   the counters that snapshots carry agree with each other, and no file is live twice (reads metadata)
  rows     --deep: every partition and offset is in the table at most once, as many as the counters say
  source   --against-source: every committed record that is still in the topic is in the table or accounted for, and
           every offset that was never seen is absent there

Exits with 0 when it is proven, with 1 and the exact ranges that are missing, doubled or unaccounted for when not.`,
		Example: `  ingestd verify -c ingestd.yaml
  ingestd verify -c ingestd.yaml shop.clicks --deep
  ingestd verify -c ingestd.yaml --against-source -o json`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeTable(&file),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.load(file)
			if err != nil {
				return err
			}
			tables, err := chosen(conf, args)
			if err != nil {
				return err
			}
			level := verify.Ledger
			switch {
			case source:
				level = verify.Source
			case deep:
				level = verify.Rows
			}
			v, err := verifyTables(cmd.Context(), conf, tables, level)
			if err != nil {
				return err
			}
			return a.writeVerification(v, out)
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	c.Flags().BoolVar(&deep, "deep", false, "read the auditing columns of every row")
	c.Flags().BoolVar(&source, "against-source", false, "compare with the topics as well")
	return c
}

// verifyTables verifies one table after the other.
func verifyTables(ctx context.Context, conf *config.Config, tables []config.Table, level verify.Level) (verification, error) {
	v := verification{Verified: true, Level: level, Tables: []*verify.Report{}}
	env, err := newEnvironment(conf)
	if err != nil {
		return v, err
	}
	defer env.close()
	for _, t := range tables {
		r, err := env.verify(ctx, env.table(t.Name), level)
		if err != nil {
			return v, err
		}
		v.Verified = v.Verified && r.Verified
		v.Tables = append(v.Tables, r)
	}
	return v, nil
}

func (e *environment) verify(ctx context.Context, t ingest.TableOptions, level verify.Level) (*verify.Report, error) {
	loaded, err := e.load(ctx, t)
	if err != nil {
		return nil, err
	}
	if !loaded.Exists() {
		return nil, failure.New(failure.Fatal, commit.CodeMissing, "ingestd run creates it", "table %s does not exist", t.Name())
	}
	o := verify.Options{Pipeline: e.options.Pipeline, Branch: t.Branch, Level: level}
	if level == verify.Source {
		client, err := e.kafka(ctx, t.Source)
		if err != nil {
			return nil, err
		}
		o.Sources = map[string]*kafka.Client{t.Source: client}
	}
	return verify.Run(ctx, loaded.Iceberg(), o)
}

// writeVerification writes the result; the error is the one to exit with.
func (a *app) writeVerification(v verification, out format) error {
	var failed error
	for _, r := range v.Tables {
		failed = errors.Join(failed, r.Err())
	}
	if failed != nil {
		failed = silentError{failed}
	}
	if out == formatJSON {
		return errors.Join(writeJSON(a.Out, v), failed)
	}
	p := &printer{w: a.Out}
	for _, r := range v.Tables {
		p.verified(r)
	}
	return errors.Join(p.err, failed)
}

func (p *printer) verified(r *verify.Report) {
	word := "NOT verified"
	if r.Verified {
		word = "verified"
	}
	p.line("%s: %s at level %s: %d rows in %d files, %s", r.Table, word, r.Level, r.Rows, r.Files, count(r.Snapshots, "snapshot"))
	for _, f := range r.Findings {
		p.line("  %s: %s", f.Kind, f.Text)
	}
	for _, n := range r.Notes {
		p.line("  note: %s", n)
	}
	rows := [][]string{}
	for _, part := range r.Partitions {
		rows = append(rows, []string{part.Topic + "/" + part.Partition, fmt.Sprintf("offsets %d to %d", part.Start, part.Position), outcomesText(part.Counts)})
	}
	p.columns("  ", rows)
}
