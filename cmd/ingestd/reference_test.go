package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/internal/admin"
	"github.com/ingestd/ingestd/internal/demo"
)

const module = "github.com/ingestd/ingestd/"

// results are what the commands write with -o json. preview writes an object a line.
func results() map[string]reflect.Type {
	return map[string]reflect.Type{
		"ingestd config show":                  nil, // the configuration itself: docs/CONFIG.md
		"ingestd demo":                         reflect.TypeFor[demo.Summary](),
		"ingestd explain":                      reflect.TypeFor[explanations](),
		"ingestd maintain expire-snapshots":    reflect.TypeFor[compaction.ExpireResult](),
		"ingestd maintain jobs":                reflect.TypeFor[compaction.JobList](),
		"ingestd maintain remove-orphan-files": reflect.TypeFor[compaction.OrphansResult](),
		"ingestd maintain rewrite-manifests":   reflect.TypeFor[compaction.ManifestsResult](),
		"ingestd maintain rewrite-data-files":  reflect.TypeFor[compaction.RewriteResult](),
		"ingestd preview":                      reflect.TypeFor[previewed](),
		"ingestd status":                       reflect.TypeFor[statusReport](),
		"ingestd tables":                       reflect.TypeFor[tableList](),
		"ingestd tables accept-loss":           reflect.TypeFor[decisionReport](),
		"ingestd tables adopt":                 reflect.TypeFor[decisionReport](),
		"ingestd tables resume":                reflect.TypeFor[decisionReport](),
		"ingestd tables rewind":                reflect.TypeFor[decisionReport](),
		"ingestd validate":                     reflect.TypeFor[validation](),
		"ingestd verify":                       reflect.TypeFor[verification](),
		"ingestd version":                      reflect.TypeFor[buildInfo](),
	}
}

// routes are the objects that the admin listener answers with.
func routes() map[string]reflect.Type {
	return map[string]reflect.Type{
		"GET /api/v1/tables":        reflect.TypeFor[admin.Tables](),
		"GET /api/v1/tables/{name}": reflect.TypeFor[admin.Table](),
		"GET /api/v1/jobs":          reflect.TypeFor[compaction.JobList](),
		"GET /api/v1/jobs/{id}":     reflect.TypeFor[compaction.JobStatus](),
		"POST /api/v1/tables/{name}/maintenance/{procedure}?dry_run=&where=": reflect.TypeFor[compaction.JobStatus](),
		"GET /debug/budget": reflect.TypeFor[admin.Budget](),
	}
}

// TestReference keeps docs/CLI.md: the help of every command, and the fields of its JSON with the comments they have in
// the source.
func TestReference(t *testing.T) {
	d := &reference{t: t, comments: map[string]string{}, read: map[string]bool{}, told: map[reflect.Type]bool{}}
	d.printf(`<!-- written by go test ./cmd/ingestd -rewrite -->

# Commands

What ` + "`ingestd`" + ` can be told, and what it answers. Errors are one line on standard error, with a hint, and an exit code:
0 done, 1 it did not work out (the line says why), 2 the command line is wrong, 75 try again later, 78 the configuration
is wrong. With ` + "`-o json`" + ` the result is one object on standard output, and nothing else is. Fields may be added;
those that are here keep their name and meaning.
`)
	a := &app{}
	d.command(a.root())
	for name := range results() {
		require.Contains(t, d.out.String(), "\n## "+name+"\n")
	}
	d.printf("\n# HTTP\n\nThe admin listener answers with JSON as well; faults are `application/problem+json` (RFC 9457) with `code` and `hint`.\n")
	for _, route := range slices.Sorted(maps.Keys(routes())) {
		d.printf("\n## %s\n", route)
		d.object(routes()[route])
	}
	golden(t, "../../../docs/CLI.md", d.out.String())
}

// reference is the page as it grows.
type reference struct {
	t   *testing.T
	out strings.Builder
	// comments are those of types and fields, by "package.Type.Field"; read are the packages they have been read from.
	comments map[string]string
	read     map[string]bool
	// told are the types that have a table already.
	told map[reflect.Type]bool
}

