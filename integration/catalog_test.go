//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// snapshot is one commit as the catalog shows it.
type snapshot struct {
	ID       int64             `json:"snapshot-id"`
	Parent   int64             `json:"parent-snapshot-id"`
	Millis   int64             `json:"timestamp-ms"`
	Sequence int64             `json:"sequence-number"`
	Summary  map[string]string `json:"summary"`
}

// tableMetadata is the part of a table's metadata that tests look at.
type tableMetadata struct {
	FormatVersion int               `json:"format-version"`
	Properties    map[string]string `json:"properties"`
	Current       int64             `json:"current-snapshot-id"`
	Snapshots     []snapshot        `json:"snapshots"`
}

// total is the number of rows of the current snapshot.
func (m *tableMetadata) total() int64 {
	if m == nil {
		return 0
	}
	for _, s := range m.Snapshots {
		if s.ID == m.Current {
			n, _ := strconv.ParseInt(s.Summary["total-records"], 10, 64)
			return n
		}
	}
	return 0
}

// loadTable asks the REST catalog; nil when there is no such table yet.
func loadTable(t *testing.T, name string) *tableMetadata {
	t.Helper()
	namespace, table, _ := strings.Cut(name, ".")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	url := fmt.Sprintf("%s/v1/namespaces/%s/tables/%s", env.stack.Catalog(), namespace, table)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil
	}
	require.Equal(t, http.StatusOK, res.StatusCode, url)
	var answer struct{ Metadata tableMetadata }
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return &answer.Metadata
}

// awaitRows waits until a table has at least so many rows.
func awaitRows(t *testing.T, within time.Duration, table string, rows int64) {
	t.Helper()
	eventually(t, within, fmt.Sprintf("%s has %d rows", table, rows), func() bool {
		return loadTable(t, table).total() >= rows
	})
}
