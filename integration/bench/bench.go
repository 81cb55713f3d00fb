package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/integration/events"
	"github.com/ingestd/ingestd/integration/stack"
)

const (
	buildDeadline   = 10 * time.Minute
	produceDeadline = 10 * time.Minute
	checkDeadline   = 5 * time.Minute
	// runDeadline is for the slowest program on a busy machine.
	runDeadline = 10 * time.Minute
)

// bench is one run of the benchmark; dir holds the built tools and one folder per measurement.
type bench struct {
	options
	stack *stack.Stack
	dir   string
	want  check // what a right table holds
}

// topic is named after its size, so that a kept broker never serves another.
func (b *bench) topic(format string) string { return "bench_" + format + "_" + strconv.Itoa(b.n) }

// prepare builds the tools, fills the topics and works out what is in them.
func (b *bench) prepare(ctx context.Context) error {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	for _, tool := range []string{"eventgen", "naivedict"} {
		if err := b.tool(ctx, buildDeadline, root, "go", "build", "-o", filepath.Join(b.dir, tool), "./integration/"+tool); err != nil {
			return fmt.Errorf("building %s: %w", tool, err)
		}
	}
	b.want = expected(b.n)
	full, err := b.full(ctx, b.topic("avro"), b.topic("json"))
	if err != nil || full {
		return err
	}
	err = b.tool(ctx, produceDeadline, b.dir, filepath.Join(b.dir, "eventgen"), "-recreate", "-n", strconv.Itoa(b.n),
		"-brokers", b.stack.Brokers(), "-registry", b.stack.Registry(), "-avro", b.topic("avro"), "-json", b.topic("json"))
	if err != nil {
		return fmt.Errorf("filling the topics: %w", err)
	}
	return nil
}

// expected is what the first n events add up to.
func expected(n int) check {
	g := events.NewGenerator()
	var e events.Event
	c := check{Rows: int64(n), Distinct: int64(n), Min: 1, Max: int64(n), Offsets: int64(n)}
	for range n {
		g.Next(&e)
		c.Duration += e.Duration
		if e.HasAmount() {
			c.Amount += e.Amount
		}
	}
	return c
}

func (b *bench) tool(ctx context.Context, within time.Duration, dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	return cmd.Run()
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

// plan lists what is going to be measured, and installs what that takes. What cannot be had stays in the list with the reason.
func (b *bench) plan(ctx context.Context, r *results) {
	for _, p := range programs() {
		reason := ""
		if !b.only.MatchString(p.name) {
			reason = "left out"
		} else if p.part != "" {
			if err := b.stack.Install(ctx, p.part); err != nil {
				reason = "it could not be installed: " + err.Error()
			}
		}
		for _, format := range b.formats {
			r.Cases = append(r.Cases, caseResult{
				Name: p.name, Format: format, Version: p.version(b.stack), Java: p.java, Setting: p.setting, Unequal: p.unequal, NotRun: reason,
			})
		}
	}
}

// rounds measures every program once per round, in the same order. What goes wrong with a peer is part of the result;
// what goes wrong with the product is told as well. An error means that the rounds were not finished.
func (b *bench) rounds(ctx context.Context, r *results) (wrong, err error) {
	byName := map[string]program{}
	for _, p := range programs() {
		byName[p.name] = p
	}
	for n := 1; n <= b.options.rounds; n++ {
		for i := range r.Cases {
			c := &r.Cases[i]
			if c.NotRun != "" {
				continue
			}
			if full, err := b.full(ctx, b.topic(c.Format)); err != nil || !full {
				return nil, errors.Join(err, errors.New("the topic is not what it was: the broker has gone, or somebody else uses it"))
			}
			m := b.measure(ctx, byName[c.Name], c.Format)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m.Round = n
			c.Runs = append(c.Runs, m)
			fmt.Fprintf(os.Stderr, "round %d  %-22s %s %6.1f CPU s  %6.1f s  %5d MiB  load %.1f  %s\n", n, c.Name, c.Format, m.CPU, m.Wall, m.PeakMiB, m.Load, m.Failure)
			if byName[c.Name].ours && m.Failure != "" {
				wrong = errors.Join(wrong, fmt.Errorf("%s, %s: %s", c.Name, c.Format, m.Failure))
			}
		}
	}
	return wrong, nil
}

// measure runs a program once on a topic. A failure is told in the result.
func (b *bench) measure(ctx context.Context, p program, format string) measurement {
	m := measurement{Load: load(), Calibration: round(calibrate().Seconds())}
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = b.measureIn(ctx, p, job{
			Dir: dir, Topic: b.topic(format), JSON: format == "json", Audit: p.audit, Unique: "bench-" + filepath.Base(dir),
			Brokers: b.stack.Brokers(), Registry: b.stack.Registry(), RegistryV2: b.stack.RegistryV2(),
		}, &m)
	}
	if err != nil {
		m.Failure = err.Error()
	}
	return m
}