func (d *reference) printf(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

func (d *reference) command(c *cobra.Command) {
	if c.Name() == "help" || c.Name() == "completion" {
		return
	}
	path := strings.Fields(c.CommandPath())[1:]
	d.printf("\n## %s\n\n```text\n%s```\n", c.CommandPath(), command(d.t, append(path, "--help")...).out)
	if result, ok := results()[c.CommandPath()]; ok && result != nil {
		d.object(result)
	} else {
		require.Equal(d.t, ok, c.Flags().Lookup("output") != nil, "the result of %s is not described", c.CommandPath())
	}
	for _, child := range c.Commands() {
		d.command(child)
	}
}

// object writes the table of a type, and then those of the types in it that have none yet.
func (d *reference) object(t reflect.Type) {
	if d.told[t] {
		d.printf("\nThe object is %s.\n", link(t))
		return
	}
	d.told[t] = true
	d.load(t)
	text := strings.TrimPrefix(d.comments[key(t, "")], t.Name())
	d.printf("\n<a id=%q></a>**%s**%s\n\n| field | JSON type | meaning |\n|---|---|---|\n", anchor(t), t.Name(), text)
	var inner []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || tag == "-" {
			continue
		}
		text := d.comments[key(t, f.Name)]
		if strings.Contains(options, "omitempty") {
			text = strings.TrimSpace(text + " Left out when empty.")
		}
		name, object := d.kind(f.Type)
		d.printf("| `%s` | %s | %s |\n", tag, name, strings.ReplaceAll(text, "|", "\\|"))
		if object != nil && !slices.Contains(inner, object) {
			inner = append(inner, object)
		}
	}
	for _, x := range inner {
		if !d.told[x] {
			d.object(x)
		}
	}
}

// kind is what JSON makes of a type, and the object in it that has fields of its own.
func (d *reference) kind(t reflect.Type) (string, reflect.Type) {
	switch {
	case t.Kind() == reflect.Pointer:
		name, object := d.kind(t.Elem())
		return name + " or null", object
	case t.String() == "time.Time":
		return "time (RFC 3339)", nil
	case t.Kind() == reflect.Slice:
		name, object := d.kind(t.Elem())
		return "array of " + name, object
	case t.Kind() == reflect.Map:
		name, object := d.kind(t.Elem())
		return "object of " + name, object
	case t.Kind() == reflect.Struct:
		return link(t), t
	case t.Kind() == reflect.Interface, t.String() == "json.RawMessage":
		return "any", nil
	case t.Kind() == reflect.Bool:
		return "boolean", nil
	case t.Kind() == reflect.String:
		return "string", nil
	default:
		return "number", nil
	}
}

// anchor tells types of one name apart by their packages.
func anchor(t reflect.Type) string { return strings.ToLower(strings.ReplaceAll(t.String(), ".", "-")) }

func link(t reflect.Type) string { return fmt.Sprintf("[%s](#%s)", t.Name(), anchor(t)) }

func key(t reflect.Type, field string) string { return t.PkgPath() + "." + t.Name() + "." + field }

// load reads the comments of a type's package.
func (d *reference) load(t reflect.Type) {
	pkg := t.PkgPath()
	dir, ours := strings.CutPrefix(pkg, module)
	require.True(d.t, ours, "%s is somebody else's type", t)
	if d.read[pkg] {
		return
	}
	d.read[pkg] = true
	files, err := filepath.Glob(filepath.Join(testdata, "../../..", dir, "*.go"))
	require.NoError(d.t, err)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(d.t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if types, ok := n.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				d.types(pkg, types)
			}
			return true
		})
	}
}

func (d *reference) types(pkg string, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		t := spec.(*ast.TypeSpec)
		name := pkg + "." + t.Name.Name + "."
		d.comments[name] = strings.Join(strings.Fields(decl.Doc.Text()), " ")
		block, ok := t.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range block.Fields.List {
			for _, id := range f.Names {
				d.comments[name+id.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
	}
}
