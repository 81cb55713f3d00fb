package kafka

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Options says how to reach a cluster.
type Options struct {
	Brokers  []string
	ClientID string
	// TLS is nil for plain text.
	TLS  *tls.Config
	SASL SASL
	// Dial replaces the network (tests); it must apply TLS itself.
	Dial func(ctx context.Context, network, host string) (net.Conn, error)
	// Logger receives the client's own log, nil for none.
	Logger kgo.Logger
}

// SASL holds the credentials; an empty Mechanism means none.
type SASL struct {
	Mechanism string
	Username  string
	Password  string
	// Token gives the OAUTHBEARER token; it is asked again for every new connection.
	Token func(ctx context.Context) (string, error)
}

// Fetch bounds what the client holds.
type Fetch struct {
	// MaxBytes is the size of one fetch from one broker.
	MaxBytes int32
	// MaxBatchBytes bounds one decompressed batch.
	MaxBatchBytes int32
	// MaxWait is how long a broker may wait for MinBytes.
	MaxWait  time.Duration
	MinBytes int32
}

// Defaults of Fetch.
const (
	DefaultFetchMaxBytes = 16 << 20
	DefaultMaxBatchBytes = 64 << 20
	DefaultFetchMaxWait  = 250 * time.Millisecond
	DefaultFetchMinBytes = 1
	// partitionShare is the share of one partition in a fetch: several are read at once, none waits long for a hot one.
	partitionShare = 4
	// leastPartitionFetch is the least a partition gives to a fetch.
	leastPartitionFetch = 256 << 10
)

// WithDefaults fills what is zero.
func (f Fetch) WithDefaults() Fetch {
	if f.MaxBytes <= 0 {
		f.MaxBytes = DefaultFetchMaxBytes
	}
	if f.MaxBatchBytes <= 0 {
		f.MaxBatchBytes = DefaultMaxBatchBytes
	}
	if f.MaxWait <= 0 {
		f.MaxWait = DefaultFetchMaxWait
	}
	if f.MinBytes <= 0 {
		f.MinBytes = DefaultFetchMinBytes
	}
	return f
}

// readable is the largest answer that is read: a broker sends the first batch whole, whatever was asked for, so a batch
// that need not be decompressed may be as large as one that was. The rest is room for what surrounds it.
func (f Fetch) readable() int32 { return max(2*f.MaxBytes, f.MaxBatchBytes+1<<20, 32<<20) }

// partitionBytes is the share of one partition in a fetch of a size.
func partitionBytes(size int32) int32 {
	return min(size, max(size/partitionShare, leastPartitionFetch))
}

// Queue bounds what may wait between the client and whoever decodes, as far as fetches go: one more may come on top.
func (f Fetch) Queue() int64 { return int64(f.WithDefaults().MaxBatchBytes) }

// Reserve is the memory the client and the queue behind it may hold: a fetch per broker in compressed form, one
// more being read, and what is decompressed; a batch may be as large as all of that.
func (f Fetch) Reserve(brokers int) int64 {
	return 2*int64(f.WithDefaults().MaxBytes)*int64(max(1, brokers)) + f.Queue()
}
