package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
)

// explanations is the result of `explain -o json`.
type explanations struct {
	Tables []explanation `json:"tables"`
}

// explanation is what run would do with one table.
type explanation struct {
	Table       string          `json:"table"`
	Exists      bool            `json:"exists"`
	Location    string          `json:"location,omitempty"`
	Source      string          `json:"source"`
	Branch      string          `json:"branch"`
	Value       string          `json:"value"`
	Key         string          `json:"key"`
	Partitions  []partitionPlan `json:"partitions"`
	Origins     []originPlan    `json:"origins"`
	Columns     []columnPlan    `json:"columns"`
	PartitionBy []string        `json:"partition_by"`
	SortBy      []string        `json:"sort_by"`
	Settings    []settingPlan   `json:"settings"`
	// Readers is what happens where the readers are not those the table was created for.
	Readers []table.Change `json:"readers"`
	Commit  []string       `json:"commit"`
	History []string       `json:"history"`
	Errors  config.Errors  `json:"errors"`
	// Problems are what would keep run from writing, or what could not be found out.
	Problems []problemPlan `json:"problems"`
}

// partitionPlan says where reading a partition begins.
type partitionPlan struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	Why       string `json:"why"`
}

// originPlan says where the columns that something fills are known from.
type originPlan struct {
	From   string `json:"from"`
	Origin string `json:"origin"`
}

// settingPlan is a choice and the reader that forced it.
type settingPlan struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	Reader  string `json:"reader,omitempty"`
	Why     string `json:"why,omitempty"`
}

// problemPlan is an error in the words of the daemon.
type problemPlan struct {
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func (a *app) explainCommand() *cobra.Command {
	var file string
	var out format
	c := &cobra.Command{
		Use:   "explain -c FILE [TABLE]",
		Short: "Say what would happen, table by table, without doing it",
		Long: `Say what run would do with each table: which topics and partitions it reads and where it begins, which columns it
writes and where their values come from, how the table is partitioned, which of its readers forced which choice, when
snapshots are committed and how long they are kept. The table need not exist. Nothing is written.`,
		Example: `  ingestd explain -c ingestd.yaml
  ingestd explain -c ingestd.yaml shop.clicks -o json`,
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
			env, err := newEnvironment(conf)
			if err != nil {
				return err
			}
			defer env.close()
			x := &explainer{environment: env}
			list := make([]explanation, len(tables))
			for i, t := range tables {
				list[i] = x.explain(cmd.Context(), t)
			}
			if out == formatJSON {
				err = writeJSON(a.Out, explanations{list})
			} else {
				err = writeExplanations(a.Out, list)
			}
			if err == nil && len(x.errs) > 0 {
				err = silentError{worst(x.errs)}
			}
			return err
		},
	}
	addConfig(c, &file)
	addFormat(c, &out)
	return c
}

// explainer builds explanations; what it cannot find out it notes and goes on.
type explainer struct {
	*environment
	errs []error
}

func (x *explainer) explain(ctx context.Context, t config.Table) explanation {
	o := x.table(t.Name)
	p := explanation{
		Table: t.Name, Source: t.Source, Branch: t.Branch, Value: string(t.Value.Format), Key: string(t.Key.Format), Errors: t.Errors,
		Commit: commitPlan(x.config), PartitionBy: []string{}, SortBy: []string{}, Problems: []problemPlan{}, Partitions: []partitionPlan{}, Columns: []columnPlan{},
		Origins: []originPlan{}, Settings: []settingPlan{}, Readers: []table.Change{},
	}
	if t.Value.Format == config.ValueRaw {
		p.Key = string(config.KeyRaw)
	}
	for _, f := range t.PartitionBy {
		p.PartitionBy = append(p.PartitionBy, f.String())
	}
	for _, s := range t.SortBy {
		p.SortBy = append(p.SortBy, s.String())
	}
	loaded, err := x.load(ctx, o)
	x.note(&p, err)
	if err == nil && loaded.Exists() {
		p.Exists, p.Location = true, loaded.Location()
	}
	x.note(&p, x.explainStart(ctx, &p, o, loaded))
	x.note(&p, x.explainColumns(ctx, &p, o, loaded, t))
	tags := t.History
	if t.Branch != config.DefaultBranch {
		tags = config.History{}
	}
	p.History = historyPlan(x.config, tags, p.Exists, loaded)
	return p
}

// note keeps a problem, each once.
func (x *explainer) note(p *explanation, err error) {
	if err == nil {
		return
	}
	problem := problemPlan{Message: err.Error(), Code: failure.CodeOf(err), Hint: failure.HintOf(err)}
	for _, known := range p.Problems {
		if known == problem {
			return
		}
	}
	p.Problems = append(p.Problems, problem)
	x.errs = append(x.errs, err)
}

