package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocsAreCurrent regenerates docs/CONFIG.md: the head is written by hand, the tables come from the types.
func TestDocsAreCurrent(t *testing.T) {
	head, err := os.ReadFile("testdata/CONFIG.head.md")
	require.NoError(t, err)
	compareGolden(t, "../docs/CONFIG.md", string(head)+reference(readComments(t)))
}

// place is a block and the path under which the file holds it.
type place struct {
	block reflect.Type
	value reflect.Value
	paths []string
}

// reference writes one section for each block.
func reference(c comments) string {
	var out strings.Builder
	for _, p := range places() {
		title := strings.Join(p.paths, ", ")
		if p.paths[0] == "" {
			title = "The file"
		}
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n", title, sentence(c.of(p.block, "")))
		out.WriteString("| Setting | Type | Default | Meaning |\n|---|---|---|---|\n")
		for _, s := range settingsOf(p.block) {
			f := p.block.FieldByIndex(s.index)
			owner := p.block
			if len(s.index) > 1 {
				owner = p.block.Field(s.index[0]).Type
				f = owner.FieldByIndex(s.index[1:])
			}
			fmt.Fprintf(&out, "| `%s`%s | %s | %s | %s |\n", s.name, mark(s), typeText(f.Type),
				defaultCell(s, p.value.FieldByIndex(s.index)), escape(c.of(owner, f.Name)))
		}
	}
	return out.String()
}

// mark shows what takes effect at SIGHUP.
func mark(s setting) string {
	if s.reload {
		return " ↻"
	}
	return ""
}

// sentence drops the type's name, which means nothing in the file.
func sentence(comment string) string {
	for _, verb := range []string{" is ", " says ", " configures ", " bounds ", " encrypts ", " authenticates ", " fetches ", " signs ", " declares "} {
		name, rest, ok := strings.Cut(comment, verb)
		if ok && !strings.Contains(name, " ") {
			verb = strings.TrimSpace(verb)
			if verb == "is" {
				return strings.ToUpper(rest[:1]) + rest[1:]
			}
			return strings.ToUpper(verb[:1]) + verb[1:] + " " + rest
		}
	}
	return comment
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// places walks the file from the top and lists each block once, with every path it stands at.
func places() []*place {
	var order []*place
	byType := map[reflect.Type]*place{}
	var visit func(t reflect.Type, v reflect.Value, path string)
	visit = func(t reflect.Type, v reflect.Value, path string) {
		switch t.Kind() {
		case reflect.Pointer:
			visit(t.Elem(), defaultsOf(t.Elem()), path)
			return
		case reflect.Slice:
			visit(t.Elem(), defaultsOf(t.Elem()), path+"[]")
			return
		case reflect.Map:
			visit(t.Elem(), defaultsOf(t.Elem()), path+".<name>")
			return
		}
		if t.Kind() != reflect.Struct || isScalar(reflect.New(t).Elem()) {
			return
		}
		if p, ok := byType[t]; ok {
			if t != reflect.TypeFor[Field]() {
				p.paths = append(p.paths, "`"+path+"`")
			}
			return
		}
		p := &place{block: t, value: v, paths: []string{"`" + path + "`"}}
		if path == "" {
			p.paths[0] = ""
		}
		byType[t] = p
		order = append(order, p)
		for _, s := range settingsOf(t) {
			if s.name != "defaults" {
				visit(t.FieldByIndex(s.index).Type, v.FieldByIndex(s.index), strings.TrimPrefix(path+"."+s.name, "."))
			}
		}
	}
	visit(reflect.TypeFor[Config](), defaultsOf(reflect.TypeFor[Config]()), "")
	return order
}

// defaultsOf makes a value with its defaults.
func defaultsOf(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if d, ok := v.Interface().(defaulter); ok {
		d.setDefaults()
	}
	if table, ok := v.Interface().(*Table); ok {
		table.TableSettings.setDefaults()
	}
	return v.Elem()
}

// defaultText writes a default; shown is false for values that mean "nothing".
func defaultText(v reflect.Value) (text string, shown bool) {
	if text, ok := scalarText(v); ok {
		return text, text != "" && text != "0" && text != "0s" && text != "0%"
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64:
		return fmt.Sprint(v.Interface()), true
	case reflect.Slice:
		if readers, ok := v.Interface().([]string); ok && len(readers) > 0 {
			return "[" + strings.Join(readers, ", ") + "]", true
		}
	}
	return "", false
}

func defaultCell(s setting, v reflect.Value) string {
	text, shown := defaultText(v)
	switch {
	case s.required:
		return "required"
	case !shown:
		return ""
	default:
		return "`" + text + "`"
	}
}

func typeText(t reflect.Type) string {
	if e, ok := reflect.New(t).Elem().Interface().(enum); ok {
		return "`" + strings.Join(e.options(), "` \\| `") + "`"
	}
	switch reflect.New(t).Elem().Interface().(type) {
	case Duration:
		return "duration"
	case Size:
		return "size"
	case MemoryLimit:
		return "share or size"
	case Secret:
		return "secret"
	case FieldType:
		return "Iceberg type"
	case PartitionField:
		return "partition field"
	case SortField:
		return "sort field"
	case Window:
		return "time of day"
	case TimeZone:
		return "time zone"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "`true` \\| `false`"
	case reflect.Int, reflect.Int64:
		return "number"
	case reflect.Slice:
		return plural("list of ", typeText(t.Elem()))
	case reflect.Map:
		return plural("mapping of ", typeText(t.Elem()))
	case reflect.Pointer:
		return typeText(t.Elem())
	default:
		return "block"
	}
}

func plural(prefix, of string) string {
	switch of {
	case "text":
		return prefix + of
	case "time of day":
		return prefix + "times of day"
	}
	return prefix + of + "s"
}
