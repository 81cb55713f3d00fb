package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/compaction"
)

var (
	maintenanceKills = flag.Int("maintenance.kills", 4, "how often a procedure is killed")
	maintenanceSeed  = flag.Uint64("maintenance.seed", 1, "seed of the moments at which procedures are killed")
)

// killed runs a procedure in a process of its own and kills it a while after it has begun; it says false when it had ended
// by then.
func killed(t *testing.T, records string, after time.Duration, args ...string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asIngestd+"=1")
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var due <-chan time.Time
	for {
		select {
		case err := <-ended:
			return err != nil
		case <-due:
			if err := cmd.Process.Kill(); err != nil {
				t.Log(err)
			}
			due = nil
		case <-tick.C:
			if begun, err := filepath.Glob(filepath.Join(records, "*.running.json")); due == nil && err == nil && len(begun) > 0 {
				due = time.After(after)
			}
		}
	}
}

// TestKilledMaintenance kills procedures at random moments. After each the next run removes what was left, and only that:
// a file that nobody has named stays, and the table is what the topic is.
func TestKilledMaintenance(t *testing.T) {
	rnd := rand.New(rand.NewPCG(*maintenanceSeed, 5))
	file := crumbled(t, 3)
	data, err := filepath.Glob(filepath.Join(filepath.Dir(file), "warehouse", "*", "*", "data"))
	require.NoError(t, err)
	decoy := filepath.Join(data[0], "00000-of-a-batch.parquet")
	require.NoError(t, os.WriteFile(decoy, []byte("x"), 0o600))
	procedures := [][]string{
		{"rewrite-data-files", "--option", "rewrite-all=true"},
		{"rewrite-manifests"},
		{"expire-snapshots", "--older-than", "1ns", "--retain-last", "2", "--yes"},
		{"remove-orphan-files", "--yes"},
	}
	kills, removed := 0, 0
	interrupted := map[string]int{}
	records := filepath.Join(filepath.Dir(data[0]), "metadata", ".ingestd-jobs")
	const longest = 30 * time.Millisecond
	for n := 0; kills < *maintenanceKills; n++ {
		p := procedures[n%len(procedures)]
		args := append([]string{"maintain", p[0], "db.t", "-c", file}, p[1:]...)
		if !killed(t, records, time.Duration(rnd.Int64N(int64(longest))), args...) {
			continue
		}
		kills++
		if jobs := jobsOf(t, file); jobs[len(jobs)-1].State == compaction.JobInterrupted {
			interrupted[jobs[len(jobs)-1].Procedure]++
		}
		r := command(t, args...)
		require.Zero(t, r.code, r.err)
		r = command(t, "maintain", "remove-orphan-files", "db.t", "-c", file, "--older-than", "1ns", "--allow-young", "-o", "json")
		require.Zero(t, r.code, r.err)
		var left compaction.OrphansResult
		require.NoError(t, json.Unmarshal([]byte(r.out), &left))
		require.Len(t, left.Orphans, 1, "kill %d of %s: %v", kills, p[0], left.Orphans)
		require.Equal(t, filepath.Base(decoy), filepath.Base(left.Orphans[0]))
		r = command(t, "verify", "-c", file, "--deep", "--against-source")
		require.Zero(t, r.code, r.out+r.err)
	}
	shown := 0
	for _, j := range jobsOf(t, file) {
		if j.State == compaction.JobInterrupted {
			shown++
			removed += j.Removed
		}
	}
	require.Positive(t, shown)
	t.Logf("%d kills, %d jobs shown as interrupted, %d files of them removed, %s", kills, shown, removed, fmt.Sprint(interrupted))
	require.FileExists(t, decoy)
}

func jobsOf(t *testing.T, file string) []compaction.JobStatus {
	t.Helper()
	r := command(t, "maintain", "jobs", "db.t", "-c", file, "-o", "json")
	require.Zero(t, r.code, r.err)
	var list compaction.JobList
	require.NoError(t, json.Unmarshal([]byte(r.out), &list))
	return list.Jobs
}
