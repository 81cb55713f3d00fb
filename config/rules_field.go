package config

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// maxColumns and maxFieldDepth are the bounds of a table's schema.
	maxColumns    = 2000
	maxFieldDepth = 32
)

// fields checks a declared JSON schema.
func (v rules) fields(fields []Field, path string) {
	if n := leaves(fields, 0); n > maxColumns {
		v.fault(path, "", "the schema has %d columns, at most %d are allowed", n, maxColumns)
		return
	}
	v.members(fields, path, 1)
}

// leaves counts columns without children. It stops at the depth that members refuses.
func leaves(fields []Field, depth int) int {
	n := 0
	for _, f := range fields {
		if children := f.children(); len(children) > 0 && depth < maxFieldDepth {
			n += leaves(children, depth+1)
		} else {
			n++
		}
	}
	return n
}

// children returns the fields below this one.
func (f Field) children() []Field {
	out := slices.Clone(f.Fields)
	for _, child := range []*Field{f.Element, f.Key, f.Value} {
		if child != nil {
			out = append(out, *child)
		}
	}
	return out
}

// members checks named fields that stand side by side.
func (v rules) members(fields []Field, path string, depth int) {
	columns, sources := map[string]bool{}, map[string]bool{}
	for i, f := range fields {
		at := itemPath(path, i)
		if reason := badColumn(f.Name); reason != "" {
			v.fault(at+".name", "", "%s is no column name: %s", quoteShort(f.Name), reason)
		} else if columns[strings.ToLower(f.Name)] {
			v.fault(at+".name", "rename one of them; `from` keeps the name in the JSON object",
				"the column %s is there already (case does not count)", f.Name)
		}
		columns[strings.ToLower(f.Name)] = true
		from := f.From
		if from == "" {
			from = f.Name
		}
		if sources[from] {
			v.fault(at, "remove one of them", "the JSON field %s is read twice", quoteShort(from))
		}
		sources[from] = true
		v.field(f, at, depth)
	}
}

// field checks one field and what is below it.
func (v rules) field(f Field, path string, depth int) {
	if depth > maxFieldDepth {
		v.fault(path, "", "the schema nests more than %d levels deep", maxFieldDepth)
		return
	}
	v.fieldParts(f, path)
	v.fieldUnit(f, path)
	v.members(f.Fields, path+".fields", depth+1)
	v.unnamed(f.Element, path+".element", depth+1)
	v.unnamed(f.Key, path+".key", depth+1)
	v.unnamed(f.Value, path+".value", depth+1)
	if f.Key != nil {
		v.mapKey(*f.Key, path+".key")
	}
}

// unnamed checks the part of a list or map.
func (v rules) unnamed(f *Field, path string, depth int) {
	if f == nil {
		return
	}
	v.useless(path+".name", "the part of a list or map has no name")
	v.useless(path+".from", "the part of a list or map has no name")
	v.field(*f, path, depth)
}

// mapKey checks the key of a map: in JSON it is the name of an object's member.
func (v rules) mapKey(f Field, path string) {
	if f.Type.Kind != "string" {
		v.fault(path+".type", "declare it as a string", "the key of a JSON map is text")
	}
}

// fieldParts checks that a nested type has its parts and others have none.
func (v rules) fieldParts(f Field, path string) {
	parts := []struct {
		kind, key string
		there     bool
	}{
		{kindStruct, "fields", len(f.Fields) > 0},
		{kindList, "element", f.Element != nil},
		{kindMap, "key", f.Key != nil},
		{kindMap, "value", f.Value != nil},
	}
	for _, p := range parts {
		at := path + "." + p.key
		if p.kind == f.Type.Kind && !p.there {
			v.fault(at, fmt.Sprintf("add %s: ...", p.key), "a %s needs it", p.kind)
		} else if p.kind != f.Type.Kind {
			v.useless(at, "it belongs to type: "+p.kind)
		}
	}
}

