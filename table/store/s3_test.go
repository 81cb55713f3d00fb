package store_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

const large = 13 << 20 // three parts of 5 MiB

func s3Options(fake *storetest.S3) store.Options {
	return store.Options{S3: store.S3Options{
		Endpoint: fake.URL, Region: "us-east-1", AccessKeyID: "key", SecretAccessKey: "secret",
		PartSize: 5 << 20, MaxAttempts: 3, MaxBackoff: time.Millisecond,
	}}
}

func s3Stores(t *testing.T, fake *storetest.S3) *store.Stores {
	s, err := store.Open(s3Options(fake))
	require.NoError(t, err)
	return s
}

func TestS3Suite(t *testing.T) {
	for _, sum := range []store.Checksum{store.CRC32, store.CRC64NVME, store.Off} {
		t.Run(string(sum), func(t *testing.T) {
			fake := storetest.NewS3(t, "lake")
			opts := s3Options(fake)
			wire := storetest.NewWire()
			opts.S3.Checksum, opts.S3.Transport = sum, wire
			s, err := store.Open(opts)
			require.NoError(t, err)
			tg := target(t, s, "s3://lake/wh", large, nil)
			tg.Wire = wire
			storetest.Run(t, tg)
			require.Equal(t, 1, fake.OpenUploads(), "only the one whose name was lost stays open")
			require.LessOrEqual(t, fake.Connections(), 12, "connections are reused")
			header := map[store.Checksum]string{store.CRC32: "X-Amz-Checksum-Crc32", store.CRC64NVME: "X-Amz-Checksum-Crc64nvme"}[sum]
			for _, r := range fake.Requests() {
				if (r.Op == "PutObject" || r.Op == "UploadPart") && header != "" {
					require.NotEmpty(t, r.Header.Get(header))
				}
			}
		})
	}
}

func TestS3ABucketPerPath(t *testing.T) {
	fake := storetest.NewS3(t, "one", "two")
	s := s3Stores(t, fake)
	st, err := s.For("s3://one/x")
	require.NoError(t, err)
	require.NoError(t, st.Put(t.Context(), "s3a://two/a%2Fb+c", 0, storetest.Chunks([]byte("x"))))
	require.Equal(t, []string{"a%2Fb+c"}, fake.Keys("two"), "keys are taken as they stand")
	fs, err := s.IO(t.Context(), "s3://one", nil)
	require.NoError(t, err)
	gone, err := fs.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), []string{"s3://one/a", "s3a://two/a%2Fb+c", "s3://one/b"})
	require.NoError(t, err)
	require.Len(t, gone, 3)
	require.Empty(t, fake.Keys("two"))
}

// Every operation of an upload meets every fault once, and once for good.
func TestS3UploadsSurviveFaultsOrLeaveNothing(t *testing.T) {
	ops := map[string]int{"PutObject": 100, "CreateMultipartUpload": large, "UploadPart": large, "CompleteMultipartUpload": large}
	faults := []storetest.Fault{storetest.SlowDown, storetest.Internal, storetest.Hangup, storetest.Lost}
	for op, size := range ops {
		for _, fault := range faults {
			t.Run(fmt.Sprintf("%s/%d", op, fault), func(t *testing.T) {
				t.Parallel()
				fake := storetest.NewS3(t, "lake")
				st, err := s3Stores(t, fake).For("s3://lake")
				require.NoError(t, err)
				want := storetest.Content(9, size)

				once := &atomic.Int32{}
				fake.OnRequest(func(r storetest.Request) storetest.Fault {
					if r.Op == op && once.Add(1) == 1 {
						return fault
					}
					return storetest.None
				})
				require.NoError(t, st.Put(t.Context(), "s3://lake/once", int64(size), storetest.Chunks(want)))
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
				err = st.Put(t.Context(), "s3://lake/always", int64(size), storetest.Chunks(want))
				require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
				_, there := fake.Object("lake", "always")
				require.False(t, there)
				require.Zero(t, fake.OpenUploads())
			})
		}
	}
}

func TestS3DamageOnTheWayIsRefused(t *testing.T) {
	for _, size := range []int{100, large} {
		fake := storetest.NewS3(t, "lake")
		st, err := s3Stores(t, fake).For("s3://lake")
		require.NoError(t, err)
		fake.OnRequest(func(r storetest.Request) storetest.Fault {
			if r.Op == "PutObject" || r.Op == "UploadPart" {
				return storetest.Damage
			}
			return storetest.None
		})
		err = st.Put(t.Context(), "s3://lake/f", int64(size), storetest.Chunks(storetest.Content(1, size)))
		require.Equal(t, failure.Retry, failure.ClassOf(err))
		require.Equal(t, "E_STORE_DAMAGED", failure.CodeOf(err))
		require.Empty(t, fake.Keys("lake"))
		require.Zero(t, fake.OpenUploads())
	}
}

