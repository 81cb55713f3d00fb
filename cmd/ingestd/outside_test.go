package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/compaction/handover"
	"github.com/ingestd/ingestd/internal/failure"
)

// TestMaintainWithTrino: the setting decides who rewrites, the flag decides for once, and validate asks whether it answers.
func TestMaintainWithTrino(t *testing.T) {
	file := crumbled(t, 6)
	var statements []string
	var coordinator *httptest.Server
	coordinator = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		statements = append(statements, string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id": "q", "stats": {"state": "FINISHED"}}`)
	}))
	defer coordinator.Close()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, fmt.Appendf(text, "\nmaintenance: {engine: trino, trino: {uri: %q, catalog: lake}}\n", coordinator.URL), 0o600))

	args := []string{"maintain", "rewrite-data-files", "db.t", "-c", file, "--option", "busy-min-input-files=5"}
	r := command(t, append(args, "--dry-run", "-o", "json")...)
	require.Zero(t, r.code, r.err)
	require.Empty(t, statements)
	r = command(t, append(args, "-o", "json")...)
	require.Zero(t, r.code, r.err)
	var res compaction.RewriteResult
	require.NoError(t, json.Unmarshal([]byte(r.out), &res))
	require.Equal(t, []any{"trino", 6, 0}, []any{res.Engine, res.Plan.Rewrite, res.Rewritten})
	require.Len(t, statements, 1)
	require.Contains(t, statements[0], `ALTER TABLE "lake"."db"."t" EXECUTE optimize`)

	r = command(t, "validate", "-c", file)
	require.Zero(t, r.code, r.out)
	require.Contains(t, r.out, "maintenance trino")
	require.Len(t, statements, 2)
	r = command(t, append(args, "--engine", "spark")...)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, "add maintenance.spark")
	r = command(t, append(args, "--engine", "flink")...)
	require.Equal(t, failure.ExitConfig, r.code)
	require.Contains(t, r.err, "known are: local, trino, spark")
	r = command(t, append(args, "--engine", "local")...)
	require.Zero(t, r.code, r.err)
	require.Contains(t, r.out, "rewritten: 6 files")

	coordinator.Close()
	r = command(t, "validate", "-c", file)
	require.NotZero(t, r.code)
	require.Contains(t, r.out, handover.CodeEngine)
}
