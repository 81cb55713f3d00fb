package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

func TestLocalSuite(t *testing.T) {
	for name, base := range map[string]func(dir string) string{
		"uri":   func(dir string) string { return "file://" + dir + "/wh" },
		"plain": func(dir string) string { return dir + "/wh" },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := store.Open(store.Options{})
			require.NoError(t, err)
			storetest.Run(t, target(t, s, base(dir), 9<<20, nil))
			require.Empty(t, temporaries(t, dir), "temporary files left")
		})
	}
}

func target(t *testing.T, s *store.Stores, base string, large int, props map[string]string) storetest.Target {
	st, err := s.ForProperties(base, props)
	require.NoError(t, err)
	fs, err := s.IO(t.Context(), base, props)
	require.NoError(t, err)
	return storetest.Target{Store: st, IO: fs, Base: base, Large: large}
}

func temporaries(t *testing.T, dir string) (found []string) {
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".tmp") {
			found = append(found, path)
		}
		return err
	}))
	return found
}

func TestLocalFilesAreForTheGroup(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	st, err := s.For("file://" + dir)
	require.NoError(t, err)
	require.NoError(t, st.Put(t.Context(), "file://"+dir+"/a%20b/f", 0, storetest.Chunks([]byte("x"))))
	fi, err := os.Stat(dir + "/a b/f")
	require.NoError(t, err, "file URIs are percent-decoded, as iceberg-go does")
	require.Equal(t, os.FileMode(0o640), fi.Mode().Perm())
}

func TestUnknownSchemesAreConfigErrors(t *testing.T) {
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	for _, loc := range []string{"oss://b/x", "hdfs://n/x"} {
		_, err := s.For(loc)
		require.Equal(t, failure.Config, failure.ClassOf(err), loc)
		require.Equal(t, "E_STORE_SCHEME", failure.CodeOf(err))
		require.Equal(t, failure.Config, failure.ClassOf(s.Probe(t.Context(), loc)))
	}
	st, err := s.For("file:///x")
	require.NoError(t, err)
	require.Equal(t, failure.Config, failure.ClassOf(st.Put(t.Context(), "file://host/x", 0, storetest.Chunks(nil))))
}

func TestSettingsThatCannotWork(t *testing.T) {
	for name, o := range map[string]store.S3Options{
		"too small":   {PartSize: 1 << 20},
		"half a pair": {AccessKeyID: "a"},
		"unknown":     {Checksum: "md5"},
	} {
		_, err := store.Open(store.Options{S3: o})
		require.Equal(t, failure.Config, failure.ClassOf(err), name)
		require.NotEmpty(t, failure.HintOf(err))
	}
}

func TestProbeLocal(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Probe(t.Context(), "file://"+dir+"/new/warehouse"))
	require.NoError(t, os.WriteFile(dir+"/file", nil, 0o600))
	err = s.Probe(t.Context(), dir+"/file/warehouse")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, "E_STORE_ACCESS", failure.CodeOf(err))
}

func TestRegisteredFactoriesServeMetadataAndFollowTheTable(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	restore := s.Register(t.Context())
	props := map[string]string{"s3.endpoint": fake.URL, "s3.access-key-id": "vended", "s3.secret-access-key": "s", "s3.session-token": "one"}
	current := func(ctx context.Context) (iceio.IO, error) { return iceio.LoadFS(ctx, props, "s3://lake/t") }

	fs, err := current(t.Context())
	require.NoError(t, err)
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/m", []byte("x")))
	st := store.Following(current)
	require.NoError(t, st.Put(t.Context(), "s3://lake/t/d", 0, storetest.Chunks([]byte("yy"))))
	props["s3.session-token"] = "two" // the catalog has renewed them
	size, err := st.Stat(t.Context(), "s3://lake/t/d")
	require.NoError(t, err)
	require.EqualValues(t, 2, size)
	require.NoError(t, st.Delete(t.Context(), "s3a://lake/t/d"))

	var tokens []string
	for _, r := range fake.Requests() {
		tokens = append(tokens, r.Op+" "+r.Header.Get("X-Amz-Security-Token"))
	}
	require.Equal(t, []string{"PutObject one", "PutObject one", "HeadObject two", "DeleteObject two"}, tokens)
	require.Equal(t, 1, fake.Connections(), "every client shares one transport")

	restore()
	_, err = iceio.LoadFS(t.Context(), props, "s3://lake/t")
	require.ErrorIs(t, err, iceio.ErrIOSchemeNotFound)
	local, err := iceio.LoadFS(t.Context(), nil, "file:///x")
	require.NoError(t, err)
	require.Equal(t, iceio.LocalFS{}, local)
	_, ok := store.Of(local)
	require.False(t, ok)
	_, err = store.Following(func(context.Context) (iceio.IO, error) { return local, nil }).Stat(t.Context(), "file:///x")
	require.ErrorContains(t, err, "not ours")
}