func TestS3ReadsGoOnAfterACutBody(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	s := s3Stores(t, fake)
	tg := target(t, s, "s3://lake", large, nil)
	want := storetest.Content(5, 3<<20)
	require.NoError(t, tg.Store.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks(want)))
	n := &atomic.Int32{}
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if r.Op == "GetObject" && n.Add(1)%2 == 1 {
			return storetest.CutBody
		}
		return storetest.None
	})
	require.True(t, slices.Equal(want, readAll(t, tg.IO, "s3://lake/f")))
	got, err := tg.IO.(iceio.ReadFileIO).ReadFile("s3://lake/f")
	require.NoError(t, err)
	require.True(t, slices.Equal(want, got))
	f, err := tg.IO.Open("s3://lake/f")
	require.NoError(t, err)
	p := make([]byte, 1<<20)
	_, err = f.ReadAt(p, 1<<20)
	require.NoError(t, err)
	require.True(t, slices.Equal(want[1<<20:2<<20], p))

	fake.OnRequest(func(storetest.Request) storetest.Fault { return storetest.CutBody })
	_, err = tg.IO.(iceio.ReadFileIO).ReadFile("s3://lake/f")
	require.Equal(t, failure.Retry, failure.ClassOf(err))
}

func readAll(t *testing.T, fsys iceio.IO, path string) []byte {
	f, err := fsys.Open(path)
	require.NoError(t, err)
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return b
}

func TestS3ManifestsCostOneRequest(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	tg := target(t, s3Stores(t, fake), "s3://lake", large, nil)
	require.NoError(t, tg.Store.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks(storetest.Content(5, 100<<10))))
	require.Len(t, fake.Requests(), 1, "the answer's checksum stands for a HEAD")
	readAll(t, tg.IO, "s3://lake/f")
	require.Len(t, fake.Requests(), 1)
}

func TestS3ErrorsSayHowToReact(t *testing.T) {
	f := func(fault storetest.Fault, class failure.Class, code, text string) {
		t.Helper()
		fake := storetest.NewS3(t, "lake")
		st, err := s3Stores(t, fake).For("s3://lake")
		require.NoError(t, err)
		fake.OnRequest(func(storetest.Request) storetest.Fault { return fault })
		err = st.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks([]byte("x")))
		require.Equal(t, class, failure.ClassOf(err), "%v", err)
		require.Equal(t, code, failure.CodeOf(err), "%v", err)
		require.NotEmpty(t, failure.HintOf(err))
		require.Regexp(t, "^uploading s3://lake/f: "+text+"$", err.Error())
	}
	f(storetest.SlowDown, failure.Retry, "E_STORE_BUSY", "HTTP 503 SlowDown: please reduce your request rate")
	f(storetest.Internal, failure.Retry, "E_STORE_BUSY", "HTTP 500 InternalError: we encountered an internal error")
	f(storetest.Hangup, failure.Retry, "E_STORE_NETWORK", `Put "http://127.0.0.1:\d+/lake/f\?x-id=PutObject": EOF`)
	f(storetest.Denied, failure.Config, "E_STORE_AUTH", "HTTP 403 AccessDenied: access denied")
	f(storetest.Expired, failure.Retry, "E_STORE_TOKEN", "HTTP 400 ExpiredToken: the provided token has expired")
	f(storetest.Unsupported, failure.Config, "E_STORE_REFUSED", "HTTP 501 NotImplemented: not implemented")
}

func TestS3MissingBucket(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	s := s3Stores(t, fake)
	require.NoError(t, s.Probe(t.Context(), "s3://lake/warehouse"))
	err := s.Probe(t.Context(), "s3://lkae/warehouse")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, "looking for bucket lkae: no such bucket [E_STORE_BUCKET] — create bucket lkae, or correct the warehouse or table location", failure.Describe(err))
	st, err := s.For("s3://lkae")
	require.NoError(t, err)
	err = st.Put(t.Context(), "s3://lkae/f", 0, storetest.Chunks([]byte("x")))
	require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

