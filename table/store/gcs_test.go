package store_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

func gcsOptions(fake *storetest.GCS) store.Options {
	return store.Options{
		S3:  store.S3Options{PartSize: 5<<20 + 1}, // is made a multiple of what Google takes
		GCS: store.GCSOptions{Endpoint: fake.URL, Anonymous: true, MaxAttempts: 3, MaxBackoff: time.Millisecond},
	}
}

func gcsStores(t *testing.T, fake *storetest.GCS) *store.Stores {
	opts := gcsOptions(fake)
	opts.S3.PartSize = 5 << 20
	s, err := store.Open(opts)
	require.NoError(t, err)
	return s
}

func TestGCSSuite(t *testing.T) {
	for _, halves := range []bool{false, true} {
		t.Run(fmt.Sprint("halves ", halves), func(t *testing.T) {
			fake := storetest.NewGCS(t, "lake")
			if halves {
				fake.KeepHalf()
			}
			opts := gcsOptions(fake)
			opts.S3.PartSize = 6<<20 - 1
			wire := storetest.NewWire()
			opts.GCS.Transport = wire
			s, err := store.Open(opts)
			require.NoError(t, err)
			require.EqualValues(t, 4*(6<<20), s.UploadReserve())
			tg := target(t, s, "gs://lake/wh", large, nil)
			tg.Wire = wire
			storetest.Run(t, tg)
			require.Equal(t, 1, fake.OpenUploads(), "only the one whose name was lost stays open")
		})
	}
}

func TestGCSKeysAreTakenAsTheyStand(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	tg := target(t, gcsStores(t, fake), "gs://lake", large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/a%2Fb+c d/é?#", 0, storetest.Chunks([]byte("x"))))
	require.Equal(t, []string{"a%2Fb+c d/é?#"}, fake.Keys("lake"))
	size, err := tg.Store.Stat(t.Context(), "gs://lake/a%2Fb+c d/é?#")
	require.NoError(t, err)
	require.EqualValues(t, 1, size)
}

// Every request of an upload meets every fault once, and once for good.
func TestGCSUploadsSurviveFaultsOrLeaveNothing(t *testing.T) {
	for op, size := range map[string]int{"InsertObject": 100, "BeginUpload": large, "PutChunk": large} {
		for _, fault := range []storetest.Fault{storetest.SlowDown, storetest.Internal, storetest.Hangup, storetest.Lost} {
			for _, nth := range []int32{1, 2, 3} {
				if nth > 1 && op != "PutChunk" {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%d", op, fault, nth), func(t *testing.T) {
					t.Parallel()
					fake := storetest.NewGCS(t, "lake")
					st, err := gcsStores(t, fake).For("gs://lake")
					require.NoError(t, err)
					want := storetest.Content(9, size)
					seen := &atomic.Int32{}
					fake.OnRequest(func(r storetest.Request) storetest.Fault {
						if r.Op == op && seen.Add(1) == nth {
							return fault
						}
						return storetest.None
					})
					require.NoError(t, st.Put(t.Context(), "gs://lake/once", int64(size), storetest.Chunks(want)))
					got, _ := fake.Object("lake", "once")
					require.True(t, slices.Equal(want, got))
					if fault == storetest.Lost {
						return // for good means that it landed every time
					}
					fake.OnRequest(func(r storetest.Request) storetest.Fault {
						if r.Op == op {
							return fault
						}
						return storetest.None
					})
					err = st.Put(t.Context(), "gs://lake/always", int64(size), storetest.Chunks(want))
					require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
					require.NotContains(t, err.Error(), "s3cr3t", "the address of an upload is a login")
					require.Equal(t, []string{"once"}, fake.Keys("lake"))
					require.Zero(t, fake.OpenUploads())
				})
			}
		}
	}
}

// Damage of a small file is refused by the service; that of a large one is noticed by us, and what was stored is removed.
func TestGCSDamageOnTheWayIsRefused(t *testing.T) {
	for _, size := range []int{4096, large} {
		fake := storetest.NewGCS(t, "lake")
		st, err := gcsStores(t, fake).For("gs://lake")
		require.NoError(t, err)
		fake.OnRequest(func(r storetest.Request) storetest.Fault {
			if r.Op == "InsertObject" || r.Op == "PutChunk" {
				return storetest.Damage
			}
			return storetest.None
		})
		err = st.Put(t.Context(), "gs://lake/f", int64(size), storetest.Chunks(storetest.Content(1, size)))
		require.Equal(t, "E_STORE_DAMAGED", failure.CodeOf(err), "%v", err)
		require.Equal(t, failure.Retry, failure.ClassOf(err))
		require.Empty(t, fake.Keys("lake"))
	}
}

