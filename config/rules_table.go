package config

import (
	"regexp"
	"slices"
	"strings"
)

// maxPageRows bounds a Parquet page; beyond it readers cannot skip.
const maxPageRows = 1_000_000

// tables checks each table and the names among them.
func (v rules) tables() {
	if v.set("tables") && len(v.c.Tables) == 0 && !v.broken("tables") {
		v.fault("tables", "", "at least one table is needed")
	}
	seen := map[string]string{}
	for i, t := range v.c.Tables {
		path := itemPath("tables", i)
		if v.broken(path) {
			continue
		}
		if before, ok := seen[strings.ToLower(t.Name)]; !ok {
			seen[strings.ToLower(t.Name)] = t.Name
		} else if before == t.Name {
			v.fault(path+".name", "list all topics of the table in one entry", "the table %s is declared twice", t.Name)
		} else {
			v.warn(path+".name", "rename one of them", "%s and %s differ in case only, which some catalogs ignore", t.Name, before)
		}
		v.table(t, path)
	}
}

func (v rules) table(t Table, path string) {
	v.tableName(t.Name, path+".name")
	v.topics(t, path)
	v.tableSource(t, path)
	v.value(t, path)
	v.key(t, path)
	v.columns(t, path)
	v.readers(t.Readers, path)
	v.formatVersion(t.FormatVersion, path)
	v.parquet(t.Parquet, path+".parquet")
	v.history(t.History, path+".history")
	v.properties(t, path)
	if reason := badName(t.Branch, "-./"); reason != "" {
		v.fault(path+".branch", "", "%s is no name for a branch: %s", quoteShort(t.Branch), reason)
	}
}

func (v rules) tableName(name, path string) {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		v.fault(path, "write namespace.table", "%s has no namespace", quoteShort(name))
		return
	}
	for _, part := range parts {
		if reason := badName(part, "-"); reason != "" {
			v.fault(path, "", "%s is no name for a table: %s is wrong, %s", quoteShort(name), quoteShort(part), reason)
			return
		}
	}
	if len(name) > maxName {
		v.fault(path, "", "the name has %d bytes, at most %d are allowed", len(name), maxName)
	}
}

