package faultproxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// backend keeps what reached a server.
type backend struct {
	mu     sync.Mutex
	bodies []string
	hosts  []string
	header http.Header
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.bodies = append(b.bodies, "broken after "+fmt.Sprint(len(body)))
		return
	}
	b.bodies, b.hosts, b.header = append(b.bodies, string(body)), append(b.hosts, r.Host), r.Header.Clone()
	w.Header().Set("Content-Encoding", "gzip") // not truly: a proxy that meddled with it would fail
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body)
}

func (b *backend) got() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.bodies...)
}

// always is an injector that breaks every call in one way.
func always(t *testing.T, want Fault, accept func(verdict) bool) *Injector {
	t.Helper()
	for seed := range uint64(10_000) {
		o := Options{Seed: seed, Rate: 1, LateFor: 50 * time.Millisecond}
		if v := New(o).decide(Call{}); v.fault == want && accept(v) {
			return New(o)
		}
	}
	t.Fatal("no seed gives that fault")
	return nil
}

func anyForm(verdict) bool { return true }

func through(t *testing.T, in *Injector) (*backend, *Proxy, *http.Client) {
	t.Helper()
	b := &backend{}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	p, err := in.HTTP(t.Context(), "s3", "127.0.0.1:0", server.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return b, p, &http.Client{Transport: transport}
}

func send(t *testing.T, cl *http.Client, p *Proxy, method, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.Addr()+"/bucket/a%2Fb?x-id=Y", strings.NewReader(body))
	require.NoError(t, err)
	req.GetBody = nil // a resend by the client's own transport would blur what is counted
	req.Host = "signed.example:9000"
	req.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	res, err := cl.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return res.StatusCode, string(got), err
}

func TestUnbrokenCallsPassUnchanged(t *testing.T) {
	b, p, cl := through(t, New(Options{}))
	body := make([]byte, 5<<20)
	rand.New(rand.NewSource(1)).Read(body)
	status, got, err := send(t, cl, p, http.MethodPut, string(body))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, sha256.Sum256(body), sha256.Sum256([]byte(got)))
	require.Equal(t, []string{"signed.example:9000"}, b.hosts)
	require.Empty(t, b.header.Get("X-Forwarded-For"))
	require.Empty(t, b.header.Get("Accept-Encoding"), "the caller sent none")
	require.Equal(t, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", b.header.Get("X-Amz-Content-Sha256"))
}

// The server's word decides whether a body is sent at all.
func TestExpectContinuePasses(t *testing.T) {
	_, p, cl := through(t, New(Options{}))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+p.Addr()+"/x", bytes.NewReader(make([]byte, 1<<20)))
	require.NoError(t, err)
	req.Header.Set("Expect", "100-continue")
	res, err := cl.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	require.EqualValues(t, 1<<20, n)
}

func TestBeforeNeverReachesTheServer(t *testing.T) {
	for _, half := range []bool{true, false} {
		b, p, cl := through(t, always(t, Before, func(v verdict) bool { return v.half == half }))
		status, _, err := send(t, cl, p, http.MethodPost, "commit")
		require.True(t, err != nil || status >= 500)
		require.Equal(t, half, err != nil)
		require.Empty(t, b.got())
	}
}

func TestAfterLosesTheAnswer(t *testing.T) {
	for _, half := range []bool{true, false} {
		b, p, cl := through(t, always(t, After, func(v verdict) bool { return v.half == half }))
		status, got, err := send(t, cl, p, http.MethodPost, "commit")
		require.True(t, err != nil || status >= 500)
		require.NotContains(t, got, "commit")
		require.Equal(t, []string{"commit"}, b.got())
	}
}

func TestCutWithinTheRequest(t *testing.T) {
	b, p, cl := through(t, always(t, Cut, func(v verdict) bool { return v.half && v.part > 0.3 && v.part < 0.7 }))
	_, _, err := send(t, cl, p, http.MethodPut, strings.Repeat("x", 1<<20))
	require.Error(t, err)
	require.Eventually(t, func() bool { return len(b.got()) == 1 }, 10*time.Second, time.Millisecond)
	require.Contains(t, b.got()[0], "broken after")
}

func TestCutWithinTheAnswer(t *testing.T) {
	b, p, cl := through(t, always(t, Cut, func(v verdict) bool { return !v.half && v.part > 0.3 && v.part < 0.7 }))
	want := strings.Repeat("x", 1<<20)
	status, got, err := send(t, cl, p, http.MethodPut, want)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, http.StatusOK, status)
	require.Less(t, len(got), len(want))
	require.NotEmpty(t, got)
	require.Equal(t, []string{want}, b.got())

	_, _, err = send(t, cl, p, http.MethodHead, "")
	require.Error(t, err, "an answer without a body is lost as a whole")
}

