package main

import (
	"errors"
	"os"
	"runtime/pprof"

	"github.com/ingestd/ingestd/internal/failure"
)

// profiled runs f and writes a CPU profile of it to a file; without a name it only runs f. The profile tells where a
// slow run spends its time, and is what default.pgo is made of.
func profiled(name string, f func() error) error {
	if name == "" {
		return f()
	}
	file, err := os.Create(name)
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		return failure.Wrap(err, failure.Config, "E_PROFILE", "choose another file for --cpuprofile", "writing a CPU profile")
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}
