package commit

import (
	"context"
	"errors"
	"strconv"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	keyManifestTarget = "commit.manifest.target-size-bytes"
	manifestTarget    = 8 << 20
)

// Merged is what a rewrite of manifests did, or would do.
type Merged struct {
	Rewritten, Added int
	// Snapshot is that of the rewrite, 0 when there was nothing to do.
	Snapshot int64
}

// RewriteManifests merges all manifests of data files that are smaller than the table wants them, in a commit of its own
// that carries the state on. What upkeep does in rounds, it does at once.
func (t *Table) RewriteManifests(ctx context.Context, dry bool) (*Merged, error) {
	if err := t.Refresh(ctx); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		out, err := t.rewriteManifests(ctx, dry)
		if err == nil || failure.ClassOf(err) == failure.Halt {
			return out, err
		}
		t.retrying(n, "manifests", err)
		if n == upkeepTries {
			return nil, t.catalogError(err, "merging manifests of")
		}
		if err := t.env.Wait(ctx, t.env.backoff(n, conflictWaitMin, conflictWaitMax)); err != nil {
			return nil, canceled(ctx, "merging manifests of table "+t.spec.name(), true)
		}
		if err := t.load(ctx); err != nil {
			return nil, err
		}
	}
}

// rewriteManifests makes one attempt.
func (t *Table) rewriteManifests(ctx context.Context, dry bool) (*Merged, error) {
	v, out := t.view, &Merged{}
	stage := func(ctx context.Context, tx *table.Transaction, _ iceberg.Properties) error {
		chosen, added, err := smallManifests(ctx, v)
		if err != nil {
			return err
		}
		if out.Rewritten, out.Added = len(chosen), added; len(chosen) == 0 || dry {
			return errNothingToMerge
		}
		res, err := tx.RewriteManifests(ctx, table.WithRewriteManifestPredicate(func(m iceberg.ManifestFile) bool { return chosen[m.FilePath()] }))
		if err == nil && res.IsNoOp() {
			return errNothingToMerge
		}
		if err == nil {
			out.Rewritten, out.Added = len(res.RewrittenManifests), len(res.AddedManifests)
		}
		return err
	}
	if v.head == nil {
		return out, nil
	}
	a, err := t.build(ctx, v, v.state, v.notes, stage)
	if errors.Is(err, errNothingToMerge) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	if err := t.allowed(ctx); err != nil {
		return nil, err
	}
	meta, location, err := t.deliver(ctx, a)
	if err == nil {
		err = t.look(table.New(a.ident, meta, location, v.tbl.FS, t.cat))
	} else if lerr := t.load(ctx); lerr == nil {
		landed, absent := t.tended(a, true, tagging{}, nil)
		if absent {
			t.remove(ctx, a.files)
		}
		if landed {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	out.Snapshot = a.snapshot.SnapshotID
	t.sweepMetadata(ctx, v.meta, t.view.meta)
	return out, nil
}

// smallManifests chooses what is merged: the manifests of data files below the table's size for them, if there are fewer
// afterwards; added is how many of them, about.
func smallManifests(ctx context.Context, v *view) (chosen map[string]bool, added int, err error) {
	fs, err := v.tbl.FS(ctx)
	if err != nil {
		return nil, 0, err
	}
	all, err := v.head.Manifests(fs)
	if err != nil {
		return nil, 0, err
	}
	target := int64(manifestTarget)
	if n, err := strconv.ParseInt(v.meta.Properties()[keyManifestTarget], 10, 64); err == nil && n > 0 {
		target = n
	}
	bytes, chosen := map[int32]int64{}, map[string]bool{}
	for _, m := range all {
		if m.ManifestContent() == iceberg.ManifestContentData && m.Length() < target {
			bytes[m.PartitionSpecID()] += m.Length()
			chosen[m.FilePath()] = true
		}
	}
	for _, n := range bytes {
		added += int((n + target - 1) / target)
	}
	if added >= len(chosen) {
		return nil, 0, nil
	}
	return chosen, added, nil
}
