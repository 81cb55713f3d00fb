package commit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

const (
	// smallManifest is the size below which a manifest is merged with others.
	smallManifest = 4 << 20
	// heavier is how many times as many files as all smaller manifests together a manifest must list to be left alone.
	heavier = 2
)

var errNothingToMerge = errors.New("nothing to merge")

// mergeManifests stages a rewrite of the small manifests. The library writes no keys of ours into such a snapshot;
// build puts them there.
func mergeManifests(v *view) staging {
	return func(ctx context.Context, tx *table.Transaction, _ iceberg.Properties) error {
		if v.head == nil {
			return errNothingToMerge
		}
		fs, err := v.tbl.FS(ctx)
		if err != nil {
			return err
		}
		all, err := v.head.Manifests(fs)
		if err != nil {
			return err
		}
		chosen := toMerge(all)
		res, err := tx.RewriteManifests(ctx, table.WithRewriteManifestPredicate(func(m iceberg.ManifestFile) bool {
			return chosen[m.FilePath()]
		}))
		if err == nil && res.IsNoOp() {
			err = errNothingToMerge
		}
		return err
	}
}

// toMerge chooses the manifests of a round by how many files they list. One that lists more than twice as many as all
// smaller ones together stays as it is: were it read and written each time, a round would cost more the more files the
// table has. So an entry is written anew a few times while the table grows a hundredfold, and the number of manifests
// stays below its logarithm.
func toMerge(all []iceberg.ManifestFile) map[string]bool {
	var small []iceberg.ManifestFile
	sum := int64(0)
	for _, m := range all {
		if m.ManifestContent() == iceberg.ManifestContentData && m.Length() < smallManifest {
			small = append(small, m)
			sum += listedIn(m)
		}
	}
	slices.SortStableFunc(small, func(a, b iceberg.ManifestFile) int { return cmp.Compare(listedIn(b), listedIn(a)) })
	rest, below := small, sum
	for len(rest) > 0 {
		below -= listedIn(rest[0])
		if listedIn(rest[0]) <= heavier*below {
			break
		}
		rest = rest[1:]
	}
	if len(rest) < 2 {
		rest = small // a round ends the count of commits until the next one: it has to merge something
	}
	out := map[string]bool{}
	for _, m := range rest {
		out[m.FilePath()] = true
	}
	return out
}

// listedIn is the number of files in a manifest.
func listedIn(m iceberg.ManifestFile) int64 {
	return int64(m.AddedDataFiles()) + int64(m.ExistingDataFiles()) + int64(m.DeletedDataFiles())
}
