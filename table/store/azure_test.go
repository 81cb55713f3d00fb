package store_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
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

const azureBase = "abfss://lake@acct.dfs.core.windows.net"

func azureOptions(fake *storetest.Azure) store.Options {
	return store.Options{
		S3: store.S3Options{PartSize: 5 << 20},
		Azure: store.AzureOptions{
			Endpoint: fake.URL + "/" + storetest.AzureAccount, AccountKey: base64.StdEncoding.EncodeToString([]byte("key")),
			MaxAttempts: 3, MaxBackoff: time.Millisecond,
		},
	}
}

func azureStores(t *testing.T, fake *storetest.Azure) *store.Stores {
	s, err := store.Open(azureOptions(fake))
	require.NoError(t, err)
	return s
}

func TestAzureSuite(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	opts := azureOptions(fake)
	wire := storetest.NewWire()
	opts.Azure.Transport = wire
	s, err := store.Open(opts)
	require.NoError(t, err)
	tg := target(t, s, azureBase+"/wh", large, nil)
	tg.Wire = wire
	storetest.Run(t, tg)
	for _, r := range fake.Requests() {
		require.Contains(t, r.Header.Get("Authorization"), "SharedKey acct:")
		if r.Op == "PutBlob" || r.Op == "PutBlock" {
			require.NotEmpty(t, r.Header.Get("X-Ms-Content-Crc64"))
		}
	}
}

// Both names of the scheme and both of the host are one place; keys are taken as they stand.
func TestAzureLocations(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	tg := target(t, azureStores(t, fake), azureBase, large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), "wasbs://lake@acct.blob.core.windows.net/a%2Fb+c d/é", 0, storetest.Chunks([]byte("x"))))
	require.Equal(t, []string{"a%2Fb+c d/é"}, fake.Keys("lake"))
	size, err := tg.Store.Stat(t.Context(), azureBase+"/a%2Fb+c d/é")
	require.NoError(t, err)
	require.EqualValues(t, 1, size)
	for _, bad := range []string{"abfss://lake/x", "abfss://acct.dfs.core.windows.net/x", "abfss://lake@acct/x", "abfss://@acct.dfs.x/x", azureBase} {
		_, err := tg.Store.Stat(t.Context(), bad)
		require.Equal(t, "E_STORE_SCHEME", failure.CodeOf(err), bad)
	}
}

// Every request of an upload meets every fault once, and once for good.
func TestAzureUploadsSurviveFaultsOrLeaveNothing(t *testing.T) {
	ops := map[string]int{"PutBlob": 100, "PutBlock": large, "PutBlockList": large}
	for op, size := range ops {
		for _, fault := range []storetest.Fault{storetest.SlowDown, storetest.Internal, storetest.Hangup, storetest.Lost} {
			t.Run(fmt.Sprintf("%s/%d", op, fault), func(t *testing.T) {
				t.Parallel()
				fake := storetest.NewAzure(t, "lake")
				st, err := azureStores(t, fake).For(azureBase)
				require.NoError(t, err)
				want := storetest.Content(9, size)
				once := &atomic.Int32{}
				fake.OnRequest(func(r storetest.Request) storetest.Fault {
					if r.Op == op && once.Add(1) == 1 {
						return fault
					}
					return storetest.None
				})
				require.NoError(t, st.Put(t.Context(), azureBase+"/once", int64(size), storetest.Chunks(want)))
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
				err = st.Put(t.Context(), azureBase+"/always", int64(size), storetest.Chunks(want))
				require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
				require.Equal(t, []string{"once"}, fake.Keys("lake"))
			})
		}
	}
}

