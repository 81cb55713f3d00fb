package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is the real file system with a diary; it fails at step stop (1 = the first one; 0 = never).
type recorder struct {
	dir   string
	steps []string
	stop  int
}

var errCrash = errors.New("crash")

func (r *recorder) step(what, path string) error {
	name, err := filepath.Rel(r.dir, path)
	if err != nil {
		return err
	}
	if strings.HasSuffix(name, ".tmp") {
		name = filepath.Dir(name) + "/TEMP"
	}
	r.steps = append(r.steps, what+" "+name)
	if len(r.steps) == r.stop {
		return errCrash
	}
	return nil
}

func (r *recorder) files() files {
	sys := osFiles()
	return files{
		create: func(path string) (handle, error) {
			if err := r.step("create", path); err != nil {
				return nil, err
			}
			h, err := sys.create(path)
			return &recordedHandle{handle: h, r: r}, err
		},
		rename: func(from, to string) error {
			return errors.Join(r.step("rename to", to), r.unlessStopped(func() error { return sys.rename(from, to) }))
		},
		syncDir: func(path string) error {
			return errors.Join(r.step("sync", path), r.unlessStopped(func() error { return sys.syncDir(path) }))
		},
		mkdir: func(path string) error {
			return errors.Join(r.step("mkdir", path), r.unlessStopped(func() error { return sys.mkdir(path) }))
		},
		remove: sys.remove,
	}
}

func (r *recorder) unlessStopped(do func() error) error {
	if len(r.steps) == r.stop {
		return nil
	}
	return do()
}

type recordedHandle struct {
	handle
	r *recorder
}

func (h *recordedHandle) Write(p []byte) (int, error) {
	if err := h.r.step(fmt.Sprintf("write %d to", len(p)), h.Name()); err != nil {
		n, _ := h.handle.Write(p[:len(p)/2]) // half of it reached the disk
		return n, err
	}
	return h.handle.Write(p)
}

func (h *recordedHandle) Sync() error {
	if err := h.r.step("sync", h.Name()); err != nil {
		return err
	}
	return h.handle.Sync()
}

func (h *recordedHandle) Close() error {
	if err := h.r.step("close", h.Name()); err != nil {
		return errors.Join(err, h.handle.Close())
	}
	return h.handle.Close()
}

func put(t *testing.T, stop int) (*recorder, error) {
	r := &recorder{dir: t.TempDir(), stop: stop}
	l := &local{around: func(_, _ string, do func() error) error { return do() }, sys: r.files()}
	io := localIO{store: l}
	f, err := io.Create(r.dir + "/data/part/f")
	if err != nil {
		return r, err
	}
	_, err = f.Write([]byte("hello "))
	if err == nil {
		_, err = f.Write([]byte("world"))
	}
	return r, errors.Join(err, f.Close())
}

func TestOrderOfADurablePut(t *testing.T) {
	r, err := put(t, 0)
	require.NoError(t, err)
	require.Equal(t, []string{
		"mkdir data", "sync .",
		"mkdir data/part", "sync data",
		"create data/part/f",
		"write 6 to data/part/TEMP",
		"write 5 to data/part/TEMP",
		"sync data/part/TEMP",
		"close data/part/TEMP",
		"rename to data/part/f",
		"sync data/part",
	}, r.steps)
}

// A failure at each step leaves the whole file or none under its name, never half of it, and says so.
func TestPutStoppedAtEveryStep(t *testing.T) {
	whole, err := put(t, 0)
	require.NoError(t, err)
	for stop := 1; stop <= len(whole.steps); stop++ {
		r, err := put(t, stop)
		require.ErrorIs(t, err, errCrash, whole.steps[stop-1])
		b, err := os.ReadFile(r.dir + "/data/part/f")
		if stop < len(whole.steps) {
			require.ErrorIs(t, err, os.ErrNotExist, whole.steps[stop-1])
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "hello world", string(b))
	}
}
