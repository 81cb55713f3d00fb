package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/internal/failure"
)

// crumbled is a table of so many small files.
func crumbled(t *testing.T, files int) (file string) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "a"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	dir := t.TempDir()
	file = filepath.Join(dir, "ingestd.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, controlConfig, c.ListenAddrs()[0], dir), 0o600))
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.DefaultProduceTopic("a"))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	for n := range files {
		require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(n))).FirstErr())
		r := command(t, "run", "-c", file, "--until-latest")
		require.Zero(t, r.code, r.err)
	}
	return file
}

// TestMaintainRewriteDataFiles: the plan first, then the rewrite, beside which every record stays proven.
func TestMaintainRewriteDataFiles(t *testing.T) {
	file := crumbled(t, 6)
	args := []string{"maintain", "rewrite-data-files", "db.t", "-c", file, "--option", "busy-min-input-files=5"}
	r := command(t, append(args, "--dry-run")...)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "to rewrite: 6 files")
	require.Contains(t, r.out, "6 too small")
	r = command(t, append(args, "-o", "json")...)
	require.Zero(t, r.code, r.err)
	require.Empty(t, r.err)
	var res compaction.RewriteResult
	require.NoError(t, json.Unmarshal([]byte(r.out), &res))
	require.Equal(t, []int{6, 1, 0}, []int{res.Rewritten, res.Added, res.Failed})
	r = command(t, "verify", "-c", file, "--against-source")
	require.Zero(t, r.code, r.out)
	r = command(t, args...)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "rewritten: 0 files")

	r = command(t, "maintain", "rewrite-data-files", "db.t", "-c", file, "--option", "min-input=1")
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, compaction.CodeOption)
	r = command(t, append(args, "--where", "day = '2026-11-01'")...)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, compaction.CodeWhere)
	require.Contains(t, r.err, "the table is not partitioned")
	r = command(t, "run", "-c", file, "--until-latest")
	require.Zero(t, r.code, r.err)
}

// TestMaintainByTheFile: a table's own options hold by hand too, below those of the command line.
func TestMaintainByTheFile(t *testing.T) {
	file := crumbled(t, 6)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	set := func(options string) {
		t.Helper()
		own := strings.Replace(string(text), "name: db.t,", "name: db.t, maintenance: {rewrite: {"+options+"}},", 1)
		require.NotEqual(t, string(text), own)
		require.NoError(t, os.WriteFile(file, []byte(own), 0o600))
	}
	set("busy-min-input-files: 6")
	args := []string{"maintain", "rewrite-data-files", "db.t", "-c", file, "--dry-run"}
	require.Contains(t, command(t, args...).out, "to rewrite: 6 files")
	require.Contains(t, command(t, append(args, "--option", "busy-min-input-files=7")...).out, "nothing is worth a rewrite")
	set("busy-min: 6")
	r := command(t, args...)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, `there is no option "busy-min"`)
}

// TestMaintainDeletes: expiry and the removal of orphans say what they would do, and do it with --yes.
func TestMaintainDeletes(t *testing.T) {
	file := crumbled(t, 4)
	data, err := filepath.Glob(filepath.Join(filepath.Dir(file), "warehouse", "*", "*", "data"))
	require.NoError(t, err)
	lost := filepath.Join(data[0], "00000-killed.parquet")
	require.NoError(t, os.WriteFile(lost, []byte("x"), 0o600))
	old := time.Now().Add(-80 * time.Hour)
	require.NoError(t, os.Chtimes(lost, old, old))

	r := command(t, "maintain", "remove-orphan-files", "db.t", "-c", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "would be removed: 1 orphans, 1 B")
	require.Contains(t, r.out, "nothing is changed yet; --yes does it")
	require.FileExists(t, lost)
	r = command(t, "maintain", "remove-orphan-files", "db.t", "-c", file, "--yes", "-o", "json")
	require.Zero(t, r.code, r.err)
	var orphans compaction.OrphansResult
	require.NoError(t, json.Unmarshal([]byte(r.out), &orphans))
	require.Len(t, orphans.Orphans, 1)
	require.NoFileExists(t, lost)
	r = command(t, "maintain", "remove-orphan-files", "db.t", "-c", file, "--older-than", "1h", "--yes")
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, compaction.CodeOrphanAge)

	r = command(t, "maintain", "rewrite-manifests", "db.t", "-c", file)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "rewritten: 4 manifests into 1")
	expire := []string{"maintain", "expire-snapshots", "db.t", "-c", file, "--older-than", "1ns", "--retain-last", "2"}
	r = command(t, expire...)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "would be expired: 4 snapshots; with them 0 data files")
	r = command(t, append(expire, "--yes", "-o", "json")...)
	require.Zero(t, r.code, r.err)
	var expired compaction.ExpireResult
	require.NoError(t, json.Unmarshal([]byte(r.out), &expired))
	require.Len(t, expired.Snapshots, 4)
	r = command(t, "maintain", "jobs", "db.t", "-c", file, "-o", "json")
	require.Zero(t, r.code, r.err)
	var list compaction.JobList
	require.NoError(t, json.Unmarshal([]byte(r.out), &list))
	var done []string
	for _, j := range list.Jobs {
		done = append(done, j.Procedure+" "+string(j.State))
	}
	require.Equal(t, []string{"remove_orphan_files done", "remove_orphan_files failed", "rewrite_manifests done", "expire_snapshots done"}, done)
	r = command(t, append(expire, "--yes", "--dry-run")...)
	require.Equal(t, failure.ExitUsage, r.code)
	r = command(t, "verify", "-c", file, "--deep")
	require.Zero(t, r.code, r.out+r.err)
}

// TestDaemonMaintains: what is asked for over HTTP is done by the daemon's own keeper.
func TestDaemonMaintains(t *testing.T) {
	file := crumbled(t, 6)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	allowed := strings.Replace(string(text), `admin: {listen: "off"}`, `admin: {listen: "127.0.0.1:0", allow_maintenance: true}`, 1)
	require.NoError(t, os.WriteFile(file, []byte(allowed), 0o600))
	a := &app{Streams: Streams{Out: io.Discard, Err: io.Discard}}
	ctx, cancel := context.WithCancel(t.Context())
	d, err := a.newProcess(ctx, runOptions{file: file, quiet: true})
	require.NoError(t, err)
	defer d.close()
	ended := make(chan error, 2)
	go func() { ended <- d.keeper.Run(ctx) }()
	go func() { ended <- d.serveAdmin(ctx) }()
	url := "http://" + d.admin.Addr().String()
	res, err := http.Post(url+"/api/v1/tables/db.t/maintenance/rewrite_manifests", "", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusAccepted, res.StatusCode)
	var job compaction.JobStatus
	require.Eventually(t, func() bool {
		res, err := http.Get(url + res.Header.Get("Location"))
		if err != nil || json.NewDecoder(res.Body).Decode(&job) != nil || res.Body.Close() != nil {
			return false
		}
		return job.Ended != nil
	}, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, compaction.JobDone, job.State, job.Error)
	require.EqualValues(t, 6, job.Result.(map[string]any)["rewritten_manifests_count"])
	cancel()
	require.NoError(t, errors.Join(<-ended, <-ended))
	r := command(t, "verify", "-c", file)
	require.Zero(t, r.code, r.out)
}