func TestAzureDamageOnTheWayIsRefused(t *testing.T) {
	for _, size := range []int{100, large} {
		fake := storetest.NewAzure(t, "lake")
		st, err := azureStores(t, fake).For(azureBase)
		require.NoError(t, err)
		fake.OnRequest(func(r storetest.Request) storetest.Fault {
			if r.Op == "PutBlob" || r.Op == "PutBlock" {
				return storetest.Damage
			}
			return storetest.None
		})
		err = st.Put(t.Context(), azureBase+"/f", int64(size), storetest.Chunks(storetest.Content(1, size)))
		require.Equal(t, "E_STORE_DAMAGED", failure.CodeOf(err), "%v", err)
		require.Empty(t, fake.Keys("lake"))
	}
}

func TestAzureReadsGoOnAfterACutBody(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	tg := target(t, azureStores(t, fake), azureBase, large, nil)
	want := storetest.Content(5, 3<<20)
	require.NoError(t, tg.Store.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks(want)))
	n := &atomic.Int32{}
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if r.Op == "GetBlob" && n.Add(1)%2 == 1 {
			return storetest.CutBody
		}
		return storetest.None
	})
	require.True(t, slices.Equal(want, readAll(t, tg.IO, azureBase+"/f")))
	got, err := tg.IO.(iceio.ReadFileIO).ReadFile(azureBase + "/f")
	require.NoError(t, err)
	require.True(t, slices.Equal(want, got))
}

// A file of one part costs one request to write and one to read.
func TestAzureManifestsCostOneRequest(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	tg := target(t, azureStores(t, fake), azureBase, large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks(storetest.Content(5, 100<<10))))
	require.Len(t, fake.Requests(), 1, "the answer's checksum stands for a HEAD")
	readAll(t, tg.IO, azureBase+"/f")
	require.Len(t, fake.Requests(), 1)
}

func TestAzureErrorsSayHowToReact(t *testing.T) {
	f := func(fault storetest.Fault, class failure.Class, code, text string) {
		t.Helper()
		fake := storetest.NewAzure(t, "lake")
		st, err := azureStores(t, fake).For(azureBase)
		require.NoError(t, err)
		fake.OnRequest(func(storetest.Request) storetest.Fault { return fault })
		err = st.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks([]byte("x")))
		require.Equal(t, class, failure.ClassOf(err), "%v", err)
		require.Equal(t, code, failure.CodeOf(err), "%v", err)
		require.NotEmpty(t, failure.HintOf(err))
		require.Regexp(t, "^uploading "+azureBase+"/f: "+text+"$", err.Error())
	}
	f(storetest.SlowDown, failure.Retry, "E_STORE_BUSY", "HTTP 503 ServerBusy: The server is busy.")
	f(storetest.Internal, failure.Retry, "E_STORE_BUSY", "HTTP 500 InternalError: The server encountered an internal error.")
	f(storetest.Hangup, failure.Retry, "E_STORE_NETWORK", `PUT "http://127.0.0.1:\d+/acct/lake/f": EOF`)
	f(storetest.Denied, failure.Config, "E_STORE_AUTH", "HTTP 403 AuthorizationPermissionMismatch: This request is not authorized.")
	f(storetest.Expired, failure.Retry, "E_STORE_TOKEN", "HTTP 403 AuthenticationFailed: Signature not valid in the specified time frame.*")
	f(storetest.Unsupported, failure.Config, "E_STORE_REFUSED", "HTTP 501 NotImplemented: not implemented")
}

func TestAzureMissingContainer(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	s := azureStores(t, fake)
	require.NoError(t, s.Probe(t.Context(), azureBase+"/warehouse"))
	const wrong = "abfss://lkae@acct.dfs.core.windows.net"
	err := s.Probe(t.Context(), wrong+"/warehouse")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, "looking for container lkae@acct.dfs.core.windows.net: HTTP 404 ContainerNotFound: The specified container does not exist. "+
		"[E_STORE_BUCKET] — create container lkae of acct.dfs.core.windows.net, or correct the warehouse or table location", failure.Describe(err))
	st, err := s.For(wrong)
	require.NoError(t, err)
	err = st.Put(t.Context(), wrong+"/f", 0, storetest.Chunks([]byte("x")))
	require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	_, err = st.Stat(t.Context(), wrong+"/f")
	require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

