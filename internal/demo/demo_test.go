package demo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// ingestd is a stand-in for the commands: it notes what the demo asks for.
type ingestd struct {
	asked   []string
	run     func(ctx context.Context, d Daemon) error
	verdict Verdict
}

func (i *ingestd) env() Env {
	return Env{
		Run: func(ctx context.Context, d Daemon) error {
			i.asked = append(i.asked, "run")
			if i.run == nil {
				return nil
			}
			return i.run(ctx, d)
		},
		Verify: func(context.Context, string) (Verdict, error) {
			i.asked = append(i.asked, "verify")
			return i.verdict, nil
		},
		Tables: func(context.Context, string) ([]Table, error) {
			i.asked = append(i.asked, "tables")
			return []Table{{Name: clicksTopic, MetadataLocation: "file:///d/warehouse/shop/clicks/metadata/1.metadata.json", Rows: 80}}, nil
		},
	}
}

// text is where people read; it may be read while the demo writes.
type text struct {
	mu sync.Mutex
	strings.Builder
}

func (w *text) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Builder.Write(p)
}

func (w *text) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Builder.String()
}

func options(t *testing.T, records int64) (Options, *text, chan struct{}) {
	t.Helper()
	out, stop := &text{}, make(chan struct{})
	return Options{Dir: t.TempDir(), Records: &records, Listen: loopback, Seed: 1, Out: out, Stop: stop, Now: time.Now}, out, stop
}

func TestCatchUp(t *testing.T) {
	defer goleak.VerifyNone(t)
	o, out, _ := options(t, 100)
	o.UntilCaughtUp = true
	i := &ingestd{verdict: Verdict{Proven: true, Level: "source"}}
	i.run = func(_ context.Context, d Daemon) error {
		require.True(t, d.UntilLatest)
		c, warnings, err := config.Load(d.Config, config.Options{})
		require.NoError(t, err)
		require.Empty(t, warnings)
		require.Len(t, c.Tables, tables)
		require.NotEqual(t, loopback, c.Admin.Listen, "the port is chosen before it is written down")
		return nil
	}
	s, err := Run(t.Context(), o, i.env())
	require.NoError(t, err)
	require.Equal(t, []string{"run", "verify", "tables"}, i.asked)
	require.EqualValues(t, 100, s.Records)
	require.True(t, s.Verified)
	require.Equal(t, o.Dir, s.Dir)
	require.Contains(t, out.String(), "produced 100 records")

	var people strings.Builder
	require.NoError(t, s.WriteText(&people))
	require.Contains(t, people.String(), "100 records in ")
	require.Contains(t, people.String(), "iceberg_scan('/d/warehouse/shop/clicks/metadata/1.metadata.json')")
	text, err := json.Marshal(s)
	require.NoError(t, err)
	for _, field := range []string{"records", "seconds", "verified", "level", "tables", "metadata_location", "rows", "snapshots", "data_files", "bytes"} {
		require.Contains(t, string(text), `"`+field+`":`)
	}
}

func TestCatchUpThatProvesNothingFails(t *testing.T) {
	o, _, _ := options(t, 10)
	o.UntilCaughtUp = true
	s, err := Run(t.Context(), o, (&ingestd{verdict: Verdict{Level: "source"}}).env())
	require.Equal(t, "E_DEMO_UNPROVEN", failure.CodeOf(err))
	require.Equal(t, failure.ExitFailed, failure.ExitCode(err))
	require.False(t, s.Verified)
	require.NotEmpty(t, s.Tables, "the summary is there all the same")
}

func TestCatchUpKeepsTheDaemonsError(t *testing.T) {
	o, _, _ := options(t, 10)
	o.UntilCaughtUp = true
	away := failure.New(failure.Retry, "E_AWAY", "", "away")
	i := &ingestd{run: func(context.Context, Daemon) error { return away }}
	_, err := Run(t.Context(), o, i.env())
	require.ErrorIs(t, err, away)
	require.Equal(t, []string{"run"}, i.asked)
}

