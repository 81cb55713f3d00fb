package commit

import (
	"strconv"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func manifestOf(i, files int, length int64) iceberg.ManifestFile {
	return iceberg.NewManifestFile(2, "m"+strconv.Itoa(i), length, 0, 1).Content(iceberg.ManifestContentData).AddedFiles(1).ExistingFiles(int32(files - 1)).Build()
}

func TestManifestsToMerge(t *testing.T) {
	f := func(files []int, want ...int) {
		t.Helper()
		var all []iceberg.ManifestFile
		for i, n := range files {
			all = append(all, manifestOf(i, n, 1000))
		}
		chosen := map[string]bool{}
		for _, i := range want {
			chosen["m"+strconv.Itoa(i)] = true
		}
		require.Equal(t, chosen, toMerge(all), "%v", files)
	}
	f(nil)
	f([]int{1, 1, 1}, 0, 1, 2)
	f([]int{500, 1, 1, 1, 1}, 1, 2, 3, 4)
	f([]int{8, 1, 1, 1, 1}, 0, 1, 2, 3, 4)
	f([]int{500, 9, 1, 1, 1, 1}, 2, 3, 4, 5)
	f([]int{1000, 1, 1000, 1000}, 0, 1, 2, 3)
	f([]int{5000, 1}, 0, 1)
	require.Empty(t, toMerge([]iceberg.ManifestFile{manifestOf(0, 9, smallManifest), manifestOf(1, 9, smallManifest)}), "large ones stay")
}

// However many rounds there are, manifests are few and an entry has been written a few times.
func TestMergingIsLogarithmic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rounds = 200
		var all []iceberg.ManifestFile
		total, written, n := 0, 0, 0
		for range rounds {
			for range rapid.IntRange(2, 20).Draw(t, "commits") {
				files := rapid.IntRange(1, 5).Draw(t, "files")
				total += files
				n++
				all = append(all, manifestOf(n, files, 1000))
			}
			chosen := toMerge(all)
			merged := 0
			var rest []iceberg.ManifestFile
			for _, m := range all {
				if chosen[m.FilePath()] {
					merged += int(listedIn(m))
				} else {
					rest = append(rest, m)
				}
			}
			require.GreaterOrEqual(t, len(chosen), 2)
			written += merged
			n++
			all = append(rest, manifestOf(n, merged, 1000))
			require.LessOrEqual(t, len(all), 10)
		}
		require.LessOrEqual(t, written, 14*total)
	})
}
