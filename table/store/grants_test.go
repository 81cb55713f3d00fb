package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

// authority vends tokens that end, and knows which of them an object store takes. Its clock is the test's.
type authority struct {
	mu     sync.Mutex
	clock  time.Time
	life   time.Duration
	tick   time.Duration // that passes with every request
	ends   map[string]time.Time
	asked  int
	broken bool
	late   int // requests that came with a token past its end
}

func newAuthority() *authority {
	return &authority{clock: time.UnixMilli(1_700_000_000_000), life: time.Hour, ends: map[string]time.Time{}}
}

func (a *authority) now() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clock
}

func (a *authority) pass(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clock = a.clock.Add(d)
}

// grant makes credentials for a prefix.
func (a *authority) grant(prefix string) store.Grant {
	a.mu.Lock()
	defer a.mu.Unlock()
	token := fmt.Sprintf("%s#%d", prefix, len(a.ends))
	a.ends[token] = a.clock.Add(a.life)
	return store.Grant{Prefix: prefix, Properties: map[string]string{
		iceio.S3AccessKeyID: "vended", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: token,
		"s3.session-token-expires-at-ms": strconv.FormatInt(a.ends[token].UnixMilli(), 10),
	}}
}

func (a *authority) grants(fake *storetest.S3, prefixes ...string) *store.Grants {
	props := map[string]string{iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1"}
	all := func() (list []store.Grant) {
		for _, p := range prefixes {
			list = append(list, a.grant(p))
		}
		return list
	}
	return store.NewGrants(props, all(), func(context.Context) (map[string]string, []store.Grant, error) {
		a.mu.Lock()
		a.asked++
		broken := a.broken
		a.mu.Unlock()
		if broken {
			return nil, nil, errors.New("the catalog is away")
		}
		return props, all(), nil
	}, a.now)
}

// guard makes the object store refuse what it must: tokens past their end, and those of another prefix.
func (a *authority) guard(fake *storetest.S3) {
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		token := r.Header.Get("X-Amz-Security-Token")
		a.mu.Lock()
		defer a.mu.Unlock()
		end, known := a.ends[token]
		if known && !a.clock.Before(end) {
			a.late++
			return storetest.Expired
		}
		a.clock = a.clock.Add(a.tick)
		if !known {
			return storetest.Denied
		}
		return storetest.None
	})
}

func granted(t *testing.T, opts store.Options, g *store.Grants) iceio.IO {
	s, err := store.Open(opts)
	require.NoError(t, err)
	fs, err := s.IO(store.WithGrants(t.Context(), g), "s3://lake/t", nil)
	require.NoError(t, err)
	return fs
}

func quick() store.Options {
	return store.Options{S3: store.S3Options{PartSize: 5 << 20, MaxAttempts: 1, MaxBackoff: time.Millisecond}}
}

// Credentials end in the middle of everything: each request goes out with some that still live.
func TestGrantsAreRenewedBeforeUse(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake"), newAuthority()
	a.life, a.tick = 12*time.Minute, time.Minute
	fs := granted(t, quick(), a.grants(fake, "s3://lake/t/"))
	a.guard(fake)
	st, ok := store.Of(fs)
	require.True(t, ok)
	want := storetest.Content(1, 6*(5<<20)+1)
	require.NoError(t, st.Put(t.Context(), "s3://lake/t/data", 0, storetest.Chunks(want)))
	f, err := fs.Open("s3a://lake/t/data")
	require.NoError(t, err)
	for i := range 6 {
		p := make([]byte, 1000)
		_, err := f.ReadAt(p, int64(i+1)*(4<<20))
		require.NoError(t, err)
		require.Equal(t, want[(i+1)*(4<<20):][:1000], p)
	}
	for i := range 30 {
		require.NoError(t, fs.(iceio.WriteFileIO).WriteFile(fmt.Sprintf("s3://lake/t/m%02d", i), []byte("x")))
	}
	require.Len(t, walked(t, fs, "s3://lake/t"), 31, "of several pages")
	a.mu.Lock()
	defer a.mu.Unlock()
	require.Zero(t, a.late, "requests with credentials past their end")
	require.Greater(t, a.asked, 5)
}

