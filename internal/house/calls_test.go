package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ban is one call that product code must not make.
type ban struct {
	call   string // package.Function
	except []string
	why    string
	// tests says that test files must not make it either.
	tests bool
}

func bans() []ban {
	cmd := []string{"cmd/ingestd"}
	return []ban{
		{call: "time.Sleep", tests: true, why: "wait for the event, or inject the clock; in a synctest bubble it is fine"},
		{call: "context.Background", except: cmd, why: "take the caller's context"},
		{call: "context.TODO", except: cmd, why: "take the caller's context"},
		{call: "os.Exit", except: cmd, why: "return an error"},
		{call: "log.Fatal", why: "return an error"},
		{call: "fmt.Print", except: cmd, why: "emit an event, or write to a writer that was handed in"},
		{call: "fmt.Println", except: cmd, why: "emit an event, or write to a writer that was handed in"},
		{call: "fmt.Printf", except: cmd, why: "emit an event, or write to a writer that was handed in"},
		{call: "log.Print", why: "emit an event"},
		{call: "log.Println", why: "emit an event"},
		{call: "log.Printf", why: "emit an event"},
		{call: "os.Getenv", except: []string{"cmd/ingestd", "config"}, why: "config owns the environment"},
		{call: "os.LookupEnv", except: []string{"cmd/ingestd", "config"}, why: "config owns the environment"},
		{call: "os.Setenv", why: "config owns the environment"},
	}
}

// bareGo are the files with a go statement of their own: the helper everybody else uses.
func bareGo() []string { return []string{"internal/rungroup/rungroup.go"} }

// bugPrefix begins the message of a panic that asserts an invariant of our own code.
const bugPrefix = "BUG: "

// panics are the files that may panic otherwise, with the reason.
func panics() map[string]string { return map[string]string{} }

// inits are the files that may have an init function, with the reason.
func inits() map[string]string { return map[string]string{} }

func TestBannedCalls(t *testing.T) { checkBans(theTree(t).code, t.Errorf) }

func checkBans(code []source, complain complain) {
	for _, s := range code {
		if peer(s.dir) {
			continue
		}
		names := importNames(s.file)
		ast.Inspect(s.file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := selector.X.(*ast.Ident)
			if !ok || names[pkg.Name] == "" || pkg.Obj != nil {
				return true
			}
			call := names[pkg.Name] + "." + selector.Sel.Name
			i := slices.IndexFunc(bans(), func(b ban) bool { return b.call == call })
			if i >= 0 && bans()[i].applies(s) {
				complain("%s: banned call: %s: %s", s.at(n.Pos()), call, bans()[i].why)
			}
			return true
		})
	}
}

func (b ban) applies(s source) bool {
	if slices.Contains(b.except, s.dir) {
		return false
	}
	if !s.product() {
		return b.tests && !imports(s.file, "testing/synctest")
	}
	return true
}

func TestBareStatements(t *testing.T) { checkStatements(theTree(t).code, t.Errorf) }

// checkStatements finds go statements, panics, prints and init functions.
func checkStatements(code []source, complain complain) {
	for _, s := range code {
		if !s.product() {
			continue
		}
		for _, f := range functions(s) {
			if _, ok := inits()[s.path]; f.Name.Name == "init" && f.Recv == nil && !ok {
				complain("%s: init functions: none, since importing must have no effect", s.at(f.Pos()))
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if !slices.Contains(bareGo(), s.path) {
					complain("%s: bare go statement: use internal/rungroup, so that somebody waits", s.at(n.Pos()))
				}
			case *ast.CallExpr:
				checkBareCall(s, n, complain)
			}
			return true
		})
	}
}

func checkBareCall(s source, call *ast.CallExpr, complain complain) {
	name, ok := call.Fun.(*ast.Ident)
	if !ok || name.Obj != nil {
		return
	}
	_, listed := panics()[s.path]
	switch {
	case name.Name == "print" || name.Name == "println":
		complain("%s: banned call: %s", s.at(call.Pos()), name.Name)
	case name.Name == "panic" && !listed && !assertsBug(call):
		complain("%s: panic: return an error, or begin the message with %q if only our own bug can lead here", s.at(call.Pos()), bugPrefix)
	}
}

// assertsBug reports whether a panic's message begins with bugPrefix.
func assertsBug(call *ast.CallExpr) bool {
	found := false
	ast.Inspect(call.Args[0], func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && !found {
			value, _ := strconv.Unquote(text.Value)
			found = strings.HasPrefix(value, bugPrefix)
		}
		return !found
	})
	return found
}

// importNames maps the names packages have in a file to the last part of their path. Packages of other modules
// are left out.
func importNames(f *ast.File) map[string]string {
	out := map[string]string{}
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if strings.Contains(imported, ".") || strings.Contains(imported, "/") {
			continue
		}
		name := imported
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out[name] = imported
	}
	return out
}

func imports(f *ast.File, library string) bool {
	return slices.ContainsFunc(f.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == strconv.Quote(library) })
}
