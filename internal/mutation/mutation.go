package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mutation takes one check out of the product.
type mutation struct {
	name string
	// file is the path from the module's root, with slashes.
	file string
	// old occurs exactly once in the file and is replaced by text.
	old, text string
	// pkg has the test that must fail, as ./path.
	pkg, test string
	// why says what the check is for.
	why string
}

func (m *mutation) path(root string) string { return filepath.Join(root, filepath.FromSlash(m.file)) }

// mutated is the whole text of the file without the check.
func (m *mutation) mutated(root string) (string, error) {
	text, err := os.ReadFile(m.path(root))
	if err != nil {
		return "", fmt.Errorf("mutation %s: %w", m.name, err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("mutation %s: its text occurs %d times in %s instead of once; the check has moved, and the mutation must follow it:\n%s",
			m.name, n, m.file, indent(m.old))
	}
	return strings.Replace(string(text), m.old, m.text, 1), nil
}
