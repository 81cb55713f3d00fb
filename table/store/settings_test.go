package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

func TestOperatorSettingsGoBeforeTheCatalogs(t *testing.T) {
	f := func(o S3Options, props map[string]string, want settings) {
		t.Helper()
		got, err := o.merge(props)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	vended := map[string]string{"s3.endpoint": "http://catalog", "client.region": "eu-1", "s3.access-key-id": "k", "s3.secret-access-key": "s", "s3.session-token": "t"}
	f(S3Options{}, nil, settings{})
	f(S3Options{}, vended, settings{endpoint: "http://catalog", region: "eu-1", key: "k", secret: "s", token: "t", pathStyle: true})
	f(S3Options{Endpoint: "http://mine", Region: "us-2"}, vended,
		settings{endpoint: "http://mine", region: "us-2", key: "k", secret: "s", token: "t", pathStyle: true})
	f(S3Options{AccessKeyID: "mine", SecretAccessKey: "too"}, vended,
		settings{endpoint: "http://catalog", region: "eu-1", key: "mine", secret: "too", pathStyle: true})
	f(S3Options{}, map[string]string{"s3.endpoint": "http://c", "s3.force-virtual-addressing": "true"}, settings{endpoint: "http://c"})
	f(S3Options{}, map[string]string{"s3.path-style-access": "true"}, settings{pathStyle: true})
	no := false
	f(S3Options{PathStyle: &no}, vended, settings{endpoint: "http://catalog", region: "eu-1", key: "k", secret: "s", token: "t"})

	_, err := S3Options{}.merge(map[string]string{"s3.remote-signing-enabled": "true"})
	require.Equal(t, failure.Config, failure.ClassOf(err))
}

func TestClientsAreKeptButNotForever(t *testing.T) {
	c := newClients(S3Options{})
	props := func(i int) map[string]string {
		return map[string]string{"s3.access-key-id": "k", "s3.secret-access-key": "s", "s3.session-token": fmt.Sprint(i)}
	}
	first, err := c.get(props(0))
	require.NoError(t, err)
	again, err := c.get(props(0))
	require.NoError(t, err)
	require.Same(t, first, again)
	for i := range 3 * maxClients {
		_, err := c.get(props(i))
		require.NoError(t, err)
	}
	require.Len(t, c.cache.byKey, maxClients)
	require.Len(t, c.cache.order, maxClients)
}

func TestUploadReserveIsWhatThePoolHolds(t *testing.T) {
	s, err := Open(Options{Parts: 3, S3: S3Options{PartSize: 6 << 20}})
	require.NoError(t, err)
	require.EqualValues(t, 18<<20, s.UploadReserve())
	require.Equal(t, 3, cap(s.pool.slots))
	require.Equal(t, 6<<20, s.pool.size)
}

// However many uploads there are, no more than the pool's buffers are out, and all of them come to an end.
func TestUploadsShareTheBuffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPartPool(2, 64)
		var out, most atomic.Int32
		g := rungroup.New(t.Context())
		for range 10 {
			g.Go(func(ctx context.Context) error {
				for range 5 {
					b, err := p.get(ctx, 64)
					if err != nil {
						return err
					}
					most.Store(max(most.Load(), out.Add(1)))
					<-time.After(time.Second) // of the bubble's clock
					out.Add(-1)
					p.put(b)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.EqualValues(t, 2, most.Load())

		held, err := p.get(t.Context(), 1)
		require.NoError(t, err)
		_, err = p.get(t.Context(), 1)
		require.NoError(t, err)
		gone := errors.New("the caller has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		_, err = p.get(ctx, 1)
		require.ErrorIs(t, err, gone, "waiting for a buffer ends with the context")
		p.put(held)
	})
}

func TestBuffersGrowToAPartAndNotBeyond(t *testing.T) {
	u := &upload{s: &objectStore{pool: newPartPool(1, 1000)}, buf: make([]byte, 0, 10)}
	for len(u.buf) < 1000 {
		k := min(7, 1000-len(u.buf))
		u.buf = append(u.grown(k), make([]byte, k)...)
		require.LessOrEqual(t, cap(u.buf), 1000)
	}
}
