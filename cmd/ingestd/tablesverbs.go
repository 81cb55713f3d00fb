package main

import (
	"context"
	"errors"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/failure"
)

// controlFlags are what a verb takes from the command line.
type controlFlags struct {
	file, at  string
	yes, dry  bool
	partition int32
	out       format
	req       ingest.ControlRequest
}

// decisionReport is the result of a verb with -o json.
type decisionReport struct {
	Table string      `json:"table"`
	Verb  commit.Verb `json:"verb"`
	// Done says that it was committed; otherwise it is what would be.
	Done bool `json:"done"`
	// At stands for the situation: the same command with --at acts on it and on no other.
	At       string               `json:"at"`
	Code     string               `json:"code,omitempty"`
	Text     string               `json:"text"`
	Moves    []ingest.PlannedMove `json:"moves"`
	Warnings []string             `json:"warnings"`
	Command  string               `json:"command,omitempty"`
	Snapshot string               `json:"snapshot_id,omitempty"`
	Record   *commit.Record       `json:"record,omitempty"`
}

func (a *app) resumeCommand() *cobra.Command {
	f := &controlFlags{}
	c := a.verb(f, commit.Resume, "Go on with the table as it is")
	c.Example = `  ingestd tables resume shop.clicks -c ingestd.yaml
  ingestd tables resume shop.clicks -c ingestd.yaml --reason "bad deploy rolled back" --at 5b1f0c9a22d07e41`
	c.Long = `Go on with the table as it is. After a rollback, rows and positions were rolled back together: what the rollback took
away is read again. In any other case it makes daemons look again that halted over something that is mended now: a
schema, a topic that is back, rights.`
	return c
}

func (a *app) rewindCommand() *cobra.Command {
	f := &controlFlags{}
	c := a.verb(f, commit.Rewind, "Set positions back and read again")
	c.Example = `  ingestd tables rewind shop.clicks -c ingestd.yaml --topic clicks --to earliest
  ingestd tables rewind shop.clicks -c ingestd.yaml --topic clicks --partition 3 --to 1200 --allow-duplicates
  ingestd tables rewind shop.clicks -c ingestd.yaml --topic clicks --to 2026-01-31T12:00:00Z --allow-duplicates`
	c.Long = `Set positions back, so that what lies behind them is read once more. This is the way to do what resetting a consumer
group does elsewhere: group offsets are not looked at. Rows that were added before are there twice afterwards, unless
they are removed first; --allow-duplicates says that this is known.`
	f.addPlace(c)
	c.Flags().StringVar(&f.req.To, "to", "", "`where` to go on: earliest, an offset, a time (RFC 3339), or topic/partition=offset,...")
	c.Flags().BoolVar(&f.req.AllowDuplicates, "allow-duplicates", false, "rows may be there twice, or were removed")
	return c
}

func (a *app) acceptLossCommand() *cobra.Command {
	f := &controlFlags{}
	c := a.verb(f, commit.AcceptLoss, "Give up offsets that cannot be read")
	c.Example = `  ingestd tables accept-loss shop.clicks -c ingestd.yaml
  ingestd tables accept-loss shop.clicks -c ingestd.yaml --topic clicks --partition 3 --batch
  ingestd tables accept-loss shop.clicks -c ingestd.yaml --topic clicks --partition 3 --to 1201`
	c.Long = `Give up offsets that cannot be read, and go on behind them. They are counted as unseen, the range is written down, and
verify names it from then on. Without more it gives up what the broker no longer has, or what a rollback took away;
with --batch the record batch that comes next, whatever is in it; with --to everything up to an offset.`
	f.addPlace(c)
	c.Flags().StringVar(&f.req.To, "to", "", "`where` to go on: an offset, latest, a time (RFC 3339), or topic/partition=offset,...")
	c.Flags().BoolVar(&f.req.Batch, "batch", false, "give up the record batch that comes next")
	return c
}

func (a *app) adoptCommand() *cobra.Command {
	f := &controlFlags{}
	c := a.verb(f, commit.Adopt, "Take over what has a new identity")
	c.Example = `  ingestd tables adopt shop.clicks -c ingestd.yaml
  ingestd tables adopt shop.clicks -c ingestd.yaml --from stored
  ingestd tables adopt shop.clicks -c ingestd.yaml --from clicks/0=1200,clicks/1=980`
	c.Long = `Take over what has a new identity: a topic that was deleted and created again (it is read from its beginning), a
cluster that holds the same records (--from stored), a table that was replaced, created again, or has lost its positions.`
	c.Flags().StringVar(&f.req.To, "from", "", "`where` to go on: stored (the same offsets), start (as configured), earliest, latest, an offset, a time, or topic/partition=offset,...")
	return c
}

