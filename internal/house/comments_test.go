package house

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// wantDocumented is the share of exported symbols that need a comment.
const wantDocumented = 0.90

func TestPackageComments(t *testing.T) { checkPackageComments(theTree(t).code, t.Errorf) }

func checkPackageComments(code []source, complain complain) {
	for dir, files := range packages(code) {
		commented, found := false, false
		for _, s := range files {
			if s.test && !onlyTests(files) {
				continue
			}
			found = true
			text := s.file.Doc.Text()
			commented = commented || strings.HasPrefix(text, "Package ") || strings.HasPrefix(text, "Command ")
		}
		if found && !commented {
			complain("%s:1: package comment: package %s has none", files[0].path, dir)
		}
	}
}

func onlyTests(files []source) bool {
	for _, s := range files {
		if !s.test {
			return false
		}
	}
	return true
}

func TestExportedSymbolsAreDocumented(t *testing.T) { checkDocumented(theTree(t).code, t.Errorf) }

func checkDocumented(code []source, complain complain) {
	all, missing := 0, []string{}
	for _, s := range code {
		if !s.product() {
			continue
		}
		for _, d := range s.file.Decls {
			a, m := undocumented(s, d)
			all += a
			missing = append(missing, m...)
		}
	}
	share := 1 - float64(len(missing))/float64(all)
	if share < wantDocumented {
		for _, m := range missing {
			complain("%s: exported symbols: no comment", m)
		}
		complain("exported symbols: %.1f %% documented, want %.0f %%", 100*share, 100*wantDocumented)
	}
}

// undocumented counts the exported symbols of a declaration and lists those without a comment. The comment of a
// group counts for its members.
func undocumented(s source, d ast.Decl) (all int, missing []string) {
	note := func(name *ast.Ident, documented bool) {
		if !name.IsExported() {
			return
		}
		all++
		if !documented {
			missing = append(missing, s.at(name.Pos())+" "+name.Name)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if receiver := receiverName(d); receiver == "" || token.IsExported(receiver) {
			note(d.Name, d.Doc != nil)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				note(spec.Name, d.Doc != nil || spec.Doc != nil || spec.Comment != nil)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					note(name, d.Doc != nil || spec.Doc != nil || spec.Comment != nil)
				}
			}
		}
	}
	return all, missing
}
