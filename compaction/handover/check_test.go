package handover

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// history is a table's metadata with snapshots one after the other, from 1 on; each is given by its summary.
func history(t *testing.T, summaries ...string) table.Metadata {
	t.Helper()
	var list []string
	for i, s := range summaries {
		parent := ""
		if i > 0 {
			parent = fmt.Sprintf(`"parent-snapshot-id": %d,`, i)
		}
		list = append(list, fmt.Sprintf(`{"snapshot-id": %d, %s "sequence-number": %d, "timestamp-ms": %d, "manifest-list": "file:///m%d", "summary": {%s}, "schema-id": 0}`,
			i+1, parent, i+1, 1700000000000+i, i+1, s))
	}
	m, err := table.ParseMetadataString(fmt.Sprintf(`{"format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "file:///t",
		"last-sequence-number": %d, "last-updated-ms": 1700000009999, "last-column-id": 1, "current-schema-id": 0,
		"schemas": [{"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "n", "required": false, "type": "long"}]}],
		"default-spec-id": 0, "partition-specs": [{"spec-id": 0, "fields": []}], "last-partition-id": 999,
		"default-sort-order-id": 0, "sort-orders": [{"order-id": 0, "fields": []}],
		"current-snapshot-id": %d, "refs": {"main": {"type": "branch", "snapshot-id": %d}}, "snapshots": [%s]}`,
		len(summaries), len(summaries), len(summaries), strings.Join(list, ",")))
	require.NoError(t, err)
	return m
}

const (
	appended = `"operation": "append", "added-records": "5", "ingestd.state": "x"`
	carried  = `"operation": "replace", "added-records": "4", "deleted-records": "9", "ingestd.state": "x"`
)

func rewriteSummary(added, deleted int, more string) string {
	return fmt.Sprintf(`"operation": "replace", "added-records": "%d", "deleted-records": "%d", "added-data-files": "1", "deleted-data-files": "7", "removed-files-size": "700"%s`,
		added, deleted, more)
}

func TestCheck(t *testing.T) {
	f := func(name, want string, result Result, added ...string) {
		t.Helper()
		got, err := Check(history(t, appended), history(t, append([]string{appended}, added...)...), "main")
		if want != "" {
			require.ErrorContains(t, err, want, name)
			require.Equal(t, CodeRows, failure.CodeOf(err), name)
			return
		}
		require.NoError(t, err, name)
		require.Len(t, got.IDs, got.Snapshots)
		got.IDs = nil
		require.Equal(t, result, got, name)
	}
	deletes := func(n int64) Result {
		return Result{Snapshots: 1, RewrittenDataFiles: 7, AddedDataFiles: 1, RewrittenBytes: 700, RemovedDeleteFiles: n}
	}
	f("nothing happened", "", Result{})
	f("only ingest", "", Result{}, appended, appended, carried)
	f("the same rows", "", deletes(0), appended, rewriteSummary(10, 10, ""), appended)
	f("deleted rows are left out", "", deletes(2), rewriteSummary(8, 10, `, "removed-position-deletes": "2", "removed-delete-files": "2"`))
	f("a delete that hit nothing", "", deletes(1), rewriteSummary(10, 10, `, "removed-position-deletes": "2", "removed-delete-files": "1"`))
	f("equality deletes", "", deletes(1), rewriteSummary(1, 10, `, "removed-equality-deletes": "1", "removed-delete-files": "1"`))
	f("rows are gone", "made on 1, replaces 10 rows by 9", Result{}, rewriteSummary(9, 10, ""))
	f("more rows are gone than were deleted", "made on 1, replaces 10 rows by 7", Result{}, rewriteSummary(7, 10, `, "removed-position-deletes": "2"`))
	f("rows came back", "made on 1, replaces 10 rows by 11", Result{}, rewriteSummary(11, 10, ""))

	other, err := table.ParseMetadataString(strings.ReplaceAll(mustJSON(t, history(t, appended, appended)), `"parent-snapshot-id":1`, `"parent-snapshot-id":77`))
	require.NoError(t, err)
	_, err = Check(history(t, appended), other, "main")
	require.ErrorContains(t, err, "is not in the history")

	// What was looked at has expired meanwhile: the rest is checked.
	whole := mustJSON(t, history(t, appended, appended, rewriteSummary(9, 9, ""), appended))
	rest := strings.Replace(whole, `"snapshot-id":1,`, `"snapshot-id":99,`, 1)
	require.NotEqual(t, whole, rest)
	cut, err := table.ParseMetadataString(rest)
	require.NoError(t, err)
	got, err := Check(history(t, appended), cut, "main")
	require.NoError(t, err)
	require.Equal(t, Result{Snapshots: 1, RewrittenDataFiles: 7, AddedDataFiles: 1, RewrittenBytes: 700, Cut: true, IDs: []int64{3}}, got)
	_, err = Check(history(t, appended), history(t, appended), "side")
	require.ErrorContains(t, err, "no snapshot")
}

func mustJSON(t *testing.T, m table.Metadata) string {
	t.Helper()
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}