func (v rules) topics(t Table, path string) {
	if !v.exactlyOne(path, "topics", "topics_regex") {
		return
	}
	if v.set(path+".topics") && len(t.Topics) == 0 {
		v.fault(path+".topics", "", "at least one topic is needed")
	}
	for i, topic := range t.Topics {
		at := itemPath(path+".topics", i)
		if reason := badTopic(topic); reason != "" {
			v.fault(at, "", "%s is no topic name: %s", quoteShort(topic), reason)
		} else if slices.Contains(t.Topics[:i], topic) {
			v.fault(at, "remove it", "the topic %s is listed twice", topic)
		}
	}
	if at := path + ".topics_regex"; v.set(at) {
		if _, err := regexp.Compile(t.TopicsRegex); err != nil {
			v.fault(at, "the syntax is that of Go: https://pkg.go.dev/regexp/syntax", "%s",
				strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		} else if t.TopicsRegex == "" {
			v.fault(at, "", "the expression is empty")
		}
	}
}

func (v rules) tableSource(t Table, path string) {
	if v.broken("sources") {
		return
	}
	known := sortedKeys(v.c.Sources)
	switch _, ok := v.c.Sources[t.Source]; {
	case ok:
	case t.Source == "" && !v.set(path+".source"):
		v.fault(path+".source", "one of "+strings.Join(known, ", "), "there are several sources, so the table must name one")
	default:
		at := path + ".source"
		if !v.set(at) && v.set("defaults.source") {
			at = "defaults.source"
		}
		v.fault(at, suggest(t.Source, known), "there is no source %s", quoteShort(t.Source))
	}
}

func (v rules) value(t Table, path string) {
	if t.Value.Format == ValueJSON {
		if len(t.Value.Schema) == 0 {
			v.fault(path+".value.schema", "list the columns: [{name: id, type: long}, ...]",
				"json values need a schema; types are never guessed")
		}
		v.fields(t.Value.Schema, path+".value.schema")
	}
	if t.Value.Nulls == NullsRow && t.Key.Format == KeyOff && t.Value.Format != ValueRaw {
		v.fault(v.origin(path, "value.nulls"), "set key.format, or value.nulls: ignore",
			"a row without a value needs the key's columns, but key.format is off")
	}
}

// origin is the path of a table's setting where it was written: in the table or in the defaults.
func (v rules) origin(path, key string) string {
	if !v.set(path+"."+key) && v.set("defaults."+key) {
		return "defaults." + key
	}
	return path + "." + key
}

// written is origin for a whole path; other paths stay as they are.
func (v rules) written(path string) string {
	table, key, ok := strings.Cut(path, "].")
	if !ok || !strings.HasPrefix(table, "tables[") || v.set(path) {
		return path
	}
	if at := "defaults." + key; v.set(at) {
		return at
	}
	return path
}

func (v rules) key(t Table, path string) {
	k := t.Key
	switch k.Format {
	case KeyJSON:
		if len(k.Schema) == 0 {
			v.fault(path+".key.schema", "list the columns: [{name: id, type: long}, ...]",
				"json keys need a schema; types are never guessed")
		}
		v.fields(k.Schema, path+".key.schema")
	case KeyRaw, KeyAvro:
		if reason := badColumn(k.Column); reason != "" {
			v.fault(path+".key.column", "", "%s is no column name: %s", quoteShort(k.Column), reason)
		}
	}
	if k.Format == KeyAvro && k.Prefix == "" {
		v.fault(v.origin(path, "key.prefix"), "write _key_, or whatever no field of the value begins with",
			"avro keys need a prefix: without one nothing tells their columns from the value's")
	}
	if reason := badColumn(k.Prefix); k.Prefix != "" && reason != "" {
		v.fault(path+".key.prefix", "", "%s cannot begin a column name: %s", quoteShort(k.Prefix), reason)
	}
}

func (v rules) parquet(p Parquet, path string) {
	if p.PageRows < 1 || p.PageRows > maxPageRows {
		v.fault(path+".page_rows", "", "want a number from 1 to %d", maxPageRows)
	}
	most := map[Compression]int{CompressionZstd: 22, CompressionGzip: 9}[p.Compression]
	if most > 0 && (p.Level < 0 || p.Level > most) {
		v.fault(path+".level", "", "%s knows levels from 1 to %d; 0 is the fastest", p.Compression, most)
	}
}

// Each tag keeps a snapshot in the table's metadata, which every commit writes anew.
const (
	maxHourlyTags = 31 * 24
	maxDailyTags  = 366
)

func (v rules) history(h History, path string) {
	if h.HourlyTags < 0 || h.HourlyTags > maxHourlyTags {
		v.fault(path+".hourly_tags", "", "want a number from 0 to %d", maxHourlyTags)
	}
	if h.DailyTags < 0 || h.DailyTags > maxDailyTags {
		v.fault(path+".daily_tags", "", "want a number from 0 to %d", maxDailyTags)
	}
}

// properties refuses what belongs to the daemon or to a setting.
func (v rules) properties(t Table, path string) {
	instead := map[string]string{
		"format-version":                  "format_version",
		"write.format.default":            "",
		"write.parquet.compression-codec": "parquet.compression",
		"write.parquet.compression-level": "parquet.level",
		"write.parquet.page-row-limit":    "parquet.page_rows",
	}
	for _, name := range sortedKeys(t.Properties) {
		at := joinPath(v.origin(path, "properties"), name)
		if own := joinPath(path+".properties", name); v.set(own) {
			at = own
		}
		setting, taken := instead[name]
		switch {
		case name == "":
			v.fault(at, "", "a property needs a name")
		case strings.HasPrefix(name, "ingestd."):
			v.fault(at, "remove it", "properties that begin with ingestd. belong to the daemon")
		case taken && setting != "":
			v.fault(at, "use "+setting, "the property is decided by a setting")
		case taken:
			v.fault(at, "remove it", "data files are always Parquet")
		case strings.HasPrefix(name, bloomProperties):
			v.bloom(t.Properties, name, at)
		}
	}
}
