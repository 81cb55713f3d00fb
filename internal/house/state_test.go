package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestNoPackageState(t *testing.T) { checkState(theTree(t).code, t.Errorf) }

// checkState finds package-level variables that change: sentinels, tables and compiled expressions are fine as long
// as nobody writes to them.
func checkState(code []source, complain complain) {
	for _, files := range packages(code) {
		vars := map[string]string{}
		for _, s := range files {
			if s.product() {
				packageVars(s, vars, complain)
			}
		}
		for _, s := range files {
			if s.product() {
				reportWrites(s, vars, complain)
			}
		}
	}
}

// packageVars collects the package's variables and reports those whose type is there to change.
func packageVars(s source, vars map[string]string, complain complain) {
	for _, d := range s.file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			for _, name := range value.Names {
				if name.Name != "_" {
					vars[name.Name] = s.at(name.Pos())
				}
			}
			if what := changing(value); what != "" {
				complain("%s: package state: a %s at package level", s.at(value.Pos()), what)
			}
		}
	}
}

// changing names the kind of a variable that only makes sense when it is written to.
func changing(value *ast.ValueSpec) string {
	found := ""
	nodes := slices.Clone(value.Values)
	if value.Type != nil {
		nodes = append(nodes, value.Type)
	}
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ChanType:
				found = "channel"
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				if ok && (pkg.Name == "sync" || pkg.Name == "atomic") && !strings.HasPrefix(n.Sel.Name, "Once") {
					found = pkg.Name + "." + n.Sel.Name
				}
			}
			return true
		})
	}
	return found
}

// reportWrites finds assignments to the variables, to their elements and fields, and their addresses.
func reportWrites(s source, vars map[string]string, complain complain) {
	report := func(e ast.Expr) {
		if name := base(e); name != nil && vars[name.Name] != "" && isPackageVar(s, name) {
			complain("%s: package state: %s is written (declared at %s)", s.at(e.Pos()), name.Name, vars[name.Name])
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					report(left)
				}
			}
		case *ast.IncDecStmt:
			report(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND && !isLiteral(n.X) {
				report(n.X)
			}
		}
		return true
	})
}

// isLiteral reports whether an address is that of a new value.
func isLiteral(e ast.Expr) bool {
	_, ok := e.(*ast.CompositeLit)
	return ok
}

// base is the variable an expression reaches into.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isPackageVar reports whether an identifier is declared outside of functions. The parser resolves names within a
// file; a name it cannot resolve is another file's, hence the package's.
func isPackageVar(s source, name *ast.Ident) bool {
	if name.Obj == nil {
		return true
	}
	return slices.ContainsFunc(s.file.Decls, func(d ast.Decl) bool {
		group, ok := d.(*ast.GenDecl)
		return ok && slices.ContainsFunc(group.Specs, func(spec ast.Spec) bool { return any(spec) == name.Obj.Decl })
	})
}
