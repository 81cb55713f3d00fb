package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
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
	// Big is a size beyond the buffers of all uploads together; 0 = Large.
	Big int
	// Files is how many files a listing has to turn pages for; 0 = 20.
	Files int
	// Lost is the size up to which answers may get lost, of an emulator that cannot go on with a broken upload; 0 = any.
	Lost int
	// Wire is what the store's requests go through; nil = it makes none.
	Wire *Wire
}

// question is one thing that is asked of every store.
type question struct {
	name, text string
	ask        func(*testing.T, Target)
}

func questions() []question {
	return []question{
		{"put", "a file of any size comes back as it was written, whatever size was announced", putStatRead},
		{"replace", "a file that is written again replaces the old one", putReplaces},
		{"big files", "a file beyond the buffers of all uploads together comes back as it was written", bigFile},
		{"failed writes", "a write that fails leaves nothing behind, at any size", failedPut},
		{"cancelled writes", "a write that is cancelled leaves nothing behind, parts on their way included", cancelledPut},
		{"lost answers", "an answer that is lost, to any request of a write or a removal, changes nothing", lostAnswers},
		{"absent files", "a file that is not there is told from an error, and removing it is none", missing},
		{"at once", "eight writes at once, large and small", concurrent},
		{"metadata", "iceberg-go's files appear when they are closed, not before", metadataSide},
		{"ranges", "any range of a file can be read, also past its end", randomReads},
		{"listing", "a listing shows every file below a directory once, over several pages, and batches are removed", walkAndDelete},
	}
}

// Run checks what the callers of a Store rely on, and reports what was answered.
func Run(t *testing.T, tg Target) Report {
	r := Report{Answers: map[string]string{}}
	for _, q := range questions() {
		t.Run(q.name, func(t *testing.T) {
			r.Answers[q.name] = "no"
			q.ask(t, tg)
			r.Answers[q.name] = Yes
			if q.name == "lost answers" && tg.Wire == nil {
				r.Answers[q.name] = "there are none"
			} else if q.name == "lost answers" && tg.Lost > 0 {
				r.Answers[q.name] = "yes, to requests of small files"
			}
		})
	}
	return r
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
	cancelledInFlight(t, tg)
}

// cancelledInFlight cancels when the first parts have been handed over.
func cancelledInFlight(t *testing.T, tg Target) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	path := tg.Base + "/cancelled/large"
	content := Content(7, tg.Large)
	err := tg.Store.Put(ctx, path, int64(tg.Large), func(w io.Writer) error {
		if _, err := w.Write(content[:tg.Large-1]); err != nil {
			return err
		}
		cancel()
		_, err := w.Write(content[tg.Large-1:])
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	_, err = tg.Store.Stat(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, tg.walk(t, "/cancelled"), "nor is anything listed")
}

// lostAnswers loses the first answer to each kind of request.
func lostAnswers(t *testing.T, tg Target) {
	if tg.Wire == nil {
		return
	}
	for _, n := range []int{100, tg.Large} {
		if tg.Lost > 0 && n > tg.Lost {
			continue
		}
		path := fmt.Sprintf("%s/lost/%d", tg.Base, n)
		want := Content(8, n)
		restore := tg.Wire.LoseEachOnce()
		require.NoError(t, tg.Store.Put(t.Context(), path, int64(n), Chunks(want)))
		require.Positive(t, restore())
		require.Equal(t, want, tg.read(t, path))
		restore = tg.Wire.LoseEachOnce()
		require.NoError(t, tg.Store.Delete(t.Context(), path))
		require.Positive(t, restore())
		_, err := tg.Store.Stat(t.Context(), path)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	require.Empty(t, tg.walk(t, "/lost"))
}

// bigFile reads as it goes: neither side holds it whole.
func bigFile(t *testing.T, tg Target) {
	n := max(tg.Big, tg.Large)
	path := tg.Base + "/big/file"
	block := Content(9, 1<<20)
	wrote := sha256.New()
	require.NoError(t, tg.Store.Put(t.Context(), path, 0, func(w io.Writer) error {
		for left := n; left > 0; left -= len(block) {
			block[0]++ // so that no two blocks are the same
			if _, err := io.MultiWriter(w, wrote).Write(block[:min(left, len(block))]); err != nil {
				return err
			}
		}
		return nil
	}))
	f, err := tg.IO.Open(path)
	require.NoError(t, err)
	read := sha256.New()
	size, err := io.Copy(read, f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.EqualValues(t, n, size)
	require.Equal(t, wrote.Sum(nil), read.Sum(nil))
	require.NoError(t, tg.Store.Delete(t.Context(), path))
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

// walk lists the files below a directory of the target.
func (tg Target) walk(t *testing.T, below string) (found []string) {
	t.Helper()
	err := tg.IO.(iceio.ListableIO).WalkDir(tg.Base+below, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		require.NoError(t, err)
		require.EqualValues(t, 1, info.Size())
		if strings.HasPrefix(tg.Base, "file://") { // iceberg-go lists local files by their plain paths
			path = "file://" + path
		}
		found = append(found, path)
		return nil
	})
	if !errors.Is(err, fs.ErrNotExist) { // a directory that nothing was ever put into
		require.NoError(t, err)
	}
	return found
}

func walkAndDelete(t *testing.T, tg Target) {
	n := max(tg.Files, 20)
	want := make([]string, n)
	g := rungroup.New(t.Context())
	for worker := range 8 {
		g.Go(func(ctx context.Context) error {
			for i := worker; i < n; i += 8 {
				want[i] = fmt.Sprintf("%s/walk/d%d/f%04d", tg.Base, i%3, i)
				if err := tg.Store.Put(ctx, want[i], 0, Chunks([]byte("x"))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	require.ElementsMatch(t, want, tg.walk(t, "/walk"))
	gone, err := tg.IO.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), append(want[:n-5:n-5], tg.Base+"/walk/never"))
	require.NoError(t, err)
	require.Len(t, gone, n-4)
	require.ElementsMatch(t, want[n-5:], tg.walk(t, "/walk"))
}
