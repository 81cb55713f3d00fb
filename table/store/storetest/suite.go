package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/table/store"
)

// Target is what Run works on.
type Target struct {
	Store store.Store
	// IO is the metadata side of the same place.
	IO iceio.IO
	// Base is a location that holds nothing yet, without a slash at its end.
	Base string
	// Large is the size of a file that needs several parts.
	Large int
}

// Run checks what the callers of a Store rely on.
func Run(t *testing.T, tg Target) {
	t.Run("PutStatRead", func(t *testing.T) { putStatRead(t, tg) })
	t.Run("PutReplaces", func(t *testing.T) { putReplaces(t, tg) })
	t.Run("FailedPutLeavesNothing", func(t *testing.T) { failedPut(t, tg) })
	t.Run("CancelledPutLeavesNothing", func(t *testing.T) { cancelledPut(t, tg) })
	t.Run("Missing", func(t *testing.T) { missing(t, tg) })
	t.Run("Concurrent", func(t *testing.T) { concurrent(t, tg) })
	t.Run("MetadataSide", func(t *testing.T) { metadataSide(t, tg) })
	t.Run("RandomReads", func(t *testing.T) { randomReads(t, tg) })
	t.Run("WalkAndDelete", func(t *testing.T) { walkAndDelete(t, tg) })
}

// Content makes n bytes that differ by seed.
func Content(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 7})
	_, _ = r.Read(b)
	return b
}

// Chunks gives a write function that sends b in pieces of odd sizes.
func Chunks(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		for n := 1; len(b) > 0; n = n*3 + 1 {
			k := min(n, len(b), 3<<20)
			if _, err := w.Write(b[:k]); err != nil {
				return err
			}
			b = b[k:]
		}
		return nil
	}
}

func (tg Target) read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := tg.IO.(iceio.ReadFileIO).ReadFile(path)
	require.NoError(t, err)
	return b
}

func putStatRead(t *testing.T, tg Target) {
	for _, n := range []int{0, 1, 4096, 600 << 10, tg.Large} {
		for _, hint := range []int64{0, int64(n), 10} {
			path := fmt.Sprintf("%s/put/day=2026-01-02/a b_%d_%d.parquet", tg.Base, n, hint)
			want := Content(uint64(n), n)
			require.NoError(t, tg.Store.Put(t.Context(), path, hint, Chunks(want)))
			size, err := tg.Store.Stat(t.Context(), path)
			require.NoError(t, err)
			require.EqualValues(t, n, size)
			require.Equal(t, string(want), string(tg.read(t, path)), "content of %d bytes", n)
			if n == tg.Large {
				break // hints change nothing else
			}
		}
	}
}

func putReplaces(t *testing.T, tg Target) {
	path := tg.Base + "/replace/file"
	require.NoError(t, tg.Store.Put(t.Context(), path, 0, Chunks([]byte("old and longer"))))
	require.NoError(t, tg.Store.Put(t.Context(), path, 0, Chunks([]byte("new"))))
	require.Equal(t, "new", string(tg.read(t, path)))
}

