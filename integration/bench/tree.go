package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	sampleEvery = 200 * time.Millisecond
	// tick is the unit of process times in /proc: USER_HZ, 100 on every Linux that Go runs on.
	tick = 10 * time.Millisecond
	// stragglers is how long processes may live on after the first of their tree has ended.
	stragglers = 20 * time.Second
)

// process is a line of /proc/PID/stat as far as it is used.
type process struct {
	pid, parent, session int
	own, waited          time.Duration // CPU of the process; of its children that it has waited for
	size, rss            int64         // address space, resident part of it
}

// parseStat reads a stat line. The name in parentheses may hold anything, parentheses as well.
func parseStat(line string) (process, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	f := []string{}
	if open > 0 && end > open {
		f = strings.Fields(line[end+1:])
	}
	const least = 22
	if len(f) < least {
		return process{}, fmt.Errorf("a stat line of %d fields", len(f))
	}
	var failed error
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		failed = errors.Join(failed, err)
		return n
	}
	p := process{
		pid: int(number(strings.TrimSpace(line[:open]))), parent: int(number(f[1])), session: int(number(f[3])),
		own: time.Duration(number(f[11])+number(f[12])) * tick, waited: time.Duration(number(f[13])+number(f[14])) * tick,
		size: number(f[20]), rss: number(f[21]) * int64(os.Getpagesize()),
	}
	return p, failed
}

// processes lists what runs; what ends meanwhile is left out.
func processes() []process {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	var out []process
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if p, err := parseStat(string(text)); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// tree picks the processes of the session that root leads and all their descendants.
func tree(all []process, root int) []process {
	in := map[int]bool{root: true}
	for grew := true; grew; {
		grew = false
		for _, p := range all {
			if !in[p.pid] && (p.session == root || in[p.parent]) {
				in[p.pid], grew = true, true
			}
		}
	}
	var out []process
	for _, p := range all {
		if in[p.pid] {
			out = append(out, p)
		}
	}
	return out
}

// sample is what the tree had used at a moment.
type sample struct {
	at  time.Time
	cpu time.Duration
	rss int64
}

// usage is what a tree of processes used from its start to the end of its last member.
type usage struct {
	start    time.Time
	wall     time.Duration
	cpu      time.Duration
	peak     int64
	timeline []sample
}

// take adds a sample.
func (u *usage) take(now time.Time, members []process) {
	s := sample{at: now}
	sizes := map[int]int64{}
	for _, p := range members {
		sizes[p.pid] = p.size
	}
	for _, p := range members {
		s.cpu += p.own + p.waited
		// A process that has been forked off and has not begun its own program yet has the memory of its parent.
		if size, ok := sizes[p.parent]; !ok || size != p.size {
			s.rss += p.rss
		}
	}
	if n := len(u.timeline); n > 0 {
		s.cpu = max(s.cpu, u.timeline[n-1].cpu) // what an orphan's parent had waited for is gone with it
	}
	u.peak = max(u.peak, s.rss)
	u.timeline = append(u.timeline, s)
}

// at is the CPU used up to a moment, between two samples in proportion.
func (u *usage) at(t time.Time) time.Duration {
	before := sample{at: u.start}
	for _, s := range u.timeline {
		if !s.at.Before(t) {
			if span := s.at.Sub(before.at); span > 0 {
				return before.cpu + time.Duration(float64(s.cpu-before.cpu)*float64(t.Sub(before.at))/float64(span))
			}
			return s.cpu
		}
		before = s
	}
	return max(before.cpu, u.cpu)
}

// meter runs a program until it ends, or until done says so and it is told to end. The log is its output.
func meter(ctx context.Context, cmd *exec.Cmd, done func() bool) (*usage, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	u := &usage{start: time.Now()}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	root := cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	clock := time.NewTicker(sampleEvery)
	defer clock.Stop()
	told := false
	for {
		select {
		case <-ctx.Done():
			_ = syscall.Kill(-root, syscall.SIGKILL)
			<-ended
			reap(root, u)
			return nil, fmt.Errorf("stopped after %.0f s: %w", time.Since(u.start).Seconds(), context.Cause(ctx))
		case now := <-clock.C:
			u.take(now, tree(processes(), root))
			if done != nil && !told && done() {
				told = true
				_ = cmd.Process.Signal(syscall.SIGTERM)
			}
		case err := <-ended:
			if told {
				err = nil // Java answers the signal with a status of its own
			}
			u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			reap(root, u)
			u.wall = time.Since(u.start)
			return u, err
		}
	}
}

// reap waits for what the root of a tree has left behind, which has become ours, and adds what it used: Python, for one,
// ends without waiting for the Java virtual machine it has started.
func reap(root int, u *usage) {
	clock := time.NewTicker(sampleEvery)
	defer clock.Stop()
	for began := time.Now(); ; <-clock.C {
		members := tree(processes(), root)
		if len(members) == 0 {
			return
		}
		u.take(time.Now(), members)
		for _, p := range members {
			if time.Since(began) > stragglers {
				_ = syscall.Kill(p.pid, syscall.SIGKILL)
			}
			if p.parent != os.Getpid() {
				continue // its parent is going to wait for it, or to leave it to us
			}
			var used syscall.Rusage
			if pid, err := syscall.Wait4(p.pid, nil, syscall.WNOHANG, &used); err == nil && pid == p.pid {
				u.cpu += time.Duration(used.Utime.Nano() + used.Stime.Nano())
			}
		}
	}
}
