package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a Status that does not change.
type fixed []Table

func (f fixed) Tables() []Table { return f }

func (f fixed) Budget() Budget {
	return Budget{LimitBytes: 256, BuffersBytes: 100, HeldBytes: 40, Tables: []Holding{{"shop.clicks", 40, 25}}, Reserves: []Holding{{"lanes", 3, 16}}}
}

func TestBudgetSaysWhoHoldsWhat(t *testing.T) {
	w := ask(options(shop()), http.MethodGet, "/debug/budget")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"limit_bytes":256,"buffers_bytes":100,"held_bytes":40,"refusing":false,"heap_bytes":0,"runtime_bytes":0,
		"tables":[{"name":"shop.clicks","held_bytes":40,"reserved_bytes":25}],"reserves":[{"name":"lanes","held_bytes":3,"reserved_bytes":16}]}`, w.Body.String())
	require.Equal(t, http.StatusMethodNotAllowed, ask(options(shop()), http.MethodPost, "/debug/budget").Code)
	require.Equal(t, http.StatusForbidden, ask(options(shop()), http.MethodGet, "/debug/budget", "Origin", "http://evil.example").Code, "guarded like the rest")
}

func shop() fixed {
	freshness := 12.5
	return fixed{
		{
			Name: "shop.clicks", State: event.Running, LagRecords: 7, FreshnessSeconds: &freshness, Commits: 3, Rows: 90,
			Outcomes: map[string]int64{"written": 90, "control": 2},
			LastCommit: &Commit{SnapshotID: "4611686018427387905", CommitID: "c1", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
				Rows: 30, Files: 2, Bytes: 4096, Seconds: 0.25},
			Partitions: []Partition{{"clicks", 0, 3}, {"clicks", 1, 4}},
		},
		{Name: "shop.logs", State: event.Failed, Code: "E_TOPIC_RECREATED", Reason: "the topic\nis another one", Hint: "run x"},
	}
}

func options(s Status) Options {
	return Options{
		Listen: "127.0.0.1:0", Status: s, Version: Version{Version: "v1.2.3", Go: "go1.26", Platform: "linux/amd64"},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "metrics") }),
		Mounts: map[string]http.Handler{"/catalog": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, r.Method, " ", r.URL.Path, " ", n, " ", err)
		})},
	}
}

// ask sends one request through the handler.
func ask(o Options, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "localhost:8282"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler(o).ServeHTTP(w, r)
	return w
}

func TestProbes(t *testing.T) {
	f := func(s Status, target string, code int, body string) {
		t.Helper()
		w := ask(options(s), "GET", target)
		require.Equal(t, code, w.Code)
		require.Equal(t, body, w.Body.String())
	}
	good := shop()[:1]
	f(shop(), "/livez", 200, "ok\n")
	f(good, "/readyz", 200, "ok\n")
	f(good, "/readyz?verbose", 200, "[+] shop.clicks running\nok\n")
	f(shop(), "/readyz", 503, "[-] shop.logs failed: the topic is another one [E_TOPIC_RECREATED]\nnot ready\n")
	f(shop(), "/readyz?verbose=1", 503,
		"[+] shop.clicks running\n[-] shop.logs failed: the topic is another one [E_TOPIC_RECREATED]\nnot ready\n")
	f(fixed{{Name: "a", State: event.Pending, Reason: "no schema"}}, "/readyz", 503, "[-] a pending: no schema\nnot ready\n")
	f(fixed{{Name: "a", State: event.Degraded, Reason: "slow"}}, "/readyz?verbose", 200, "[+] a degraded: slow\nok\n")
	f(fixed{{Name: "a", State: event.Stopped}}, "/readyz", 503, "[-] a stopped\nnot ready\n")
	f(shop(), "/metrics", 200, "metrics")
}

func TestVersion(t *testing.T) {
	w := ask(options(shop()), "GET", "/version")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"version":"v1.2.3","go":"go1.26","platform":"linux/amd64"}`, w.Body.String())
}

