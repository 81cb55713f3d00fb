package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ready begins the line with which the broker tells its address.
const ready = "ready "

// serve is the broker's process: it fills the topics, says where it listens, and goes when its input ends.
func serve(ctx context.Context, l load) error {
	topics := make([]string, l.tables)
	for i := range topics {
		topics[i] = l.topic(i)
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(int32(l.partitions), topics...),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(8 << 20)}))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := l.fill(ctx, c.ListenAddrs()); err != nil {
		return fmt.Errorf("filling the topics: %w", err)
	}
	fmt.Println(ready + strings.Join(c.ListenAddrs(), ","))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// fill produces every record, compressed as producers do it.
func (l load) fill(ctx context.Context, brokers []string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerBatchMaxBytes(2<<20), kgo.MaxBufferedRecords(200_000))
	if err != nil {
		return err
	}
	defer cl.Close()
	failed := make(chan error, 1)
	var buf []byte
	for i := range l.records {
		cl.Produce(ctx, l.record(i, buf), func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// startBroker starts the broker in a process of its own and waits until it is full.
func startBroker(ctx context.Context, l load) (addr string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-broker", "-n", strconv.Itoa(l.records), "-tables", strconv.Itoa(l.tables),
		"-partitions", strconv.Itoa(l.partitions), "-large", strconv.Itoa(l.large))
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
