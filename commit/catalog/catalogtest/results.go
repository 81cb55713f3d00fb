package catalogtest

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
)

// Yes is the answer to a question that a catalog meets in full.
const Yes = "yes"

// Report is what one catalog has answered.
type Report struct {
	// Type is the value of catalog.type, Server what answered, with its version.
	Type   string `json:"type"`
	Server string `json:"server"`
	// Can is what the catalog says of itself; Staged that it creates a table together with its first snapshot.
	Can    commit.Capabilities `json:"can"`
	Staged bool                `json:"staged"`
	// Answers go by the question's name: yes, or how it is refused.
	Answers map[string]string `json:"answers"`
}

// Load reads kept reports.
func Load(t testing.TB, file string) (kept []Report) {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(file))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &kept))
	return kept
}

// Keep puts a report in the place of the last one of the same type and server.
func Keep(t testing.TB, file string, r Report) {
	t.Helper()
	var kept []Report
	if _, err := os.Stat(file); err == nil {
		kept = Load(t, file)
	}
	kept = slices.DeleteFunc(kept, func(old Report) bool { return old.Type == r.Type && product(old.Server) == product(r.Server) })
	kept = append(kept, r)
	slices.SortFunc(kept, func(a, b Report) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Server, b.Server)) })
	text, err := json.MarshalIndent(kept, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
}

// product is a server's name without its version.
func product(server string) string {
	for i, c := range server {
		if c >= '0' && c <= '9' {
			return server[:i]
		}
	}
	return server
}
