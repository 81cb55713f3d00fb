package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// meaningVersion begins the text that is hashed. A new setting that changes the meaning of rows is written only
// when it differs from its default, so that the hashes of existing files stay what they are; the version
// changes only when that is impossible.
const meaningVersion = "ingestd-meaning-v1"

// meaningBytes is the length of the hash: enough against accidents, short enough for a snapshot summary.
const meaningBytes = 16

// MeaningHash identifies what the rows of the table mean: where they come from, how keys and values are read,
// what becomes of nulls and errors, which columns are added. Two processes with different hashes must not write
// the same table at once. How rows are stored (partitions, Parquet, commits) does not count.
//
// Call it on a table of a validated configuration: it hashes settings, whether written or default.
func (t Table) MeaningHash() string {
	sum := sha256.Sum256([]byte(t.meaning()))
	return hex.EncodeToString(sum[:meaningBytes])
}

// meaning is the text behind the hash, one setting a line.
func (t Table) meaning() string {
	var b strings.Builder
	line := func(key string, value any) { fmt.Fprintf(&b, "%s=%v\n", key, value) }
	b.WriteString(meaningVersion + "\n")
	line("source", quote(t.Source))
	for _, topic := range slices.Sorted(slices.Values(t.Topics)) {
		line("topic", quote(topic))
	}
	if t.TopicsRegex != "" {
		line("topics_regex", quote(t.TopicsRegex))
	}
	line("value.format", t.Value.Format)
	line("value.nulls", t.Value.Nulls)
	if t.Value.Format == ValueJSON {
		line("value.unknown_fields", t.Value.UnknownFields)
		// The setting is younger than hashes that tables have stored: its default leaves them as they are.
		if t.Value.InvalidText != InvalidTextRefuse {
			line("value.invalid_text", t.Value.InvalidText)
		}
		meaningOfFields(&b, "value", t.Value.Schema)
	}
	line("key.format", t.Key.Format)
	if t.Key.Format == KeyRaw || t.Key.Format == KeyAvro {
		line("key.column", quote(t.Key.Column))
	}
	if t.Key.Format == KeyAvro || t.Key.Format == KeyJSON {
		line("key.prefix", quote(t.Key.Prefix))
	}
	if t.Key.Format == KeyJSON {
		meaningOfFields(&b, "key", t.Key.Schema)
	}
	line("errors", strings.Join([]string{
		string(t.Errors.Frame), string(t.Errors.Registry), string(t.Errors.Decode), string(t.Errors.Convert),
	}, ","))
	line("audit_columns", t.AuditColumns)
	return b.String()
}

// meaningOfFields writes fields in the order of their names: the order of columns is no part of a row's meaning.
// Comments are left out.
func meaningOfFields(b *strings.Builder, path string, fields []Field) {
	sorted := slices.SortedFunc(slices.Values(fields), func(x, y Field) int { return strings.Compare(x.Name, y.Name) })
	for _, f := range sorted {
		meaningOfField(b, path+"/"+quote(f.Name), f)
	}
}

func meaningOfField(b *strings.Builder, path string, f Field) {
	from, unit := f.From, f.Unit
	if from == "" {
		from = f.Name
	}
	if unit == "" {
		unit = UnitISO
	}
	fmt.Fprintf(b, "%s=%s required=%t from=%s unit=%s\n", path, f.Type, f.Required, quote(from), unit)
	meaningOfFields(b, path, f.Fields)
	parts := []struct {
		name  string
		field *Field
	}{{"element", f.Element}, {"key", f.Key}, {"value", f.Value}}
	for _, part := range parts {
		if part.field != nil {
			meaningOfField(b, path+"/"+part.name, *part.field)
		}
	}
}

func quote(s string) string { return fmt.Sprintf("%q", s) }
