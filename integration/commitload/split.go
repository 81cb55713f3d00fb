package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// owners are whose code a stack belongs to: the innermost function whose name begins like this.
func owners() [][2]string {
	return [][2]string{
		{"github.com/apache/iceberg-go", "iceberg-go"},
		{"github.com/ingestd/ingestd/commit", "ours: commits"},
		{"github.com/ingestd/ingestd/table", "ours: files"},
		{"github.com/ingestd/ingestd/", "ours: the rest"},
		{"github.com/twmb/franz-go", "Kafka client"},
		{"github.com/parquet-go", "parquet-go"},
		{"modernc.org/", "SQLite"},
		{"runtime.gcBgMarkWorker", "Go: garbage collection"},
		{"runtime.mcall", "Go: scheduler"},
		{"runtime.mstart", "Go: scheduler"},
	}
}

func owner(function string) (string, bool) {
	for _, o := range owners() {
		if strings.HasPrefix(function, o[0]) {
			return o[1], true
		}
	}
	return "", false
}

// split prints whose code used the CPU, by the profile of the daemon's whole life, as shares of a core in the time in
// which it was measured.
func split(ctx context.Context, binary, profile string, share float64) error {
	cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-traces", binary, profile)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("reading the profile: %w", err)
	}
	used := attribute(out)
	var sum time.Duration
	for _, d := range used {
		sum += d
	}
	if sum == 0 {
		return fmt.Errorf("the profile is empty")
	}
	for _, name := range slices.SortedFunc(maps.Keys(used), func(a, b string) int { return cmp.Compare(used[b], used[a]) }) {
		part := float64(used[name]) / float64(sum)
		fmt.Printf("  %-24s %5.1f %% of a core (%.0f %%)\n", name, share*part, 100*part)
	}
	return nil
}

// attribute gives every stack of a profile to an owner. In the text a stack begins behind a line of dashes, with its
// time and the innermost function.
func attribute(traces []byte) map[string]time.Duration {
	used := map[string]time.Duration{}
	var took time.Duration
	who, known := "", false
	end := func() {
		if took > 0 {
			if !known {
				who = "Go: the rest"
			}
			used[who] += took
		}
		took, who, known = 0, "", false
	}
	for line := range bytes.Lines(traces) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "-----------+") {
			end()
			continue
		}
		function := text
		if value, rest, ok := strings.Cut(text, " "); ok && took == 0 {
			if d, err := time.ParseDuration(value); err == nil {
				took, function = d, strings.TrimSpace(rest)
			}
		}
		if took > 0 && !known {
			who, known = owner(function)
		}
	}
	end()
	return used
}