// explainStart finds where reading begins.
func (x *explainer) explainStart(ctx context.Context, p *explanation, t ingest.TableOptions, loaded *commit.Table) error {
	topics, err := x.topics(ctx, t)
	if err != nil {
		return err
	}
	client, err := x.kafka(ctx, t.Source)
	if err != nil {
		return err
	}
	for _, topic := range topics {
		ends, err := client.Offsets(ctx, topic.Name)
		if err != nil {
			return err
		}
		known := positions(loaded, state.Stream{Source: t.Source, Cluster: client.Cluster(), Topic: topic.Name, ID: topic.ID})
		for i := range topic.Partitions {
			e := ends[kafka.Partition{Topic: topic.Name, Partition: i}]
			plan := partitionPlan{Topic: topic.Name, Partition: i, End: e.Stable}
			at, stored := known[strconv.Itoa(int(i))]
			switch {
			case stored:
				plan.Start, plan.Why = at, "stored in the table"
			case len(known) > 0:
				plan.Start, plan.Why = 0, "partition is new"
			case t.Start == ingest.Latest:
				plan.Start, plan.Why = e.Stable, "start: latest"
			default:
				plan.Start, plan.Why = e.Start, "start: earliest"
			}
			p.Partitions = append(p.Partitions, plan)
		}
	}
	return nil
}

// positions are the offsets a table has stored for a topic, by partition.
func positions(t *commit.Table, stream state.Stream) map[string]int64 {
	out := map[string]int64{}
	if t == nil || !t.Exists() {
		return out
	}
	for _, e := range t.State().Entries {
		if e.Stream == stream {
			if at, err := kafka.DecodePosition(string(e.Position)); err == nil {
				out[e.Partition] = at
			}
		}
	}
	return out
}

// explainColumns finds the columns, and what the readers force.
func (x *explainer) explainColumns(ctx context.Context, p *explanation, o ingest.TableOptions, loaded *commit.Table, t config.Table) error {
	choice, err := choose(t)
	if err != nil {
		return err
	}
	list, err := x.fillings(ctx, o)
	for _, s := range list {
		if origin := originOf(s, o); origin != "" {
			p.Origins = append(p.Origins, originPlan{s.From, origin})
		}
	}
	p.Settings = settings(choice, list, t)
	if !p.Exists {
		p.Columns = newColumns(list, choice)
		if err == nil {
			err = checkNew(list, choice, o)
		}
		return err
	}
	p.PartitionBy = existingSpec(loaded)
	fields, ferr := table.Fields(loaded.Schema())
	if err := errors.Join(err, ferr); err != nil {
		for _, f := range fields {
			p.Columns = append(p.Columns, planOf(f, fromUnknown))
		}
		return err
	}
	x.note(p, p.explainReaders(choice, ingest.ContentsOf(loaded, t.Branch, fields), o, t))
	columns, illegal, err := existingColumns(fields, list, o.On(loaded.Metadata().Version()))
	p.Columns = columns
	for _, why := range illegal {
		x.note(p, failure.New(failure.Halt, "E_SCHEMA_ILLEGAL", "write the new schema to a new topic or table", "%s", why))
	}
	return err
}

// settings lists what depends on the readers, as far as the columns make a difference.
func settings(choice table.Choice, list []ingest.Filling, t config.Table) []settingPlan {
	var out []settingPlan
	for _, r := range choice.Explain() {
		s := settingPlan(r)
		switch s.Setting {
		case "time":
			if !slices.ContainsFunc(list, func(s ingest.Filling) bool { return hasTime(s.Fields) }) {
				continue
			}
		case "parquet.encoding":
			if best := s.Value; best != string(t.Parquet.Encoding) {
				s.Value, s.Why = string(t.Parquet.Encoding), best+" is possible: every reader knows it"
			}
		}
		out = append(out, s)
	}
	return append(out, settingPlan{Setting: "parquet.compression", Value: string(t.Parquet.Compression)})
}

// hasTime says whether some column is a time of day.
func hasTime(fields []column.Field) bool {
	return slices.ContainsFunc(fields, func(f column.Field) bool { return f.Type.Kind == column.Time || hasTime(f.Type.Fields) })
}

// existingSpec spells the partition spec of a table that is there.
func existingSpec(t *commit.Table) []string {
	spec, out := t.PartitionSpec(), []string{}
	for _, f := range spec.Fields() {
		name, _ := t.Schema().FindColumnName(f.SourceIDs[0])
		out = append(out, fmt.Sprintf("%s(%s) as %s", f.Transform, name, f.Name))
	}
	return out
}