func TestLateHappensAfterTheFailure(t *testing.T) {
	b, p, cl := through(t, always(t, Late, anyForm))
	status, got, err := send(t, cl, p, http.MethodPost, "commit")
	require.True(t, err != nil || status >= 500)
	require.Empty(t, got)
	require.Eventually(t, func() bool { return len(b.got()) == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, []string{"commit"}, b.got())
	require.Equal(t, "signed.example:9000", b.hosts[0])
}

func TestLateReadsAreSlow(t *testing.T) {
	_, p, cl := through(t, always(t, Late, anyForm))
	status, _, err := send(t, cl, p, http.MethodGet, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// The n-th decision follows from the seed, whatever the calls are.
func TestSeedsRepeat(t *testing.T) {
	draw := func(seed uint64, op string) []verdict {
		in := New(Options{Seed: seed, Rate: 0.05, LateFor: time.Second})
		var out []verdict
		for range 1000 {
			out = append(out, in.decide(Call{Op: op}))
		}
		return out
	}
	require.Equal(t, draw(1, "GET"), draw(1, "PUT"))
	require.NotEqual(t, draw(1, "GET"), draw(2, "GET"))
}

func TestHistogramCountsAndRateHolds(t *testing.T) {
	in := New(Options{Seed: 3, Rate: 0.05})
	const n = 20_000
	for i := range n {
		in.decide(Call{Proxy: []string{"a", "b"}[i%2], Op: "GET"})
	}
	h := in.Histogram()
	broken := 0
	for _, f := range Broken() {
		require.InDelta(t, n*0.05/4, h.Count("", f), n*0.05/4/4, f.String())
		require.Equal(t, h.Count("", f), h.Count("a", f)+h.Count("b", f))
		broken += h.Count("", f)
	}
	require.Equal(t, n, broken+h.Count("", None))
	require.Equal(t, 3, strings.Count(h.String(), "\n"), h.String())
	in.SetRate(0)
	require.Equal(t, None, in.decide(Call{}).fault)
}

func TestWatchSeesTheNextCall(t *testing.T) {
	in := New(Options{})
	seen, stop := in.Watch(func(c Call) bool { return c.Op == "POST" })
	defer stop()
	in.decide(Call{Op: "GET"})
	select {
	case <-seen:
		t.Fatal("that was another call")
	default:
	}
	in.decide(Call{Op: "POST"})
	<-seen
	in.decide(Call{Op: "POST"}) // and only once
}

// kafkaThrough is a client of a broker in memory whose connections all go through a proxy.
func kafkaThrough(t *testing.T, in *Injector) *kgo.Client {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	p, err := in.Kafka(t.Context(), "broker", "127.0.0.1:0", cluster.ListenAddrs()[0])
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.Addr()), kgo.ConsumeTopics("t"), kgo.DefaultProduceTopic("t"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.RequestRetries(200),
		kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, p.Addr())
		}))
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func TestKafkaPasses(t *testing.T) {
	in := New(Options{})
	cl := kafkaThrough(t, in)
	roundTrip(t, cl, 100)
	require.Positive(t, in.Histogram().Count("broker", None))
}

// A client that tries again gets everything across connections that break in every way.
func TestKafkaBreaksAndClientsGoOn(t *testing.T) {
	in := New(Options{Seed: 5, Rate: 0.25, LateFor: 20 * time.Millisecond})
	cl := kafkaThrough(t, in)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for done := false; !done; {
		roundTrip(t, cl, 1)
		require.NoError(t, ctx.Err(), "%s", in.Histogram())
		h := in.Histogram()
		done = true
		for _, f := range Broken() {
			done = done && h.Count("broker", f) >= 3
		}
	}
}

// roundTrip produces records and reads until as many have come: one may come twice, since its producer tries again.
func roundTrip(t *testing.T, cl *kgo.Client, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range n {
		require.NoError(t, cl.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(i))).FirstErr())
	}
	for read := 0; read < n; {
		fetches := cl.PollFetches(ctx)
		require.NoError(t, ctx.Err())
		read += fetches.NumRecords()
	}
}

func TestFramesAreBounded(t *testing.T) {
	for _, frame := range []string{"\xff\xff\xff\xff", "\x00\x00\x00\x01x", "\x00\x00"} {
		_, err := readFrame(strings.NewReader(frame))
		require.Error(t, err)
	}
	got, err := readFrame(strings.NewReader("\x00\x00\x00\x04abcdmore"))
	require.NoError(t, err)
	require.Equal(t, "\x00\x00\x00\x04abcd", string(got))
}
