// Command eventgen fills Kafka topics with the event set of package events: the same values in Avro and in JSON.
//
// It is a tool of the integration tests and of the end-to-end benchmark and shares no code with the product, so
// that both cannot be wrong in the same way. Record i goes to partition i mod P; with -keys K a record's key is
// its event id mod K, for compacted topics. With -transactional every batch of -tx-records records is one
// transaction, and every -abort-every-th is produced, aborted and produced again: a reader of committed records
// sees each event once.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// options are the command line.
type options struct {
	connection
	n, skip       int
	avro, json    string
	partitions    int
	registry      string
	rate          int
	keys          int
	recreate      bool
	compact       bool
	transactional string
	txRecords     int
	abortEvery    int
	abortTail     bool
}

func parse(args []string) (options, error) {
	var o options
	fs := flag.NewFlagSet("eventgen", flag.ContinueOnError)
	fs.IntVar(&o.n, "n", 5_000_000, "number of events")
	fs.IntVar(&o.skip, "skip", 0, "leave out the first events of the set")
	fs.StringVar(&o.brokers, "brokers", "127.0.0.1:19092", "seed brokers")
	fs.StringVar(&o.avro, "avro", "", "topic for Avro records")
	fs.StringVar(&o.json, "json", "", "topic for JSON records")
	fs.IntVar(&o.partitions, "partitions", 4, "partitions of a topic that is created")
	fs.StringVar(&o.registry, "registry", "http://127.0.0.1:18081/apis/ccompat/v7", "schema registry, for -avro")
	fs.IntVar(&o.rate, "rate", 0, "events a second (0: as fast as possible)")
	fs.IntVar(&o.keys, "keys", 0, "number of distinct record keys (0: no keys)")
	fs.BoolVar(&o.recreate, "recreate", false, "delete the topics first")
	fs.BoolVar(&o.compact, "compact", false, "create the topics compacted, with small segments")
	fs.StringVar(&o.transactional, "transactional", "", "transactional id: produce in transactions")
	fs.IntVar(&o.txRecords, "tx-records", 10_000, "events in a transaction")
	fs.IntVar(&o.abortEvery, "abort-every", 0, "abort and repeat every n-th transaction")
	fs.BoolVar(&o.abortTail, "abort-tail", false, "end with an aborted transaction, so that the topic ends in a hole")
	fs.StringVar(&o.caFile, "ca", "", "certificate authority file: connect with TLS")
	fs.StringVar(&o.user, "user", "", "SCRAM-SHA-512 user")
	fs.StringVar(&o.password, "password", "", "SCRAM-SHA-512 password")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	case o.avro == "" && o.json == "":
		return o, fmt.Errorf("name a topic with -avro or -json")
	case o.compact && o.keys == 0:
		return o, fmt.Errorf("-compact needs -keys")
	case o.transactional == "" && (o.abortEvery > 0 || o.abortTail):
		return o, fmt.Errorf("-abort-every and -abort-tail need -transactional")
	}
	return o, nil
}

// topics are the names in use.
func (o options) topics() []string {
	var names []string
	for _, t := range []string{o.avro, o.json} {
		if t != "" {
			names = append(names, t)
		}
	}
	return names
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	cl, err := o.dial(o.transactional)
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := createTopics(ctx, cl, o); err != nil {
		return fmt.Errorf("creating topics %s: %w", strings.Join(o.topics(), ", "), err)
	}
	id := 0
	if o.avro != "" {
		if id, err = register(ctx, o.registry, o.avro+"-value"); err != nil {
			return fmt.Errorf("registering the schema of %s: %w", o.avro, err)
		}
	}
	return produce(ctx, cl, o, id)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "eventgen:", err)
		os.Exit(1)
	}
}
