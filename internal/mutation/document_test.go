package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write docs/CHECKS.md instead of comparing it")

// TestDocument keeps the page that lists the checks.
func TestDocument(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	file := filepath.Join(root, "docs", "CHECKS.md")
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(document()), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, string(got) == document(), "docs/CHECKS.md is not current: go test ./internal/mutation -rewrite")
}

func document() string {
	var b strings.Builder
	b.WriteString(`<!-- written by go test ./internal/mutation -rewrite -->

# Checks

What exactly once rests on, check by check. Each was taken out of the program, and the test beside it noticed: not by the compiler, not by
a panic, not by a deadline. ` + "`make mutation`" + ` does that again with all of them (` + "`MUTATION_ARGS='-run pin'`" + ` with some), and every
change has to pass it.

| check | what it is for | where | held by |
|---|---|---|---|
`)
	list := slices.Clone(mutations())
	slices.SortFunc(list, func(x, y mutation) int { return strings.Compare(x.name, y.name) })
	for _, m := range list {
		fmt.Fprintf(&b, "| %s | %s | `%s` | `%s`, %s |\n", m.name, m.why, m.file, m.test, strings.TrimPrefix(m.pkg, "./"))
	}
	return b.String()
}
