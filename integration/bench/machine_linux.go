package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// adoptOrphans makes processes whose parent has ended children of this one, so that their CPU time can be asked for.
func adoptOrphans() error {
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		return fmt.Errorf("becoming the one that orphans fall to: %w", errno)
	}
	return nil
}

// calibrate is the CPU time of a fixed piece of work: what it varies by, the machine varies by.
func calibrate() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after syscall.Rusage
	_ = syscall.Getrusage(thread, &before)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a fixed sequence is the point
	data := make([]byte, 8<<20)
	values := make([]uint64, 1<<20)
	for i := range values {
		values[i] = random.Uint64()
	}
	slices.Sort(values)
	_ = sha256.Sum256(data)
	_ = syscall.Getrusage(thread, &after)
	spent := func(u syscall.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }
	return spent(after) - spent(before)
}

// describeMachine is what the numbers were taken on.
func describeMachine() machine {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) == nil {
		m.MemoryGiB = int(uint64(info.Totalram) * uint64(info.Unit) >> 30) //nolint:unconvert // the widths differ by platform
	}
	text, _ = os.ReadFile("/proc/sys/kernel/osrelease")
	m.Kernel = strings.TrimSpace(string(text))
	return m
}

// load is the load average of the last minute.
func load() float64 {
	var l float64
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &l)
	return l
}
