package store_test

import (
	"crypto/md5"
	"encoding/base64"
	"strings"
	"testing"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

const (
	ownKey     = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	sseHeader  = "X-Amz-Server-Side-Encryption"
	kmsHeader  = sseHeader + "-Aws-Kms-Key-Id"
	custHeader = sseHeader + "-Customer-"
)

// The whole suite runs under those that put headers on most requests, and every request of it is held against what S3 wants: data files and
// iceberg-go's metadata, whole and in parts, reading and writing.
func TestEncryptionIsOnEveryRequest(t *testing.T) {
	raw, err := base64.StdEncoding.DecodeString(ownKey)
	require.NoError(t, err)
	sum := md5.Sum(raw)
	begins := []string{"PutObject", "CreateMultipartUpload"}
	carries := append([]string{"UploadPart", "CompleteMultipartUpload", "GetObject", "HeadObject"}, begins...)
	f := func(name string, full bool, opts store.S3Options, props map[string]string, ops []string, want map[string]string) {
		t.Run(name, func(t *testing.T) {
			fake := storetest.NewS3(t, "lake")
			o := s3Options(fake)
			o.S3.Encryption, o.S3.KMSKeyID, o.S3.CustomerKey = opts.Encryption, opts.KMSKeyID, opts.CustomerKey
			s, err := store.Open(o)
			require.NoError(t, err)
			tg := target(t, s, "s3://lake/wh", large, props)
			if full {
				storetest.Run(t, tg)
			}
			require.NoError(t, tg.Store.Put(t.Context(), "s3://lake/small", 0, storetest.Chunks([]byte("x"))))
			require.NoError(t, tg.Store.Put(t.Context(), "s3://lake/large", 0, storetest.Chunks(storetest.Content(1, 5<<20+1))))
			readAll(t, tg.IO, "s3://lake/small")
			seen := map[string]bool{}
			for _, r := range fake.Requests() {
				seen[r.Op] = true
				got := map[string]string{}
				for name := range r.Header {
					if strings.HasPrefix(name, sseHeader) {
						got[name] = r.Header.Get(name)
					}
				}
				if contains(ops, r.Op) {
					require.Equal(t, want, got, r.Op)
				} else {
					require.Empty(t, got, r.Op)
				}
			}
			for _, op := range append([]string{"DeleteObject", "DeleteObjects", "ListObjectsV2", "AbortMultipartUpload"}, carries...) {
				require.True(t, seen[op] || !full, "%s was never asked for", op)
			}
		})
	}
	own := map[string]string{custHeader + "Algorithm": "AES256", custHeader + "Key": ownKey, custHeader + "Key-Md5": base64.StdEncoding.EncodeToString(sum[:])}
	f("sse-s3", false, store.S3Options{Encryption: store.SSES3}, nil, begins, map[string]string{sseHeader: "AES256"})
	f("sse-kms", true, store.S3Options{Encryption: store.SSEKMS, KMSKeyID: "arn:k"}, nil, begins, map[string]string{sseHeader: "aws:kms", kmsHeader: "arn:k"})
	f("the bucket's key", false, store.S3Options{Encryption: store.SSEKMS}, nil, begins, map[string]string{sseHeader: "aws:kms"})
	f("dsse-kms", false, store.S3Options{Encryption: store.SSEKMSDual, KMSKeyID: "k"}, nil, begins, map[string]string{sseHeader: "aws:kms:dsse", kmsHeader: "k"})
	f("sse-c", true, store.S3Options{Encryption: store.SSEC, CustomerKey: ownKey}, nil, carries, own)
	f("none", false, store.S3Options{}, nil, nil, nil)
	f("the catalog's", false, store.S3Options{}, map[string]string{"s3.sse.type": "kms", "s3.sse.key": "theirs"}, begins, map[string]string{sseHeader: "aws:kms", kmsHeader: "theirs"})
	f("the catalog's own key", false, store.S3Options{}, map[string]string{"s3.sse.type": "custom", "s3.sse.key": ownKey}, carries, own)
	f("the operator's goes first", false, store.S3Options{Encryption: store.SSES3}, map[string]string{"s3.sse.type": "kms"}, begins, map[string]string{sseHeader: "AES256"})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// A key of one's own is never sent in plain text over a network, wherever the endpoint comes from.
func TestCustomerKeyStaysOffTheWire(t *testing.T) {
	refused := func(err error) {
		t.Helper()
		require.Equal(t, failure.Config, failure.ClassOf(err), "%v", err)
		require.Equal(t, "E_STORE_SETTINGS", failure.CodeOf(err))
		require.NotContains(t, failure.Describe(err), ownKey)
	}
	own := store.S3Options{Encryption: store.SSEC, CustomerKey: ownKey, AccessKeyID: "a", SecretAccessKey: "b", MaxAttempts: 1}
	opts := own
	opts.Endpoint = "http://store.example:9000"
	_, err := store.Open(store.Options{S3: opts})
	refused(err)

	s, err := store.Open(store.Options{S3: own})
	require.NoError(t, err)
	_, err = s.ForProperties("s3://lake", map[string]string{iceio.S3EndpointURL: "http://store.example:9000"})
	refused(err)
	for _, endpoint := range []string{"https://store.example", "http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000"} {
		_, err = s.ForProperties("s3://lake", map[string]string{iceio.S3EndpointURL: endpoint})
		require.NoError(t, err, endpoint)
	}

	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://store.example:9000")
	s, err = store.Open(store.Options{S3: own})
	require.NoError(t, err)
	st, err := s.For("s3://lake")
	require.NoError(t, err)
	refused(st.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks([]byte("x"))))
}

func TestEncryptionThatCannotWork(t *testing.T) {
	for name, o := range map[string]store.S3Options{
		"unknown":   {Encryption: "aes"},
		"no key":    {Encryption: store.SSEC},
		"short key": {Encryption: store.SSEC, CustomerKey: "c2hvcnQ="},
		"no base64": {Encryption: store.SSEC, CustomerKey: "not base64 at all, and long enough"},
	} {
		_, err := store.Open(store.Options{S3: o})
		require.Equal(t, failure.Config, failure.ClassOf(err), name)
		require.NotEmpty(t, failure.HintOf(err), name)
	}
	s, err := store.Open(store.Options{})
	require.NoError(t, err)
	_, err = s.ForProperties("s3://lake", map[string]string{"s3.sse.type": "rot13"})
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

// What was stored with a key cannot be read without it, and the error says where to look.
func TestCustomerKeyIsNeededToRead(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	o := s3Options(fake)
	o.S3.Encryption, o.S3.CustomerKey = store.SSEC, ownKey
	s, err := store.Open(o)
	require.NoError(t, err)
	st, err := s.For("s3://lake")
	require.NoError(t, err)
	require.NoError(t, st.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks([]byte("x"))))
	plain := target(t, s3Stores(t, fake), "s3://lake", large, nil)
	_, err = plain.IO.(iceio.ReadFileIO).ReadFile("s3://lake/f")
	require.Equal(t, failure.Config, failure.ClassOf(err))
	require.Contains(t, failure.HintOf(err), "encryption")
}

// A server that takes the headers and stores in plain text is refused, and what it has stored does not stay.
func TestEncryptionThatIsIgnoredIsRefused(t *testing.T) {
	for _, kind := range []store.Encryption{store.SSES3, store.SSEKMS, store.SSEKMSDual, store.SSEC} {
		fake := storetest.NewS3(t, "lake")
		fake.IgnoreEncryption()
		o := s3Options(fake)
		o.S3.Encryption = kind
		if kind == store.SSEC {
			o.S3.CustomerKey = ownKey
		}
		s, err := store.Open(o)
		require.NoError(t, err)
		st, err := s.For("s3://lake")
		require.NoError(t, err)
		for _, n := range []int{0, 1, large} {
			err = st.Put(t.Context(), "s3://lake/f", 0, storetest.Chunks(storetest.Content(1, n)))
			require.Equal(t, failure.Config, failure.ClassOf(err), "%s: %v", kind, err)
			require.Equal(t, "E_STORE_KEY", failure.CodeOf(err))
			require.ErrorContains(t, err, "the object store does not encrypt as "+string(kind)+" wants")
			require.Empty(t, fake.Keys("lake"))
		}
	}
}
