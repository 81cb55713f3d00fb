package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// comments holds the comments of this package's struct fields and types, by "Type.Field" and "Type". They are
// the descriptions of docs/CONFIG.md and of the JSON Schema.
type comments map[string]string

func readComments(t *testing.T) comments {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	out := comments{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if types, ok := decl.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				out.add(types)
			}
		}
	}
	return out
}

func (c comments) add(types *ast.GenDecl) {
	for _, spec := range types.Specs {
		t := spec.(*ast.TypeSpec)
		c[t.Name.Name] = oneParagraph(types.Doc.Text())
		block, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range block.Fields.List {
			for _, name := range f.Names {
				c[t.Name.Name+"."+name.Name] = oneParagraph(f.Doc.Text())
			}
		}
	}
}

func oneParagraph(s string) string { return strings.Join(strings.Fields(s), " ") }

// of returns the comment of a field, or of the type itself.
func (c comments) of(t reflect.Type, field string) string {
	if field == "" {
		return c[t.Name()]
	}
	return c[t.Name()+"."+field]
}

// TestEverySettingHasAComment keeps the documentation complete: it is made of these comments.
func TestEverySettingHasAComment(t *testing.T) {
	c := readComments(t)
	for _, block := range blocks(reflect.TypeFor[Config]()) {
		require.NotEmpty(t, c.of(block, ""), "type %s", block.Name())
		for i := range block.NumField() {
			f := block.Field(i)
			if f.IsExported() && !f.Anonymous {
				text := c.of(block, f.Name)
				require.NotEmpty(t, text, "%s.%s", block.Name(), f.Name)
				require.True(t, strings.HasSuffix(text, "."), "%s.%s: a comment is a sentence", block.Name(), f.Name)
			}
		}
	}
}

// blocks lists the struct types that a type is made of, itself first.
func blocks(root reflect.Type) []reflect.Type {
	var out []reflect.Type
	seen := map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] || isScalar(reflect.New(t).Elem()) {
			return
		}
		seen[t] = true
		out = append(out, t)
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				visit(t.Field(i).Type)
			}
		}
	}
	visit(root)
	return out
}