func TestGrantsOfTheLongestPrefix(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake", "other"), newAuthority()
	g := a.grants(fake, "s3://lake/t/data/", "s3", "s3://lake/t/")
	fs := granted(t, quick(), g)
	a.guard(fake)
	paths := []string{"s3://lake/t/data/a", "s3a://lake/t/data/b", "s3://lake/t/metadata/m", "s3://other/o", "s3://lake/t/data/c"}
	var seen []string
	for _, p := range paths {
		require.NoError(t, fs.(iceio.WriteFileIO).WriteFile(p, []byte("x")))
		all := fake.Requests()
		seen = append(seen, all[len(all)-1].Header.Get("X-Amz-Security-Token"))
	}
	require.Equal(t, []string{"s3://lake/t/data/#0", "s3://lake/t/data/#0", "s3://lake/t/#2", "s3#1", "s3://lake/t/data/#0"}, seen)

	gone, err := fs.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), paths)
	require.NoError(t, err)
	require.Len(t, gone, 5)
	require.Len(t, fake.Requests(), 3, "one request for each bucket and grant")
	require.Len(t, walked(t, fs, "s3://lake/t/data"), 0)
	listing := fake.Requests()
	require.Equal(t, "s3://lake/t/data/#0", listing[0].Header.Get("X-Amz-Security-Token"), "a listing is inside of its prefix")
}

// A pair that was granted without a token must not be sent with the token of the table's configuration.
func TestGrantsDoNotMix(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	base := map[string]string{
		iceio.S3EndpointURL: fake.URL, iceio.S3AccessKeyID: "base", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: "base",
		"s3.session-token-expires-at-ms": "1",
	}
	list := []store.Grant{{Prefix: "s3://lake/t/", Properties: map[string]string{iceio.S3AccessKeyID: "k", iceio.S3SecretAccessKey: "s"}}}
	asked := 0
	g := store.NewGrants(base, list, func(context.Context) (map[string]string, []store.Grant, error) {
		asked++
		return base, list, nil
	}, time.Now)
	fs := granted(t, quick(), g)
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/a", nil))
	r := fake.Requests()[0]
	require.Empty(t, r.Header.Get("X-Amz-Security-Token"))
	require.Contains(t, r.Header.Get("Authorization"), "Credential=k/")
	require.Zero(t, asked, "nor does the end of that token matter")
}

// While the catalog is away, credentials are used as long as they live; then the error says what is missing.
func TestGrantsThatCannotBeRenewed(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake"), newAuthority()
	fs := granted(t, quick(), a.grants(fake, "s3://lake/t/"))
	a.guard(fake)
	a.broken = true
	write := func() error { return fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/a", []byte("x")) }
	a.pass(54 * time.Minute)
	require.NoError(t, write())
	require.Zero(t, a.asked)
	for range 60 {
		a.pass(5 * time.Second)
		require.NoError(t, write())
	}
	require.LessOrEqual(t, a.asked, 17, "not with every request")
	a.pass(2 * time.Minute)
	err := write()
	require.Equal(t, failure.Retry, failure.ClassOf(err))
	require.Equal(t, "E_STORE_TOKEN", failure.CodeOf(err))
	require.ErrorContains(t, err, "uploading s3://lake/t/a: renewing the credentials of s3://lake/t/a, which ended at 2023-11-14T23:13:20Z: the catalog is away")
	require.Zero(t, a.late)
	a.broken = false
	require.NoError(t, write())
}

// A clock that is ahead makes all credentials look ended: they are tried, and the catalog is not asked each time.
func TestGrantsUnderAWrongClock(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake"), newAuthority()
	g := a.grants(fake, "s3://lake/t/")
	fs := granted(t, quick(), g)
	a.life = -time.Minute
	a.pass(2 * time.Hour)
	for i := range 20 {
		require.NoError(t, fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/"+strconv.Itoa(i), nil))
	}
	require.Equal(t, 1, a.asked)
	a.pass(time.Minute)
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/x", nil))
	require.Equal(t, 2, a.asked)
}

// Keys of the operator's own never end, whatever the catalog hands out.
func TestGrantsBelowTheOperatorsKeys(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake"), newAuthority()
	opts := s3Options(fake)
	fs := granted(t, opts, a.grants(fake, "s3://lake/t/"))
	a.pass(2 * time.Hour)
	require.NoError(t, fs.(iceio.WriteFileIO).WriteFile("s3://lake/t/a", nil))
	require.Zero(t, a.asked)
	require.Contains(t, fake.Requests()[0].Header.Get("Authorization"), "Credential=key/")
}

// Many at once ask once, and a cancelled one does not wait.
func TestGrantsAreAskedForOnce(t *testing.T) {
	fake, a := storetest.NewS3(t, "lake"), newAuthority()
	fs := granted(t, quick(), a.grants(fake, "s3://lake/t/"))
	a.guard(fake)
	a.pass(2 * time.Hour)
	st, _ := store.Of(fs)
	var group sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		group.Go(func() {
			errs[i] = st.Put(t.Context(), "s3://lake/t/"+strconv.Itoa(i), 1, func(w io.Writer) error {
				_, err := w.Write([]byte("x"))
				return err
			})
		})
	}
	group.Wait()
	require.False(t, slices.ContainsFunc(errs, func(err error) bool { return err != nil }), "%v", errs)
	require.Equal(t, 1, a.asked)
	require.Zero(t, a.late)
}
