package storetest

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Yes is the answer to a question that a store meets in full.
const Yes = "yes"

// Report is what one store has answered.
type Report struct {
	// Scheme is how its locations begin, Server what answered, with its version.
	Scheme string `json:"scheme"`
	Server string `json:"server"`
	// Answers go by the question's name.
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

// Keep puts a report in the place of the last one of the same scheme.
func Keep(t testing.TB, file string, r Report) {
	t.Helper()
	var kept []Report
	if _, err := os.Stat(file); err == nil {
		kept = Load(t, file)
	}
	kept = slices.DeleteFunc(kept, func(old Report) bool { return old.Scheme == r.Scheme })
	kept = append(kept, r)
	slices.SortFunc(kept, func(a, b Report) int { return cmp.Compare(a.Scheme, b.Scheme) })
	text, err := json.MarshalIndent(kept, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
}
