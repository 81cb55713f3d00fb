package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder writes a YAML tree onto a Config. It is strict (what the types do not know is a fault) and patient
// (a fault never stops it). Values that fail to decode keep their default.
type decoder struct {
	*report
	env interpolator
	// root is where the defaults of tables come from: they are decoded before any table.
	root *Config
	// inline lists the secrets whose value stands in the file.
	inline []string
}

// decode writes node onto v, which is addressable and holds the defaults.
func (d *decoder) decode(node ast.Node, v reflect.Value, path string) {
	if d.foreign(node, v, path) {
		return
	}
	if v.Kind() == reflect.Pointer {
		fresh := d.fresh(v.Type().Elem())
		d.decode(node, fresh, path)
		v.Set(fresh.Addr())
		return
	}
	if isScalar(v) {
		d.scalar(node, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		if m, ok := d.mapping(node, path); ok {
			d.structure(m, v, path)
		}
	case reflect.Map:
		if m, ok := d.mapping(node, path); ok {
			d.dictionary(m, v, path)
		}
	case reflect.Slice:
		d.list(node, v, path)
	}
}

// foreign refuses the parts of YAML that a configuration does not need. Anchors would let a small file grow
// without bound, tags would let it choose types.
func (d *decoder) foreign(node ast.Node, v reflect.Value, path string) bool {
	switch node.(type) {
	case nil, *ast.NullNode:
		hint := "give it a value or remove it"
		if v.Kind() == reflect.Pointer {
			hint = "write {} to switch it on with its defaults, or remove it"
		}
		d.fault(path, hint, "has no value")
	case *ast.AnchorNode, *ast.AliasNode:
		d.fault(path, "use `defaults` or ${NAME}", "YAML anchors and aliases are not supported")
	case *ast.TagNode:
		d.fault(path, "remove the tag", "YAML tags are not supported")
	default:
		return false
	}
	return true
}

func (d *decoder) mapping(node ast.Node, path string) (*ast.MappingNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n, true
	case *ast.MappingValueNode:
		return &ast.MappingNode{Values: []*ast.MappingValueNode{n}}, true
	}
	d.fault(path, "", "want a mapping, found %s", nodeKind(node))
	return nil, false
}

// entry is one key of a mapping.
type entry struct {
	key   string
	value ast.Node
}

// entries lists a mapping's keys, notes their positions and reports keys that are no names or come twice.
func (d *decoder) entries(m *ast.MappingNode, path string) []entry {
	var out []entry
	seen := map[string]bool{}
	for _, kv := range m.Values {
		if kv.Key.IsMergeKey() {
			d.fault(path, "use `defaults`", "YAML merge keys are not supported")
			continue
		}
		key, ok := keyText(kv.Key)
		if !ok {
			d.fault(path, "", "a key must be a plain word")
			continue
		}
		at := joinPath(path, key)
		d.at[at] = nodePosition(kv.Key)
		if seen[key] {
			d.fault(at, "remove one of them", "the key is given twice")
			continue
		}
		seen[key] = true
		out = append(out, entry{key, kv.Value})
	}
	return out
}

func keyText(key ast.MapKeyNode) (string, bool) {
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode:
		return key.GetToken().Value, true
	default:
		return "", false
	}
}

// structure decodes a mapping onto a struct: known keys in the order of the struct, so that `defaults` is read
// before `tables` wherever it stands in the file.
func (d *decoder) structure(m *ast.MappingNode, v reflect.Value, path string) {
	settings := settingsOf(v.Type())
	entries := d.entries(m, path)
	byKey := map[string]ast.Node{}
	for _, e := range entries {
		byKey[e.key] = e.value
		if !slices.ContainsFunc(settings, func(s setting) bool { return s.name == e.key }) {
			d.fault(joinPath(path, e.key), suggest(e.key, names(settings)), "unknown setting")
		}
	}
	for _, s := range settings {
		node, ok := byKey[s.name]
		switch {
		case ok:
			d.decode(node, v.FieldByIndex(s.index), joinPath(path, s.name))
		case s.required && !d.misspelt(entries, settings, s.name):
			d.fault(joinPath(path, s.name), "", "required setting is missing")
		}
	}
	d.secretFiles(v, settings, path)
}

// misspelt reports whether an unknown key was probably meant to be this one: one message is enough then.
func (d *decoder) misspelt(entries []entry, settings []setting, name string) bool {
	known := names(settings)
	return slices.ContainsFunc(entries, func(e entry) bool {
		return !slices.Contains(known, e.key) && nearest(e.key, known) == name
	})
}

// dictionary decodes a mapping with free keys. It adds to a copy of what is there: the original may be shared
// with the defaults.
func (d *decoder) dictionary(m *ast.MappingNode, v reflect.Value, path string) {
	out := reflect.MakeMap(v.Type())
	for _, key := range v.MapKeys() {
		out.SetMapIndex(key, v.MapIndex(key))
	}
	for _, e := range d.entries(m, path) {
		item := d.fresh(v.Type().Elem())
		d.decode(e.value, item, joinPath(path, e.key))
		out.SetMapIndex(reflect.ValueOf(e.key), item)
	}
	v.Set(out)
}

func (d *decoder) list(node ast.Node, v reflect.Value, path string) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		hint := ""
		if isScalar(reflect.New(v.Type().Elem()).Elem()) && nodeKind(node) == "a single value" {
			hint = "put it into brackets: [" + nodeText(node) + "]"
		}
		d.fault(path, hint, "want a list, found %s", nodeKind(node))
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(seq.Values))
	for i, item := range seq.Values {
		at := itemPath(path, i)
		if item != nil {
			d.at[at] = nodePosition(item)
		}
		element := d.fresh(v.Type().Elem())
		d.decode(item, element, at)
		out = reflect.Append(out, element)
	}
	v.Set(out)
}

// fresh makes an addressable value that holds its type's defaults.
func (d *decoder) fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	switch block := v.Interface().(type) {
	case *Table:
		block.TableSettings = d.root.Defaults
	case defaulter:
		block.setDefaults()
	}
	return v.Elem()
}

// setting is one key of a block.
type setting struct {
	name     string
	index    []int
	required bool
	reload   bool
}

// settingsOf lists the settings of a struct type, those of inlined structs included, in the order of the type.
func settingsOf(t reflect.Type) []setting {
	var out []setting
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		switch {
		case tag == ",inline":
			for _, s := range settingsOf(f.Type) {
				s.index = append([]int{i}, s.index...)
				out = append(out, s)
			}
		case tag != "" && tag != "-":
			out = append(out, setting{
				name: tag, index: []int{i},
				required: f.Tag.Get("required") == "true",
				reload:   f.Tag.Get("reload") == "true",
			})
		}
	}
	return out
}

func names(settings []setting) []string {
	out := make([]string, len(settings))
	for i, s := range settings {
		out[i] = s.name
	}
	return out
}

// sortedKeys lists a map's keys in a stable order, so that messages and output do not change from run to run.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// quoteShort shows a value of the file in a message.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
