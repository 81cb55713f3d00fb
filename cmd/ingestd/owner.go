package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/compaction"
)

// newJournal keeps records of procedures in the name of this process.
func newJournal() *compaction.Journal {
	return &compaction.Journal{Now: time.Now, NewID: uuid.NewString, Owner: owner(os.Getpid()), Alive: alive}
}

// owner names a process: its host, its id, and what tells it from others of that id.
func owner(pid int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, pid, started(pid))
}

// alive says whether a process still runs, which is known of those whose ids mean the same here.
func alive(name string) (yes, known bool) {
	parts, mine := strings.Split(name, "/"), strings.Split(owner(os.Getpid()), "/")
	if len(parts) != 3 || parts[0] != mine[0] || mine[2] == "" {
		return false, false
	}
	pid, err := strconv.Atoi(parts[1])
	if err != nil || space(parts[2]) != space(mine[2]) {
		return false, false
	}
	return started(pid) == parts[2], true
}

func space(started string) string {
	before, _, _ := strings.Cut(started, "+")
	return before
}

// started is the boot of the machine, the space of process ids, and the process's time of start in it, in ticks. It is
// empty where that is not to be found, and when the process has ended.
func started(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	ids, lerr := os.Readlink("/proc/self/ns/pid")
	stat, serr := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || lerr != nil || serr != nil {
		return ""
	}
	// The program's name stands in parentheses and may hold anything; the state follows it, as field 3 (proc_pid_stat(5)).
	const state, start = 3, 22
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) <= start-state || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return strings.TrimSpace(string(boot)) + ids + "+" + fields[start-state]
}
