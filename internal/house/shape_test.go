package house

import (
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"testing"
)

const (
	maxFileLines    = 800
	wantFileMedian  = 200
	maxFuncLines    = 70
	usualFuncLines  = 45
	usualFuncShare  = 0.90
	maxLongFuncs    = 3
	maxParams       = 5
	maxMethods      = 4
	wantTestPerCode = 1.0
)

// longFunctions are the functions that may be longer than maxFuncLines, with the reason. At most maxLongFuncs.
func longFunctions() map[string]string {
	return map[string]string{
		"schemareg/avro.Program.run": "the decode loop: one switch over the operations of a compiled program",
	}
}

// wideInterfaces may have more than maxMethods methods, with the reason.
func wideInterfaces() map[string]string {
	return map[string]string{}
}

func TestFileLength(t *testing.T) {
	var product []int
	code, tests := 0, 0
	checkFileLength(theTree(t).code, t.Errorf)
	for _, s := range theTree(t).code {
		switch {
		case s.product():
			product = append(product, s.lines)
			code += s.lines
		case !peer(s.dir):
			tests += s.lines
		}
	}
	slices.Sort(product)
	median := product[len(product)/2]
	if median > wantFileMedian {
		t.Errorf("file length: the median is %d lines, at most %d", median, wantFileMedian)
	}
	t.Logf("product: %d files, %d lines, median %d, longest %d; tests: %d lines, %.2f for one of product (goal %.1f)",
		len(product), code, median, product[len(product)-1], tests, float64(tests)/float64(code), wantTestPerCode)
}

func checkFileLength(code []source, complain complain) {
	for _, s := range code {
		if s.lines > maxFileLines {
			complain("%s:%d: file length: %d lines, at most %d", s.path, maxFileLines, s.lines, maxFileLines)
		}
	}
}

func TestFunctionLength(t *testing.T) {
	checkFunctionLength(theTree(t).code, longFunctions(), t.Errorf)
}

// checkFunctionLength takes the exceptions by name; one that is not needed is a violation, too.
func checkFunctionLength(code []source, exceptions map[string]string, complain complain) {
	if len(exceptions) > maxLongFuncs {
		complain("function length: %d exceptions, at most %d", len(exceptions), maxLongFuncs)
	}
	all, usual := 0, 0
	unused := maps.Clone(exceptions)
	for _, s := range code {
		if !s.product() {
			continue
		}
		for _, f := range functions(s) {
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			all++
			if lines <= usualFuncLines {
				usual++
			}
			name := s.dir + "." + funcName(f)
			if _, listed := exceptions[name]; lines > maxFuncLines && !listed {
				complain("%s: function length: %s has %d lines, at most %d", s.at(f.Pos()), name, lines, maxFuncLines)
			} else if lines > maxFuncLines {
				delete(unused, name)
			}
		}
	}
	for name := range unused {
		complain("function length: the exception for %s is not needed", name)
	}
	if share := float64(usual) / float64(all); share < usualFuncShare {
		complain("function length: %.1f %% have at most %d lines, want %.0f %%", 100*share, usualFuncLines, 100*usualFuncShare)
	}
}

func TestParameters(t *testing.T) { checkParameters(theTree(t).code, t.Errorf) }

func checkParameters(code []source, complain complain) {
	for _, s := range code {
		if !s.product() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncType); ok && params(f) > maxParams {
				complain("%s: parameters: %d, at most %d", s.at(f.Pos()), params(f), maxParams)
			}
			return true
		})
	}
}

// params counts parameters. The arguments of a format belong to the format.
func params(f *ast.FuncType) int {
	n := f.Params.NumFields()
	if n > 0 {
		if _, variadic := f.Params.List[len(f.Params.List)-1].Type.(*ast.Ellipsis); variadic {
			n--
		}
	}
	return n
}

func TestInterfaces(t *testing.T) { checkInterfaces(theTree(t).code, t.Errorf) }

func checkInterfaces(code []source, complain complain) {
	for _, s := range code {
		if !s.product() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			i, ok := spec.Type.(*ast.InterfaceType)
			name := s.dir + "." + spec.Name.Name
			if _, listed := wideInterfaces()[name]; ok && !listed && i.Methods.NumFields() > maxMethods {
				complain("%s: interfaces: %s has %d methods, at most %d", s.at(spec.Pos()), name, i.Methods.NumFields(), maxMethods)
			}
			return true
		})
	}
}

func functions(s source) []*ast.FuncDecl {
	var out []*ast.FuncDecl
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
			out = append(out, f)
		}
	}
	return out
}

// funcName names a function, or a method as Type.Method.
func funcName(f *ast.FuncDecl) string {
	if receiver := receiverName(f); receiver != "" {
		return receiver + "." + f.Name.Name
	}
	return f.Name.Name
}

func receiverName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