func (b *bench) measureIn(ctx context.Context, p program, j job, m *measurement) error {
	warehouse := filepath.Join(j.Dir, "warehouse")
	if err := os.Mkdir(warehouse, 0o755); err != nil {
		return err
	}
	if !p.makesTable {
		if err := createTable(ctx, warehouse); err != nil {
			return fmt.Errorf("creating the table: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, runDeadline)
	defer cancel()
	cmd, err := p.start(ctx, b, j)
	if err != nil {
		return err
	}
	cmd.Dir = j.Dir
	log, err := os.Create(filepath.Join(j.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	var done func() bool
	if p.endless {
		done = func() bool { return committed(warehouse) >= int64(b.n) }
	}
	u, err := meter(ctx, cmd, done)
	if err != nil {
		return fmt.Errorf("%w%s", err, tail(log.Name()))
	}
	m.Wall, m.CPU, m.PeakMiB = round(u.wall.Seconds()), round(u.cpu.Seconds()), u.peak>>20
	return b.inspect(ctx, warehouse, p, u, m)
}

// tail is the end of a log, for the reason of a failure.
func tail(name string) string {
	const most = 1500
	text, _ := os.ReadFile(name)
	text = text[max(0, len(text)-most):]
	return "\n" + string(bytes.ToValidUTF8(text, nil))
}

// inspect reads the table back and compares it with the topic.
func (b *bench) inspect(ctx context.Context, warehouse string, p program, u *usage, m *measurement) error {
	newest, err := newestMetadata(warehouse)
	if err != nil {
		return err
	}
	m.Commits = commits(newest, u)
	script, err := peerFiles.ReadFile("peers/check.py")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkDeadline)
	defer cancel()
	args := []string{"-", "--metadata", newest.path}
	if p.audit {
		args = append(args, "--audit")
	}
	cmd := exec.CommandContext(ctx, b.stack.Python("light"), args...)
	cmd.Env, cmd.Stdin, cmd.Stderr = b.stack.ReaderEnv(), bytes.NewReader(script), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("reading the table: %w", err)
	}
	if err := json.Unmarshal(answer, &m.Check); err != nil {
		return err
	}
	all, err := dataFiles(warehouse)
	if err != nil {
		return err
	}
	m.Orphans = all - m.Check.Files
	return m.Check.compare(b.want, p.audit)
}

// compare says what is wrong with a table.
func (c check) compare(want check, audit bool) error {
	const cent = 0.02 // sums are rounded to two digits, and added up in another order
	switch {
	case c.Rows != want.Rows || c.Distinct != want.Distinct:
		return fmt.Errorf("%d rows with %d distinct ids in the table, %d events in the topic", c.Rows, c.Distinct, want.Rows)
	case c.Min != want.Min || c.Max != want.Max:
		return fmt.Errorf("ids from %d to %d in the table, from %d to %d in the topic", c.Min, c.Max, want.Min, want.Max)
	case math.Abs(c.Amount-want.Amount) > cent || math.Abs(c.Duration-want.Duration) > cent:
		return fmt.Errorf("sums of %.2f and %.2f in the table, of %.2f and %.2f in the topic", c.Amount, c.Duration, want.Amount, want.Duration)
	case audit && c.Offsets != want.Offsets:
		return fmt.Errorf("%d distinct offsets in the table, %d in the topic", c.Offsets, want.Offsets)
	case c.Deletes > 0:
		return fmt.Errorf("%d delete files in an append-only table", c.Deletes)
	default:
		return nil
	}
}
