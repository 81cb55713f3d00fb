package catalog_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/rungroup"
)

// Writers who meet leave no metadata file behind but those that the table went through.
func TestFailedCommitsLeaveNoMetadataFile(t *testing.T) {
	dir := t.TempDir()
	w, err := commit.Open(t.Context(), openSQLite(t, dir), commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	require.NoError(t, w.Create(t.Context(), start()))
	files := func() int {
		list, err := filepath.Glob(filepath.Join(dir, "warehouse", "shop.db", "clicks", "metadata", "*.metadata.json"))
		require.NoError(t, err)
		return len(list)
	}
	before := files()
	require.Positive(t, before)
	const writers, each = 4, 5
	met := make([]int, writers)
	g := rungroup.New(t.Context())
	for i := range writers {
		cat := openSQLite(t, dir)
		g.Go(func(ctx context.Context) error {
			for n := 0; n < each; {
				_, _, err := cat.CommitTable(ctx, shop, nil, []table.Update{
					table.NewSetPropertiesUpdate(iceberg.Properties{"writer-" + strconv.Itoa(i): strconv.Itoa(n)})})
				switch {
				case err == nil:
					n++
				case errors.Is(err, table.ErrCommitFailed):
					met[i]++
				default:
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	t.Logf("conflicts: %v", met)
	require.Equal(t, before+writers*each, files())
	tbl, err := openSQLite(t, dir).LoadTable(t.Context(), shop)
	require.NoError(t, err)
	for i := range writers {
		require.Equal(t, strconv.Itoa(each-1), tbl.Properties()["writer-"+strconv.Itoa(i)])
	}
}

// What has been read is not read again as long as the table stands there; what another process commits is seen.
func TestLooksReadOnlyWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	mine, other := openSQLite(t, dir), openSQLite(t, dir)
	w, err := commit.Open(t.Context(), mine, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	require.NoError(t, w.Create(t.Context(), start()))
	first, err := mine.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	again, err := mine.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	require.Same(t, first.Metadata(), again.Metadata())
	_, location, err := other.CommitTable(t.Context(), shop, nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"a": "b"})})
	require.NoError(t, err)
	seen, err := mine.LoadTable(t.Context(), shop)
	require.NoError(t, err)
	require.Equal(t, "b", seen.Properties()["a"])
	require.Equal(t, location, seen.MetadataLocation())
	text, err := os.ReadFile(filepath.Clean(location[len("file://"):]))
	require.NoError(t, err)
	stored, err := table.ParseMetadataBytes(text)
	require.NoError(t, err)
	require.True(t, stored.Equals(seen.Metadata()), "what was written is what is known")
}