const clicks = `"name":"shop.clicks","state":"running","lag_records":7,"freshness_seconds":12.5,"commits":3,"rows":90,
	"outcomes":{"written":90,"control":2},"last_commit":{"snapshot_id":"4611686018427387905","commit_id":"c1",
	"at":"2026-01-02T03:04:05Z","rows":30,"files":2,"bytes":4096,"seconds":0.25}`

func TestTables(t *testing.T) {
	w := ask(options(shop()), "GET", "/api/v1/tables")
	require.JSONEq(t, `{"tables":[{`+clicks+`},{"name":"shop.logs","state":"failed","code":"E_TOPIC_RECREATED",
		"reason":"the topic\nis another one","hint":"run x","lag_records":0,"freshness_seconds":null,"commits":0,"rows":0,
		"outcomes":null,"last_commit":null}]}`, w.Body.String())
	require.JSONEq(t, `{"tables":[]}`, ask(options(fixed{}), "GET", "/api/v1/tables").Body.String())

	w = ask(options(shop()), "GET", "/api/v1/tables/shop.clicks")
	require.JSONEq(t, `{`+clicks+`,"partitions":[{"topic":"clicks","partition":0,"lag_records":3},
		{"topic":"clicks","partition":1,"lag_records":4}]}`, w.Body.String())
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
}

// isProblem checks an RFC 9457 answer and gives its members.
func isProblem(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	require.Equal(t, status, w.Code)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	var p map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, "about:blank", p["type"])
	require.Equal(t, http.StatusText(status), p["title"])
	require.EqualValues(t, status, p["status"])
	return p
}

