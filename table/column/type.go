package column

import (
	"fmt"
	"strings"
)

// Kind is the constructor of a logical type.
type Kind uint8

// The logical types of Iceberg format version 2, and the nanoseconds of version 3.
const (
	Boolean Kind = iota
	Int
	Long
	Float
	Double
	Decimal
	Date
	Time
	Timestamp
	TimestampTZ
	TimestampNs
	TimestampTZNs
	String
	UUID
	Fixed
	Binary
	Struct
	List
	Map
	kinds int = iota
)

var kindNames = [kinds]string{
	"boolean", "int", "long", "float", "double", "decimal", "date", "time", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns",
	"string", "uuid", "fixed", "binary", "struct", "list", "map",
}

// String is Iceberg's name of the kind, without parameters.
func (k Kind) String() string {
	if int(k) >= kinds {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Nested tells whether the kind has fields below it.
func (k Kind) Nested() bool { return k == Struct || k == List || k == Map }

// Type is a logical type. It does not know iceberg-go, so that leaves of the program can use it.
type Type struct {
	Kind      Kind
	Precision int // Decimal: number of digits
	Scale     int // Decimal: digits behind the point
	Length    int // Fixed: bytes
	// Fields are the members of a Struct, the one element of a List, key and value of a Map.
	Fields []Field
}

// Field is a named type. ID 0 means that the catalog has not given an id yet.
type Field struct {
	ID       int
	Name     string
	Doc      string
	Required bool
	Type     Type
}

// String spells the type as Iceberg's JSON does: decimal(9,2), fixed[16], list<string>.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Fixed:
		return fmt.Sprintf("fixed[%d]", t.Length)
	case Struct, List, Map:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Type.String()
			if t.Kind == Struct {
				parts[i] = f.Name + ": " + parts[i]
			}
		}
		return t.Kind.String() + "<" + strings.Join(parts, ", ") + ">"
	default:
		return t.Kind.String()
	}
}

// Equal compares two types including the names and the optionality of what is nested; ids and docs do not count,
// nor do the names of list elements, map keys and map values.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || len(t.Fields) != len(u.Fields) {
		return false
	}
	if t.Kind == Decimal && (t.Precision != u.Precision || t.Scale != u.Scale) {
		return false
	}
	if t.Kind == Fixed && t.Length != u.Length {
		return false
	}
	for i := range t.Fields {
		a, b := &t.Fields[i], &u.Fields[i]
		if a.Required != b.Required || !a.Type.Equal(b.Type) || t.Kind == Struct && a.Name != b.Name {
			return false
		}
	}
	return true
}

// Physical is the storage of a leaf's values, one of Parquet's physical types.
type Physical uint8

// The physical types in use; INT96 is never written.
const (
	PhysBool Physical = iota
	PhysInt32
	PhysInt64
	PhysFloat
	PhysDouble
	PhysBytes
	PhysFixed
)

// String is Parquet's name of the physical type.
func (p Physical) String() string {
	names := [...]string{"BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}
	if int(p) >= len(names) {
		return fmt.Sprintf("physical(%d)", uint8(p))
	}
	return names[p]
}

// physical says how a primitive type is stored and, for fixed storage, in how many bytes.
func (t Type) physical() (Physical, int) {
	switch t.Kind {
	case Boolean:
		return PhysBool, 0
	case Int, Date:
		return PhysInt32, 0
	case Long, Time, Timestamp, TimestampTZ, TimestampNs, TimestampTZNs:
		return PhysInt64, 0
	case Float:
		return PhysFloat, 0
	case Double:
		return PhysDouble, 0
	case Decimal:
		return decimalPhysical(t.Precision)
	case UUID:
		return PhysFixed, 16
	case Fixed:
		return PhysFixed, t.Length
	default:
		return PhysBytes, 0
	}
}

// decimalPhysical follows Iceberg's table: the smallest of INT32, INT64 and the minimal fixed length.
func decimalPhysical(precision int) (Physical, int) {
	switch {
	case precision <= 9:
		return PhysInt32, 0
	case precision <= 18:
		return PhysInt64, 0
	default:
		return PhysFixed, decimalBytes[precision]
	}
}

// decimalBytes[p] is the length of the two's complement form of 10^p - 1.
var decimalBytes = [39]int{
	0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9,
	9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16,
}
