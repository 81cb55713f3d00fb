//go:build integration

package stores

import (
	"context"
	"flag"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/integration/stack"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

var update = flag.Bool("update", false, "keep what the stores answer, for docs/STORES.md")

const (
	large = 13 << 20  // three parts of the smallest size
	big   = 128 << 20 // beyond the buffers of all uploads
	files = 1100      // beyond a page of S3
)

// asked asks a store everything and keeps its answers if that is wanted.
func asked(t *testing.T, s *store.Stores, scheme, server string, tg storetest.Target) {
	t.Helper()
	var err error
	tg.Store, err = s.For(tg.Base)
	require.NoError(t, err)
	tg.IO, err = s.IO(t.Context(), tg.Base, nil)
	require.NoError(t, err)
	tg.Large, tg.Big, tg.Files = large, big, files
	r := storetest.Run(t, tg)
	r.Scheme, r.Server = scheme, server
	if !*update || t.Failed() {
		return
	}
	root, err := stack.Root()
	require.NoError(t, err)
	storetest.Keep(t, filepath.Join(root, "table", "store", "storetest", "testdata", "results.json"), r)
}

func TestLocalStore(t *testing.T) {
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	asked(t, s, "file", "a local file system", storetest.Target{Base: "file://" + t.TempDir() + "/wh"})
}

func TestS3Store(t *testing.T) {
	st, o := versitygw(t)
	wire := storetest.NewWire()
	o.Transport = wire
	s, err := store.Open(store.Options{S3: o})
	require.NoError(t, err)
	asked(t, s, "s3", "versitygw "+st.Value("VERSITYGW_VERSION")[1:], storetest.Target{
		Base: "s3://" + st.Value("S3_BUCKET") + "/conformance", Wire: wire,
	})
}

// versitygw takes the headers of encryption and does nothing: it is refused, whichever is wanted.
func TestStoreThatDoesNotEncryptIsRefused(t *testing.T) {
	st, o := versitygw(t)
	base := "s3://" + st.Value("S3_BUCKET")
	for _, kind := range []store.Encryption{store.SSES3, store.SSEKMS, store.SSEC} {
		o.Encryption = kind
		if kind == store.SSEC {
			o.CustomerKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
		}
		s, err := store.Open(store.Options{S3: o})
		require.NoError(t, err)
		to, err := s.For(base)
		require.NoError(t, err)
		err = to.Put(t.Context(), base+"/"+string(kind), 0, storetest.Chunks([]byte("x")))
		require.Equal(t, "E_STORE_KEY", failure.CodeOf(err), "%v", err)
		_, err = to.Stat(t.Context(), base+"/"+string(kind))
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

// versitygw starts one on a port of its own.
func versitygw(t *testing.T) (*stack.Stack, store.S3Options) {
	t.Setenv("INGESTD_STACK_RUN", t.TempDir())
	t.Setenv("S3_PORT", strconv.Itoa(freePort(t)))
	st, err := stack.Find(os.Stderr)
	require.NoError(t, err)
	require.NoError(t, st.Start(t.Context(), "s3"))
	t.Cleanup(func() { require.NoError(t, st.Stop(context.WithoutCancel(t.Context()), true)) })
	pathStyle := true
	return st, store.S3Options{
		Endpoint: "http://" + st.ObjectStore(), Region: st.Value("S3_REGION"), PathStyle: &pathStyle, PartSize: 5 << 20,
		AccessKeyID: st.Value("S3_ACCESS_KEY"), SecretAccessKey: st.Value("S3_SECRET_KEY"),
	}
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) int {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().(*net.TCPAddr).Port
}

// tables asks a catalog everything with its tables in a store: iceberg-go writes and reads their metadata there.
func tables(t *testing.T, s *store.Stores, warehouse string) {
	t.Cleanup(s.Register(t.Context()))
	at := filepath.Join(t.TempDir(), "catalog.db")
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog {
		cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.SQLite, Path: at, Warehouse: warehouse})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cat.Close()) })
		return cat
	})
}

// azurite starts Azure's emulator on a port of its own.
func azurite(t *testing.T) (*stack.Stack, store.AzureOptions) {
	t.Setenv("INGESTD_STACK_RUN", t.TempDir())
	t.Setenv("AZURE_PORT", strconv.Itoa(freePort(t)))
	st, err := stack.Find(os.Stderr)
	require.NoError(t, err)
	if err := st.Install(t.Context(), "azure"); err != nil {
		t.Skip("the emulator cannot be installed here: ", err)
	}
	require.NoError(t, st.Start(t.Context(), "azure"))
	t.Cleanup(func() { require.NoError(t, st.Stop(context.WithoutCancel(t.Context()), true)) })
	return st, store.AzureOptions{
		Endpoint: "http://127.0.0.1:" + st.Value("AZURE_PORT") + "/" + st.Value("AZURE_ACCOUNT"), AccountKey: st.Value("AZURE_KEY"),
	}
}

func TestAzureStore(t *testing.T) {
	st, o := azurite(t)
	wire := storetest.NewWire()
	o.Transport = wire
	s, err := store.Open(store.Options{Azure: o, S3: store.S3Options{PartSize: 5 << 20}})
	require.NoError(t, err)
	base := "abfss://" + st.Value("AZURE_CONTAINER") + "@" + st.Value("AZURE_ACCOUNT") + ".dfs.core.windows.net/"
	asked(t, s, "abfss", "Azurite "+st.Value("AZURITE_VERSION"), storetest.Target{Base: base + "conformance", Wire: wire})
	t.Run("tables", func(t *testing.T) { tables(t, s, base+"warehouse") })
}

// fakeGCS starts an emulator of Google Cloud Storage on a port of its own.
func fakeGCS(t *testing.T) (*stack.Stack, store.GCSOptions) {
	t.Setenv("INGESTD_STACK_RUN", t.TempDir())
	t.Setenv("GCS_PORT", strconv.Itoa(freePort(t)))
	st, err := stack.Find(os.Stderr)
	require.NoError(t, err)
	if err := st.Install(t.Context(), "gcs"); err != nil {
		t.Skip("the emulator cannot be installed here: ", err)
	}
	require.NoError(t, st.Start(t.Context(), "gcs"))
	t.Cleanup(func() { require.NoError(t, st.Stop(context.WithoutCancel(t.Context()), true)) })
	return st, store.GCSOptions{Endpoint: "http://127.0.0.1:" + st.Value("GCS_PORT"), Anonymous: true}
}

func TestGCSStore(t *testing.T) {
	st, o := fakeGCS(t)
	wire := storetest.NewWire()
	o.Transport = wire
	s, err := store.Open(store.Options{GCS: o, S3: store.S3Options{PartSize: 5 << 20}})
	require.NoError(t, err)
	base := "gs://" + st.Value("GCS_BUCKET") + "/"
	asked(t, s, "gs", "fake-gcs-server "+st.Value("FAKE_GCS_VERSION")[1:], storetest.Target{
		Base: base + "conformance", Wire: wire, Lost: 1 << 20, // the emulator makes an object of what it has when it is asked how much that is
	})
	t.Run("tables", func(t *testing.T) { tables(t, s, base+"warehouse") })
}
