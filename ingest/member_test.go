package ingest

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

const (
	eventually = 20 * time.Second
	tick       = 10 * time.Millisecond
)

// freezer dials connections that stand still while it is frozen, as those of a process that was stopped.
type freezer struct {
	mu   sync.Mutex
	thaw chan struct{}
}

func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.thaw = make(chan struct{})
}

func (f *freezer) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thaw != nil {
		close(f.thaw)
		f.thaw = nil
	}
}

func (f *freezer) wait() {
	f.mu.Lock()
	c := f.thaw
	f.mu.Unlock()
	if c != nil {
		<-c
	}
}

func (f *freezer) dial(ctx context.Context, network, host string) (net.Conn, error) {
	f.wait()
	c, err := (&net.Dialer{}).DialContext(ctx, network, host)
	return &frozenConn{c, f}, err
}

type frozenConn struct {
	net.Conn
	f *freezer
}

// Write implements net.Conn.
func (c *frozenConn) Write(b []byte) (int, error) {
	c.f.wait()
	return c.Conn.Write(b)
}

// TestSessionLost: a member stands still beyond its session with rows taken and a commit on its way. Another takes its
// partitions over; when it wakes up its batch is refused, it joins again, and nothing is lost or doubled.
func TestSessionLost(t *testing.T) {
	w := newWorld(t, 4, "a")
	produce := func() {
		for p := range int32(4) {
			w.produce("a", p, 10)
		}
	}
	one, first := w.groupOptions("one")
	gate, ice := &gatedCatalog{Catalog: w.catalog}, &freezer{}
	t.Cleanup(ice.release)
	one.Catalog, one.Sources[0].Kafka.Dial = gate, ice.dial
	one.Sources[0].Group.SessionTimeout = 2 * time.Second
	produce()
	p1, wait1 := w.start(one)
	first.landed("t", 40)
	gate.block("t")
	produce()
	require.Eventually(t, func() bool { return gate.waiting() > 0 }, eventually, tick)
	ice.freeze()

	two, second := w.groupOptions("two")
	two.Sources[0].Group.SessionTimeout = 2 * time.Second
	p2, wait2 := w.start(two)
	second.landed("t", 40)
	ice.release()
	gate.open()
	first.await("the sleeper is set back", func(e event.Event) bool {
		r, ok := e.(event.Rewound)
		return ok && strings.Contains(r.Reason, "two")
	})
	before := first.commits()
	require.Eventually(t, func() bool { produce(); return first.commits() > before }, eventually, 100*time.Millisecond, "it reads on")
	p1.Drain()
	require.NoError(t, wait1())
	produce()
	require.Eventually(t, func() bool { return len(w.rows("t", "a")) == len(w.expected("a")) }, eventually, 50*time.Millisecond)
	p2.Drain()
	require.NoError(t, wait2())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}

// TestRevokedDuringACommit: partitions move while the commit that holds their rows hangs.
func TestRevokedDuringACommit(t *testing.T) {
	w := newWorld(t, 4, "a")
	produce := func() {
		for p := range int32(4) {
			w.produce("a", p, 10)
		}
	}
	one, first := w.groupOptions("one")
	gate := &gatedCatalog{Catalog: w.catalog}
	one.Catalog = gate
	one.Sources[0].Group.SessionTimeout = 2 * time.Second
	produce()
	p1, wait1 := w.start(one)
	first.landed("t", 40)
	gate.block("t")
	produce()
	require.Eventually(t, func() bool { return gate.waiting() > 0 }, eventually, tick)
	two, second := w.groupOptions("two")
	two.Sources[0].Group.SessionTimeout = 2 * time.Second
	p2, wait2 := w.start(two)
	second.landed("t", 10)
	gate.open()
	produce()
	require.Eventually(t, func() bool { return len(w.rows("t", "a")) == len(w.expected("a")) }, eventually, 50*time.Millisecond)
	p1.Drain()
	p2.Drain()
	require.NoError(t, wait1())
	require.NoError(t, wait2())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
	w.proven("t")
}

// TestStaticMemberRestarts: a member with an instance id has its partitions again at once after a restart.
func TestStaticMemberRestarts(t *testing.T) {
	w := newWorld(t, 2, "a")
	for range 3 {
		w.produce("a", 0, 10)
		w.produce("a", 1, 10)
		o, rec := w.groupOptions("m")
		o.Sources[0].Group.InstanceID = "one"
		o.Sources[0].Group.SessionTimeout = 30 * time.Second
		began := time.Now()
		p, wait := w.start(o)
		rec.landed("t", 20)
		p.Drain()
		require.NoError(t, wait())
		require.Less(t, time.Since(began), 10*time.Second)
	}
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}

// TestMemberBeginsBehindTheLogStart: the group has no offset and the log does not begin at 0, so whatever the client
// would read before the table has spoken does not exist.
func TestMemberBeginsBehindTheLogStart(t *testing.T) {
	w := newWorld(t, 2, "a")
	w.produce("a", 0, 30)
	w.produce("a", 1, 30)
	require.NoError(t, w.cluster.DeleteRecords("a", 0, 20))
	require.NoError(t, w.cluster.DeleteRecords("a", 1, 25))
	o, _ := w.groupOptions("one")
	require.NoError(t, w.catchUp(o))
	require.Len(t, w.rows("t", "a"), 15)
	w.produce("a", 0, 5)
	o, _ = w.groupOptions("two")
	require.NoError(t, w.catchUp(o))
	require.Len(t, w.rows("t", "a"), 20)
}

// TestGroupRefusesTheMember: a setting the broker does not take is a reason, not a silence.
func TestGroupRefusesTheMember(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 1)
	o, rec := w.groupOptions("one")
	o.Sources[0].Group.SessionTimeout = 500 * time.Millisecond
	err := w.catchUp(o)
	require.Equal(t, "E_GROUP", failure.CodeOf(err), "%v", err)
	require.Contains(t, failure.HintOf(err), "session_timeout")
	rec.failed("t", "E_GROUP")
}

// TestInstanceTakenOver: the older of two processes with one instance id ends and says why.
func TestInstanceTakenOver(t *testing.T) {
	w := newWorld(t, 1, "a")
	w.produce("a", 0, 10)
	one, first := w.groupOptions("one")
	two, second := w.groupOptions("two")
	one.Sources[0].Group.InstanceID, two.Sources[0].Group.InstanceID = "same", "same"
	_, wait1 := w.start(one)
	first.landed("t", 10)
	p2, wait2 := w.start(two)
	require.Equal(t, "E_INSTANCE_FENCED", failure.CodeOf(wait1()))
	w.produce("a", 0, 10)
	second.landed("t", 10)
	p2.Drain()
	require.NoError(t, wait2())
	require.Equal(t, w.expected("a"), w.rows("t", "a"))
}
