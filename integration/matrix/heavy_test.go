//go:build integration && full

package matrix

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/integration/stack"
	"github.com/ingestd/ingestd/internal/restserve"
)

// Spark, newest and oldest supported, and Trino read every table through the product's own read-only REST catalog.
// Trino is started with ports and a data folder of its own, beside whatever else runs.
func TestHeavyEngines(t *testing.T) {
	g := newGround(t, cases(t))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(http.Handler(restserve.New(g.lake.cat)))
	require.NoError(t, server.Listener.Close())
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	t.Setenv("REST_PORT", fmt.Sprint(listener.Addr().(*net.TCPAddr).Port))
	t.Setenv("TRINO_PORT", freePort(t))
	t.Setenv("INGESTD_STACK_RUN", filepath.Join(t.TempDir(), "run"))
	g.stack, err = stack.Find(os.Stderr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, g.stack.Stop(context.Background(), true)) })
	require.NoError(t, g.stack.Start(t.Context(), "readers", "spark"))
	for _, which := range []string{"new", "old"} {
		t.Run("spark-"+which, func(t *testing.T) {
			jars, err := os.ReadFile(filepath.Join(g.stack.Home(), "spark-"+which+".jars"))
			require.NoError(t, err)
			g.run(t, engine{reader: "spark", environment: "spark-" + which, script: "read_spark.py",
				args: []string{"--rest", server.URL, "--jars", strings.TrimSpace(string(jars))}})
		})
	}
	t.Run("trino", func(t *testing.T) {
		require.NoError(t, g.stack.Start(t.Context(), "trino"))
		g.run(t, engine{reader: "trino", environment: "light", script: "read_trino.py", args: []string{"--port", g.stack.Value("TRINO_PORT")}})
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
