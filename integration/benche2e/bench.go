package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/stack"
)

const (
	buildDeadline   = 10 * time.Minute
	produceDeadline = 10 * time.Minute
)

// bench is one run of the benchmark; dir holds the built tools and one folder per measurement.
type bench struct {
	options
	stack *stack.Stack
	dir   string
}

func itoa(n int) string { return strconv.Itoa(n) }

// topic is named after its size, so that a kept broker never serves another.
func (b *bench) topic(format string) string { return "bench_" + format + "_" + itoa(b.n) }

func (b *bench) build(ctx context.Context) error {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	for _, tool := range []string{"eventgen", "naivedict"} {
		if err := b.tool(ctx, buildDeadline, root, "go", "build", "-o", filepath.Join(b.dir, tool), "./integration/"+tool); err != nil {
			return fmt.Errorf("building %s: %w", tool, err)
		}
	}
	return nil
}

func (b *bench) tool(ctx context.Context, within time.Duration, dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	return cmd.Run()
}

// fillTopics produces what is not there yet.
func (b *bench) fillTopics(ctx context.Context) error {
	avro, text := b.topic("avro"), b.topic("json")
	full, err := b.full(ctx, avro, text)
	if err != nil || full {
		return err
	}
	err = b.tool(ctx, produceDeadline, b.dir, filepath.Join(b.dir, "eventgen"), "-recreate", "-n", itoa(b.n),
		"-brokers", b.stack.Brokers(), "-registry", b.stack.Registry(), "-avro", avro, "-json", text)
	if err != nil {
		return fmt.Errorf("filling the topics: %w", err)
	}
	return nil
}

// full says whether each topic holds n records.
func (b *bench) full(ctx context.Context, topics ...string) (bool, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.stack.Brokers()))
	if err != nil {
		return false, err
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topics...)
	if err != nil {
		return false, err
	}
	for _, t := range topics {
		var sum int64
		for _, o := range ends[t] {
			if o.Err != nil {
				return false, nil // unknown topic
			}
			sum += o.Offset
		}
		if sum != int64(b.n) {
			return false, nil
		}
	}
	return true, nil
}

// rounds measures every case once per round, in the same order.
func (b *bench) rounds(ctx context.Context) (map[string][]measurement, error) {
	results := map[string][]measurement{}
	for round := 1; round <= b.options.rounds; round++ {
		for _, c := range cases() {
			if !b.only.MatchString(c.name) || c.once && round > 1 {
				continue
			}
			m, err := b.measure(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d  %-36s %6.1f CPU s  %6.1f s  %4d MiB\n", round, c.name, m.cpu.Seconds(), m.wall.Seconds(), m.rss>>20)
			results[c.name] = append(results[c.name], m)
		}
	}
	return results, nil
}
