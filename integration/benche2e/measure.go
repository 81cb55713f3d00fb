package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const runDeadline = 10 * time.Minute

// measurement is one run of one case.
type measurement struct {
	cpu, wall time.Duration
	rss       int64 // peak, bytes
	rows      int64
	bytes     int64 // of data files
	files     int
	snapshots int
}

func (b *bench) measure(ctx context.Context, c benchCase) (measurement, error) {
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return measurement{}, err
	}
	defer os.RemoveAll(dir)
	args, err := b.command(c, dir)
	if err != nil {
		return measurement{}, err
	}
	m, err := runMeasured(ctx, args)
	if err != nil {
		return m, err
	}
	if err := m.inspect(dir); err != nil {
		return m, err
	}
	if m.rows != int64(b.n) {
		return m, fmt.Errorf("%d rows in the table, %d events in the topic", m.rows, b.n)
	}
	return m, nil
}

// runMeasured runs a program to its end and takes its resource usage from the kernel.
func runMeasured(ctx context.Context, args []string) (measurement, error) {
	ctx, cancel := context.WithTimeout(ctx, runDeadline)
	defer cancel()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &log, &log
	start := time.Now()
	if err := cmd.Run(); err != nil {
		const most = 4000
		return measurement{}, fmt.Errorf("%w\n%s", err, log.Bytes()[max(0, log.Len()-most):])
	}
	m := measurement{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.rss = usage.Maxrss << 10 // Linux counts in KiB
	}
	return m, nil
}

// inspect reads the newest metadata file below dir and adds up the data files.
func (m *measurement) inspect(dir string) error {
	var newest struct {
		Updated   int64 `json:"last-updated-ms"`
		Current   int64 `json:"current-snapshot-id"`
		Snapshots []struct {
			ID      int64             `json:"snapshot-id"`
			Summary map[string]string `json:"summary"`
		} `json:"snapshots"`
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasSuffix(path, ".parquet") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			m.bytes += info.Size()
			m.files++
		}
		if !strings.HasSuffix(path, ".metadata.json") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		candidate := newest
		candidate.Snapshots = nil
		if err := json.Unmarshal(text, &candidate); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if candidate.Updated > newest.Updated || candidate.Updated == newest.Updated && len(candidate.Snapshots) >= len(newest.Snapshots) {
			newest = candidate
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.snapshots = len(newest.Snapshots)
	for _, s := range newest.Snapshots {
		if s.ID == newest.Current {
			m.rows, err = strconv.ParseInt(s.Summary["total-records"], 10, 64)
			return err
		}
	}
	return errors.New("no metadata file with a current snapshot")
}
