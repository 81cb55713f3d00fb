package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// keepFunc decides whether a setting is shown.
type keepFunc func(path string) bool

// tree turns a block into ordered keys and plain values, secrets redacted. Settings that are empty are left
// out: there is nothing to show.
func tree(v reflect.Value, path string, keep keepFunc) yaml.MapSlice {
	var out yaml.MapSlice
	settings := settingsOf(v.Type())
	fromFile := secretsFromFiles(v, settings)
	for _, s := range settings {
		at := joinPath(path, s.name)
		if !keep(at) || fromFile[s.name] {
			continue
		}
		if value, ok := plain(v.FieldByIndex(s.index), at, keep); ok {
			out = append(out, yaml.MapItem{Key: s.name, Value: value})
		}
	}
	return out
}

// plain turns one value into what the YAML encoder writes; ok is false when it is empty.
func plain(v reflect.Value, path string, keep keepFunc) (value any, ok bool) {
	if text, scalar := scalarText(v); scalar {
		return text, text != ""
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		return tree(v.Elem(), path, keep), true
	case reflect.Struct:
		block := tree(v, path, keep)
		return block, len(block) > 0
	case reflect.Slice:
		var out []any
		for i := range v.Len() {
			if item, ok := plain(v.Index(i), itemPath(path, i), keep); ok {
				out = append(out, item)
			}
		}
		return out, len(out) > 0
	case reflect.Map:
		return dictionaryTree(v, path, keep)
	default:
		return v.Interface(), true
	}
}

func dictionaryTree(v reflect.Value, path string, keep keepFunc) (any, bool) {
	var out yaml.MapSlice
	byName := map[string]reflect.Value{}
	for _, key := range v.MapKeys() {
		byName[key.String()] = v.MapIndex(key)
	}
	for _, name := range sortedKeys(byName) {
		if item, ok := plain(byName[name], joinPath(path, name), keep); ok {
			out = append(out, yaml.MapItem{Key: name, Value: item})
		}
	}
	return out, len(out) > 0
}

// scalarText writes values with a notation of their own, and strings.
func scalarText(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case Secret:
		return x.String(), true
	case fmt.Stringer:
		return x.String(), true
	}
	if v.Kind() == reflect.String {
		return v.String(), true
	}
	return "", false
}

// secretsFromFiles names the secrets of a block whose value was read from a file: the file's name stands for them.
func secretsFromFiles(v reflect.Value, settings []setting) map[string]bool {
	out := map[string]bool{}
	for _, s := range settings {
		if name, ok := strings.CutSuffix(s.name, secretFileSuffix); ok && v.FieldByIndex(s.index).String() != "" {
			out[name] = true
		}
	}
	return out
}
