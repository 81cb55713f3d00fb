package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCreatedTable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, createTable(t.Context(), dir))
	m, err := newestMetadata(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "db", "events", "metadata"), filepath.Dir(m.path))
	require.Zero(t, committed(dir))
	text, err := os.ReadFile(m.path)
	require.NoError(t, err)
	var got struct {
		Version    int               `json:"format-version"`
		Location   string            `json:"location"`
		Properties map[string]string `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, 2, got.Version)
	require.Equal(t, dir+"/db/events", got.Location)
	require.Equal(t, "zstd", got.Properties["write.parquet.compression-codec"])
	require.Error(t, createTable(t.Context(), dir), "a second table of the name")
}

func TestCommitsStandBesideTheTimeline(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	_, err := newestMetadata(dir)
	require.ErrorContains(t, err, "no table")
	write("v1.metadata.json", `{"last-updated-ms":1}`)
	write("v3.metadata.json", `{"last-updated-ms":3000,"current-snapshot-id":9,"snapshots":[
		{"snapshot-id":6,"timestamp-ms":500,"summary":{"total-records":"0"}},
		{"snapshot-id":7,"timestamp-ms":1000,"summary":{"total-records":"10"}},
		{"snapshot-id":8,"timestamp-ms":2000,"summary":{"total-records":"10"}},
		{"snapshot-id":9,"timestamp-ms":3000,"summary":{"total-records":"42"}}]}`)
	write("v2.metadata.json", `{"last-updated-ms":2000,"current-snapshot-id":8}`)
	write("a.parquet", "x")
	write("b.parquet", "x")
	m, err := newestMetadata(dir)
	require.NoError(t, err)
	require.EqualValues(t, 42, committed(dir))
	u := &usage{start: time.UnixMilli(0), timeline: []sample{{at: time.UnixMilli(4000), cpu: 8 * time.Second}}}
	require.Equal(t, []commit{{At: 1, CPU: 2, Rows: 10}, {At: 3, CPU: 6, Rows: 42}}, commits(m, u))
	n, err := dataFiles(dir)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	write("v4.metadata.json", `{"last-upd`)
	require.Zero(t, committed(dir), "half a file")
}
