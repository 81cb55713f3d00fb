// Command naivedict is the pipeline a good Go programmer writes in an afternoon, to compare with: franz-go,
// goavro or encoding/json, parquet-go's GenericWriter with dictionaries and zstd, and iceberg-go's AddFiles in an
// append commit every ten seconds. One goroutine decodes and writes; franz-go fetches and decompresses in its own.
//
// It keeps no offsets with the rows and is not exactly-once. It is part of the end-to-end benchmark and of no
// product package; what it does per record must not be changed, or older numbers lose their meaning.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("naivedict", flag.ContinueOnError)
	brokers := fs.String("brokers", "127.0.0.1:19092", "seed broker")
	format := fs.String("format", "avro", "avro or json")
	topic := fs.String("topic", "events_avro", "topic to read from its start")
	n := fs.Int("n", 5_000_000, "stop after this many records")
	warehouse := fs.String("warehouse", "", "folder of the warehouse (Hadoop catalog layout)")
	interval := fs.Duration("commit", 10*time.Second, "time between commits")
	if err := fs.Parse(args); err != nil {
		return err
	}
	decode, err := newDecoder(*format)
	if err != nil {
		return err
	}
	sink, err := openSink(ctx, *warehouse)
	if err != nil {
		return fmt.Errorf("creating the table: %w", err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(*brokers), kgo.ConsumeTopics(*topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer cl.Close()
	start := time.Now()
	if err := pump(ctx, cl, work{decode: decode, sink: sink, n: *n, interval: *interval}); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d records in %.1f s\n", *n, time.Since(start).Seconds())
	return nil
}

// work is what one run does with its records.
type work struct {
	decode   decoder
	sink     *sink
	n        int
	interval time.Duration
}

// pump moves n records into the sink and commits at every interval and at the end.
func pump(ctx context.Context, cl *kgo.Client, work work) error {
	last := time.Now()
	for done := 0; done < work.n; {
		fetches := cl.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			return e.Err
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			var row Row
			if err := work.decode(r.Value, &row); err != nil && failed == nil {
				failed = err
			}
			if err := work.sink.add(row); err != nil && failed == nil {
				failed = err
			}
			done++
		})
		if failed != nil {
			return failed
		}
		if time.Since(last) >= work.interval && done < work.n {
			if err := work.sink.commit(ctx); err != nil {
				return err
			}
			last = time.Now()
		}
	}
	return work.sink.commit(ctx)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "naivedict:", err)
		os.Exit(1)
	}
}
