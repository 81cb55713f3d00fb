package house

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuaranteesNameTests: every test that docs/GUARANTEES.md names exists.
func TestGuaranteesNameTests(t *testing.T) {
	tree := theTree(t)
	text, err := os.ReadFile(filepath.Join(tree.root, "docs", "GUARANTEES.md"))
	require.NoError(t, err)
	known := map[string]bool{}
	for _, s := range tree.code {
		for _, f := range functions(s) {
			if s.test && f.Recv == nil {
				known[f.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, named)
	for _, n := range named {
		if !known[n[1]] {
			t.Errorf("docs/GUARANTEES.md names %s, which does not exist", n[1])
		}
	}
}
