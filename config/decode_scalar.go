package config

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// scalarParser is implemented by types with a notation of their own: durations, sizes, Iceberg types.
type scalarParser interface{ parse(text string) error }

// unbuilt is implemented by enums with values that are planned but not there yet.
type unbuilt interface{ notBuilt(value string) string }

// isScalar reports whether v is written as a single value.
func isScalar(v reflect.Value) bool {
	if _, ok := v.Addr().Interface().(scalarParser); ok {
		return true
	}
	if _, ok := v.Interface().(Secret); ok {
		return true
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	default:
		return false
	}
}

// scalar decodes a single value.
func (d *decoder) scalar(node ast.Node, v reflect.Value, path string) {
	node = rejoin(node)
	if kind := nodeKind(node); kind != "a single value" {
		d.fault(path, "", "want a single value, found %s", kind)
		return
	}
	text, err := d.env.expand(nodeText(node))
	if err != nil {
		d.faultErr(path, err)
		return
	}
	if text.unset {
		d.unknown[path] = true
		return
	}
	if secret, ok := v.Addr().Interface().(*Secret); ok {
		d.secret(secret, text, path)
		return
	}
	if err := assign(v, text.text); err != nil {
		d.faultErr(path, shown(err, text))
	}
}

// secret takes a secret's value without ever showing it.
func (d *decoder) secret(s *Secret, text expansion, path string) {
	if text.text == "" {
		d.fault(path, "remove it, or give it a value", "the secret is empty")
		return
	}
	if !text.used {
		d.inline = append(d.inline, path)
	}
	*s = NewSecret(text.text)
}

// shown adds the text to the message, unless it came from the environment, which may hold secrets.
func shown(err error, text expansion) error {
	var h hinted
	if !errors.As(err, &h) {
		h.message = err.Error()
	}
	if text.used {
		h.message = "the variable's value does not fit: " + h.message
	} else {
		h.message = quoteShort(text.text) + " does not fit: " + h.message
	}
	return h
}

func (d *decoder) faultErr(path string, err error) {
	var h hinted
	if errors.As(err, &h) {
		d.fault(path, h.hint, "%s", h.message)
		return
	}
	d.fault(path, "", "%s", err.Error())
}

// assign parses text into v.
func assign(v reflect.Value, text string) error {
	if p, ok := v.Addr().Interface().(scalarParser); ok {
		return p.parse(text)
	}
	if e, ok := v.Interface().(enum); ok {
		return assignEnum(v, e, text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("want true or false")
		}
		v.SetBool(text == "true")
	default:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return errors.New("want a whole number")
		}
		v.SetInt(n)
	}
	return nil
}

func assignEnum(v reflect.Value, e enum, text string) error {
	if u, ok := e.(unbuilt); ok && u.notBuilt(text) != "" {
		return hinted{u.notBuilt(text), "use one of " + strings.Join(e.options(), ", ")}
	}
	if !slices.Contains(e.options(), text) {
		return hinted{"unknown choice", suggest(text, e.options())}
	}
	v.SetString(text)
	return nil
}

// nodeText is a scalar as it stands in the file; numbers are not normalized, so that a topic named 007 stays one.
func nodeText(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	if t := node.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

// rejoin undoes a mistake of the YAML scanner: in `{urls: [http://host:8081]}` it takes the address for a mapping,
// although no space follows the colon. Such a pair stands at one place and has no quotes.
func rejoin(node ast.Node) ast.Node {
	m, ok := node.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return node
	}
	pair := m.Values[0]
	key, ok := pair.Key.(*ast.StringNode)
	value := pair.Value.GetToken()
	if !ok || key.Token.Type != token.StringType || value.Type == token.DoubleQuoteType || value.Type == token.SingleQuoteType {
		return node
	}
	colon := pair.Start.Position
	if nodeKind(pair.Value) != "a single value" || value.Position.Line != colon.Line || value.Position.Column != colon.Column+1 {
		return node
	}
	return &ast.StringNode{BaseNode: key.BaseNode, Token: key.Token, Value: key.Value + ":" + value.Value}
}
