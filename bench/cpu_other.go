//go:build !unix

package main

import "time"

var processStart = time.Now()

// cpuTime is the clock where the system does not tell the time used.
func cpuTime() time.Duration { return time.Since(processStart) }
