package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/admin"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

const tablesLong = `List the tables with their state, why they have halted, and the command that resolves it.

The verbs below decide about one table. Each first says what it would do, and prints the command that does it: with
--at it acts on exactly the situation that was shown and on no other. The decision is committed to the table itself, so
it works with no daemon and with many; running daemons obey within seconds. docs/RUNBOOK.md has a section for each code.`

func (a *app) tablesCommand() *cobra.Command {
	var file string
	var out format
	c := &cobra.Command{
		Use:   "tables -c FILE",
		Short: "Say which tables have halted, and decide about them",
		Long:  tablesLong,
		Example: `  ingestd tables -c ingestd.yaml
  ingestd tables resume shop.clicks -c ingestd.yaml
  ingestd tables accept-loss shop.clicks -c ingestd.yaml --reason "retention, ticket 12" --at 5b1f0c9a22d07e41`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := a.load(file)
			if err != nil {
				return err
			}
			return a.listTables(cmd.Context(), conf, out)
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	c.AddCommand(a.resumeCommand(), a.rewindCommand(), a.acceptLossCommand(), a.adoptCommand())
	return c
}

// tableList is the result of `tables -o json`.
type tableList struct {
	Tables []listedTable `json:"tables"`
}

// listedTable is one table: the daemon's word for its state or "unattended", and what is to be done.
type listedTable struct {
	Table   string `json:"table"`
	State   string `json:"state"`
	Code    string `json:"code,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Command string `json:"command,omitempty"`
	// Decisions are the latest ones, oldest first.
	Decisions []commit.Record `json:"decisions"`
}

// listTables looks at every table, its topics and the daemon.
func (a *app) listTables(ctx context.Context, conf *config.Config, out format) error {
	env, err := newEnvironment(conf)
	if err != nil {
		return err
	}
	defer env.close()
	var running map[string]admin.Table
	if listen := conf.Admin.Listen; listen != "" && listen != "off" {
		// Without a daemon the tables speak for themselves.
		running, _ = newAdminClient("http://" + listen).tables(ctx)
	}
	list := tableList{Tables: []listedTable{}}
	var errs []error
	for _, t := range conf.Tables {
		x := listedTable{Table: t.Name, State: unattended, Decisions: []commit.Record{}}
		if now, ok := running[t.Name]; ok {
			x.State, x.Code, x.Reason = string(now.State), now.Code, now.Reason
		}
		err := x.look(ctx, env, env.table(t.Name))
		errs = append(errs, err)
		if x.State == string(event.Failed) || failure.ClassOf(err) == failure.Halt {
			x.Command = ingest.Remedy(x.Code, x.Table)
		}
		list.Tables = append(list.Tables, x)
	}
	failed := worst(errs)
	if failed != nil {
		failed = silentError{failed}
	}
	if out == formatJSON {
		return errors.Join(writeJSON(a.Out, list), failed)
	}
	return errors.Join(a.writeList(list), failed)
}

// look fills in what the table and its topics say. A daemon that has halted knows better why.
func (x *listedTable) look(ctx context.Context, env *environment, t ingest.TableOptions) error {
	on, err := env.target(ctx, t, true)
	if err == nil {
		x.Decisions = append(x.Decisions, on.Situation.Records...)
		err = ingest.Diagnose(ctx, on)
	}
	if failure.CodeOf(err) == commit.CodeMissing && x.Code == "" {
		x.Reason = "the table does not exist yet"
		return nil
	}
	if err != nil && x.Code == "" {
		x.Code, x.Reason = failure.CodeOf(err), err.Error()
	}
	return err
}

func (a *app) writeList(list tableList) error {
	p := &printer{w: a.Out}
	for _, x := range list.Tables {
		line := x.Table + ": " + x.State
		if x.Code != "" {
			line += " [" + x.Code + "]"
		}
		p.line("%s", line)
		if x.Reason != "" {
			p.line("  %s", x.Reason)
		}
		if x.Command != "" {
			p.line("  to resolve it: %s", x.Command)
		}
		for _, d := range x.Decisions {
			p.line("  %s %s by %s: %s (%s)", d.At.Format("2006-01-02 15:04:05Z"), d.Verb, d.By, d.Text, d.Reason)
		}
	}
	return p.err
}

// target collects what a decision about a table depends on. Without broker only the table is looked at.
func (e *environment) target(ctx context.Context, t ingest.TableOptions, broker bool) (ingest.ControlTarget, error) {
	on := ingest.ControlTarget{Table: t}
	if err := e.openLake(ctx); err != nil {
		return on, err
	}
	s, err := commit.Examine(ctx, e.options.Catalog, e.spec(t), commit.Env{})
	if err != nil {
		return on, err
	}
	on.Situation = s
	if !broker {
		return on, nil
	}
	if on.Topics, err = e.topics(ctx, t); err != nil {
		return on, err
	}
	client, err := e.kafka(ctx, t.Source)
	if err == nil {
		on.Broker, on.Cluster = client, client.Cluster()
	}
	return on, err
}

func (e *environment) spec(t ingest.TableOptions) commit.Spec {
	return commit.Spec{Identifier: t.Identifier, Pipeline: e.options.Pipeline, Branch: t.Branch}
}
