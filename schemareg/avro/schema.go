package avro

import (
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// Codes of schemas that cannot be used and of records that cannot be read.
const (
	CodeInvalid     = "E_SCHEMA_INVALID"
	CodeUnsupported = "E_SCHEMA_UNSUPPORTED"
	CodeMismatch    = "E_SCHEMA_MISMATCH"
	CodeDecode      = "E_DECODE"
	CodeConvert     = "E_CONVERT"
)

// Limits of a schema.
const (
	MaxBytes = 1 << 20 // text, with everything it refers to
	MaxDepth = 100     // nested types, named ones written out where they are used
	MaxTypes = 20_000  // types, named ones written out where they are used
	MaxUnion = 256     // branches of a union
)

// Schema is a parsed writer schema. It is immutable.
type Schema struct {
	root *avroType
}

// Name is the full name of the record, enum or fixed at the top, "" for any other type.
func (s *Schema) Name() string { return s.root.name }

// kind is the constructor of a type.
type kind uint8

const (
	kNull kind = iota
	kBoolean
	kInt
	kLong
	kFloat
	kDouble
	kBytes
	kString
	kRecord
	kEnum
	kArray
	kMap
	kUnion
	kFixed
)

var kindNames = [...]string{
	"null", "boolean", "int", "long", "float", "double", "bytes", "string",
	"record", "enum", "array", "map", "union", "fixed",
}

// primitives are the kinds that a name alone stands for.
func primitive(name string) (kind, bool) {
	for k := kNull; k <= kString; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// logical is a logical type that we know.
type logical uint8

const (
	lNone logical = iota
	lDecimal
	lUUID
	lDate
	lTimeMillis
	lTimeMicros
	lTimestampMillis
	lTimestampMicros
	lTimestampNanos
	lLocalMillis
	lLocalMicros
	lLocalNanos
	lDuration
)

var logicalNames = [...]string{
	"", "decimal", "uuid", "date", "time-millis", "time-micros",
	"timestamp-millis", "timestamp-micros", "timestamp-nanos",
	"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "duration",
}

// avroType is one type of a schema; named types are shared between their uses.
type avroType struct {
	kind      kind
	logical   logical
	name      string // full name of a record, enum or fixed
	doc       string
	size      int // fixed
	precision int // decimal
	scale     int // decimal
	symbols   []string
	fields    []avroField
	items     *avroType // of an array; of a map its values
	branches  []*avroType
}

type avroField struct {
	name string
	doc  string
	typ  *avroType
}

// String names the type as in messages.
func (t *avroType) String() string {
	switch {
	case t.kind == kUnion:
		parts := make([]string, len(t.branches))
		for i, b := range t.branches {
			parts[i] = b.String()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case t.kind == kArray || t.kind == kMap:
		return kindNames[t.kind] + "<" + t.items.String() + ">"
	case t.name != "" && t.logical == lNone:
		return kindNames[t.kind] + " " + t.name
	case t.logical == lDecimal:
		return "decimal(" + itoa(t.precision) + "," + itoa(t.scale) + ")"
	case t.logical != lNone:
		return logicalNames[t.logical]
	}
	return kindNames[t.kind]
}

// nullable splits a union into its branches without null and the index of null, -1 if it has none.
func (t *avroType) nullable() (others []*avroType, null int) {
	null = -1
	for i, b := range t.branches {
		if b.kind == kNull {
			null = i
			continue
		}
		others = append(others, b)
	}
	return others, null
}

// branchNames are the member names of a union's struct, "" for null.
func (t *avroType) branchNames() []string {
	seen := map[string]int{}
	for _, b := range t.branches {
		seen[strings.ToLower(b.shortName())]++
	}
	out := make([]string, len(t.branches))
	for i, b := range t.branches {
		switch {
		case b.kind == kNull:
		case seen[strings.ToLower(b.shortName())] > 1:
			out[i] = strings.ReplaceAll(b.fullName(), ".", "_")
		default:
			out[i] = b.shortName()
		}
	}
	return out
}

func (t *avroType) shortName() string {
	return t.name[strings.LastIndexByte(t.fullName(), '.')+1:] + t.unnamed()
}

func (t *avroType) fullName() string { return t.name + t.unnamed() }

// unnamed is the kind of a type that has no name.
func (t *avroType) unnamed() string {
	if t.name != "" {
		return ""
	}
	return kindNames[t.kind]
}

func unsupported(hint, format string, args ...any) error {
	return failure.New(failure.Halt, CodeUnsupported, hint, format, args...)
}
