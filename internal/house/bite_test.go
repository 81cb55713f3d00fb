package house

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// snippet is a made-up file and what the rules must say about it.
type snippet struct {
	name string
	path string
	text string
	want []string
}

func snippets() []snippet {
	long := "package x\n\nfunc f() {\n" + strings.Repeat("\tg()\n", maxFuncLines) + "}\n"
	return []snippet{
		{"import against the way", "table/column/x.go", `import _ "github.com/ingestd/ingestd/ingest"`, []string{
			"table/column/x.go:3: import matrix: table/column must not import ingest",
		}},
		{"import down the way", "ingest/x.go", `import _ "github.com/ingestd/ingestd/table/column"`, nil},
		{"config is imported by cmd only", "ingest/x.go", `import _ "github.com/ingestd/ingestd/config"`, []string{"import matrix"}},
		{"a package without a room", "elsewhere/x.go", "", []string{"elsewhere/x.go:1: package elsewhere has no line in the import matrix"}},
		{"a library of another room", "ingest/x.go", `import _ "github.com/spf13/cobra"`, []string{"only toucher: github.com/spf13/cobra is for cmd/ingestd"}},
		{"a library of nobody", "ingest/x.go", `import _ "example.com/lib"`, []string{"only toucher: nobody may import example.com/lib yet"}},
		{"a library in a test", "ingest/x_test.go", `import _ "example.com/lib"`, nil},
		{"a checker that knows the product", "integration/checker/x_test.go", `import _ "github.com/ingestd/ingestd/commit/state"`, []string{"the checker must not import"}},
		{"sleep", "ingest/x.go", "import \"time\"\n\nfunc f() { time.Sleep(1) }", []string{"banned call: time.Sleep"}},
		{"sleep under another name", "ingest/x.go", "import t \"time\"\n\nvar f = t.Sleep", []string{"banned call: time.Sleep"}},
		{"sleep in a test", "ingest/x_test.go", "import \"time\"\n\nfunc f() { time.Sleep(1) }", []string{"banned call: time.Sleep"}},
		{"sleep in a bubble", "ingest/x_test.go", "import (\n\"testing/synctest\"\n\"time\"\n)\n\nfunc f() { synctest.Wait(); time.Sleep(1) }", nil},
		{"background", "ingest/x.go", "import \"context\"\n\nvar f = context.Background", []string{"banned call: context.Background"}},
		{"background in cmd", "cmd/ingestd/x.go", "import \"context\"\n\nvar f = context.Background", nil},
		{"a variable is no package", "ingest/x.go", "import \"time\"\n\nfunc f(time interface{ Sleep() }) { time.Sleep() }", nil},
		{"exit", "ingest/x.go", "import \"os\"\n\nfunc f() { os.Exit(1) }", []string{"banned call: os.Exit"}},
		{"print", "ingest/x.go", "import \"fmt\"\n\nfunc f() { fmt.Println(); println() }", []string{"banned call: fmt.Println", "banned call: println"}},
		{"environment", "ingest/x.go", "import \"os\"\n\nvar f = os.Getenv", []string{"config owns the environment"}},
		{"go", "ingest/x.go", "func f() { go f() }", []string{"bare go statement"}},
		{"go in the helper", "internal/rungroup/rungroup.go", "func f() { go f() }", nil},
		{"go in a test", "ingest/x_test.go", "func f() { go f() }", nil},
		{"panic", "ingest/x.go", `func f() { panic("oh") }`, []string{"panic: return an error"}},
		{"assertion", "ingest/x.go", "import \"fmt\"\n\nfunc f() { panic(fmt.Sprintf(\"BUG: %d\", 1)) }", nil},
		{"init", "ingest/x.go", "func init() {}", []string{"init functions"}},
		{"state", "ingest/x.go", "var n int\n\nfunc f() { n++ }", []string{"package state: n is written (declared at ingest/x.go:3)"}},
		{"state in a map", "ingest/x.go", "var m = map[int]int{}\n\nfunc f() { m[1] = 2 }", []string{"package state: m is written"}},
		{"state by address", "ingest/x.go", "var n int\n\nfunc f() *int { return &n }", []string{"package state: n is written"}},
		{"a lock", "ingest/x.go", "import \"sync\"\n\nvar mu sync.Mutex", []string{"package state: a sync.Mutex"}},
		{"a sentinel", "ingest/x.go", "import \"errors\"\n\nvar errX = errors.New(\"x\")\n\nfunc f() error { errX := errX; return errX }", nil},
		{"a local of the same name", "ingest/x.go", "var n = 1\n\nfunc f() { n := n; n++ }", nil},
		{"six parameters", "ingest/x.go", "func f(a, b, c, d, e, f int) {}", []string{"parameters: 6, at most 5"}},
		{"a format is one parameter", "ingest/x.go", "func f(a, b, c, d int, format string, args ...any) {}", nil},
		{"a wide interface", "ingest/x.go", "type i interface { A(); B(); C(); D(); E() }", []string{"interfaces: ingest.i has 5 methods"}},
		{"a long function", "ingest/x.go", strings.TrimPrefix(long, "package x\n"), []string{"function length: ingest.f has 72 lines", "0.0 % have at most 45 lines"}},
		{"a long file", "ingest/x.go", strings.Repeat("\n", maxFileLines), []string{"file length"}},
		{"no comment", "ingest/x.go", "func F() {}\n\ntype T int\n\nfunc (t *T) M() {}\n\nconst C = 1", []string{
			"ingest/x.go:3 F: exported", "ingest/x.go:5 T: exported", "ingest/x.go:7 M: exported", "ingest/x.go:9 C: exported",
			"0.0 % documented",
		}},
		{"comments", "ingest/x.go", "// F is.\nfunc F() {}\n\n// Group.\nconst (\n\tA = 1\n\tB = 2\n)\n\ntype t int\n\nfunc (t) M() {}", nil},
	}
}

