package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Kinds of FieldType that take parameters or children.
const (
	kindDecimal = "decimal"
	kindFixed   = "fixed"
	kindStruct  = "struct"
	kindList    = "list"
	kindMap     = "map"
)

// maxPrecision is Iceberg's bound for decimals.
const maxPrecision = 38

// FieldType is the Iceberg type of a JSON field.
type FieldType struct {
	// Kind is the type's name without parameters.
	Kind string
	// Precision and Scale belong to decimal.
	Precision, Scale int
	// Length belongs to fixed.
	Length int
}

// String writes the type in Iceberg's spelling.
func (t FieldType) String() string {
	switch t.Kind {
	case kindDecimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case kindFixed:
		return fmt.Sprintf("fixed[%d]", t.Length)
	default:
		return t.Kind
	}
}

// typeNames lists the types that a field may have, as they are written.
func typeNames() []string {
	return []string{
		"boolean", "int", "long", "float", "double", "decimal(P,S)", "date", "time", "timestamp", "timestamptz",
		"timestamp_ns", "timestamptz_ns",
		"string", "uuid", "fixed[N]", "binary", kindStruct, kindList, kindMap,
	}
}

func (t *FieldType) parse(text string) error {
	switch {
	case strings.HasPrefix(text, kindDecimal):
		return t.parseDecimal(text)
	case strings.HasPrefix(text, kindFixed):
		return t.parseFixed(text)
	}
	for _, name := range typeNames() {
		if name == text {
			*t = FieldType{Kind: name}
			return nil
		}
	}
	return hinted{"unknown type", suggestType(text)}
}

func (t *FieldType) parseDecimal(text string) error {
	args, ok := arguments(text, kindDecimal, '(', ')')
	if !ok || len(args) != 2 {
		return errors.New("want decimal(precision, scale), such as decimal(10,2)")
	}
	precision, err1 := strconv.Atoi(args[0])
	scale, err2 := strconv.Atoi(args[1])
	if err1 != nil || err2 != nil || precision < 1 || precision > maxPrecision || scale < 0 || scale > precision {
		return fmt.Errorf("want a precision from 1 to %d and a scale from 0 to the precision", maxPrecision)
	}
	*t = FieldType{Kind: kindDecimal, Precision: precision, Scale: scale}
	return nil
}

func (t *FieldType) parseFixed(text string) error {
	args, ok := arguments(text, kindFixed, '[', ']')
	if !ok || len(args) != 1 {
		return errors.New("want fixed[length], such as fixed[16]")
	}
	length, err := strconv.Atoi(args[0])
	if err != nil || length < 1 || length > maxFixed {
		return fmt.Errorf("want a length from 1 to %d", maxFixed)
	}
	*t = FieldType{Kind: kindFixed, Length: length}
	return nil
}

// maxFixed bounds fixed[N]; longer values are binary.
const maxFixed = 1 << 20

// suggestType knows the names other systems use for Iceberg's types.
func suggestType(text string) string {
	foreign := map[string]string{
		"integer": "int", "int32": "int", "int64": "long", "bigint": "long", "number": "double", "real": "double",
		"float32": "float", "float64": "double", "numeric": "decimal(P,S)", "bool": "boolean", "text": "string",
		"varchar": "string", "bytes": "binary", "blob": "binary", "datetime": "timestamptz", "array": kindList,
		"record": kindStruct, "object": kindStruct, "dict": kindMap,
	}
	if strings.EqualFold(text, "variant") {
		return "ingestd writes no variant; unknown_fields: rest keeps what is not declared in _rest, as JSON text"
	}
	if ours, ok := foreign[strings.ToLower(text)]; ok {
		return "did you mean " + ours + "?"
	}
	return suggest(text, typeNames())
}

// arguments splits `name(a, b)` into its arguments.
func arguments(text, name string, open, end byte) ([]string, bool) {
	rest := strings.TrimPrefix(text, name)
	if len(rest) < 2 || rest[0] != open || rest[len(rest)-1] != end {
		return nil, false
	}
	args := strings.Split(rest[1:len(rest)-1], ",")
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	return args, true
}