func TestProblems(t *testing.T) {
	o := options(shop())
	p := isProblem(t, ask(o, "GET", "/api/v1/tables/nope"), 404)
	require.Equal(t, "E_TABLE_UNKNOWN", p["code"])
	require.Equal(t, "tables are: shop.clicks, shop.logs", p["hint"])
	isProblem(t, ask(o, "GET", "/nope"), 404)
	isProblem(t, ask(o, "GET", "/api/v1/tables/a/b"), 404)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		for _, path := range []string{"/livez", "/readyz", "/version", "/metrics", "/api/v1/tables", "/api/v1/tables/shop.clicks"} {
			w := ask(o, method, path)
			isProblem(t, w, 405)
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
	o.Metrics = nil
	isProblem(t, ask(o, "GET", "/metrics"), 404)
}

func TestMounts(t *testing.T) {
	w := ask(options(shop()), "GET", "/catalog/v1/config")
	require.Equal(t, "GET /v1/config 0 <nil>", w.Body.String())
	r := httptest.NewRequest(http.MethodPost, "/catalog/v1/x", strings.NewReader(strings.Repeat("x", maxBody+1)))
	r.Host = "localhost"
	w = httptest.NewRecorder()
	Handler(options(shop())).ServeHTTP(w, r)
	require.Equal(t, "POST /v1/x 1048576 http: request body too large", w.Body.String())
}

func TestOnlyOurOwnHostNames(t *testing.T) {
	o := options(shop())
	for _, host := range []string{"localhost", "localhost:8282", "127.0.0.1:8282", "127.9.9.9", "[::1]:8282", "[::1]", "::1"} {
		require.Equal(t, 200, ask(o, "GET", "/livez", "Host", host).Code, host)
	}
	for _, host := range []string{"evil.example", "evil.example:8282", "localhost.evil.example", "10.0.0.1:8282", "", "[x", "127.0.0.1.evil.example"} {
		p := isProblem(t, ask(o, "GET", "/livez", "Host", host), 421)
		require.Equal(t, "E_HOST", p["code"], host)
	}
	o.Listen, o.AllowRemote = "0.0.0.0:8282", true
	require.Equal(t, 200, ask(o, "GET", "/livez", "Host", "ingestd.example").Code)
}

func TestNoRequestsFromOtherSites(t *testing.T) {
	o := options(shop())
	f := func(code int, header ...string) {
		t.Helper()
		require.Equal(t, code, ask(o, "GET", "/api/v1/tables", header...).Code)
	}
	f(200, "Origin", "http://localhost:8282")
	f(200, "Sec-Fetch-Site", "same-origin")
	f(200, "Sec-Fetch-Site", "none")
	f(403, "Origin", "https://evil.example")
	f(403, "Origin", "http://localhost:9999")
	f(403, "Origin", "null")
	f(403, "Origin", "%")
	f(403, "Sec-Fetch-Site", "cross-site")
	o.AllowRemote = true
	f(403, "Origin", "https://evil.example")
}

func TestRemoteAddressesMustBeAllowed(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.1:0", "example.com:0"} {
		o := options(shop())
		o.Listen = listen
		_, err := Listen(t.Context(), o)
		require.Equal(t, "E_ADMIN_REMOTE", failure.CodeOf(err), listen)
		require.Equal(t, failure.Config, failure.ClassOf(err))
	}
	o := options(shop())
	o.Listen, o.AllowRemote = "0.0.0.0:0", true
	s, err := Listen(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	o.Listen = "nowhere"
	_, err = Listen(t.Context(), o)
	require.Equal(t, "E_ADMIN_LISTEN", failure.CodeOf(err))
}

// running starts a server and gives its address and the function that stops it.
func running(t *testing.T, o Options) (addr string, stop func()) {
	s, err := Listen(t.Context(), o)
	require.NoError(t, err)
	group := rungroup.New(context.WithoutCancel(t.Context()))
	group.Go(s.Run)
	return s.Addr().String(), func() {
		group.Stop()
		require.NoError(t, group.Wait())
	}
}

func TestServesUntilTheContextEnds(t *testing.T) {
	addr, stop := running(t, options(shop()))
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get("http://" + addr + "/livez")
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "ok\n", string(body))

	o := options(shop())
	o.Listen = addr
	_, err = Listen(t.Context(), o)
	require.Equal(t, "E_ADMIN_LISTEN", failure.CodeOf(err), "the address is taken")

	stop()
	client.CloseIdleConnections()
	_, err = net.Dial("tcp", addr)
	require.Error(t, err)
}

func TestRunningRequestsFinish(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	o := options(shop())
	o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-leave
		fmt.Fprint(w, "done")
	})
	s, err := Listen(t.Context(), o)
	require.NoError(t, err)
	group := rungroup.New(context.WithoutCancel(t.Context()))
	group.Go(s.Run)
	answer := make(chan string, 1)
	group.Go(func(context.Context) error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://" + s.Addr().String() + "/metrics")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answer <- string(body)
		return err
	})
	<-entered
	group.Stop()
	close(leave)
	require.NoError(t, group.Wait())
	require.Equal(t, "done", <-answer)
}

func TestLargeHeadersAreRefused(t *testing.T) {
	addr, stop := running(t, options(shop()))
	defer stop()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	_, err = fmt.Fprintf(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", maxHeader+8<<10))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
}

func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := newLimited(inner, 1)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		require.NoError(t, err)
		return c
	}
	one, two := dial(), dial()
	defer one.Close()
	defer two.Close()
	first, err := l.Accept()
	require.NoError(t, err)
	group := rungroup.New(t.Context())
	accepted := make(chan net.Conn, 1)
	group.Go(func(context.Context) error {
		c, err := l.Accept()
		accepted <- c
		return err
	})
	require.Empty(t, accepted, "the second one waits")
	require.NoError(t, first.Close())
	require.Error(t, first.Close(), "closing twice frees one slot")
	require.NoError(t, (<-accepted).Close())
	require.NoError(t, group.Wait())
	l.slots <- struct{}{}
	require.NoError(t, l.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}
