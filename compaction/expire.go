package compaction

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/ingestd/ingestd/commit"
)

const (
	keyMaxAge      = "history.expire.max-snapshot-age-ms"
	keyMinToKeep   = "history.expire.min-snapshots-to-keep"
	defaultMaxAge  = 5 * 24 * time.Hour
	defaultMinKeep = 1
)

// ExpireSnapshots is a run of expire_snapshots. Zero values are the table's properties, and Spark's defaults without them.
type ExpireSnapshots struct {
	Table      *commit.Table
	OlderThan  time.Duration
	RetainLast int
	DryRun     bool
	Env        Env
}

// ExpireResult is what expire_snapshots did or would do; the counts of deleted files have the names that Spark's
// procedure gives them.
type ExpireResult struct {
	Table           string `json:"table"`
	DryRun          bool   `json:"dry_run"`
	DataFiles       int    `json:"deleted_data_files_count"`
	PositionDeletes int    `json:"deleted_position_delete_files_count"`
	EqualityDeletes int    `json:"deleted_equality_delete_files_count"`
	Manifests       int    `json:"deleted_manifest_files_count"`
	ManifestLists   int    `json:"deleted_manifest_lists_count"`
	Statistics      int    `json:"deleted_statistics_files_count"`
	// Snapshots are those that expired; Kept counts those that are old enough, and needed by a branch, a tag or the
	// positions of a pipeline.
	Snapshots []string `json:"expired_snapshots"`
	Kept      int      `json:"kept_snapshots_count"`
}

// Run expires the tail of the history.
func (r *ExpireSnapshots) Run(ctx context.Context) (*ExpireResult, error) {
	return attended(ctx, r.Env.withDefaults(r.DryRun), r.Table, ProcExpire, r.run)
}

func (r *ExpireSnapshots) run(ctx context.Context, e Env) (*ExpireResult, error) {
	r.Env = e
	if err := r.Table.Refresh(ctx); err != nil {
		return nil, err
	}
	props := r.Table.Properties()
	age := r.OlderThan
	if age == 0 {
		age = time.Duration(positive(props[keyMaxAge], defaultMaxAge.Milliseconds())) * time.Millisecond
	}
	keep := r.RetainLast
	if keep == 0 {
		keep = int(positive(props[keyMinToKeep], defaultMinKeep))
	}
	r.Env.Progress(Progress{Step: "expiring snapshots"})
	x, err := r.Table.Expire(ctx, commit.Expiry{OlderThan: r.Env.Now().Add(-age), RetainLast: keep, DryRun: r.DryRun})
	if x == nil {
		return nil, err
	}
	out := &ExpireResult{
		Table: r.Table.Name(), DryRun: r.DryRun, DataFiles: len(x.DataFiles), PositionDeletes: len(x.PositionDeletes), EqualityDeletes: len(x.EqualityDeletes),
		Manifests: len(x.Manifests), ManifestLists: len(x.Lists), Statistics: len(x.Statistics), Snapshots: []string{}, Kept: x.Kept,
	}
	for _, id := range x.Snapshots {
		out.Snapshots = append(out.Snapshots, strconv.FormatInt(id, 10))
	}
	return out, err
}

// Explain writes the result for people.
func (r *ExpireResult) Explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d snapshots; with them %d data files, %d position delete files, %d equality delete files, %d manifests, %d manifest lists, %d statistics files\n",
		done(r.DryRun, "expired"), len(r.Snapshots), r.DataFiles, r.PositionDeletes, r.EqualityDeletes, r.Manifests, r.ManifestLists, r.Statistics)
	if err == nil && r.Kept > 0 {
		_, err = fmt.Fprintf(w, "kept: %d snapshots that are old enough, for a branch, a tag or the positions of a pipeline\n", r.Kept)
	}
	return err
}

// RewriteManifests is a run of rewrite_manifests.
type RewriteManifests struct {
	Table  *commit.Table
	DryRun bool
	Env    Env
}

// ManifestsResult is what rewrite_manifests did or would do; the counts have the names that Spark's procedure gives them.
type ManifestsResult struct {
	Table     string `json:"table"`
	DryRun    bool   `json:"dry_run"`
	Rewritten int    `json:"rewritten_manifests_count"`
	Added     int    `json:"added_manifests_count"`
	Snapshot  string `json:"snapshot,omitempty"`
}

// Run merges the small manifests.
func (r *RewriteManifests) Run(ctx context.Context) (*ManifestsResult, error) {
	return attended(ctx, r.Env.withDefaults(r.DryRun), r.Table, ProcManifests, r.run)
}

func (r *RewriteManifests) run(ctx context.Context, e Env) (*ManifestsResult, error) {
	r.Env = e
	r.Env.Progress(Progress{Step: "merging manifests"})
	m, err := r.Table.RewriteManifests(ctx, r.DryRun)
	if m == nil {
		return nil, err
	}
	out := &ManifestsResult{Table: r.Table.Name(), DryRun: r.DryRun, Rewritten: m.Rewritten, Added: m.Added}
	if m.Snapshot != 0 {
		out.Snapshot = strconv.FormatInt(m.Snapshot, 10)
	}
	return out, err
}

// Explain writes the result for people.
func (r *ManifestsResult) Explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d manifests into %d\n", done(r.DryRun, "rewritten"), r.Rewritten, r.Added)
	if err == nil && r.Snapshot != "" {
		_, err = fmt.Fprintf(w, "snapshot %s\n", r.Snapshot)
	}
	return err
}

// Explain writes the result for people.
func (r *OrphansResult) Explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %d orphans, %s, of %d files; %d are needed, %d too young to tell\n",
		done(r.DryRun, "removed"), len(r.Orphans), size(r.Bytes), r.Listed, r.Referenced, r.Young)
	for _, p := range r.Orphans {
		if err == nil {
			_, err = fmt.Fprintln(w, " ", p)
		}
	}
	for _, p := range r.Failed {
		if err == nil {
			_, err = fmt.Fprintln(w, "  could not be removed:", p)
		}
	}
	return err
}

func done(dry bool, word string) string {
	if dry {
		return "would be " + word
	}
	return word
}
