package config

import "fmt"

// effect says for which tables a setting means something. A setting of a table that has no effect there is a
// fault; a setting in `defaults` is one when it has no effect in any table.
type effect struct {
	key  string
	why  string
	does func(Table) bool
}

func effects() []effect {
	json := func(t Table) bool { return t.Value.Format == ValueJSON }
	framed := func(t Table) bool { return t.Value.Format == ValueAvro || t.Key.Format == KeyAvro }
	decoded := func(t Table) bool { return t.Value.Format != ValueRaw }
	keyed := func(formats ...KeyFormat) func(Table) bool {
		return func(t Table) bool {
			for _, f := range formats {
				if t.Key.Format == f {
					return true
				}
			}
			return false
		}
	}
	return []effect{
		{"value.schema", "it belongs to value.format: json; avro schemas come from the registry", json},
		{"value.unknown_fields", "it belongs to value.format: json", json},
		{"value.invalid_text", "it belongs to value.format: json", json},
		{"key.format", "a table of raw values has the key by itself", decoded},
		{"key.schema", "it belongs to key.format: json", keyed(KeyJSON)},
		{"key.column", "it belongs to key.format: raw or avro", keyed(KeyRaw, KeyAvro)},
		{"key.prefix", "it belongs to key.format: avro or json", keyed(KeyAvro, KeyJSON)},
		{"add_columns", "a table of raw values has fixed columns", decoded},
		{"errors.frame", "only avro records have a frame", framed},
		{"errors.registry", "only avro records need the registry", framed},
		{"errors.decode", "raw records are not decoded", decoded},
		{"errors.convert", "raw records are not converted", decoded},
		{"parquet.level", "it belongs to parquet.compression: zstd or gzip", func(t Table) bool {
			return t.Parquet.Compression == CompressionZstd || t.Parquet.Compression == CompressionGzip
		}},
		{"history.hourly_tags", "tags are made on branch main only", onMain},
		{"history.daily_tags", "tags are made on branch main only", onMain},
		{"partition_by", "the table is not created: auto_create is false", creates},
		{"properties", "the table is not created: auto_create is false", creates},
	}
}

func creates(t Table) bool { return t.AutoCreate }
func onMain(t Table) bool  { return t.Branch == DefaultBranch }

// crossings checks what only the whole file can tell: settings without effect, unused sources and registries.
func (v rules) crossings() {
	for _, e := range effects() {
		anywhere := false
		for i, t := range v.c.Tables {
			if e.does(t) {
				anywhere = true
			} else {
				v.useless(itemPath("tables", i)+"."+e.key, e.why)
			}
		}
		if !anywhere {
			v.useless("defaults."+e.key, "no table uses it: "+e.why)
		}
	}
	for _, name := range sortedKeys(v.c.Sources) {
		v.sourceUse(name, v.c.Sources[name])
	}
}

func (v rules) sourceUse(name string, s Source) {
	path := joinPath("sources", name)
	used := false
	avro := ""
	for i, t := range v.c.Tables {
		if t.Source != name {
			continue
		}
		used = true
		switch {
		case t.Value.Format == ValueAvro:
			avro = itemPath("tables", i) + ".value.format"
		case t.Key.Format == KeyAvro:
			avro = itemPath("tables", i) + ".key.format"
		}
	}
	switch {
	case !used && (v.broken("tables") || v.broken("defaults")):
		// The table that reads from it may be the broken one.
	case !used:
		v.fault(path, "remove it, or name it in a table", "no table reads from the source")
	case avro == "" && s.Registry != nil:
		v.useless(path+".registry", "no table of the source is avro")
	case avro != "" && s.Registry == nil:
		v.fault(avro, fmt.Sprintf("add %s.registry", path), "avro needs the schema registry of source %s", name)
	}
}
