package catalog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

// vendor is a catalog's credential service beside an object store that holds to what it says.
type vendor struct {
	mu       sync.Mutex
	clock    time.Time
	tick     time.Duration // that passes with every request to the store
	life     time.Duration
	ends     map[string]time.Time
	prefixes []string
	late     []string
	foreign  []string
	vended   int
}

func (v *vendor) now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.clock
}

func (v *vendor) storage() (list []map[string]any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.vended++
	for _, p := range v.prefixes {
		token := fmt.Sprintf("%s#%d", p, v.vended)
		v.ends[token] = v.clock.Add(v.life)
		list = append(list, map[string]any{"prefix": p, "config": map[string]string{
			iceio.S3AccessKeyID: "vended", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: token,
			"s3.session-token-expires-at-ms": strconv.FormatInt(v.ends[token].UnixMilli(), 10),
		}})
	}
	return list
}

// request is what the store makes of a request: a token past its end is refused, and so is one of another prefix.
func (v *vendor) request(r storetest.Request) storetest.Fault {
	token := r.Header.Get("X-Amz-Security-Token")
	if token == "catalog" {
		return storetest.None
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	what := r.Op + " " + r.Key + " with " + token
	v.clock = v.clock.Add(v.tick)
	prefix, _, _ := strings.Cut(token, "#")
	if path := "s3://" + r.Bucket + "/" + r.Key; token == "" || !strings.HasPrefix(path, prefix) {
		v.foreign = append(v.foreign, what)
		return storetest.Denied
	}
	if !v.clock.Add(-v.tick).Before(v.ends[token]) {
		v.late = append(v.late, what)
		return storetest.Expired
	}
	return storetest.None
}

// vendedWorld is a table in an object store that takes vended credentials only.
func vendedWorld(t *testing.T, v *vendor) (*restServer, *commit.Table) {
	fake := storetest.NewS3(t, "lake")
	fake.OnRequest(v.request)
	stores, err := store.Open(store.Options{S3: store.S3Options{MaxAttempts: 1}})
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	place := map[string]string{iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1"}
	own := map[string]string{iceio.S3AccessKeyID: "catalog", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: "catalog"}
	for k, val := range place {
		own[k] = val
	}
	backend, err := catalog.Open(t.Context(), catalog.Options{
		Type: catalog.SQLite, Path: t.TempDir() + "/catalog.db", Warehouse: "s3://lake/warehouse", Properties: own,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, backend.Close()) })
	srv := serveREST(t, backend, "s3://lake/warehouse")
	srv.tableConfig, srv.storage = map[string]string{}, v.storage
	return srv, world(t, srv, func(o *catalog.Options) { o.Properties, o.Now = place, v.now })
}

// Manifests and manifest lists are written while credentials end again and again: none goes out with a token that has.
func TestCommitsOutliveVendedCredentials(t *testing.T) {
	v := &vendor{
		clock: time.UnixMilli(1_700_000_000_000), tick: 4 * time.Minute, life: 10 * time.Minute, ends: map[string]time.Time{},
		prefixes: []string{"s3://lake/warehouse/shop/clicks/"},
	}
	_, w := vendedWorld(t, v)
	require.NoError(t, w.Create(t.Context(), start()))
	for i := range 12 {
		_, err := w.Commit(t.Context(), commit.FileSet{Steps: move(state.Position(strconv.Itoa(i)), state.Position(strconv.Itoa(i+1)))})
		require.NoError(t, err)
	}
	require.Empty(t, v.late)
	require.Empty(t, v.foreign)
	require.Greater(t, len(v.ends), 12)
}

// Data, metadata and everything else are granted apart: each file goes with the longest prefix of its path.
func TestVendedPrefixes(t *testing.T) {
	v := &vendor{
		clock: time.UnixMilli(1_700_000_000_000), life: time.Hour, ends: map[string]time.Time{},
		prefixes: []string{"s3://lake/warehouse/shop/clicks/data/", "s3://lake/warehouse/shop/clicks/metadata/"},
	}
	srv, w := vendedWorld(t, v)
	require.Equal(t, "catalog at "+srv.URL, fmt.Sprint(srv.open(t)))
	require.NoError(t, w.Create(t.Context(), start()))
	_, err := w.Commit(t.Context(), commit.FileSet{Steps: move("0", "1")})
	require.NoError(t, err)
	st := store.Following(func(ctx context.Context) (iceio.IO, error) { return w.Iceberg().FS(ctx) })
	require.NoError(t, st.Put(t.Context(), "s3://lake/warehouse/shop/clicks/data/f", 0, storetest.Chunks([]byte("x"))))
	require.Empty(t, v.foreign)

	// An hour later with the same view: the table is loaded again, not asked file by file.
	loads := 0
	srv.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			loads++
		}
		return false
	}
	v.clock = v.clock.Add(2 * time.Hour)
	for i := range 5 {
		require.NoError(t, st.Put(t.Context(), fmt.Sprintf("s3://lake/warehouse/shop/clicks/data/g%d", i), 0, storetest.Chunks([]byte("x"))))
	}
	require.Equal(t, 1, loads)
	require.Empty(t, v.late)
}

// A table whose configuration names an end, without a list of credentials, is renewed as well.
func TestVendedConfigurationEnds(t *testing.T) {
	v := &vendor{clock: time.UnixMilli(1_700_000_000_000), life: time.Hour, ends: map[string]time.Time{}, prefixes: []string{"s3://lake/"}}
	srv, w := vendedWorld(t, v)
	require.NoError(t, w.Create(t.Context(), start()))
	srv.storage = nil
	srv.before = func(wr http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/tables/") {
			return false
		}
		tbl, err := srv.backend.LoadTable(r.Context(), shop)
		if err != nil {
			return false
		}
		meta, err := json.Marshal(tbl.Metadata())
		if err != nil {
			return false
		}
		answer(wr, map[string]any{"metadata-location": tbl.MetadataLocation(), "metadata": json.RawMessage(meta), "config": v.storage()[0]["config"]})
		return true
	}
	require.NoError(t, w.Refresh(t.Context()))
	v.clock = v.clock.Add(2 * time.Hour)
	st := store.Following(func(ctx context.Context) (iceio.IO, error) { return w.Iceberg().FS(ctx) })
	require.NoError(t, st.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks([]byte("x"))))
	require.Empty(t, v.late)
}