func TestGCSReadsGoOnAfterACutBody(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	tg := target(t, gcsStores(t, fake), "gs://lake", large, nil)
	want := storetest.Content(5, 3<<20)
	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/f", 0, storetest.Chunks(want)))
	n := &atomic.Int32{}
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if r.Op == "GetMedia" && n.Add(1)%2 == 1 {
			return storetest.CutBody
		}
		return storetest.None
	})
	require.True(t, slices.Equal(want, readAll(t, tg.IO, "gs://lake/f")))
	got, err := tg.IO.(iceio.ReadFileIO).ReadFile("gs://lake/f")
	require.NoError(t, err)
	require.True(t, slices.Equal(want, got))
}

// turned flips a bit of every body that a server sends.
type turned struct{ http.RoundTripper }

func (d turned) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := d.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Query().Get("alt") == "media" {
		b, _ := io.ReadAll(res.Body)
		b[0] ^= 1
		res.Body = io.NopCloser(strings.NewReader(string(b)))
	}
	return res, err
}

// A metadata file that was damaged on its way is not taken for what it was.
func TestGCSDamagedReadsAreRefused(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	opts := gcsOptions(fake)
	opts.GCS.Transport = turned{storetest.NewWire()}
	s, err := store.Open(opts)
	require.NoError(t, err)
	tg := target(t, s, "gs://lake", large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/f", 0, storetest.Chunks([]byte("content"))))
	_, err = tg.IO.(iceio.ReadFileIO).ReadFile("gs://lake/f")
	require.Equal(t, "E_STORE_DAMAGED", failure.CodeOf(err), "%v", err)
}

// A file of one part costs one request to write and one to read; one that is replaced meanwhile is not read on.
func TestGCSRequests(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	tg := target(t, gcsStores(t, fake), "gs://lake", large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/f", 0, storetest.Chunks(storetest.Content(5, 100<<10))))
	require.Len(t, fake.Requests(), 1, "the answer's checksum stands for a second request")
	readAll(t, tg.IO, "gs://lake/f")
	require.Len(t, fake.Requests(), 1)

	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/g", 0, storetest.Chunks(storetest.Content(5, 2<<20))))
	f, err := tg.IO.Open("gs://lake/g")
	require.NoError(t, err)
	require.NoError(t, tg.Store.Put(t.Context(), "gs://lake/g", 0, storetest.Chunks(storetest.Content(6, 2<<20))))
	_, err = f.ReadAt(make([]byte, 10), 1<<20)
	require.Error(t, err)
}

func TestGCSErrorsSayHowToReact(t *testing.T) {
	f := func(fault storetest.Fault, class failure.Class, code, text string) {
		t.Helper()
		fake := storetest.NewGCS(t, "lake")
		st, err := gcsStores(t, fake).For("gs://lake")
		require.NoError(t, err)
		fake.OnRequest(func(storetest.Request) storetest.Fault { return fault })
		err = st.Put(t.Context(), "gs://lake/f", 0, storetest.Chunks([]byte("x")))
		require.Equal(t, class, failure.ClassOf(err), "%v", err)
		require.Equal(t, code, failure.CodeOf(err), "%v", err)
		require.NotEmpty(t, failure.HintOf(err))
		require.Regexp(t, "^uploading gs://lake/f: "+text+"$", err.Error())
	}
	f(storetest.SlowDown, failure.Retry, "E_STORE_BUSY", "HTTP 429 rateLimitExceeded: The object exceeded the rate limit.")
	f(storetest.Internal, failure.Retry, "E_STORE_BUSY", "HTTP 503 backendError: Backend Error")
	f(storetest.Hangup, failure.Retry, "E_STORE_NETWORK", `POST "http://127.0.0.1:\d+/upload/storage/v1/b/lake/o": EOF`)
	f(storetest.Denied, failure.Config, "E_STORE_AUTH", "HTTP 403 forbidden: caller does not have storage.objects.create access")
	f(storetest.Expired, failure.Config, "E_STORE_AUTH", "HTTP 401 authError: Invalid Credentials")
	f(storetest.Unsupported, failure.Config, "E_STORE_REFUSED", "HTTP 501 notImplemented: not implemented")
}

func TestGCSMissingBucket(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	s := gcsStores(t, fake)
	require.NoError(t, s.Probe(t.Context(), "gs://lake/warehouse"))
	err := s.Probe(t.Context(), "gs://lkae/warehouse")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, "looking for bucket lkae: HTTP 404 notFound: The specified bucket does not exist. "+
		"[E_STORE_BUCKET] — create bucket lkae, or correct the warehouse or table location", failure.Describe(err))
	st, err := s.For("gs://lkae")
	require.NoError(t, err)
	for _, size := range []int{1, large} {
		err = st.Put(t.Context(), "gs://lkae/f", 0, storetest.Chunks(storetest.Content(1, size)))
		require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	}
	_, err = st.Stat(t.Context(), "gs://lkae/f")
	require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

// What a catalog vends is used, and says that it has run out in a way that makes the daemon ask for another.
func TestGCSVendedTokens(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	opts := gcsOptions(fake)
	opts.GCS.Anonymous, opts.GCS.Endpoint = false, ""
	s, err := store.Open(opts)
	require.NoError(t, err)
	props := map[string]string{"gcs.oauth2.token": "vended", "gcs.service.host": fake.URL}
	st, err := s.ForProperties("gs://lake", props)
	require.NoError(t, err)
	for _, size := range []int{1, large} {
		require.NoError(t, st.Put(t.Context(), "gs://lake/f", 0, storetest.Chunks(storetest.Content(1, size))))
	}
	for _, r := range fake.Requests() {
		want := "Bearer vended"
		if r.Op == "PutChunk" {
			want = "" // the address of the upload is a login of its own
		}
		require.Equal(t, want, r.Header.Get("Authorization"), r.Op)
	}
	fake.OnRequest(func(storetest.Request) storetest.Fault { return storetest.Expired })
	_, err = st.Stat(t.Context(), "gs://lake/f")
	require.Equal(t, "E_STORE_TOKEN", failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Retry, failure.ClassOf(err))
	fake.OnRequest(nil)

	st, err = gcsStores(t, fake).ForProperties("gs://lake", props)
	require.NoError(t, err)
	fake.Requests()
	_, err = st.Stat(t.Context(), "gs://lake/f")
	require.NoError(t, err)
	require.Empty(t, fake.Requests()[0].Header.Get("Authorization"), "the operator's choice goes first")
}

// tokens answers for Google's token service and hands everything else on.
type tokens struct {
	http.RoundTripper
	refuse bool
}

func (k tokens) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "oauth2.example" {
		return k.RoundTripper.RoundTrip(r)
	}
	status, body := 200, `{"access_token": "tok", "token_type": "Bearer", "expires_in": 3600}`
	if k.refuse {
		status, body = 400, `{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// keyFile is the key file of a service account.
func keyFile(t *testing.T) string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "a@b", "private_key_id": "1", "token_uri": "https://oauth2.example/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	require.NoError(t, err)
	return string(text)
}

func TestGCSServiceAccount(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	opts := gcsOptions(fake)
	text := keyFile(t)
	opts.GCS.Anonymous, opts.GCS.Credentials = false, text
	opts.GCS.Transport = tokens{RoundTripper: storetest.NewWire()}
	s, err := store.Open(opts)
	require.NoError(t, err)
	require.NoError(t, s.Probe(t.Context(), "gs://lake"))
	require.Equal(t, "Bearer tok", fake.Requests()[0].Header.Get("Authorization"))

	opts.GCS.Transport = tokens{RoundTripper: storetest.NewWire(), refuse: true}
	s, err = store.Open(opts)
	require.NoError(t, err)
	require.Equal(t, "looking for bucket lake: HTTP 400 login refused: Invalid JWT Signature. [E_STORE_AUTH] — "+
		"set storage.gcs.credentials_file, or give the process a service account", failure.Describe(s.Probe(t.Context(), "gs://lake")))

	// The same file as the process's own login.
	file := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	opts.GCS.Credentials, opts.GCS.Transport = "", tokens{RoundTripper: storetest.NewWire()}
	s, err = store.Open(opts)
	require.NoError(t, err)
	require.NoError(t, s.Probe(t.Context(), "gs://lake"))
	require.Equal(t, "Bearer tok", fake.Requests()[0].Header.Get("Authorization"))
}

func TestGCSSettingsThatCannotWork(t *testing.T) {
	for name, o := range map[string]store.GCSOptions{
		"two logins":  {Credentials: `{"type": "service_account"}`, Anonymous: true},
		"no key file": {Credentials: "s3cr3t"},
		"no type":     {Credentials: `{"key": "s3cr3t"}`},
	} {
		_, err := store.Open(store.Options{GCS: o})
		require.Equal(t, failure.Config, failure.ClassOf(err), name)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	s, err := store.Open(store.Options{GCS: store.GCSOptions{Credentials: `{"type": "service_account", "private_key": "s3cr3t"}`}})
	require.NoError(t, err)
	err = s.Probe(t.Context(), "gs://lake")
	require.Equal(t, "E_STORE_AUTH", failure.CodeOf(err), "%v", err)
	require.NotContains(t, err.Error(), "s3cr3t")
}