func TestCatchUpThatIsStopped(t *testing.T) {
	f := func(asked []string, run func(stop chan struct{})) {
		t.Helper()
		o, _, stop := options(t, 10)
		o.UntilCaughtUp = true
		i := &ingestd{}
		if run == nil {
			close(stop)
		} else {
			i.run = func(context.Context, Daemon) error { run(stop); return nil }
		}
		_, err := Run(t.Context(), o, i.env())
		require.Equal(t, "E_DEMO_STOPPED", failure.CodeOf(err))
		require.Contains(t, failure.HintOf(err), o.Dir)
		require.Equal(t, asked, i.asked)
	}
	f(nil, nil)
	f([]string{"run"}, func(stop chan struct{}) { close(stop) })
}

// A live demo produces before, during and after; when it is asked to end, the shop closes first and the daemon drains.
func TestLive(t *testing.T) {
	defer goleak.VerifyNone(t)
	o, out, stop := options(t, 50)
	var config string
	i := &ingestd{run: func(ctx context.Context, d Daemon) error {
		config = d.Config
		require.False(t, d.UntilLatest)
		for _, table := range []string{clicksTopic, logsTopic} {
			d.Events.Emit(commitOf(table, 10))
		}
		require.Eventually(t, func() bool { return strings.Contains(out.String(), "can be read now") }, 5*time.Second, time.Millisecond)
		close(stop)
		select {
		case <-d.Stop:
		case <-ctx.Done():
			t.Error("the daemon is to drain, not to be cut off")
		}
		return nil
	}}
	_, err := Run(t.Context(), o, i.env())
	require.NoError(t, err)
	require.Equal(t, filepath.Join(o.Dir, configFile), config)
	require.Equal(t, []string{"run"}, i.asked)
	for _, want := range []string{"\nduckdb -c ", "\npython3 -c ", "\nspark-sql ", "\ntrino "} {
		require.Contains(t, out.String(), want)
	}
	next, err := freeID(o.Dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, next, int64(40))
	require.Less(t, next, int64(idReserve), "an orderly end says where the ids ended")
}

func TestLiveEndsWithItsDaemon(t *testing.T) {
	o, _, _ := options(t, 10)
	broken := errors.New("broken")
	_, err := Run(t.Context(), o, (&ingestd{run: func(context.Context, Daemon) error { return broken }}).env())
	require.ErrorIs(t, err, broken)
}

func TestBacklog(t *testing.T) {
	n := int64(7)
	require.EqualValues(t, 7, (&demo{Options: Options{Records: &n}}).backlog(0))
	require.EqualValues(t, 7, (&demo{Options: Options{Records: &n}}).backlog(5))
	require.EqualValues(t, DefaultRecords, (&demo{}).backlog(0))
	require.Zero(t, (&demo{}).backlog(5), "a demo that goes on has its backlog already")
}

func TestIDs(t *testing.T) {
	dir := t.TempDir()
	first, err := freeID(dir)
	require.NoError(t, err)
	require.Zero(t, first)
	require.NoError(t, keepID(dir, 12))
	first, err = freeID(dir)
	require.NoError(t, err)
	require.EqualValues(t, 12, first)
	require.NoError(t, os.WriteFile(filepath.Join(dir, idFile), []byte("twelve"), 0o600))
	_, err = freeID(dir)
	require.Error(t, err)
}

func TestChooseListen(t *testing.T) {
	address, err := chooseListen(t.Context(), "")
	require.NoError(t, err)
	require.NotContains(t, address, ":0")
	_, err = chooseListen(t.Context(), "nowhere.invalid:1")
	require.Error(t, err)
}

func TestTableLocation(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /catalog/v1/namespaces/shop/tables/clicks", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"metadata-location": "x", "metadata": {"location": "file:///d/shop/clicks"}}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	require.Equal(t, "/d/shop/clicks", tableLocation(t.Context(), server.URL+catalogPath, clicksTopic))
	require.Empty(t, tableLocation(t.Context(), server.URL+catalogPath, logsTopic))
	require.Empty(t, tableLocation(t.Context(), "http://127.0.0.1:1", clicksTopic))
}

func commitOf(table string, rows int64) event.CommitDone {
	return event.CommitDone{Table: table, Result: event.CommitLanded, Rows: rows, Files: 1, Bytes: 2048, Counts: outcome.Counts{outcome.Written: rows}, At: time.Now()}
}
