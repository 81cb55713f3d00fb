package config

import (
	"slices"
	"strings"
)

// ReaderNames lists the engines `readers` may name. What each can read is the table package's to know.
func ReaderNames() []string {
	return []string{"clickhouse", "duckdb", "pyiceberg", "spark", "trino"}
}

// ParseReader splits `trino@476` into name and version; the version may be missing.
func ParseReader(text string) (name, version string) {
	name, version, _ = strings.Cut(text, "@")
	return name, version
}

// readers checks the engines a table names.
func (v rules) readers(readers []string, path string) {
	at := v.origin(path, "readers")
	if len(readers) == 0 {
		v.fault(at, "remove the setting to get the mainstream ones", "at least one reader is needed")
	}
	seen := map[string]bool{}
	for i, text := range readers {
		name, version := ParseReader(text)
		switch {
		case !slices.Contains(ReaderNames(), name):
			v.fault(itemPath(at, i), suggest(name, ReaderNames()), "unknown reader %s", quoteShort(name))
		case strings.Contains(text, "@") && !isVersion(version):
			v.fault(itemPath(at, i), "write "+name+"@1.10", "%s is no version", quoteShort(version))
		case seen[name]:
			v.fault(itemPath(at, i), "keep the oldest version", "the reader %s is listed twice", name)
		}
		seen[name] = true
	}
}

// formatVersion checks the format version; whether the readers know it is the table package's to say.
func (v rules) formatVersion(version int, path string) {
	if version != 2 && version != 3 {
		v.fault(v.origin(path, "format_version"), "", "want 2 or 3")
	}
}

// isVersion accepts numbers joined by dots.
func isVersion(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}