// TestRulesBite gives each rule something to find, and something that only looks like it.
func TestRulesBite(t *testing.T) {
	for _, x := range snippets() {
		t.Run(x.name, func(t *testing.T) {
			s, err := parse("", x.path, "package x\n\n"+x.text+"\n")
			require.NoError(t, err)
			got := complaints([]source{s})
			require.Len(t, got, len(x.want), "%v", got)
			for i, want := range x.want {
				require.Contains(t, got[i], want)
			}
		})
	}
}

// complaints runs every rule that looks at single files.
func complaints(code []source) []string {
	var got []string
	complain := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	checkMatrix(code, complain)
	checkChecker(code, complain)
	checkTouchers(code, complain)
	checkBans(code, complain)
	checkStatements(code, complain)
	checkState(code, complain)
	checkParameters(code, complain)
	checkInterfaces(code, complain)
	checkFunctionLength(code, nil, complain)
	checkFileLength(code, complain)
	checkDocumented(code, complain)
	return got
}

func TestPackageCommentBites(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		s, err := parse("", "ingest/x.go", text)
		require.NoError(t, err)
		got := []string{}
		checkPackageComments([]source{s}, func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) })
		require.Equal(t, want, strings.Join(got, "\n"))
	}
	f("package x\n", "ingest/x.go:1: package comment: package ingest has none")
	f("// Something else.\npackage x\n", "ingest/x.go:1: package comment: package ingest has none")
	f("// Package x is.\npackage x\n", "")
	f("// Command x is.\npackage main\n", "")
}

func TestExceptionsMustBeNeeded(t *testing.T) {
	var got []string
	complain := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
	s, err := parse("", "ingest/x.go", "package x\n\nfunc f() {}\n")
	require.NoError(t, err)
	checkFunctionLength([]source{s}, map[string]string{"ingest.f": "was long once"}, complain)
	require.Equal(t, []string{"function length: the exception for ingest.f is not needed"}, got)
	got = nil
	checkFunctionLength([]source{s}, map[string]string{"a": "", "b": "", "c": "", "d": ""}, complain)
	require.Contains(t, got[0], "4 exceptions, at most 3")
}

func TestTextBites(t *testing.T) {
	for text, rule := range map[string]string{
		"see /work/main/x":        "machine paths",
		"path = \"/root/go\"":     "machine paths",
		"cd /home/somebody/src":   "machine paths",
		"dir: /tmp":               "machine paths",
		"// TODO: later":          "open ends",
		"x() //nolint:errcheck":   "explained nolint",
		"a rework/main of things": "",
		"https://x.example/work/": "",
		"TODOS":                   "",
		"x() //nolint:errcheck // the file is read only": "",
	} {
		got := ""
		for _, p := range phrases() {
			if p.possible([]byte(text)) {
				checkText(p, "f", text, func(_ string, args ...any) { got = args[2].(string) })
			}
		}
		require.Equal(t, rule, got, text)
	}
}

func TestRoomOf(t *testing.T) {
	for dir, want := range map[string]string{
		"schemareg": "schemareg", "schemareg/avro": "schemareg/...", "table/column/columntest": "table/column/columntest", "cmd/ingestd": "cmd/ingestd",
	} {
		r, ok := roomOf(dir)
		require.True(t, ok, dir)
		require.Equal(t, want, r.dir)
	}
}
