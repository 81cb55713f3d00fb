package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/schemareg"
)

// The places where a preview begins.
const (
	fromEarliest = "earliest"
	fromLatest   = "latest"
	fromTable    = "table"
)

// previewFlags are what `preview` takes from the command line.
type previewFlags struct {
	file  string
	limit int
	from  string
}

// previewed is one line of the result.
type previewed struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Timestamp string          `json:"timestamp"`
	Schema    string          `json:"schema,omitempty"`
	Key       json.RawMessage `json:"key"`
	Value     json.RawMessage `json:"value"`
	Error     *problemPlan    `json:"error,omitempty"`
}

func (a *app) previewCommand() *cobra.Command {
	var f previewFlags
	c := &cobra.Command{
		Use:   "preview -c FILE TABLE",
		Short: "Decode some records of a table's topics and print them, writing nothing",
		Long: `Decode some records of a table's topics and print them as JSON, one a line. Nothing is written, no offset moves. A
record that cannot be decoded is printed with the error that the daemon would stop or skip with.`,
		Example: `  ingestd preview -c ingestd.yaml shop.clicks
  ingestd preview -c ingestd.yaml shop.clicks --from latest --limit 3
  ingestd preview -c ingestd.yaml shop.clicks --from table --limit 1     what the table takes next: the record it stopped at`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeTable(&f.file),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.limit < 1 {
				return usagef("--limit must be at least 1")
			}
			if !slices.Contains([]string{fromEarliest, fromLatest, fromTable}, f.from) {
				return usagef("--from must be earliest, latest or table, not %q", f.from)
			}
			return a.preview(cmd.Context(), f, args)
		},
	}
	addConfig(c, &f.file)
	c.Flags().IntVarP(&f.limit, "limit", "n", 10, "greatest `number` of records")
	c.Flags().StringVar(&f.from, "from", fromEarliest, "`place` to begin: earliest, latest, or table (where the table reads next)")
	return c
}

func (a *app) preview(ctx context.Context, f previewFlags, args []string) error {
	conf, err := a.load(f.file)
	if err != nil {
		return err
	}
	if _, err := chosen(conf, args); err != nil {
		return err
	}
	env, err := newEnvironment(conf)
	if err != nil {
		return err
	}
	defer env.close()
	t := env.table(args[0])
	p := &previewer{environment: env, table: t, from: f.from, left: f.limit, decode: newSlowDecoder(env, t), out: bufio.NewWriter(a.Out)}
	if err := p.run(ctx); err != nil {
		return err
	}
	if p.left == f.limit {
		fmt.Fprintln(a.Err, "ingestd: no records there")
	}
	return p.out.Flush()
}

// previewer prints records until it has printed enough.
type previewer struct {
	*environment
	table  ingest.TableOptions
	decode *slowDecoder
	from   string
	left   int
	out    *bufio.Writer
}

// run takes a fair share of every partition, then whatever is left.
func (p *previewer) run(ctx context.Context) error {
	topics, err := p.topics(ctx, p.table)
	if err != nil {
		return err
	}
	places, err := p.places(ctx, topics)
	if err != nil {
		return err
	}
	for i, place := range places {
		share := (p.left + len(places) - i - 1) / (len(places) - i)
		if err := p.partition(ctx, place, share); err != nil {
			return err
		}
	}
	return nil
}

// peekBytes is the size of one read.
const peekBytes = 1 << 20

// place is where to read one partition.
type place struct {
	topic     kafka.Topic
	partition int32
	at, end   int64
}

// places finds where to begin, partitions without records left out.
func (p *previewer) places(ctx context.Context, topics []kafka.Topic) (out []place, err error) {
	client, err := p.kafka(ctx, p.table.Source)
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		ends, err := client.Offsets(ctx, topic.Name)
		if err != nil {
			return nil, err
		}
		stored := map[string]int64{}
		if p.from == fromTable {
			loaded, err := p.load(ctx, p.table)
			if err != nil {
				return nil, err
			}
			stored = positions(loaded, state.Stream{Source: p.table.Source, Cluster: client.Cluster(), Topic: topic.Name, ID: topic.ID})
		}
		for i := range topic.Partitions {
			e := ends[kafka.Partition{Topic: topic.Name, Partition: i}]
			at := e.Start
			if next, ok := stored[fmt.Sprint(i)]; ok {
				at = next
			}
			if at < e.Stable {
				out = append(out, place{topic, i, at, e.Stable})
			}
		}
	}
	return out, nil
}

// partition prints up to share records of one partition: the first ones, or the last.
func (p *previewer) partition(ctx context.Context, at place, share int) error {
	client, err := p.kafka(ctx, p.table.Source)
	if err != nil {
		return err
	}
	next := at.at
	if p.from == fromLatest {
		next = max(next, at.end-int64(share))
	}
	for next < at.end && share > 0 {
		probe, err := client.Fetch(ctx, at.topic, at.partition, next, peekBytes)
		if err != nil {
			return err
		}
		for _, r := range probe.Records {
			if r.Attrs.IsControl() || share == 0 {
				continue
			}
			share--
			p.left--
			line := previewed{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UTC().Format(time.RFC3339Nano)}
			p.decode.fill(ctx, &line, halves{r.Key, r.Value, func(part schemareg.Part, b []byte) (schemareg.Ref, []byte, error) {
				return schemareg.Frame(part, b, r.Headers)
			}})
			if err := json.NewEncoder(p.out).Encode(line); err != nil {
				return fmt.Errorf("writing the result: %w", err)
			}
		}
		if probe.Next <= next {
			return nil
		}
		next = probe.Next
	}
	return nil
}
