package avro

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// Parse reads a schema. refs are the schemas it refers to, each after those it needs itself.
func Parse(text string, refs ...string) (*Schema, error) {
	p := &parser{named: map[string]*avroType{}, open: map[*avroType]bool{}}
	total := 0
	var root *avroType
	for i, s := range append(refs[:len(refs):len(refs)], text) {
		what := "parsing Avro schema"
		if i < len(refs) {
			what = fmt.Sprintf("parsing Avro schema, reference %d of %d", i+1, len(refs))
		}
		if total += len(s); total > MaxBytes {
			return nil, failure.New(failure.Halt, CodeInvalid, "", "%s: it has more than %d bytes with all it refers to", what, MaxBytes)
		}
		t, err := p.text(s)
		if err != nil {
			if failure.CodeOf(err) == CodeUnsupported {
				return nil, failure.Wrap(err, failure.Halt, CodeUnsupported, "", "%s", what)
			}
			return nil, failure.Wrap(err, failure.Halt, CodeInvalid, "", "%s", what)
		}
		root = t
	}
	return &Schema{root: root}, nil
}

// parser holds the types that have a name, over all texts of one schema.
type parser struct {
	named map[string]*avroType
	open  map[*avroType]bool // records whose fields are being read
}

func (p *parser) text(s string) (*avroType, error) {
	v, err := parseJSON(s)
	if err != nil {
		return nil, err
	}
	t, err := p.parse(v, "", 0)
	if err != nil {
		return nil, err
	}
	return t, checkSize(t)
}

// parse reads a type in the namespace ns.
func (p *parser) parse(v *jsonValue, ns string, depth int) (*avroType, error) {
	if depth > MaxDepth {
		return nil, unsupported("", "its types are nested deeper than %d levels", MaxDepth)
	}
	switch v.kind {
	case '"':
		return p.byName(v.text, ns)
	case '[':
		return p.union(v, ns, depth)
	case '{':
		return p.object(v, ns, depth)
	}
	return nil, errors.New("a type is neither a name, a list nor an object")
}

func (p *parser) byName(name, ns string) (*avroType, error) {
	if k, ok := primitive(name); ok {
		return &avroType{kind: k}, nil
	}
	t := p.named[name]
	if ns != "" && !strings.Contains(name, ".") {
		if inner := p.named[ns+"."+name]; inner != nil {
			t = inner
		}
	}
	if t == nil {
		return nil, fmt.Errorf("type %q is not defined before it is used", clip(name))
	}
	if p.open[t] {
		return nil, unsupported("", "record %s contains itself; recursive types have no columns", t.name)
	}
	return t, nil
}

func (p *parser) object(v *jsonValue, ns string, depth int) (*avroType, error) {
	typ := v.get("type")
	if typ == nil {
		return nil, errors.New(`a type has no attribute "type"`)
	}
	if typ.kind != '"' {
		return p.parse(typ, ns, depth+1) // {"type": {"type": ...}}
	}
	switch typ.text {
	case "record", "error":
		return p.record(v, ns, depth)
	case "enum":
		return p.enum(v, ns)
	case "fixed":
		return p.fixed(v, ns)
	case "array":
		return p.collection(v, kArray, "items", ns, depth)
	case "map":
		return p.collection(v, kMap, "values", ns, depth)
	}
	t, err := p.byName(typ.text, ns)
	if err == nil && t.name == "" {
		t.setLogical(v)
	}
	return t, err
}

func (p *parser) collection(v *jsonValue, k kind, attr, ns string, depth int) (*avroType, error) {
	items := v.get(attr)
	if items == nil {
		return nil, fmt.Errorf("%s has no attribute %q", kindNames[k], attr)
	}
	t, err := p.parse(items, ns, depth+1)
	if err != nil {
		return nil, err
	}
	return &avroType{kind: k, items: t}, nil
}

func (p *parser) union(v *jsonValue, ns string, depth int) (*avroType, error) {
	if len(v.items) == 0 {
		return nil, errors.New("a union has no branches")
	}
	if len(v.items) > MaxUnion {
		return nil, unsupported("", "a union has %d branches, more than %d", len(v.items), MaxUnion)
	}
	t := &avroType{kind: kUnion}
	seen := map[string]bool{}
	for _, item := range v.items {
		b, err := p.parse(item, ns, depth+1)
		if err != nil {
			return nil, err
		}
		if b.kind == kUnion {
			return nil, errors.New("a union is directly within a union")
		}
		if seen[b.fullName()] {
			return nil, fmt.Errorf("a union has two branches of type %s", b.fullName())
		}
		seen[b.fullName()] = true
		t.branches = append(t.branches, b)
	}
	return t, nil
}

func (p *parser) record(v *jsonValue, ns string, depth int) (*avroType, error) {
	t, ns, err := p.define(v, kRecord, ns)
	if err != nil {
		return nil, err
	}
	fields := v.get("fields")
	if fields == nil || fields.kind != '[' {
		return nil, fmt.Errorf("record %s has no list of fields", t.name)
	}
	p.open[t] = true
	defer delete(p.open, t)
	seen := map[string]bool{}
	for _, f := range fields.items {
		name := f.str("name")
		typ := f.get("type")
		if f.kind != '{' || typ == nil || checkName(name) != nil {
			return nil, fmt.Errorf("record %s: field %q has no type or no valid name", t.name, clip(name))
		}
		if seen[name] {
			return nil, fmt.Errorf("record %s has two fields %q", t.name, name)
		}
		seen[name] = true
		ft, err := p.parse(typ, ns, depth+1)
		if err != nil {
			return nil, fmt.Errorf("record %s, field %s: %w", t.name, name, err)
		}
		t.fields = append(t.fields, avroField{name: name, doc: f.str("doc"), typ: ft})
	}
	return t, nil
}

func (p *parser) enum(v *jsonValue, ns string) (*avroType, error) {
	t, _, err := p.define(v, kEnum, ns)
	if err != nil {
		return nil, err
	}
	symbols := v.get("symbols")
	if symbols == nil || symbols.kind != '[' || len(symbols.items) == 0 {
		return nil, fmt.Errorf("enum %s has no symbols", t.name)
	}
	seen := map[string]bool{}
	for _, s := range symbols.items {
		if s.kind != '"' || s.text == "" || seen[s.text] {
			return nil, fmt.Errorf("enum %s: symbol %q is empty or stands there twice", t.name, clip(s.text))
		}
		seen[s.text] = true
		t.symbols = append(t.symbols, s.text)
	}
	return t, nil
}

func (p *parser) fixed(v *jsonValue, ns string) (*avroType, error) {
	t, _, err := p.define(v, kFixed, ns)
	if err != nil {
		return nil, err
	}
	size, ok := v.integer("size")
	if !ok || size < 1 || size > MaxBytes {
		return nil, fmt.Errorf("fixed %s: size is not in 1..%d", t.name, MaxBytes)
	}
	t.size = size
	t.setLogical(v)
	return t, nil
}
