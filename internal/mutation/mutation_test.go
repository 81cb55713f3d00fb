package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutationsFit holds the table against the tree: every text occurs once, every test exists. Whether the tests
// notice is for the program to find out; this only tells at once when a check moved.
func TestMutationsFit(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	names := map[string]bool{}
	for _, m := range mutations() {
		require.False(t, names[m.name], "mutation %s twice", m.name)
		names[m.name] = true
		require.NotEmpty(t, m.why, m.name)
		text, err := m.mutated(root)
		require.NoError(t, err)
		original, err := os.ReadFile(m.path(root))
		require.NoError(t, err)
		require.NotEqual(t, string(original), text, m.name)
		require.True(t, hasTest(t, filepath.Join(root, m.pkg), m.test), "%s has no %s", m.pkg, m.test)
	}
}

func hasTest(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	declaration := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(test) + `\(t \*testing\.T\)`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		if declaration.Match(text) {
			return true
		}
	}
	return false
}

func TestTextMustOccurOnce(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "x.go"), []byte("a b a c"), 0o600))
	text, err := (&mutation{file: "x.go", old: "b", text: "z"}).mutated(root)
	require.NoError(t, err)
	require.Equal(t, "a z a c", text)
	for _, old := range []string{"a", "d"} {
		_, err = (&mutation{name: "gone", file: "x.go", old: old}).mutated(root)
		require.ErrorContains(t, err, "mutation gone")
		require.ErrorContains(t, err, "instead of once")
	}
	_, err = (&mutation{file: "y.go"}).mutated(root)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestJudge(t *testing.T) {
	f := func(want fate, out string, tests ...string) {
		t.Helper()
		require.Equal(t, want, judge(out, tests), out)
	}
	f(survived, "=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\n", "TestA")
	f(survived, "--- PASS: TestA (0.00s)\n--- PASS: TestB (1.00s)\n", "TestA", "TestB")
	f(killed, "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\nFAIL\n", "TestA")
	f(killed, "--- PASS: TestA (0.00s)\n--- FAIL: TestB (1.00s)\n", "TestA", "TestB")
	f(late, "panic: test timed out after 1m0s\n--- FAIL: TestA (0.00s)\n", "TestA")
	f(panicked, "--- FAIL: TestA (0.00s)\npanic: runtime error: index out of range\n", "TestA")
	f(panicked, "fatal error: all goroutines are asleep - deadlock!\n", "TestA")
	f(unrun, "testing: warning: no tests to run\nPASS\n", "TestA")
	f(unrun, "--- SKIP: TestA (0.00s)\n", "TestA")
	f(unrun, "    --- FAIL: TestA (0.00s)\n--- PASS: TestAB (0.00s)\n", "TestA")
}

// A module of its own with one check and two tests, of which one is worth something.
const (
	checked = "package m\n\nfunc ok(n int) bool {\n\tif n < 0 {\n\t\treturn false\n\t}\n\treturn true\n}\n"
	tested  = "package m\n\nimport \"testing\"\n\nfunc TestOK(t *testing.T) {\n\tif ok(-1) {\n\t\tt.Fatal(\"negative\")\n\t}\n}\n\nfunc TestWeak(t *testing.T) {}\n"
)

func smallModule(t *testing.T) *builder {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n\ngo 1.26\n", "m.go": checked, "m_test.go": tested} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	return &builder{root: root, dir: t.TempDir()}
}

// TestFates goes the whole way for one mutation of each kind.
func TestFates(t *testing.T) {
	b := smallModule(t)
	m := func(name, text, test string) mutation {
		return mutation{name: name, file: "m.go", old: "return false", text: text, pkg: ".", test: test, why: "negative numbers are refused"}
	}
	all := []mutation{
		m("noticed", "return true", "TestOK"), m("unnoticed", "return true", "TestWeak"), m("nonsense", "return nothing", "TestOK"),
		m("panic", `panic("x")`, "TestOK"), m("lost", "return true", "TestGone"),
	}
	var out bytes.Buffer
	require.NoError(t, b.baseline(t.Context(), all[:2], &out))
	require.ErrorContains(t, b.baseline(t.Context(), all, &out), string(unrun))
	err := b.report(t.Context(), all, &out, true)
	require.ErrorContains(t, err, "4 of 5 checks can be taken out unnoticed: unnoticed, nonsense, panic, lost")
	text := out.String()
	for name, want := range map[string]fate{"noticed": killed, "unnoticed": survived, "nonsense": broken, "panic": panicked, "lost": unrun} {
		require.Regexp(t, `(?m)^`+name+` .* `+string(want)+` +\d`, text)
	}
	require.Contains(t, text, "undefined: nothing")
	require.NoError(t, b.report(t.Context(), all[:1], &out, false))
	require.Contains(t, out.String(), "1 checks, each held by its test")
	original, err := os.ReadFile(filepath.Join(b.root, "m.go"))
	require.NoError(t, err)
	require.Equal(t, checked, string(original), "the product is left alone")
}

func TestSelected(t *testing.T) {
	all := []mutation{{name: "pin"}, {name: "pin/branch"}, {name: "equality"}}
	require.Len(t, selected(all, ""), 3)
	require.Len(t, selected(all, "pin"), 2)
	require.ErrorContains(t, run(t.Context(), []string{"-run", "nonsense"}, &bytes.Buffer{}), `no mutation is called "nonsense"`)
}
