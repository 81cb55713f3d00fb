package kafka

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestCloseWhileJoining: the group is in the middle of a round that waits for another member. Leaving does not wait for
// the round's end.
func TestCloseWhileJoining(t *testing.T) {
	c := cluster(t, "a")
	joining, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	c.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		select {
		case joining <- struct{}{}:
		default:
		}
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	cl, err := Connect(t.Context(), Options{Brokers: c.ListenAddrs()}, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("a"))
	require.NoError(t, err)
	<-joining
	cl.closing = 200 * time.Millisecond
	began := time.Now()
	cl.Close()
	require.Less(t, time.Since(began), 5*time.Second)
}