// A batch is removed as far as the store lets it, and what is refused is told by name.
func TestAzureRemovalsThatAreRefused(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	tg := target(t, azureStores(t, fake), azureBase, large, nil)
	paths := []string{azureBase + "/a", azureBase + "/locked", azureBase + "/b"}
	for _, p := range paths {
		require.NoError(t, tg.Store.Put(t.Context(), p, 0, storetest.Chunks([]byte("x"))))
	}
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if r.Key == "locked" {
			return storetest.Denied
		}
		return storetest.None
	})
	gone, err := tg.IO.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), paths)
	require.Equal(t, []string{azureBase + "/a", azureBase + "/b"}, gone)
	require.ErrorContains(t, err, "removing "+azureBase+"/locked")
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

// Directories of a hierarchical namespace are listed beside the files, and are none.
func TestAzureFoldersAreNoFiles(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	tg := target(t, azureStores(t, fake), azureBase, large, nil)
	for _, k := range []string{"w/a", "w/d.folder", "w/d/1"} {
		require.NoError(t, tg.Store.Put(t.Context(), azureBase+"/"+k, 0, storetest.Chunks([]byte("x"))))
	}
	require.Equal(t, []string{azureBase + "/w/a", azureBase + "/w/d/1"}, walked(t, tg.IO, azureBase+"/w"))
}

// What a catalog vends is used as it is, for the account it names, below the operator's own login; a signature shows in
// no error.
func TestAzureVendedLogins(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	opts := azureOptions(fake)
	key := opts.Azure.AccountKey
	opts.Azure.AccountKey = ""
	props := func(kv ...string) map[string]string {
		m := map[string]string{"adls.auth.shared-key.account.name": "other", "adls.auth.shared-key.account.key": key}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	sas := "sv=1&sig=s3cr3t"
	for name, p := range map[string]map[string]string{
		"host": props("adls.sas-token.acct.dfs.core.windows.net", sas), "blob host": props("adls.sas-token.acct.blob.core.windows.net", "?"+sas),
		"account": props("adls.sas-token.acct", sas), "any": props("adls.sas-token", sas),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(opts)
			require.NoError(t, err)
			st, err := s.ForProperties(azureBase, p)
			require.NoError(t, err)
			require.NoError(t, st.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks([]byte("x"))))
			r := fake.Requests()
			require.Equal(t, "s3cr3t", r[0].Query.Get("sig"))
			require.Empty(t, r[0].Header.Get("Authorization"))
			fake.OnRequest(func(storetest.Request) storetest.Fault { return storetest.Hangup })
			defer fake.OnRequest(nil)
			_, err = st.Stat(t.Context(), azureBase+"/f")
			require.ErrorContains(t, err, "HEAD")
			require.NotContains(t, err.Error(), "s3cr3t")
			fake.Requests()
		})
	}
	t.Run("account key", func(t *testing.T) {
		s, err := store.Open(opts)
		require.NoError(t, err)
		st, err := s.ForProperties(azureBase, props("adls.auth.shared-key.account.name", "acct"))
		require.NoError(t, err)
		require.NoError(t, st.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks([]byte("x"))))
		require.Contains(t, fake.Requests()[0].Header.Get("Authorization"), "SharedKey acct:")
	})
	t.Run("operator first", func(t *testing.T) {
		st, err := azureStores(t, fake).ForProperties(azureBase, props("adls.sas-token", sas))
		require.NoError(t, err)
		require.NoError(t, st.Put(t.Context(), azureBase+"/f", 0, storetest.Chunks([]byte("x"))))
		require.Contains(t, fake.Requests()[0].Header.Get("Authorization"), "SharedKey acct:")
	})
}

