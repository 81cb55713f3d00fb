package house

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the import path of this module.
const module = "github.com/ingestd/ingestd"

// source is one Go file of the tree.
type source struct {
	path  string // from the module's root, with slashes
	dir   string
	test  bool // a _test.go file
	fset  *token.FileSet
	file  *ast.File
	lines int
}

// at formats a place for a message.
func (s source) at(pos token.Pos) string {
	p := s.fset.Position(pos)
	return s.path + ":" + itoa(p.Line)
}

// product reports whether the rules for product code hold: no tests, no test helpers, no peers.
func (s source) product() bool { return !s.test && !helper(s.dir) && !peer(s.dir) }

// helper reports whether a package helps tests: its name ends in "test".
func helper(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// peer reports whether a package stands outside the product: it drives real components, measures against peers, or
// tests the tests.
func peer(dir string) bool {
	return within(dir, "integration") || within(dir, "bench") || within(dir, "internal/mutation")
}

// within reports whether dir is room or below it.
func within(dir, room string) bool { return dir == room || strings.HasPrefix(dir, room+"/") }

// complain takes a violation; (*testing.T).Errorf is one.
type complain func(format string, args ...any)

// tree is the module, read once for all tests.
type tree struct {
	root  string
	files []string // every tracked or new file
	code  []source
}

var load = sync.OnceValues(readTree)

func theTree(t *testing.T) tree {
	t.Helper()
	read, err := load()
	require.NoError(t, err)
	require.NotEmpty(t, read.code)
	return read
}

func readTree() (tree, error) {
	root, err := findRoot()
	if err != nil {
		return tree{}, err
	}
	out := tree{root: root}
	if out.files, err = listFiles(root); err != nil {
		return tree{}, err
	}
	for _, name := range out.files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		s, err := parse(root, name, nil)
		if err != nil {
			return tree{}, err
		}
		out.code = append(out.code, s)
	}
	return out, nil
}

// parse reads a file; text may be given instead, as for parser.ParseFile.
func parse(root, name string, text any) (source, error) {
	s := source{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), fset: token.NewFileSet()}
	var err error
	s.file, err = parser.ParseFile(s.fset, filepath.Join(root, name), text, parser.ParseComments)
	if err == nil {
		s.lines = s.fset.File(s.file.Pos()).LineCount()
	}
	return s, err
}

func findRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the test")
		}
		dir = parent
	}
	return "", err
}

// listFiles asks git, which knows what is ignored; without git it walks.
func listFiles(root string) ([]string, error) {
	out, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return walk(root)
	}
	names := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(root, name))
		return err != nil // deleted, not yet committed
	}), nil
}

func walk(root string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.Type().IsRegular():
			relative, err := filepath.Rel(root, name)
			out = append(out, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	return out, err
}

// packages groups sources by folder.
func packages(code []source) map[string][]source {
	out := map[string][]source{}
	for _, s := range code {
		out[s.dir] = append(out[s.dir], s)
	}
	return out
}
