package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

const (
	// maxFile bounds a configuration file; real ones have a few kilobytes.
	maxFile = 1 << 20
	// maxNesting bounds brackets and list dashes inside each other. The YAML parser is recursive and takes
	// quadratic time over them.
	maxNesting = 200
)

// parseYAML turns the text into the root mapping, or reports why it is none.
func parseYAML(r *report, data []byte) *ast.MappingNode {
	if len(data) > maxFile {
		r.fault("", "", "the file has more than %d bytes", maxFile)
		return nil
	}
	if nesting(data) > maxNesting {
		r.fault("", "", "the file nests more than %d levels deep", maxNesting)
		return nil
	}
	file, err := parseGuarded(data)
	if err != nil {
		reportSyntax(r, err, data)
		return nil
	}
	return rootMapping(r, file)
}

// parseGuarded turns a panic of the parser into an error: a broken file must not look like a broken daemon.
func parseGuarded(data []byte) (file *ast.File, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.New("the YAML parser gave up on this file")
		}
	}()
	// Duplicate keys are reported by the decoder, together with everything else.
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}

// reportSyntax takes the position and the message of a parser error, but not its excerpt of the file, which
// may hold a secret.
func reportSyntax(r *report, err error, data []byte) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		r.fault("", "", "%s", firstLine(err.Error()))
		return
	}
	// Error() of a SyntaxError without a token panics: only Message may be asked for.
	if syntax.Token == nil || syntax.Token.Position == nil {
		r.fault("", "", "YAML syntax: %s", firstLine(syntax.Message))
		return
	}
	at := syntax.Token.Position
	r.at[""] = position{at.Line, at.Column}
	hint := ""
	if lines := bytes.Split(data, []byte("\n")); at.Line >= 1 && at.Line <= len(lines) &&
		bytes.Contains(lines[at.Line-1], []byte("${")) {
		hint = `quote "${NAME}" inside [] and {}`
	}
	r.fault("", hint, "YAML syntax: %s", syntax.Message)
}

func rootMapping(r *report, file *ast.File) *ast.MappingNode {
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		r.fault("", "start from `ingestd init`", "the file is empty")
		return nil
	case len(bodies) > 1:
		p := nodePosition(bodies[1])
		r.at[""] = p
		r.fault("", "one file holds one document", "a second document begins here")
		return nil
	}
	root, ok := bodies[0].(*ast.MappingNode)
	if !ok {
		r.fault("", "start from `ingestd init`", "want a mapping, found %s", nodeKind(bodies[0]))
	}
	return root
}

// nodePosition is where a node begins.
func nodePosition(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		n = m.Values[0].Key
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return position{t.Position.Line, t.Position.Column}
	}
	return position{1, 1}
}

// nodeKind names a node for messages.
func nodeKind(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	default:
		return "a single value"
	}
}

// nesting estimates how deep the text nests, before the parser sees it: open brackets, and list dashes that
// stand side by side. Quotes are not looked at: the estimate may only be too high.
func nesting(data []byte) int {
	depth, deepest := 0, 0
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	for line := range strings.Lines(string(data)) {
		deepest = max(deepest, strings.Count(line, "- "), strings.Count(line, "? "))
	}
	return deepest
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return fmt.Sprintf("%.200s", line)
}
