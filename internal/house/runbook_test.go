package house

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// codesOf lists the codes of the given classes in product code, each with one place. Codes that are only known when
// the program runs are those of other errors.
func codesOf(code []source, classes ...string) map[string]string {
	constants := map[string]map[string]string{}
	for _, s := range code {
		eachConstant(s.file, func(name, value string) {
			if constants[s.dir] == nil {
				constants[s.dir] = map[string]string{}
			}
			constants[s.dir][name] = value
		})
	}
	out := map[string]string{}
	for _, s := range code {
		if !s.product() {
			continue
		}
		note := func(e ast.Expr) {
			if c := codeOf(e, s.dir, constants); c != "" {
				out[c] = s.at(e.Pos())
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				eachAfter(n.Args, classes, note)
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "halt" && len(n.Args) > 1 {
					note(n.Args[0])
				}
			case *ast.ReturnStmt:
				eachAfter(n.Results, classes, note)
			}
			return true
		})
	}
	return out
}

// eachAfter calls f for every expression that follows one of the classes.
func eachAfter(list []ast.Expr, classes []string, f func(ast.Expr)) {
	for i := 1; i < len(list); i++ {
		if s, ok := list[i-1].(*ast.SelectorExpr); ok && slices.Contains(classes, s.Sel.Name) {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "failure" {
				f(list[i])
			}
		}
	}
}

// codeOf is the value of a code: a literal, a constant of the package, or one of another package.
func codeOf(e ast.Expr, dir string, constants map[string]map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.Ident:
		return constants[dir][e.Name]
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			for other, list := range constants {
				if path.Base(other) == x.Name {
					return list[e.Sel.Name]
				}
			}
		}
	}
	return ""
}

// eachConstant calls f for the constants that are codes.
func eachConstant(file *ast.File, f func(name, value string)) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, name := range v.Names {
				if i < len(v.Values) {
					if lit, ok := v.Values[i].(*ast.BasicLit); ok && strings.HasPrefix(lit.Value, `"E_`) {
						value, _ := strconv.Unquote(lit.Value)
						f(name.Name, value)
					}
				}
			}
		}
	}
}

// sections are the codes that the headings of the runbook name.
func sections(text string) map[string]bool {
	out := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "## ") {
			for _, c := range regexp.MustCompile(`E_[A-Z0-9_]+`).FindAllString(line, -1) {
				out[c] = true
			}
		}
	}
	return out
}

// TestRunbook: whatever stops a table until an operator acts has a section that says what to do, and every section is
// about something that exists.
func TestRunbook(t *testing.T) {
	tree := theTree(t)
	text, err := os.ReadFile(filepath.Join(tree.root, "docs", "RUNBOOK.md"))
	require.NoError(t, err)
	have := sections(string(text))
	codes := codesOf(tree.code, "Halt", "Poison")
	require.Greater(t, len(codes), 20, "the codes are found")
	for code, at := range codes {
		require.True(t, have[code], "%s: docs/RUNBOOK.md has no section for %s", at, code)
	}
	all := codesOf(tree.code, "Halt", "Poison", "Config", "Fatal", "Retry", "Unknown")
	for _, s := range tree.code {
		eachConstant(s.file, func(_, value string) { all[value] = s.path })
	}
	for code := range have {
		require.Contains(t, all, code, "docs/RUNBOOK.md has a section for a code that does not exist")
	}
}

// TestCommandsInHintsExist: a command that a hint or the runbook names can be typed.
func TestCommandsInHintsExist(t *testing.T) {
	tree := theTree(t)
	commands, verbs := map[string]bool{}, map[string]bool{}
	use := regexp.MustCompile(`Use:\s+"([a-z]+)[ "]`)
	verb := regexp.MustCompile(`Verb = "([a-z-]+)"`)
	var texts []string
	for _, s := range tree.code {
		b, err := os.ReadFile(filepath.Join(tree.root, filepath.FromSlash(s.path)))
		require.NoError(t, err)
		if within(s.dir, "cmd/ingestd") && !s.test {
			for _, m := range use.FindAllStringSubmatch(string(b), -1) {
				commands[m[1]] = true
			}
		}
		if s.dir == "commit" && !s.test {
			for _, m := range verb.FindAllStringSubmatch(string(b), -1) {
				verbs[m[1]] = true
			}
		}
		if s.product() {
			texts = append(texts, string(b))
		}
	}
	require.Len(t, verbs, 4)
	runbook, err := os.ReadFile(filepath.Join(tree.root, "docs", "RUNBOOK.md"))
	require.NoError(t, err)
	texts = append(texts, string(runbook))
	tables := regexp.MustCompile(`ingestd tables ([a-z][a-z-]*)`)
	quoted := regexp.MustCompile("(?m)(?:`|^    )ingestd ([a-z]+)")
	for _, text := range texts {
		for _, m := range tables.FindAllStringSubmatch(text, -1) {
			require.True(t, verbs[m[1]], "there is no command %q", m[0])
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(string(runbook), -1) {
		require.True(t, commands[m[1]], "there is no command %q", m[0])
	}
}
