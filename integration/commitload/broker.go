package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/internal/rungroup"
)

const (
	// ready begins the line with which the broker tells its address.
	ready = "ready "
	// partitions of each topic.
	partitions = 4
	// every is how often each topic gets a record.
	every = 250 * time.Millisecond
)

func topic(table int) string { return "load_" + strconv.Itoa(table) }

// serve is the broker's process: it says where it listens, produces, and goes when its input ends.
func serve(ctx context.Context, tables, rewritten int) error {
	topics := make([]string, tables)
	for i := range topics {
		topics[i] = topic(i)
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, append([]string{heavy}, topics...)...))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := fill(ctx, c.ListenAddrs(), rewritten); err != nil {
		return err
	}
	fmt.Println(ready + strings.Join(c.ListenAddrs(), ","))
	g := rungroup.New(ctx)
	g.Go(func(ctx context.Context) error { return produce(ctx, c.ListenAddrs(), topics) })
	_, err = io.Copy(io.Discard, os.Stdin)
	g.Stop()
	return errors.Join(err, g.Wait())
}

// heavy is the topic of the table that is rewritten.
const heavy = "load_heavy"

// fill produces the records of the table that is rewritten.
func fill(ctx context.Context, brokers []string, n int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	const batch = 10_000
	r := rand.New(rand.NewPCG(1, 1))
	for i := 0; i < n; i += batch {
		records := make([]*kgo.Record, min(batch, n-i))
		for k := range records {
			value := fmt.Appendf(nil, `{"id":%d,"at":%d,"kind":"user-%08x"}`, i+k, time.Now().UnixMilli(), r.Uint32N(200_000))
			records[k] = &kgo.Record{Topic: heavy, Value: value}
		}
		if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

// produce gives each topic a record now and then, one partition after the other.
func produce(ctx context.Context, brokers, topics []string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		records := make([]*kgo.Record, len(topics))
		for t, name := range topics {
			value := fmt.Appendf(nil, `{"id":%d,"at":%d,"kind":"kind-%d"}`, i, time.Now().UnixMilli(), i%50)
			records[t] = &kgo.Record{Topic: name, Partition: int32(i % partitions), Value: value}
		}
		if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// startBroker starts the broker in a process of its own and waits until it listens.
func startBroker(ctx context.Context, tables, rewritten int) (addr string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-broker", "-tables", strconv.Itoa(tables), "-rewrite", strconv.Itoa(rewritten))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _, _ = in.Close(), cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), ready)
	if err != nil || !ok {
		stop()
		return "", nil, errors.Join(errors.New("the broker did not start"), err)
	}
	return addr, stop, nil
}
