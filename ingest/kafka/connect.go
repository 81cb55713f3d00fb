package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/ingestd/ingestd/internal/failure"
)

// connectTimeout bounds the first contact, so that a wrong address is an answer and not a hang.
const connectTimeout = 15 * time.Second

// Client is a connection to one cluster.
type Client struct {
	Kgo *kgo.Client
	adm *kadm.Client
	// cluster is the cluster's id as it was at the start. Should another one answer later, its topics have other ids.
	cluster string
	// end stops everything that the client has under way, closing is how long Close waits before it does that.
	end     context.CancelFunc
	closing time.Duration
}

// closeTimeout bounds the goodbye: a group may be in the middle of a round that waits for somebody else.
const closeTimeout = 5 * time.Second

// Connect dials the cluster and asks it for its id. extra configures consuming; the caller closes the client.
func Connect(ctx context.Context, o Options, extra ...kgo.Opt) (*Client, error) {
	opts, err := o.kgoOptions()
	if err != nil {
		return nil, err
	}
	cluster, err := o.contact(ctx, opts)
	if err != nil {
		return nil, err
	}
	// What has worked once is configured well: a connection that closes early is the network's doing from now on.
	opts = append(opts, kgo.AlwaysRetryEOF())
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	opts = append(opts, kgo.WithContext(life))
	cl, err := kgo.NewClient(append(opts, extra...)...)
	if err != nil {
		end()
		return nil, failure.Wrap(err, failure.Config, "E_KAFKA_SETTINGS", "check the source's settings", "configuring the Kafka client")
	}
	return &Client{Kgo: cl, adm: kadm.NewClient(cl), cluster: cluster, end: end, closing: closeTimeout}, nil
}

// handshakeTime is how long every connection has to close at once until that is taken for an answer: a balancer that
// drains or a broker that restarts closes one or two. The pauses between the attempts grow.
const (
	handshakeTime  = 3 * time.Second
	handshakePause = 100 * time.Millisecond
)

// contact asks for the cluster's id with a client of its own, which tells a wrong configuration from a bad moment.
func (o Options) contact(ctx context.Context, opts []kgo.Opt) (string, error) {
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return "", failure.Wrap(err, failure.Config, "E_KAFKA_SETTINGS", "check the source's settings", "configuring the Kafka client")
	}
	defer cl.Close()
	probe, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	patience, lose := context.WithTimeout(probe, handshakeTime)
	defer lose()
	op := fmt.Sprintf("connecting to Kafka at %s", strings.Join(o.Brokers, ","))
	for n := 1; ; n++ {
		meta, err := kadm.NewClient(cl).BrokerMetadata(probe)
		if err == nil {
			return meta.Cluster, nil
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return "", Classify(err, op)
		}
		if !pause(patience, time.Duration(n*n)*handshakePause) {
			return "", failure.Wrap(err, failure.Config, "E_KAFKA_HANDSHAKE",
				"the broker closed the connection at once: does the port want TLS or SASL, or other credentials?", "%s", op)
		}
	}
}

// pause waits; false means that the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close leaves the group and ends the connection. A member that cannot leave in time is missed when its session ends.
func (c *Client) Close() {
	late := time.AfterFunc(c.closing, c.end)
	c.Kgo.Close()
	late.Stop()
	c.end()
}

// Resize changes the size of fetches from now on.
func (c *Client) Resize(size int32) { c.Kgo.UpdateFetchMaxBytes(size, partitionBytes(size)) }

// Cluster is the cluster id, the part of a stream's identity that notices another cluster behind the same name.
func (c *Client) Cluster() string { return c.cluster }

func (o Options) kgoOptions() ([]kgo.Opt, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.RetryTimeout(30 * time.Second),
		kgo.DialTimeout(10 * time.Second),
		// Our own metrics say more, and a broker need not know them.
		kgo.DisableClientMetrics(),
	}
	if o.ClientID != "" {
		opts = append(opts, kgo.ClientID(o.ClientID))
	}
	if o.Logger != nil {
		opts = append(opts, kgo.WithLogger(o.Logger))
	}
	switch {
	case o.Dial != nil:
		opts = append(opts, kgo.Dialer(o.Dial))
	case o.TLS != nil:
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	mech, err := o.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	if mech != nil {
		opts = append(opts, kgo.SASL(mech))
	}
	return opts, nil
}

func (s SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "":
		return nil, nil
	case "PLAIN":
		return plain.Auth{User: s.Username, Pass: s.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.Username, Pass: s.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.Username, Pass: s.Password}.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
			token, err := s.Token(ctx)
			return oauth.Auth{Token: token}, err
		}), nil
	default:
		return nil, failure.New(failure.Config, "E_SASL_MECHANISM",
			"use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", "unknown SASL mechanism %q", s.Mechanism)
	}
}

// Consuming are the client options every consumer of ingestd has: committed records only, markers kept, no
// automatic reset, pooled buffers.
func Consuming(f Fetch, brokers int) []kgo.Opt {
	f = f.WithDefaults()
	buffers := newPools()
	return []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(f.MaxBytes),
		kgo.FetchMaxPartitionBytes(partitionBytes(f.MaxBytes)),
		kgo.FetchMaxWait(f.MaxWait),
		kgo.FetchMinBytes(f.MinBytes),
		kgo.MaxConcurrentFetches(max(1, brokers)),
		kgo.MaxDecompressBatchBytes(int(f.MaxBatchBytes)),
		kgo.BrokerMaxReadBytes(f.readable()),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.WithPools(buffers),
		kgo.WithDecompressor(newInflater(f, buffers)),
	}
}
