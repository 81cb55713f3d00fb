//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The restarted process commits within five seconds of its start, however long the table's history is. Where the catalog
// itself needs long to give the table out, that many times as long counts in place of five seconds: a commit is a load
// and a request that makes the catalog read and write all of it.
func TestRestartOnLongHistory(t *testing.T) {
	const (
		goal  = 5 * time.Second
		loads = 15
	)
	f := func(name string, partitions, snapshots int, foreign bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			topic := unique(t, "history")
			table := "it." + topic
			produce(t, produceDeadline, "-n", "20000", "-avro", topic, "-partitions", strconv.Itoa(partitions))
			config := writeConfig(t, settings{Pipeline: topic, Interval: time.Second, Tables: []tableSettings{{Name: table, Topic: topic}}})
			untilLatest(t, config)
			lengthen(t, table, snapshots, foreign)
			asked := time.Now()
			for range 3 {
				require.Greater(t, len(loadTable(t, table).Snapshots), snapshots)
			}
			plain := time.Since(asked) / 3

			feed := start(t, "eventgen", generatorArgs([]string{
				"-n", strconv.Itoa(wholeSet), "-skip", "20000", "-avro", topic, "-rate", "2000", "-partitions", strconv.Itoa(partitions),
			})...)
			first := start(t, "ingestd", "run", "-c", config)
			eventually(t, time.Minute, "a commit before the kill", func() bool { return first.commits() > 0 })
			first.kill()
			restarted := time.Now()
			second := start(t, "ingestd", "run", "-c", config)
			eventually(t, time.Minute, "a commit after the restart", func() bool { return second.commits() > 0 })
			took := second.logged("committed")[0].Time.Sub(restarted)
			t.Logf("%s: first commit %.2f s after the restart, a plain load takes %.2f s", name, took.Seconds(), plain.Seconds())
			require.LessOrEqual(t, took, max(goal, loads*plain))
			feed.signal(sigterm)
			require.Zero(t, feed.wait(time.Minute))
			second.terminate(drainDeadline)
		})
	}
	f("1000 snapshots of 200 partitions", 200, 1000, false)
	f("100 snapshots of 1000 partitions", 1000, 100, false)
	f("10000 foreign snapshots", 4, 10_000, true)
}

// lengthen gives a table a history that would take an hour to write: copies of its last snapshot, one after the other,
// without what ingestd wrote into the summary if somebody else is to have made them.
func lengthen(t *testing.T, table string, snapshots int, foreign bool) {
	t.Helper()
	namespace, name, _ := strings.Cut(table, ".")
	tables := env.stack.Catalog() + "/v1/namespaces/" + namespace + "/tables"
	var loaded struct {
		Location string         `json:"metadata-location"`
		Metadata map[string]any `json:"metadata"`
	}
	ask(t, http.MethodGet, tables+"/"+name, nil, &loaded)
	extend(loaded.Metadata, snapshots, foreign)
	text, err := json.Marshal(loaded.Metadata)
	require.NoError(t, err)
	location := strings.Replace(loaded.Location, ".metadata.json", "-long.metadata.json", 1)
	// versitygw is a folder: a file in it is an object.
	path := filepath.Join(env.stack.RunDir(), "s3", "data", filepath.FromSlash(strings.TrimPrefix(location, "s3://")))
	require.NoError(t, os.WriteFile(path, text, 0o600))
	ask(t, http.MethodDelete, tables+"/"+name+"?purgeRequested=false", nil, nil)
	ask(t, http.MethodPost, env.stack.Catalog()+"/v1/namespaces/"+namespace+"/register",
		map[string]string{"name": name, "metadata-location": location}, nil)
}

// extend appends to the history in a table's metadata.
func extend(metadata map[string]any, snapshots int, foreign bool) {
	history := metadata["snapshots"].([]any)
	log := metadata["snapshot-log"].([]any)
	last := history[len(history)-1].(map[string]any)
	id, _ := last["snapshot-id"].(json.Number).Int64()
	sequence, _ := last["sequence-number"].(json.Number).Int64()
	millis, _ := last["timestamp-ms"].(json.Number).Int64()
	summary := map[string]any{}
	for k, v := range last["summary"].(map[string]any) {
		if !foreign || !strings.HasPrefix(k, "ingestd.") {
			summary[k] = v
		}
	}
	for range snapshots {
		next := map[string]any{}
		for k, v := range last {
			next[k] = v
		}
		next["parent-snapshot-id"], next["summary"] = id, summary
		id, sequence, millis = id+1, sequence+1, millis+1
		next["snapshot-id"], next["sequence-number"], next["timestamp-ms"] = id, sequence, millis
		history = append(history, next)
		log = append(log, map[string]any{"snapshot-id": id, "timestamp-ms": millis})
	}
	metadata["snapshots"], metadata["snapshot-log"] = history, log
	metadata["current-snapshot-id"], metadata["last-sequence-number"], metadata["last-updated-ms"] = id, sequence, millis
	metadata["refs"].(map[string]any)["main"].(map[string]any)["snapshot-id"] = id
}

// ask sends one request to the catalog; what it answers goes into answer, with numbers as they stand.
func ask(t *testing.T, method, url string, body, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(text))
	require.NoError(t, err)
	if body == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, 300, fmt.Sprintf("%s %s: %.500s", method, url, got))
	if answer != nil {
		decoder := json.NewDecoder(bytes.NewReader(got))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(answer))
	}
}