// fieldUnit checks that the unit fits the type.
func (v rules) fieldUnit(f Field, path string) {
	if !v.set(path + ".unit") {
		return
	}
	clock := []Unit{UnitISO, UnitSeconds, UnitMillis, UnitMicros, UnitNanos}
	allowed, ok := map[string][]Unit{
		"timestamp":      clock,
		"timestamptz":    clock,
		"timestamp_ns":   clock,
		"timestamptz_ns": clock,
		"time":           clock,
		"date":           {UnitISO, UnitDays},
	}[f.Type.Kind]
	switch {
	case !ok:
		v.useless(path+".unit", "a "+f.Type.Kind+" has none")
	case !slices.Contains(allowed, f.Unit):
		v.fault(path+".unit", "", "a %s is not written in %s", f.Type.Kind, f.Unit)
	}
}

// Columns that the daemon adds by itself.
const (
	ColumnTopic     = "_kafka_topic"
	ColumnPartition = "_kafka_partition"
	ColumnOffset    = "_kafka_offset"
	ColumnTimestamp = "_kafka_timestamp"
	ColumnRest      = "_rest"
)

// ownColumns lists the columns that the daemon adds to the table.
func (t Table) ownColumns() []string {
	var out []string
	if t.AuditColumns {
		out = append(out, ColumnPartition, ColumnOffset, ColumnTimestamp)
		if t.TopicsRegex != "" || len(t.Topics) > 1 {
			out = append(out, ColumnTopic)
		}
	}
	if t.Value.Format == ValueJSON && t.Value.UnknownFields == UnknownRest {
		out = append(out, ColumnRest)
	}
	if t.Key.Format == KeyRaw {
		out = append(out, t.Key.Column)
	}
	if t.Key.Format == KeyJSON {
		for _, f := range t.Key.Schema {
			out = append(out, t.Key.Prefix+f.Name)
		}
	}
	return out
}

// columns checks names across key, value, own columns and partition fields, as far as the file knows them.
func (v rules) columns(t Table, path string) {
	own := t.ownColumns()
	for i, f := range t.Value.Schema {
		if slices.ContainsFunc(own, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			v.fault(itemPath(path+".value.schema", i)+".name", "rename the column; `from` keeps the name in the JSON object",
				"the column %s is added by the daemon", f.Name)
		}
	}
	at := v.origin(path, "partition_by")
	for i, p := range t.PartitionBy {
		if slices.Contains(t.PartitionBy[:i], p) {
			v.fault(itemPath(at, i), "remove it", "the partition field %s is listed twice", p)
		}
		if column, ok := v.missingColumn(t, p.Column, own); !ok {
			v.fault(itemPath(at, i), suggest(p.Column, column), "there is no column %s", quoteShort(p.Column))
		}
	}
	v.sortBy(t, path, own)
}

// sortBy checks the columns of the order. A second mention of a column has no effect.
func (v rules) sortBy(t Table, path string, own []string) {
	at := v.origin(path, "sort_by")
	for i, s := range t.SortBy {
		if slices.ContainsFunc(t.SortBy[:i], func(o SortField) bool { return o.Column == s.Column }) {
			v.fault(itemPath(at, i), "remove it", "the column %s is listed twice", quoteShort(s.Column))
		}
		if column, ok := v.missingColumn(t, s.Column, own); !ok {
			v.fault(itemPath(at, i), suggest(s.Column, column), "there is no column %s", quoteShort(s.Column))
		}
	}
}

// missingColumn looks a column up in a table whose columns stand in the file.
func (v rules) missingColumn(t Table, name string, own []string) (known []string, ok bool) {
	if t.Value.Format != ValueJSON || t.Key.Format == KeyAvro {
		return nil, true
	}
	for _, f := range t.Value.Schema {
		known = append(known, f.Name)
	}
	known = append(known, own...)
	return known, slices.Contains(known, name)
}
