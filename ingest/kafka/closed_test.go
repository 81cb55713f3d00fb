package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ingestd/ingestd/internal/failure"
)

// closing dials, and so many times gives a connection that the other side has closed already.
func closing(left *atomic.Int32) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if left.Add(-1) < 0 {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		ours, theirs := net.Pipe()
		go func() { // reads what is asked and says nothing
			_, _ = theirs.Read(make([]byte, 4096))
			_ = theirs.Close()
		}()
		return ours, nil
	}
}

// A load balancer that drains, a broker that restarts: a connection that is closed at once proves nothing about the
// configuration while the next one works.
func TestClosedConnectionsAreTriedAgain(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	var left atomic.Int32
	left.Store(2)
	cl, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs(), Dial: closing(&left)})
	require.NoError(t, err)
	t.Cleanup(cl.Close)

	again, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs(), Dial: closing(&left)})
	require.NoError(t, err)
	t.Cleanup(again.Close)
	left.Store(3) // the connections for the requests that follow
	topics, err := again.Topics(t.Context(), "t")
	require.NoError(t, err)
	require.Len(t, topics, 1)
}

// A port that closes every connection wants something else than it gets: that is told soon.
func TestPortThatWantsSomethingElse(t *testing.T) {
	var left atomic.Int32
	left.Store(1 << 30)
	_, err := Connect(t.Context(), Options{Brokers: []string{"127.0.0.1:1"}, Dial: closing(&left)})
	require.Equal(t, failure.ExitConfig, failure.ExitCode(err), "%v", err)
	require.Equal(t, "E_KAFKA_HANDSHAKE", failure.CodeOf(err))
}

// dying is what the client says of a request that was waiting for a connection when it died: an error of its own that
// is only known to be temporary.
type dying struct{ error }

func (dying) Temporary() bool { return true }

// The client gives such errors of requests to single brokers to its caller instead of trying again.
func TestDyingConnectionsAreTriedAgain(t *testing.T) {
	err := Classify(fmt.Errorf("one shard: %w", dying{errors.New("the broker connection has died")}), "asking")
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	require.Equal(t, "E_KAFKA_UNREACHABLE", failure.CodeOf(err))
}

// hangingUp is a connection whose other side answers once and then hangs up.
type hangingUp struct {
	net.Conn
	writes atomic.Int32
}

func (c *hangingUp) Write(p []byte) (int, error) {
	if c.writes.Add(1) > 1 {
		return len(p), c.Conn.Close()
	}
	return c.Conn.Write(p)
}

func (c *hangingUp) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.writes.Load() > 1 {
		return 0, io.EOF
	}
	return n, err
}

// A probe is not tried again by the client. Whatever the client guesses in its words, TLS or SASL, a connection that
// closed early does not prove that the settings are wrong: they have worked before.
func TestProbeOnAClosedConnectionIsNoConfiguration(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	var bad atomic.Bool
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && bad.Load() {
			return &hangingUp{Conn: conn}, nil
		}
		return conn, err
	}
	cl, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs(), Dial: dial})
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	at := place{Topic: Topic{Name: "t"}, partition: 0}
	leaders, err := cl.leaders(t.Context(), "t")
	require.NoError(t, err)
	bad.Store(true)
	_, err = cl.fetchFrom(t.Context(), leaders, at, 1<<20)
	require.ErrorContains(t, err, "is SASL missing?", "the client's guess")
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	require.Equal(t, "E_KAFKA_UNREACHABLE", failure.CodeOf(err))
}
