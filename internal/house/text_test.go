package house

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// phrase is a text that no file of the tree may hold.
type phrase struct {
	rule    string
	pattern *regexp.Regexp
	// hints are plain texts one of which a match contains: files without them are not searched.
	hints  []string
	except []string
}

func phrases() []phrase {
	return []phrase{
		{
			rule:    "machine paths",
			pattern: regexp.MustCompile(`(^|[\s"'=(:` + "`" + `])/(work|root|tmp|home/[a-z]+|Users/[A-Za-z]+)(/[A-Za-z0-9_.]|$)`),
			hints:   []string{"/work", "/root", "/tmp", "/home", "/Users"},
		},
		{
			rule:    "open ends",
			pattern: regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`),
			hints:   []string{"TODO", "FIXME", "XXX", "HACK"},
			except:  []string{".golangci.yml"}, // names context.TODO to ban it
		},
		{rule: "explained nolint", pattern: regexp.MustCompile(`//nolint(:[a-z,]+)?\s*$`), hints: []string{"nolint"}},
	}
}

func TestText(t *testing.T) {
	tree := theTree(t)
	for _, name := range tree.files {
		if name == "go.sum" || strings.HasPrefix(name, "internal/house/") || strings.Contains(name, "/testdata/fuzz/") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(tree.root, name))
		require.NoError(t, err)
		if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
			continue
		}
		for _, p := range phrases() {
			if p.possible(data) && !slices.Contains(p.except, name) {
				checkText(p, name, string(data), t.Errorf)
			}
		}
	}
}

func (p phrase) possible(data []byte) bool {
	return slices.ContainsFunc(p.hints, func(hint string) bool { return bytes.Contains(data, []byte(hint)) })
}

func checkText(p phrase, name, text string, complain complain) {
	for i, line := range strings.Split(text, "\n") {
		if p.pattern.MatchString(line) {
			complain("%s:%d: %s: %s", name, i+1, p.rule, strings.TrimSpace(line))
		}
	}
}
