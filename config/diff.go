package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Change is one setting in which two configurations differ. Values are shown as `config show` does; "" means
// that the setting is not there.
type Change struct {
	Path     string
	Old, New string
}

// String formats the change for a log line.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s", c.Path, orNone(c.Old), orNone(c.New))
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// Reloadable compares a running configuration with a new one. What is in apply takes effect at SIGHUP: the
// log level and the commit triggers, which nobody holds for longer than one decision. What is in refused needs
// a restart: it was built into connections, buffers and tables. A reload is all or nothing: with anything in
// refused, nothing is applied.
//
// A secret whose file has new content is no change: it takes effect when the file is read next.
func Reloadable(old, updated *Config) (apply, refused []Change) {
	before, after := leavesOf(old), leavesOf(updated)
	for _, l := range merge(before, after) {
		change := Change{Path: l.path, Old: before.text(l.path), New: after.text(l.path)}
		switch {
		case before.same(after, l.path):
		case l.reload:
			apply = append(apply, change)
		default:
			refused = append(refused, change)
		}
	}
	return apply, refused
}

// leaf is one setting that holds a value.
type leaf struct {
	path   string
	shown  string
	exact  string
	reload bool
}

// leafSet keeps leaves in order and by path.
type leafSet struct {
	order []leaf
	index map[string]int
}

func (s *leafSet) add(l leaf) {
	s.index[l.path] = len(s.order)
	s.order = append(s.order, l)
}

func (s *leafSet) find(path string) (leaf, bool) {
	i, ok := s.index[path]
	if !ok {
		return leaf{}, false
	}
	return s.order[i], true
}

func (s *leafSet) text(path string) string {
	l, _ := s.find(path)
	return l.shown
}

func (s *leafSet) same(other *leafSet, path string) bool {
	a, inA := s.find(path)
	b, inB := other.find(path)
	return inA == inB && a.exact == b.exact
}

// merge lists the settings of both, those of the first in their order, then what only the second has.
func merge(a, b *leafSet) []leaf {
	out := append([]leaf(nil), a.order...)
	for _, l := range b.order {
		if _, ok := a.index[l.path]; !ok {
			out = append(out, l)
		}
	}
	return out
}

// leavesOf flattens a configuration. Defaults are left out: they are merged into the tables.
func leavesOf(c *Config) *leafSet {
	s := &leafSet{index: map[string]int{}}
	v := reflect.ValueOf(c).Elem()
	for _, f := range settingsOf(v.Type()) {
		if f.name != "defaults" {
			s.flatten(v.FieldByIndex(f.index), f.name, f.reload)
		}
	}
	return s
}

func (s *leafSet) flatten(v reflect.Value, path string, reload bool) {
	if secret, ok := v.Interface().(Secret); ok && !secret.IsZero() {
		s.add(leaf{path: path, shown: secret.String(), exact: secret.Reveal(), reload: reload})
		return
	}
	if text, ok := scalarText(v); ok {
		if text != "" {
			s.add(leaf{path: path, shown: text, exact: text, reload: reload})
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			s.add(leaf{path: path, exact: "present", shown: "{}", reload: reload})
			s.flatten(v.Elem(), path, reload)
		}
	case reflect.Struct:
		s.flattenStruct(v, path)
	case reflect.Map:
		byName := map[string]reflect.Value{}
		for _, key := range v.MapKeys() {
			byName[key.String()] = v.MapIndex(key)
		}
		for _, name := range sortedKeys(byName) {
			s.flatten(byName[name], joinPath(path, name), reload)
		}
	case reflect.Slice:
		s.flattenList(v, path, reload)
	default:
		text := fmt.Sprint(v.Interface())
		s.add(leaf{path: path, shown: text, exact: text, reload: reload})
	}
}

// flattenStruct leaves out secrets that come from a file: the file's name stands for them.
func (s *leafSet) flattenStruct(v reflect.Value, path string) {
	settings := settingsOf(v.Type())
	fromFile := secretsFromFiles(v, settings)
	for _, f := range settings {
		if !fromFile[f.name] {
			s.flatten(v.FieldByIndex(f.index), joinPath(path, f.name), f.reload)
		}
	}
}

// flattenList names tables by their name, so that an entry more does not look like a change of all that
// follow. A list of plain values is one value.
func (s *leafSet) flattenList(v reflect.Value, path string, reload bool) {
	var texts []string
	for i := range v.Len() {
		item := v.Index(i)
		if t, ok := item.Interface().(Table); ok {
			s.flatten(item, path+"["+t.Name+"]", reload)
			continue
		}
		if text, ok := scalarText(item); ok {
			texts = append(texts, text)
			continue
		}
		s.flatten(item, itemPath(path, i), reload)
	}
	if len(texts) > 0 {
		text := "[" + strings.Join(texts, ", ") + "]"
		s.add(leaf{path: path, shown: text, exact: text, reload: reload})
	}
}
