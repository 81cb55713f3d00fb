package commit

import (
	"context"
	"io/fs"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

var errGone = &fs.PathError{Op: "open", Path: "00007-x.metadata.json", Err: fs.ErrNotExist}

// gone makes the next n looks find that the metadata file is not there.
func (b *bench) gone(n int) (looks *int) {
	looks = new(int)
	b.cat.OnLoad = func(context.Context, table.Identifier) error {
		if *looks++; *looks <= n {
			return errGone
		}
		return nil
	}
	return looks
}

func refusedAsGone(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, CodeMetadataMissing, failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	require.ErrorContains(t, err, "00007-x.metadata.json")
	require.Contains(t, failure.HintOf(err), "restore that file")
}

// The metadata file that the catalog names has been deleted: the table halts, wherever it is noticed, and goes on as
// soon as the file is back. A file that only shows late halts nothing.
func TestMissingMetadataFileHalts(t *testing.T) {
	b := newBench(t)
	w := b.create("w1", 1)
	b.gone(100)
	_, err := Open(b.ctx, b.cat, spec("w2"), b.env())
	refusedAsGone(t, err)
	_, err = w.Progress(b.ctx, []Step{{Key: key(0), From: pos(0), To: pos(1)}})
	refusedAsGone(t, err)
	refusedAsGone(t, w.Refresh(b.ctx))
	b.gone(stubborn - 1)
	_, err = Open(b.ctx, b.cat, spec("w2"), b.env())
	require.NoError(t, err)
	looks := b.gone(stubborn - 1)
	_, err = w.Progress(b.ctx, []Step{{Key: key(0), From: pos(0), To: pos(1)}})
	require.NoError(t, err)
	require.GreaterOrEqual(t, *looks, stubborn)
}

// A catalog that refuses to create the table, since it has one, and cannot show it: the birth ends.
func TestBirthOnTopOfAHiddenTable(t *testing.T) {
	b := newBench(t)
	w := stagedOpen(b, "w1")
	b.create("w2", 1)
	b.gone(100)
	refusedAsGone(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
}