func failedPut(t *testing.T, tg Target) {
	boom := errors.New("boom")
	for _, n := range []int{0, 10, tg.Large} {
		path := fmt.Sprintf("%s/failed/%d", tg.Base, n)
		err := tg.Store.Put(t.Context(), path, int64(n), func(w io.Writer) error {
			if err := Chunks(Content(1, n))(w); err != nil {
				return err
			}
			return boom
		})
		require.ErrorIs(t, err, boom)
		_, err = tg.Store.Stat(t.Context(), path)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

func cancelledPut(t *testing.T, tg Target) {
	ctx, cancel := context.WithCancel(t.Context())
	path := tg.Base + "/cancelled/file"
	err := tg.Store.Put(ctx, path, 0, func(w io.Writer) error {
		cancel()
		_, err := w.Write(Content(2, 100))
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = tg.Store.Stat(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func missing(t *testing.T, tg Target) {
	path := tg.Base + "/missing/file"
	_, err := tg.Store.Stat(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, tg.Store.Delete(t.Context(), path), "removing what is not there")
	_, err = tg.IO.Open(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tg.IO.(iceio.ReadFileIO).ReadFile(path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func concurrent(t *testing.T, tg Target) {
	g := rungroup.New(t.Context())
	for i := range 8 {
		g.Go(func(ctx context.Context) error {
			n := 1 << (10 + i)
			if i == 7 {
				n = tg.Large
			}
			return tg.Store.Put(ctx, fmt.Sprintf("%s/concurrent/%d", tg.Base, i), int64(n), Chunks(Content(uint64(i), n)))
		})
	}
	require.NoError(t, g.Wait())
	for i := range 7 {
		require.Equal(t, Content(uint64(i), 1<<(10+i)), tg.read(t, fmt.Sprintf("%s/concurrent/%d", tg.Base, i)))
	}
}

func metadataSide(t *testing.T, tg Target) {
	w := tg.IO.(iceio.WriteFileIO)
	path := tg.Base + "/meta/v1.metadata.json"
	require.NoError(t, w.WriteFile(path, []byte("{}")))
	require.Equal(t, "{}", string(tg.read(t, path)))

	path = tg.Base + "/meta/snap.avro"
	f, err := w.Create(path)
	require.NoError(t, err)
	want := Content(3, 100<<10)
	require.NoError(t, Chunks(want)(f))
	_, err = tg.Store.Stat(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist, "not there before it is closed")
	require.NoError(t, f.Close())
	require.Equal(t, want, tg.read(t, path))
	st, ok := store.Of(tg.IO)
	require.True(t, ok)
	size, err := st.Stat(t.Context(), path)
	require.NoError(t, err)
	require.EqualValues(t, len(want), size)
	require.NoError(t, tg.IO.Remove(path))
	_, err = tg.Store.Stat(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func randomReads(t *testing.T, tg Target) {
	path := tg.Base + "/random/file"
	want := Content(4, 2<<20)
	require.NoError(t, tg.Store.Put(t.Context(), path, 0, Chunks(want)))
	f, err := tg.IO.Open(path)
	require.NoError(t, err)
	fi, err := f.Stat()
	require.NoError(t, err)
	require.EqualValues(t, len(want), fi.Size())
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		off := r.IntN(len(want))
		p := make([]byte, 1+r.IntN(300<<10))
		n, err := f.ReadAt(p, int64(off))
		require.Equal(t, want[off:off+n], p[:n])
		if off+len(p) > len(want) {
			require.ErrorIs(t, err, io.EOF)
			continue
		}
		require.NoError(t, err)
		require.Len(t, p, n)
	}
	for _, off := range []int64{0, 1 << 20, 511 << 10} {
		_, err := f.Seek(off, io.SeekStart)
		require.NoError(t, err)
		got, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, len(want)-int(off), len(got))
		require.Equal(t, want[off:], got)
	}
	end, err := f.Seek(-5, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, len(want)-5, end)
	require.NoError(t, f.Close())
}

func walkAndDelete(t *testing.T, tg Target) {
	var want []string
	for i := range 20 {
		path := fmt.Sprintf("%s/walk/d%d/f%02d", tg.Base, i%3, i)
		require.NoError(t, tg.Store.Put(t.Context(), path, 0, Chunks([]byte("x"))))
		want = append(want, path)
	}
	walk := func() (found []string) {
		require.NoError(t, tg.IO.(iceio.ListableIO).WalkDir(tg.Base+"/walk", func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if !d.IsDir() {
				info, err := d.Info()
				require.NoError(t, err)
				require.EqualValues(t, 1, info.Size())
				found = append(found, path)
			}
			return nil
		}))
		return found
	}
	require.Len(t, walk(), len(want))
	gone, err := tg.IO.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), append(want[:15:15], tg.Base+"/walk/never"))
	require.NoError(t, err)
	require.Len(t, gone, 16)
	require.Len(t, walk(), 5)
}
