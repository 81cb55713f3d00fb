package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// elsewhere lists messages that no small file in testdata can provoke, with the test that does.
func elsewhere() map[string]string {
	return map[string]string{
		"the file has more than %d bytes":        "TestLimits",
		"the secret file has more than %d bytes": "TestReadSecretFile",
		"the YAML parser gave up on this file":   "a panic of the parser; FuzzConfig found none",
		"a key must be a plain word":             "TestOddKeys",
	}
}

// TestEveryRuleHasABadFile finds each message in the sources of this package and looks for it in the goldens.
func TestEveryRuleHasABadFile(t *testing.T) {
	goldens, err := filepath.Glob("testdata/*.bad.txt")
	require.NoError(t, err)
	var said strings.Builder
	for _, file := range goldens {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		said.Write(data)
	}
	messages := messagesOf(t)
	require.Greater(t, len(messages), 90)
	for message, where := range messages {
		if _, ok := elsewhere()[message]; ok {
			continue
		}
		pattern := regexp.MustCompile(`%[0-9.]*[a-z]`).ReplaceAllString(regexp.QuoteMeta(message), `.*`)
		if !regexp.MustCompile(pattern).MatchString(said.String()) {
			t.Errorf("%s: no file in testdata provokes %q", where, message)
		}
	}
}

// messagesOf collects the literal messages of faults, by their text.
func messagesOf(t *testing.T) map[string]token.Position {
	t.Helper()
	out := map[string]token.Position{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if text := messageOf(n); strings.Trim(text, "%sdqv ") != "" && !strings.Contains(text, "%w") {
				out[text] = fset.Position(n.Pos())
			}
			return true
		})
	}
	return out
}

// messageOf returns the message of a call or literal that makes a fault.
func messageOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		at, ok := map[string]int{
			"fault": 2, "warn": 2, "useless": 1, "uselessSecret": 1, "uselessIf": 2, "New": 0, "Errorf": 0,
		}[calledName(n)]
		if ok && at < len(n.Args) {
			return leftmostText(n.Args[at])
		}
	case *ast.CompositeLit:
		if id, ok := n.Type.(*ast.Ident); ok && id.Name == "hinted" && len(n.Elts) > 0 {
			return leftmostText(n.Elts[0])
		}
		if n.Type == nil && len(n.Elts) == 3 {
			if _, fn := n.Elts[2].(*ast.CompositeLit); !fn {
				return leftmostText(n.Elts[1]) // an effect: key, why, does
			}
		}
	}
	return ""
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	default:
		return ""
	}
}

// leftmostText returns the literal an expression begins with; a call to Sprintf begins with its format.
func leftmostText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		return leftmostText(e.X)
	case *ast.CallExpr:
		if calledName(e) == "Sprintf" {
			return leftmostText(e.Args[0])
		}
	}
	return ""
}
