package compaction

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// memStore is a store over the files of a world.
type memStore struct{ files *committest.Files }

func (m memStore) Put(_ context.Context, path string, _ int64, write func(io.Writer) error) error {
	var b strings.Builder
	if err := write(&b); err != nil {
		return err
	}
	m.files.Put(path, []byte(b.String()))
	return nil
}

func (m memStore) Delete(_ context.Context, path string) error { return m.files.Remove(path) }

func (m memStore) Stat(_ context.Context, path string) (int64, error) {
	if !m.files.Has(path) {
		return 0, fs.ErrNotExist
	}
	return 0, nil
}

func (w *world) pages(otherwise Engine) Pages {
	return Pages{
		Parquet:   func(string) parquet.Options { return parquet.Options{} },
		Store:     func(string) (store.Store, error) { return memStore{w.cat.Files}, nil },
		Otherwise: otherwise,
	}
}

// never is an engine that is not asked.
type never struct{ t *testing.T }

func (n never) Rewrite(context.Context, Job) (Rewritten, error) {
	n.t.Error("the other engine was asked")
	return Rewritten{}, errors.New("never")
}

// writeOwn makes a data file of n new rows in one place as ingest does.
func (w *world) writeOwn(t *commit.Table, place string, n int64) []iceberg.DataFile {
	w.t.Helper()
	fields, err := table.Fields(t.Schema())
	require.NoError(w.t, err)
	layout, err := column.NewLayout(fields)
	require.NoError(w.t, err)
	encoder, err := parquet.NewEncoder(parquet.Options{PageRows: 16})
	require.NoError(w.t, err)
	spec := t.PartitionSpec()
	writer, err := table.NewWriter(table.WriterOptions{Layout: layout, Spec: &spec, Encoder: encoder})
	require.NoError(w.t, err)
	set := writer.Set()
	for i := range n {
		set.Columns[0].AppendInt64(w.next + i)
		set.Columns[1].SetValid()
		set.Columns[1].AppendBytes([]byte(place))
	}
	require.NoError(w.t, writer.Absorb())
	parts, err := writer.Cut()
	require.NoError(w.t, err)
	a, err := table.NewAssembler(table.AssemblerOptions{
		Layout: layout, Schema: t.Schema(), Spec: &spec, Location: t.Location(), Properties: t.Properties(), Store: memStore{w.cat.Files},
	})
	require.NoError(w.t, err)
	files, err := a.Assemble(w.ctx, uuid.NewString(), parts)
	require.NoError(w.t, err)
	return files.Data
}

// read gives the bytes of a file.
func (w *world) read(name string) []byte {
	f, err := w.cat.Files.Open(name)
	require.NoError(w.t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	require.NoError(w.t, err)
	return b
}

// Pages are put together without the rows that were deleted by position; nothing else changes, and nothing is left over.
func TestPagesApplyDeletes(t *testing.T) {
	w := newWorld(t)
	w.own = true
	tbl := w.create(nil)
	for range 6 {
		w.add(tbl, "a", 40)
		w.add(tbl, "b", 7)
	}
	var gone []int64
	for id := range w.model {
		if rand.IntN(4) == 0 {
			gone = append(gone, id)
		}
	}
	w.remove(gone...)
	res, err := w.rewrite(w.pages(never{t}))
	require.NoError(t, err)
	require.Equal(t, 12, res.Rewritten)
	require.Equal(t, 2, res.Added)
	require.Len(t, w.live(), 2)
	for _, name := range w.live() {
		require.Regexp(t, `^mem://lake/db/t/data/place=[ab]/00000-.*\.parquet$`, name)
	}
	w.exact()
	again, err := w.rewrite(w.pages(never{t}))
	require.NoError(t, err)
	require.Zero(t, again.Rewritten)
}

// A file that does not hold what was written ends the rewrite with its name; the table stays as it is.
func TestDamagedFileIsNamed(t *testing.T) {
	w := newWorld(t)
	w.own = true
	tbl := w.create(nil)
	for range 4 {
		w.add(tbl, "a", 500)
	}
	before, bad := w.live(), w.live()[2]
	sound := w.read(bad)
	text := bytes.Clone(sound)
	for i := len(text) / 4; i < len(text)/4+40; i++ {
		text[i] ^= 0x5a
	}
	w.cat.Files.Put(bad, text)
	files := w.cat.Files.Names()
	_, err := w.rewrite(w.pages(nil))
	require.Equal(t, CodeDamaged, failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, bad)
	require.Equal(t, before, w.live())
	require.Equal(t, files, w.cat.Files.Names())
	w.cat.Files.Put(bad, sound)
	w.exact()
}

// fallback counts what it is asked for, and lets the library do it.
type fallback struct{ asked int }

func (f *fallback) Rewrite(ctx context.Context, j Job) (Rewritten, error) {
	f.asked++
	return Library{}.Rewrite(ctx, j)
}

// Files of another writer, whose pages are not like ours, are done by rows.
func TestOtherEngineTakesTheRest(t *testing.T) {
	w := newWorld(t)
	tbl := w.create(nil)
	for range 4 {
		w.add(tbl, "a", 5)
	}
	f := &fallback{}
	res, err := w.rewrite(w.pages(f))
	require.NoError(t, err)
	require.Equal(t, 1, f.asked)
	require.Equal(t, 4, res.Rewritten)
	w.exact()
}
