package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// dial is the way of a process to the broker.
func (g *gate) dial(ctx context.Context, _, host string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	f, ok, err := g.meet("kafka.dial", reads(), refused)
	if err != nil {
		return nil, err
	}
	if ok {
		switch f.Fate {
		case Refuse:
			return nil, refused
		case KillBefore, KillAfter:
			g.die()
		case FreezeBefore, FreezeAfter:
			g.freeze(f.For)
		case Delay:
			if err := sleep(ctx, f.For); err != nil {
				return nil, err
			}
		}
	}
	if g.ctx.Err() != nil {
		return nil, errDead
	}
	c, err := g.world.network.dial(ctx, host)
	if err != nil {
		return nil, err
	}
	return g.newConn(c), nil
}

// latency is how long bytes are on their way: whoever asks again and again moves the clock on.
const latency = time.Millisecond

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gatedConn is a connection of a process to the broker. What it writes and what it hears goes through buffers, as in a
// socket: a slow network and a frozen process block neither, and deadlines work.
type gatedConn struct {
	net.Conn
	gate *gate
	heard,
	said *stream
	// slow is how long what is said next stays on the way.
	slow chan time.Duration
}

func (g *gate) newConn(c net.Conn) *gatedConn {
	gated := &gatedConn{Conn: c, gate: g, heard: newStream(), said: newStream(), slow: make(chan time.Duration, 1)}
	g.mu.Lock()
	g.conns[gated] = true
	g.mu.Unlock()
	g.world.spawn(func() { gated.carry(c.Read, gated.heard.write, gated.heard.close) })
	g.world.spawn(func() { gated.carry(gated.said.read, c.Write, func() {}) })
	return gated
}

// carry moves bytes one way until one side closes, and stands still with the process.
func (c *gatedConn) carry(from, to func([]byte) (int, error), end func()) {
	defer end()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from(buffer)
		d := latency
		select {
		case slow := <-c.slow:
			d += slow
		default:
		}
		_ = sleep(c.gate.ctx, d)
		if c.gate.open() != nil {
			return
		}
		if n > 0 {
			if _, err := to(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// requestFates: a request can be kept from the broker, or its answer from us; nobody sends it twice.
func requestFates() []Fate {
	return []Fate{Delay, Refuse, Lose, Delay, Refuse, Lose, KillBefore, KillAfter, FreezeBefore, FreezeAfter}
}

// Write implements net.Conn. The client writes one request at a time; its key is in the first bytes.
func (c *gatedConn) Write(b []byte) (int, error) {
	name := "kafka.other"
	if len(b) >= 6 {
		name = "kafka." + requestName(int(b[4])<<8|int(b[5]))
	}
	reset := &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
	c.gate.pace(name)
	if c.gate.world.rounds.heard(name, time.Now()) {
		c.gate.world.hit("kafka.rebalance", "stuck")
		_ = c.Close()
		return 0, reset
	}
	f, ok, err := c.gate.meet(name, requestFates(), reset)
	if err != nil {
		_ = c.Close()
		return 0, err
	}
	if ok {
		switch f.Fate {
		case Refuse:
			_ = c.Close()
			return 0, reset
		case Lose:
			_, _ = c.Conn.Write(b)
			_ = c.Close()
			return 0, reset
		case Delay:
			select {
			case c.slow <- f.For:
			default:
			}
		case KillAfter:
			_, _ = c.Conn.Write(b)
			c.gate.die()
		case KillBefore:
			c.gate.die()
		case FreezeBefore, FreezeAfter:
			c.gate.freeze(f.For)
		}
	}
	if c.gate.ctx.Err() != nil {
		return 0, errDead
	}
	return c.said.write(b)
}

// pace notices a process that asks without a pause: at this latency it cannot ask more often than some hundred times in
// a second.
func (g *gate) pace(name string) {
	g.mu.Lock()
	second := int(time.Since(g.world.began).Seconds())
	if g.second != second {
		g.second, g.asked = second, map[string]int{}
	}
	g.asked[name]++
	storm := g.asked[name] == stormy
	g.mu.Unlock()
	if storm {
		g.world.log(g.process, "%s: %d in a second", name, stormy)
		g.world.hit(name, "storm")
	}
}

// stormy is how many requests of a kind in a second are too many.
const stormy = 200

// Read implements net.Conn.
func (c *gatedConn) Read(b []byte) (int, error) { return c.heard.read(b) }

// SetDeadline implements net.Conn.
func (c *gatedConn) SetDeadline(t time.Time) error { c.heard.until(t); return nil }

// SetReadDeadline implements net.Conn.
func (c *gatedConn) SetReadDeadline(t time.Time) error { c.heard.until(t); return nil }

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	c.cut()
	return nil
}

// cut ends both directions. The broker of a group learns of it later, as from a machine that is gone: this one forgets to
// time out a member to whom it could not answer, who then keeps its partitions for ever.
func (c *gatedConn) cut() {
	c.said.close()
	c.heard.close()
	w := c.gate.world
	if !w.shape.group {
		_ = c.Conn.Close()
		return
	}
	w.spawn(func() {
		w.wait(halfOpen)
		_ = c.Conn.Close()
	})
}

// halfOpen is how long the broker of a group thinks that a connection is still there: longer than any answer takes.
const halfOpen = time.Minute

func requestName(key int) string {
	names := map[int]string{
		1: "fetch", 2: "list_offsets", 3: "metadata", 8: "offset_commit", 9: "offset_fetch", 10: "find_coordinator", 11: "join_group",
		12: "heartbeat", 13: "leave_group", 14: "sync_group", 18: "api_versions", 23: "offset_epoch", 32: "describe_configs",
	}
	if name, ok := names[key]; ok {
		return name
	}
	return fmt.Sprintf("key_%d", key)
}

var errNotFound = errors.New("not found")