// cloud answers for Azure's login service and for a storage account behind TLS, as far as one HEAD goes.
type cloud struct {
	refuse  bool
	bearers []string
}

func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, header http.Header, body string) (*http.Response, error) {
		header.Set("Content-Type", "application/json")
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: header, Request: r, ContentLength: int64(len(body)),
			Body: io.NopCloser(strings.NewReader(body)), ProtoMajor: 1, ProtoMinor: 1}, nil
	}
	switch {
	case strings.Contains(r.URL.Path, "/discovery/instance"):
		return answer(200, http.Header{}, `{"tenant_discovery_endpoint": "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration", "metadata": []}`)
	case strings.Contains(r.URL.Path, "openid-configuration"):
		return answer(200, http.Header{}, `{"authorization_endpoint": "https://login.microsoftonline.com/t/a", "token_endpoint": "https://login.microsoftonline.com/t/token", "issuer": "https://login.microsoftonline.com/t/v2.0"}`)
	case r.URL.Host == "login.microsoftonline.com" && c.refuse:
		return answer(401, http.Header{}, `{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}`)
	case r.URL.Host == "login.microsoftonline.com":
		return answer(200, http.Header{}, `{"token_type": "Bearer", "expires_in": 3600, "access_token": "tok"}`)
	}
	c.bearers = append(c.bearers, r.Header.Get("Authorization")+" "+r.URL.Host)
	return answer(200, http.Header{"Content-Length": {"5"}}, "")
}

// A service principal asks Microsoft for a token; a wrong secret is the operator's to mend, and shows nowhere.
func TestAzureServicePrincipal(t *testing.T) {
	at := &cloud{}
	opts := store.Options{Azure: store.AzureOptions{TenantID: "t", ClientID: "c", ClientSecret: "s3cr3t", Transport: at, MaxAttempts: 1}}
	s, err := store.Open(opts)
	require.NoError(t, err)
	st, err := s.For(azureBase)
	require.NoError(t, err)
	_, err = st.Stat(t.Context(), azureBase+"/f")
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer tok acct.blob.core.windows.net"}, at.bearers)

	opts.Azure.Transport = &cloud{refuse: true}
	s, err = store.Open(opts)
	require.NoError(t, err)
	st, err = s.For(azureBase)
	require.NoError(t, err)
	_, err = st.Stat(t.Context(), azureBase+"/f")
	require.Equal(t, failure.Config, failure.ClassOf(err), "%v", err)
	require.Equal(t, "E_STORE_AUTH", failure.CodeOf(err))
	require.ErrorContains(t, err, "AADSTS7000215")
	require.NotContains(t, err.Error(), "s3cr3t")
}

// A bearer token of the catalog goes to the account's own address.
func TestAzureVendedToken(t *testing.T) {
	at := &cloud{}
	s, err := store.Open(store.Options{Azure: store.AzureOptions{Transport: at, MaxAttempts: 1}})
	require.NoError(t, err)
	st, err := s.ForProperties(azureBase, map[string]string{"adls.token": "vended"})
	require.NoError(t, err)
	_, err = st.Stat(t.Context(), azureBase+"/f")
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer vended acct.blob.core.windows.net"}, at.bearers)
}

func TestAzureSettingsThatCannotWork(t *testing.T) {
	for name, o := range map[string]store.AzureOptions{
		"two logins": {AccountKey: "a2V5", SASToken: "sig=x"},
		"half":       {ClientSecret: "s", ClientID: "c"},
	} {
		_, err := store.Open(store.Options{Azure: o})
		require.Equal(t, failure.Config, failure.ClassOf(err), name)
	}
	s, err := store.Open(store.Options{Azure: store.AzureOptions{AccountKey: "no base64!"}})
	require.NoError(t, err)
	err = s.Probe(t.Context(), azureBase)
	require.Equal(t, "E_STORE_AUTH", failure.CodeOf(err))
	require.NotContains(t, err.Error(), "no base64!")
}