func TestS3UnreachableEndpoint(t *testing.T) {
	s, err := store.Open(store.Options{S3: store.S3Options{Endpoint: "http://127.0.0.1:1", AccessKeyID: "a", SecretAccessKey: "b", MaxAttempts: 1}})
	require.NoError(t, err)
	err = s.Probe(t.Context(), "s3://lake")
	require.Equal(t, failure.Retry, failure.ClassOf(err))
	require.Equal(t, "E_STORE_NETWORK", failure.CodeOf(err))
	require.ErrorContains(t, err, "connection refused")
}

func TestS3WithoutCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
	s, err := store.Open(store.Options{S3: store.S3Options{Endpoint: "http://127.0.0.1:1", MaxAttempts: 1}})
	require.NoError(t, err)
	require.Equal(t, "looking for bucket lake: no credentials were found [E_STORE_AUTH] — set storage.s3 access_key_id and secret_access_key, or give the process a role",
		failure.Describe(s.Probe(t.Context(), "s3://lake")))
	s, err = store.Open(store.Options{})
	require.NoError(t, err)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	require.Equal(t, "reading S3 settings: no region [E_STORE_REGION] — set storage.s3.region or AWS_REGION", failure.Describe(s.Probe(t.Context(), "s3://lake")))
}

func TestS3BatchDelete(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	tg := target(t, s3Stores(t, fake), "s3://lake", large, nil)
	paths := []string{"s3://lake/a", "s3://lake/locked", "s3://lake/b"}
	for _, p := range paths {
		require.NoError(t, tg.Store.Put(t.Context(), p, 0, storetest.Chunks([]byte("x"))))
	}
	gone, err := tg.IO.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), paths)
	require.Equal(t, []string{"s3://lake/a", "s3://lake/b"}, gone)
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Equal(t, []string{"locked"}, fake.Keys("lake"))

	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if r.Op == "DeleteObjects" {
			return storetest.Unsupported
		}
		return storetest.None
	})
	gone, err = tg.IO.(iceio.BulkRemovableIO).DeleteFiles(t.Context(), paths)
	require.NoError(t, err)
	require.Len(t, gone, 3, "one by one where the batch request is not known")
}

func TestS3WalkSkips(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	tg := target(t, s3Stores(t, fake), "s3://lake", large, nil)
	for _, k := range []string{"w/a/1", "w/a/2", "w/b/1", "w/marker/", "wide"} {
		require.NoError(t, tg.Store.Put(t.Context(), "s3://lake/"+k, 0, storetest.Chunks([]byte("x"))))
	}
	walk := func(answer error) (seen []string) {
		require.NoError(t, tg.IO.(iceio.ListableIO).WalkDir("s3://lake/w", func(path string, d fs.DirEntry, _ error) error {
			if d.IsDir() {
				return nil
			}
			seen = append(seen, path)
			return answer
		}))
		return seen
	}
	require.Equal(t, []string{"s3://lake/w/a/1", "s3://lake/w/a/2", "s3://lake/w/b/1"}, walk(nil))
	require.Equal(t, []string{"s3://lake/w/a/1", "s3://lake/w/b/1"}, walk(fs.SkipDir))
	require.Equal(t, []string{"s3://lake/w/a/1"}, walk(fs.SkipAll))
}

func TestAroundSeesEveryOperation(t *testing.T) {
	var seen []string
	stop := errors.New("stop")
	s, err := store.Open(store.Options{Around: func(op, path string, do func() error) error {
		seen = append(seen, op)
		if op == "put" && len(seen) > 5 {
			return stop
		}
		return do()
	}})
	require.NoError(t, err)
	dir := t.TempDir()
	tg := target(t, s, dir, 1, nil)
	require.NoError(t, tg.Store.Put(t.Context(), dir+"/f", 0, storetest.Chunks([]byte("x"))))
	_, _ = tg.Store.Stat(t.Context(), dir+"/f")
	readAll(t, tg.IO, dir+"/f")
	_, err = tg.IO.(iceio.ReadFileIO).ReadFile(dir + "/f")
	require.NoError(t, err)
	require.NoError(t, tg.Store.Delete(t.Context(), dir+"/f"))
	require.ErrorIs(t, tg.IO.(iceio.WriteFileIO).WriteFile(dir+"/g", nil), stop)
	require.Equal(t, []string{"put", "stat", "open", "read", "delete", "put"}, seen)
}

func walked(t *testing.T, fsys iceio.IO, root string) (found []string) {
	t.Helper()
	require.NoError(t, fsys.(iceio.ListableIO).WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	}))
	return found
}
