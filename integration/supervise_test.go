//go:build integration

package integration

import (
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/integration/faultproxy"
)

// competitor is one of several processes on the same table. It reaches catalog and store by proxies of its own and is
// started again whenever it ends, as a service manager would.
type competitor struct {
	t       *testing.T
	in      *faultproxy.Injector
	config  string
	now     *process
	landed  int         // commits of former lives
	ends    map[int]int // exit codes of lives that ended by themselves
	killed  int
	barren  int // lives that were killed before their first commit
	restart time.Time
}

// restartPause is what a service manager waits before it starts again what ended by itself.
const restartPause = 500 * time.Millisecond

// compete opens the proxies and starts the process.
func compete(t *testing.T, s settings, pressure faultproxy.Options) *competitor {
	t.Helper()
	c := &competitor{t: t, in: faultproxy.New(pressure), ends: map[int]int{}}
	s.Catalog = "http://" + c.proxy("catalog", env.stack.Catalog())
	s.Store = c.proxy("store", "http://"+env.stack.ObjectStore())
	c.config = writeConfig(t, s)
	c.begin()
	return c
}

func (c *competitor) proxy(name, upstream string) string {
	c.t.Helper()
	p, err := c.in.HTTP(c.t.Context(), name, "127.0.0.1:0", upstream)
	require.NoError(c.t, err)
	c.t.Cleanup(func() { require.NoError(c.t, p.Close()) })
	return p.Addr()
}

func (c *competitor) begin() {
	c.t.Helper()
	c.now = start(c.t, "ingestd", "run", "-c", c.config)
}

// supervise starts the process again when it has ended; it is called again and again.
func (c *competitor) supervise() {
	c.t.Helper()
	switch {
	case !c.now.ended():
	case c.restart.IsZero():
		c.ends[c.now.code]++
		c.t.Logf("ended by itself with %d: %s", c.now.code, lastLine(c.now.errs.String()))
		// 78 says that a restart would not help, 2 that the command line is wrong: neither is a matter of luck.
		require.NotContains(c.t, []int{2, 78}, c.now.code, tail(c.now.errs.String()))
		c.restart = time.Now().Add(restartPause)
	case time.Now().After(c.restart):
		c.restart = time.Time{}
		c.landed += c.now.commits()
		c.begin()
	}
}

// kill ends the process at once and starts the next life. At a half of the times it waits for the process to write to
// catalog or store first, since that is when most can go wrong.
func (c *competitor) kill(rnd *rand.Rand) {
	c.t.Helper()
	if rnd.IntN(2) == 0 {
		const patience = 3 * time.Second
		writing, stop := c.in.Watch(func(call faultproxy.Call) bool { return call.Op == "POST" || call.Op == "PUT" })
		select {
		case <-writing:
			wait(c.t, time.Duration(rnd.IntN(30))*time.Millisecond)
		case <-time.After(patience):
		}
		stop()
	}
	if !c.now.ended() {
		c.killed++
		c.now.kill()
		if c.now.commits() == 0 {
			c.barren++
		}
	}
	c.landed += c.now.commits()
	c.restart = time.Time{}
	c.begin()
}

// end lets the calls pass and drains.
func (c *competitor) end() {
	c.t.Helper()
	c.in.SetRate(0)
	eventually(c.t, time.Minute, "the process runs again", func() bool {
		c.supervise()
		return !c.now.ended()
	})
	if c.now.signal(sigterm); c.now.wait(drainDeadline) != 0 {
		c.t.Logf("drained with %d: %s", c.now.code, lastLine(c.now.errs.String()))
	}
	c.landed += c.now.commits()
}

// wait lets time pass: what happens at a random moment has no event to wait for.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// brokerProxy stands where the broker's proxied listener sends its clients.
func brokerProxy(t *testing.T, in *faultproxy.Injector) string {
	t.Helper()
	address := env.stack.BrokerProxy()
	p, err := in.Kafka(context.WithoutCancel(t.Context()), "broker", address, env.stack.ProxiedBroker())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(p.Addr(), ":"+port))
	return address
}
