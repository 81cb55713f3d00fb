//go:build !unix

package main

import (
	"os"
	"time"
)

var processStart = time.Now()

// peak is not known here.
func peak(*os.ProcessState) int64 { return 0 }

// cpuTime is the clock where the system does not tell the time used.
func cpuTime() time.Duration { return time.Since(processStart) }
