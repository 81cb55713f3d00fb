package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	batchBytes = 1_000_000
	linger     = 20 * time.Millisecond
	// maxBuffered bounds the client's memory: 200,000 records of both formats are about 100 MiB.
	maxBuffered = 200_000

	topicPoll     = 100 * time.Millisecond
	topicDeadline = 30 * time.Second
)

// connection is how to reach the brokers.
type connection struct {
	brokers, caFile, user, password string
}

// dial makes a client; transactional may be empty.
func (c connection) dial(transactional string) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(c.brokers, ",")...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()),
		kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.MaxBufferedRecords(maxBuffered),
	}
	if transactional != "" {
		opts = append(opts, kgo.TransactionalID(transactional))
	}
	if c.caFile != "" {
		pem, err := os.ReadFile(c.caFile)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", c.caFile)
		}
		opts = append(opts, kgo.DialTLSConfig(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	}
	if c.user != "" {
		opts = append(opts, kgo.SASL(scram.Auth{User: c.user, Pass: c.password}.AsSha512Mechanism()))
	}
	return kgo.NewClient(opts...)
}

// createTopics makes the topics that are missing; with recreate it deletes them first.
func createTopics(ctx context.Context, cl *kgo.Client, o options) error {
	adm := kadm.NewClient(cl)
	if o.recreate {
		if _, err := adm.DeleteTopics(ctx, o.topics()...); err != nil {
			return err
		}
	}
	config := map[string]*string{"retention.ms": kadm.StringPtr("-1")}
	if o.compact {
		// The smallest segments a broker allows, cleaned as soon as anything in them is superseded.
		config["cleanup.policy"] = kadm.StringPtr("compact")
		config["segment.bytes"] = kadm.StringPtr("1048576")
		config["min.cleanable.dirty.ratio"] = kadm.StringPtr("0.001")
	}
	// A deletion is asynchronous: the name is free a little later.
	ctx, cancel := context.WithTimeout(ctx, topicDeadline)
	defer cancel()
	tick := time.NewTicker(topicPoll)
	defer tick.Stop()
	for {
		rs, err := adm.CreateTopics(ctx, int32(o.partitions), 1, config, o.topics()...)
		if err != nil {
			return err
		}
		err = rs.Error()
		if !o.recreate && errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		if err == nil || !errors.Is(err, kerr.TopicAlreadyExists) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