// verb makes the command of one verb.
func (a *app) verb(f *controlFlags, v commit.Verb, short string) *cobra.Command {
	f.req.Verb, f.partition = v, -1
	c := &cobra.Command{
		Use:               string(v) + " TABLE -c FILE",
		Short:             short,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeTable(&f.file),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.at != "" && f.yes || f.dry && (f.at != "" || f.yes) {
				return usagef("--at, --yes and --dry-run exclude each other")
			}
			if (f.at != "" || f.yes) && f.req.Reason == "" {
				return usagef("say why with --reason: it is written into the table")
			}
			if v == commit.Rewind && f.req.To == "" {
				return usagef("say how far with --to")
			}
			conf, err := a.load(f.file)
			if err != nil {
				return err
			}
			tables, err := chosen(conf, args)
			if err != nil {
				return err
			}
			f.req.Partition = f.partition
			if f.req.By == "" {
				f.req.By = operator()
			}
			r, err := f.carryOut(cmd.Context(), conf, tables[0])
			if err != nil {
				return err
			}
			if !r.Done {
				r.Command = commandLine(cmd, r)
			}
			return a.writeDecision(r, f.out)
		},
	}
	addConfig(c, &f.file)
	addFormat(c, &f.out)
	c.Flags().StringVar(&f.at, "at", "", "act on the `situation` that was shown, and on no other")
	c.Flags().BoolVar(&f.yes, "yes", false, "act on whatever the situation is now")
	c.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be done, as without --at")
	c.Flags().StringVar(&f.req.Reason, "reason", "", "`why`: written into the table")
	c.Flags().StringVar(&f.req.By, "by", "", "`who` decides: written into the table (you, when it is left out)")
	return c
}

func (f *controlFlags) addPlace(c *cobra.Command) {
	c.Flags().StringVar(&f.req.Topic, "topic", "", "only this `topic`")
	c.Flags().Int32Var(&f.partition, "partition", -1, "only this `partition`")
}

// operator names whoever sits there.
func operator() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// carryOut plans, and commits when it was told to.
func (f *controlFlags) carryOut(ctx context.Context, conf *config.Config, t config.Table) (*decisionReport, error) {
	env, err := newEnvironment(conf)
	if err != nil {
		return nil, err
	}
	defer env.close()
	options := env.table(t.Name)
	on, err := env.target(ctx, options, f.req.Verb != commit.Resume)
	if err != nil {
		return nil, err
	}
	plan, err := ingest.PlanControl(ctx, f.req, on)
	if err != nil {
		return nil, err
	}
	r := &decisionReport{Table: t.Name, Verb: f.req.Verb, At: plan.Control.Seen, Code: failure.CodeOf(on.Situation.Halt), Text: plan.Control.Text,
		Moves: append([]ingest.PlannedMove{}, plan.Moves...), Warnings: append([]string{}, plan.Warnings...)}
	if f.at == "" && !f.yes {
		return r, nil
	}
	if f.at != "" {
		// The commit compares it with the head it builds on.
		plan.Control.Seen = f.at
	}
	d, err := commit.Decide(ctx, env.options.Catalog, env.spec(options), commit.Env{}, plan.Control)
	if err != nil {
		return nil, err
	}
	r.Done, r.Snapshot, r.Record = true, strconv.FormatInt(d.Snapshot, 10), &d.Record
	return r, nil
}

// commandLine is what carries out the decision that was shown.
func commandLine(cmd *cobra.Command, r *decisionReport) string {
	words := []string{cmd.CommandPath(), r.Table}
	reason := "WHY"
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "output", "dry-run":
		case "reason":
			reason = f.Value.String()
		default:
			words = append(words, "--"+f.Name+"="+quoted(f.Value.String()))
		}
	})
	return strings.Join(append(words, "--reason="+quoted(reason), "--at="+r.At), " ")
}

// quoted protects a word from the shell.
func quoted(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n'\"\\$`&|;<>()*?[]{}!#~") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (a *app) writeDecision(r *decisionReport, out format) error {
	if out == formatJSON {
		return writeJSON(a.Out, r)
	}
	p := &printer{w: a.Out}
	done := "would be done"
	if r.Done {
		done = "done"
	}
	p.line("%s: %s: %s: %s", r.Table, r.Verb, done, r.Text)
	for _, w := range r.Warnings {
		p.line("  note: %s", w)
	}
	if r.Done {
		p.line("  snapshot %s, by %s: %s", r.Snapshot, r.Record.By, r.Record.Reason)
	} else {
		p.line("  nothing is changed yet; to do it:")
		p.line("  %s", r.Command)
	}
	return errors.Join(p.err)
}
